// The page: it asks the server for STATE, draws it, and sends what the user does. Which screen is open, what is valid
// and what comes next is decided by the server.

import { html, nothing, render } from "./lit-html.js";
import { prepareAnswer } from "./answer.js";
import { bar } from "./bar.js";
import { Connection, ServerError } from "./connection.js";
import { makeLink, readLink } from "./links.js";
import { safeHref } from "./markdown.js";
import { panel } from "./panel.js";
import { phone } from "./phone.js";
import { present } from "./presentation.js";
import { focusSheet } from "./sheet.js";

const place = (id) => document.getElementById(id);
const [barPlace, phonePlace, panelPlace, notice, box] = ["bar", "phone", "panel", "notice", "box"].map(place);

let state = null;
let drawnScreen = null;
let seenLog = 0;
let snackbarTimer = 0;
let noticeTimer = 0;
let ids = new Map();
let pressed = false;
const left = []; // fields that a press outside of them has left

const connection = new Connection({ onState, onTrouble });

const ui = {
  platform: "android",
  theme: "auto",
  sheet: null,
  snackbar: "",
  byKeyboard: false,
  first: true,
  completed: null,
  broken: "",
  id: (node) => ids.get(node.path) ?? "n",
  // A tap on what cannot be used is sent too: the answer says why it cannot.
  async send(event) {
    if (event.type === "Blur" && pressed) {
      left.push(event);
      return;
    }
    const answer = await connection.event(event);
    if (answer?.refused && event.type !== "Blur") {
      say(answer.refused.message);
    }
  },
  open(wanted) {
    const fresh = ui.sheet === null || ui.sheet.path !== wanted.path;
    ui.opener = fresh ? document.activeElement?.id : ui.opener;
    ui.sheet = wanted;
    draw();
    if (fresh || wanted.focus) {
      focusSheet(phonePlace, wanted.focus);
    }
  },
  close() {
    const path = ui.sheet?.path;
    ui.sheet = null;
    draw();
    place(ui.opener)?.focus();
    if (path) {
      connection.event({ type: "Blur", path });
    }
  },
  undo: () => connection.command("undo"),
  restart: () => connection.command("restart"),
  answer: (fields) => connection.command("answer", fields),
  openScreen: (screen, data = null) => connection.command("open", data === null ? { screen } : { screen, data }),
  copyTest,
  copyLink,
  setPlatform(value) {
    ui.platform = value;
    draw();
  },
  setTheme(value) {
    ui.theme = value;
    draw();
  },
  flash,
  about: () => message("About this phone", html`<p>
      This is an approximation, drawn for this preview. A phone has its own fonts, sizes and keyboards, and its versions differ.
    </p>
    <p>What is certain about a behaviour, and what was only observed, stands beside each note under “This screen”.</p>`),
};

// -- drawing

function onState(next) {
  const begun = state === null;
  if (begun) {
    ui.platform = next.platform ?? "android";
    ui.theme = next.theme ?? "auto";
    seenLog = next.log.at(-1)?.number ?? 0;
  }
  const screen = next.view.over ? "over" : `${next.view.screen}`;
  const changed = drawnScreen !== null && screen !== drawnScreen;
  if (changed) {
    ui.sheet = null;
    if (!notice.classList.contains("is-lasting")) {
      say(""); // it was about the screen before
    }
    render(nothing, phonePlace);
  }
  const asked = next.asks && next.asks.number !== state?.asks?.number;
  state = next;
  drawnScreen = screen;
  showSnackbar(next.view.snackbar);
  draw();
  if (changed) {
    place(next.view.over ? "answer" : "screen-title")?.focus({ preventScroll: false });
  } else if (asked && !begun) {
    place("asks-title")?.focus();
  }
  announce(next.log);
}

function draw() {
  document.documentElement.dataset.theme = ui.theme;
  document.title = state ? `${state.file.name} · Flow preview` : "Flow preview";
  const focused = document.activeElement?.id;
  render(bar(state, ui), barPlace);
  if (state === null) {
    return;
  }
  const { view } = state;
  ids = new Map([...view.nodes, ...(view.footer ? [view.footer] : [])].map((node, index) => [node.path, `n${index}`]));
  ui.completed = state.completed;
  ui.broken = state.log.findLast((entry) => entry.kind === "broken")?.text ?? "";
  ui.first = (state.history?.length ?? 1) <= 1;
  render(phone(view, ui), phonePlace);
  render(panel(state, ui), panelPlace);
  present(phonePlace, { typing: connection.outstanding });
  if (state.asks) {
    prepareAnswer(panelPlace, state.asks);
  }
  if (focused && document.activeElement === document.body) {
    place(focused)?.focus();
  }
}

let shown = null;

function showSnackbar(snackbar) {
  const key = snackbar ? JSON.stringify(snackbar) : null;
  if (key === shown) {
    return;
  }
  shown = key;
  clearTimeout(snackbarTimer);
  ui.snackbar = snackbar?.text ?? "";
  if (snackbar) {
    snackbarTimer = setTimeout(() => {
      ui.snackbar = "";
      draw();
    }, snackbar.seconds * 1000);
  }
}

