// Images, the carousel, and the two pickers. Of a file that is chosen only its name, type and size go to the server.

import { html, nothing } from "./lit-html.js";
import { note } from "./fields.js";
import { icons } from "./icons.js";
import { picture } from "./pictures.js";

export function image({ props }, ui) {
  const height = props.height ?? props["default-height"]?.[ui.platform];
  return picture(props.src, props["alt-text"], "image", {
    ratio: height ? "" : props["aspect-ratio"],
    height,
    width: props.width,
    fit: props["scale-type"],
  });
}

const RATIOS = { "4:3": "1.3333", "16:9": "1.7778" };

function slide(event, step) {
  const track = event.target.closest(".carousel").querySelector(".carousel-track");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  track.scrollBy({ left: step * track.clientWidth, behavior: calm ? "instant" : "smooth" });
}

function mark({ target }) {
  const at = Math.round(target.scrollLeft / Math.max(target.clientWidth, 1));
  target.parentElement.querySelectorAll(".carousel-dot").forEach((dot, index) => {
    dot.classList.toggle("is-current", index === at);
  });
}

export function imageCarousel({ props }) {
  const images = props.images ?? [];
  const size = { ratio: RATIOS[props["aspect-ratio"]] ?? RATIOS["4:3"], fit: props["scale-type"] };
  return html`<div class="carousel" role="group" aria-roledescription="carousel" aria-label=${`${images.length} images`}>
    <div class="carousel-track" tabindex="0" role="region" aria-label="Images, scroll sideways" @scroll=${mark}>
      ${images.map(
        (item, index) => html`<div class="carousel-slide" role="group" aria-label=${`Image ${index + 1} of ${images.length}`}>
          ${picture(item.src, item["alt-text"], "carousel-image", size)}
        </div>`,
      )}
    </div>
    ${images.length > 1
      ? html`<div class="carousel-foot">
          <button type="button" class="round" aria-label="Previous image" @click=${(event) => slide(event, -1)}>${icons.back}</button>
          <span class="carousel-dots" aria-hidden="true"
            >${images.map((_, index) => html`<span class=${index === 0 ? "carousel-dot is-current" : "carousel-dot"}></span>`)}</span
          >
          <button type="button" class="round" aria-label="Next image" @click=${(event) => slide(event, 1)}>${icons.next}</button>
        </div>`
      : nothing}
  </div>`;
}

const KINDS = {
  PhotoPicker: { word: "photo", icon: icons.photo, made: { name: "photo.jpg", mime_type: "image/jpeg", size: 482_000 } },
  DocumentPicker: { word: "document", icon: icons.file, made: { name: "document.pdf", mime_type: "application/pdf", size: 96_000 } },
};

const STATES = { running: "Uploading", failed: "Not uploaded" };

function inWords(bytes) {
  if (bytes < 1000) {
    return `${bytes} bytes`;
  }
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const held = (node) => node.value ?? [];

const upload = (node, ui, files) => ui.send({ type: "Upload", path: node.path, files });

// A name that is not taken yet: photo.jpg, photo-2.jpg, ...
function fresh(name, files) {
  const taken = new Set(files.map((file) => file.name));
  const [stem, end] = [name.slice(0, name.lastIndexOf(".")), name.slice(name.lastIndexOf("."))];
  let count = 1;
  let found = name;
  while (taken.has(found)) {
    count += 1;
    found = `${stem}-${count}${end}`;
  }
  return found;
}

const fileRow = (node, ui, file, index) => html`<li class="file">
  <span class="file-icon" aria-hidden="true">${KINDS[node.kind].icon}</span>
  <span class="file-text">
    <span class="file-name">${file.name}</span>
    <span class=${file.state === "failed" ? "file-size is-error" : "file-size"}
      >${inWords(file.size)}${STATES[file.state] ? ` · ${STATES[file.state]}` : ""}</span
    >
  </span>
  <button
    type="button"
    class="round"
    aria-label=${`Remove ${file.name}`}
    ?disabled=${!node.enabled}
    @click=${() => upload(node, ui, held(node).filter((_, at) => at !== index))}
    >${icons.close}</button
  >
</li>`;

export function picker(node, ui) {
  const { props } = node;
  const id = ui.id(node);
  const kind = KINDS[node.kind];
  return html`<div class="picker" role="group" aria-labelledby=${`${id}-label`} ?data-invalid=${Boolean(node.error)}>
    <p id=${`${id}-label`} class="picker-label">${props.label}</p>
    ${props.description ? html`<p class="choices-description">${props.description}</p>` : nothing}
    ${held(node).length > 0 ? html`<ul class="files">${held(node).map((file, index) => fileRow(node, ui, file, index))}</ul>` : nothing}
    <button
      id=${id}
      class="add"
      type="button"
      aria-haspopup="dialog"
      aria-expanded=${ui.sheet?.path === node.path ? "true" : "false"}
      aria-describedby=${`${id}-note`}
      ?disabled=${!node.enabled}
      @click=${() => ui.open({ path: node.path })}
      >${kind.icon}<span>${`Add a ${kind.word}`}</span></button
    >
    ${note(id, node.error)}
  </div>`;
}

const MADE = [
  ["done", "uploaded"],
  ["running", "still uploading"],
  ["failed", "not uploaded"],
];

export function pickerSheet(node, ui) {
  const { word, made } = KINDS[node.kind];
  const add = (files) => {
    upload(node, ui, [...held(node), ...files]);
    ui.close();
  };
  const chosen = ({ target }) =>
    add([...target.files].map(({ name, type, size }) => ({ name, mime_type: type || "application/octet-stream", size, state: "done" })));
  const accept = node.kind === "PhotoPicker" ? "image/*" : (node.props["allowed-mime-types"] ?? []).join(",");
  return {
    title: `Add a ${word}`,
    body: html`<div class="actions">
      <label class="action"><span>Choose a file of yours…</span><input class="unseen" type="file" multiple accept=${accept} @change=${chosen} /></label>
      ${MADE.map(
        ([state, text]) => html`<button
          class="action"
          type="button"
          @click=${() => add([{ ...made, name: fresh(made.name, held(node)), state }])}
          >${`Made-up ${word}, ${text}`}</button
        >`,
      )}
      <p class="hint">A file stays on this computer. Its name, type and size are used.</p>
    </div>`,
  };
}
