// A storyboard: phones that were drawn in advance, each from its VIEW. Nothing can be entered; a tap goes where the
// Flow goes. With `#picture=3`, the page is the fourth phone alone, and with `#sizes` it says how large each of them is.

import { render } from "./lit-html.js";
import { phone } from "./phone.js";
import { present } from "./presentation.js";
import { scrub } from "./scrub.js";

const root = document.documentElement;
const { texts, boards } = JSON.parse(document.getElementById("story").textContent);

// A long text, such as an image, is written once, however many boards have it.
function whole(value) {
  if (value === null || typeof value !== "object") {
    return value;
  }
  if (typeof value.$text === "number") {
    return texts[value.$text];
  }
  for (const key of Object.keys(value)) {
    value[key] = whole(value[key]);
  }
  return value;
}

const nothingHappens = () => undefined;

// What `phone` asks of a page, for a phone that does not change.
function surroundings(board) {
  const paths = [...board.view.nodes, board.view.footer].filter(Boolean).map((node) => node.path);
  const targets = new Map(board.taps.map(([path, item, anchor]) => [`${path} ${item}`, anchor]));
  return {
    platform: root.dataset.platform,
    theme: root.dataset.theme,
    sheet: board.sheet ? { path: board.sheet } : null,
    snackbar: board.view.snackbar?.text ?? "",
    first: board.first,
    completed: null,
    broken: "",
    id: (node) => `n${paths.indexOf(node.path)}`,
    send(event) {
      const anchor = event.type === "Tap" && targets.get(`${event.path} ${event.item ?? ""}`);
      if (anchor) {
        location.hash = anchor;
      }
    },
    open: nothingHappens,
    close: nothingHappens,
    about: nothingHappens,
    restart: nothingHappens,
  };
}

// The ids in a phone are its own, and so is the look: the page's rules do not reach in.
const look = ["look", "board-look"].map((id) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(document.getElementById(id).textContent);
  return sheet;
});

const VALUES = new Set(["INPUT", "TEXTAREA", "LABEL", "SUMMARY"]);

// What stands in the fields stays. They can be read, and are left out by the Tab key: there may be hundreds.
function hold(shadow) {
  shadow.addEventListener("beforeinput", (event) => event.preventDefault());
  shadow.addEventListener("click", (event) => {
    if (event.composedPath().some((element) => VALUES.has(element.tagName) || element.tagName === "A")) {
      event.preventDefault();
    }
  }, true);
  shadow.querySelectorAll("a, button, input, select, summary, textarea, [tabindex]").forEach((element) => {
    element.tabIndex = -1;
  });
}

function draw(place, board) {
  board.view = scrub(whole(board.view));
  const shadow = place.attachShadow({ mode: "open" });
  shadow.adoptedStyleSheets = look;
  render(phone(board.view, surroundings(board)), shadow);
  present(shadow);
  hold(shadow);
}

const places = [...document.querySelectorAll("[data-board]")];

function only(place) {
  root.classList.add("is-picture");
  document.body.replaceChildren(place);
}

function sizes() {
  root.classList.add("is-picture");
  return places.map((place) => {
    only(place);
    const { width, height } = place.getBoundingClientRect();
    return [Math.ceil(width), Math.ceil(height)];
  });
}

const picture = /^#picture=(\d+)$/.exec(location.hash);
const drawn = picture ? [places[Number(picture[1])]] : places;
drawn.forEach((place) => draw(place, boards[Number(place.dataset.board)]));
if (picture) {
  drawn.forEach(only);
} else if (location.hash === "#sizes") {
  root.dataset.sizes = JSON.stringify(sizes());
}