// -- findings

function nodeAt(path) {
  const nodes = [...phonePlace.querySelectorAll("[data-path]")].filter(
    ({ dataset }) => path === dataset.path || path.startsWith(`${dataset.path}/`),
  );
  return nodes.sort((one, other) => other.dataset.path.length - one.dataset.path.length)[0];
}

function flash(path) {
  const node = path ? nodeAt(path) : phonePlace.querySelector(".screen");
  const index = Number(/^\/screens\/(\d+)(?:\/|$)/.exec(path ?? "")?.[1] ?? -1);
  const screen = state.screens.find((each) => each.number === index);
  if (node) {
    node.scrollIntoView({ block: "nearest" });
    node.classList.remove("is-flashing");
    requestAnimationFrame(() => node.classList.add("is-flashing"));
    setTimeout(() => node.classList.remove("is-flashing"), 1800);
  } else if (screen && !screen.current) {
    ui.openScreen(screen.id).then(() => nodeAt(path) && flash(path));
  } else {
    say("This place is not drawn on the screen.");
  }
}

// -- messages

function say(text, kind = "") {
  clearTimeout(noticeTimer);
  notice.textContent = text;
  notice.className = `notice ${kind} ${text ? "is-shown" : ""}`;
  if (text && kind !== "is-lasting") {
    noticeTimer = setTimeout(() => say(""), 5000);
  }
}

function onTrouble(error) {
  if (error === null) {
    if (notice.classList.contains("is-lasting")) {
      say("");
    }
    return;
  }
  if (error instanceof ServerError && error.status === 403) {
    say("The server does not know this page. Open the address that the terminal shows.", "is-lasting");
  } else if (error instanceof ServerError && error.status < 500) {
    say(error.message || "The server has refused this.", "is-refusal");
  } else {
    say("The preview server does not answer. This page tries again until it does.", "is-lasting");
  }
}

function message(title, body, actions = nothing) {
  box.setAttribute("aria-label", title);
  render(html`<h2>${title}</h2>${body}<div class="box-foot">${actions}<button type="button" class="button" @click=${() => box.close()}>Close</button></div>`, box);
  if (!box.open) {
    box.showModal();
  }
}

// What is new in the log and needs a look.
function announce(log) {
  const news = log.filter((entry) => entry.number > seenLog);
  seenLog = Math.max(seenLog, log.at(-1)?.number ?? 0);
  const [broken, opened] = ["broken", "open_url"].map((kind) => news.findLast((entry) => entry.kind === kind));
  if (broken) {
    say(`A phone refuses this: ${broken.text}`);
  }
  if (opened) {
    offerLink(opened);
  }
}

// A link that the Flow wants to open is shown first: the page goes nowhere by itself.
function offerLink(fresh) {
  const url = typeof fresh.detail === "string" ? fresh.detail : fresh.detail?.url ?? fresh.text;
  const href = safeHref(url);
  message("The Flow opens a web page", html`<p class="address">${url}</p>
    ${href ? nothing : html`<p>Its address is none that a phone opens. It is not opened here.</p>`}`,
    href
      ? html`<a class="button is-main" href=${href} target="_blank" rel="noopener noreferrer" @click=${() => box.close()}>Open in a new tab</a>`
      : nothing);
}

async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    say(done);
  } catch {
    message("Copy this", html`<textarea class="to-copy" rows="12" readonly aria-label="Text to copy" .value=${text}></textarea>`);
    box.querySelector("textarea").select();
  }
}

// Copies what the server answers; `words` makes the text of it, and what is said afterwards.
async function copyFrom(request, words) {
  try {
    await copy(...words(await request));
  } catch (error) {
    onTrouble(error);
  }
}

function copyTest() {
  return copyFrom(connection.test(), (source) => [source, "The test is copied."]);
}

function copyLink() {
  return copyFrom(connection.link(), (link) => [
    makeLink(location.href.split("#")[0], link),
    link.complete ? "The link is copied." : "The link is copied without the data of the screen: they are too long for an address.",
  ]);
}

// -- start

function follow() {
  const link = readLink(location.hash);
  if (link?.problem) {
    say(link.problem);
  } else if (link) {
    ui.openScreen(link.screen, link.data);
  }
  if (link) {
    history.replaceState(null, "", location.pathname); // it is followed once: what is played from there on is no link
  }
}

document.addEventListener("keydown", () => {
  ui.byKeyboard = true;
}, true);
document.addEventListener("pointerdown", () => {
  ui.byKeyboard = false;
  pressed = true;
}, true);
// An error that appears while the button is down would move what is pressed: the field is left after the click.
function released() {
  pressed = false;
  setTimeout(() => left.splice(0).forEach(ui.send), 0);
}

document.addEventListener("pointerup", released, true);
document.addEventListener("pointercancel", released, true);
addEventListener("hashchange", follow);

draw();
connection.open();
follow();
