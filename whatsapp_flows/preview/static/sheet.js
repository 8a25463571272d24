// A sheet over the screen: options, a calendar, ways to add a file. While it is open, the screen behind is inert.

import { html, nothing } from "./lit-html.js";
import { icons } from "./icons.js";

const escape = (ui) => (event) => {
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    ui.close();
  }
};

export const sheet = ({ title, body, foot = nothing }, ui) => html`<div class="sheet-dim" @click=${ui.close}></div>
  <div class="sheet" role="dialog" aria-modal="true" aria-labelledby="sheet-title" @keydown=${escape(ui)}>
    <div class="sheet-head">
      <h2 id="sheet-title" tabindex="-1">${title}</h2>
      <button type="button" class="round" aria-label="Close" @click=${ui.close}>${icons.close}</button>
    </div>
    <div class="sheet-body">${body}</div>
    ${foot === nothing ? nothing : html`<div class="sheet-foot">${foot}</div>`}
  </div>`;

export const footButton = (text, onClick) =>
  html`<button type="button" class="button is-quiet" @click=${onClick}>${text}</button>`;

// What gets the focus when a sheet opens: the chosen option, the current day, or the first control.
export function focusSheet(root, selector = "") {
  const place = root.querySelector(".sheet");
  const wanted =
    (selector && place?.querySelector(selector)) ||
    place?.querySelector("[data-current]") ||
    place?.querySelector("input:checked:not(:disabled)") ||
    place?.querySelector(".sheet-body input:not(:disabled), .sheet-body button") ||
    place?.querySelector("#sheet-title");
  wanted?.focus();
}
