// Text fields, and what all fields share: label, note below, error, counter.

import { html, nothing } from "./lit-html.js";
import { icons } from "./icons.js";

export const labelled = (label, optional) =>
  html`<span class="label-text">${label}</span>${optional === true ? html` <span class="optional">(optional)</span>` : nothing}`;

// The line below a field: the error, or else the help. It is announced when it changes.
export const note = (id, error, help = "") => html`<p
  id=${`${id}-note`}
  class=${error ? "note is-error" : "note"}
  aria-live="polite"
  >${error ? html`<span class="note-mark" aria-hidden="true">!</span>` : nothing}<span class="note-text">${error || help}</span></p
>`;

const counter = (count) =>
  count
    ? html`<span class=${count.count > count.limit ? "counter is-error" : "counter"}
        ><span aria-hidden="true">${count.count}/${count.limit}</span
        ><span class="unseen">${count.count} of ${count.limit} characters</span></span
      >`
    : nothing;

const HIDDEN = new Set(["password", "passcode"]);

const typed = (node, ui) => ({ target }) => ui.send({ type: "Fill", path: node.path, value: target.value });
const left = (node, ui) => () => ui.send({ type: "Blur", path: node.path });
const composing = (on) => ({ target }) => {
  target.composing = on;
};

const around = (node, id, large, control) => html`<div
  class=${`field ${large ? "has-large-label" : ""} ${node.error ? "is-invalid" : ""} ${node.enabled ? "" : "is-disabled"}`}
>
  <div class="field-box">${control}<label for=${id}>${labelled(node.props.label, node.props.optional)}</label></div>
  <div class="field-foot">${note(id, node.error, node.props["helper-text"])}${counter(node.counter)}</div>
</div>`;

export function textInput(node, ui) {
  const id = ui.id(node);
  const type = node.props["input-type"];
  return around(node, id, node.props["label-variant"] === "large", html`<input
      id=${id}
      type=${HIDDEN.has(type) ? "password" : "text"}
      inputmode=${node.props.keyboard ?? "text"}
      autocomplete="off"
      autocapitalize="off"
      spellcheck="false"
      placeholder=" "
      data-held
      .held=${node.value}
      ?disabled=${!node.enabled}
      aria-required=${node.props.required === true ? "true" : "false"}
      aria-invalid=${node.error ? "true" : "false"}
      aria-describedby=${`${id}-note`}
      @input=${typed(node, ui)}
      @blur=${left(node, ui)}
      @compositionstart=${composing(true)}
      @compositionend=${composing(false)}
    />`);
}

export function textArea(node, ui) {
  const id = ui.id(node);
  return around(node, id, node.props["label-variant"] === "large", html`<textarea
      id=${id}
      rows="4"
      placeholder=" "
      data-held
      .held=${node.value}
      ?disabled=${!node.enabled}
      aria-required=${node.props.required === true ? "true" : "false"}
      aria-invalid=${node.error ? "true" : "false"}
      aria-describedby=${`${id}-note`}
      @input=${typed(node, ui)}
      @blur=${left(node, ui)}
      @compositionstart=${composing(true)}
      @compositionend=${composing(false)}
    ></textarea>`);
}

// A field that opens a sheet: it looks like a text field, and is a button.
export function opener({ id, label, optional, value, error, help, enabled, icon, expanded, onOpen, onLeave }) {
  return html`<div class=${`field ${error ? "is-invalid" : ""} ${enabled ? "" : "is-disabled"}`}>
    <div class=${`field-box is-opener ${value ? "is-filled" : ""}`}>
      <button
        id=${id}
        type="button"
        aria-haspopup="dialog"
        aria-expanded=${expanded ? "true" : "false"}
        aria-labelledby=${`${id}-label ${id}-value`}
        aria-describedby=${`${id}-note`}
        ?disabled=${!enabled}
        @click=${onOpen}
        @blur=${onLeave}
      >
        <span id=${`${id}-value`} class="opener-value">${value}</span>${icon}
      </button>
      <span id=${`${id}-label`} class="opener-label">${labelled(label, optional)}</span>
    </div>
    <div class="field-foot">${note(id, error, help)}</div>
  </div>`;
}

export const sheetField = (node, ui, more) =>
  opener({
    id: ui.id(node),
    label: node.props.label,
    optional: node.props.optional,
    error: node.error,
    help: node.props["helper-text"],
    enabled: node.enabled,
    icon: icons.down,
    expanded: ui.sheet?.path === node.path,
    onOpen: () => ui.open({ path: node.path }),
    onLeave: () => undefined,
    ...more,
  });
