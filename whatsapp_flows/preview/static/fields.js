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

const composing = (on) => ({ target }) => {
  target.composing = on;
};

// A text that is typed, in a line or in several.
export function textField(node, ui) {
  const id = ui.id(node);
  const { label, optional, keyboard, "label-variant": variant, "helper-text": help, "input-type": type } = node.props;
  const required = node.props.required === true ? "true" : "false";
  const invalid = node.error ? "true" : "false";
  const control = node.kind === "TextArea"
    ? html`<textarea
        id=${id} rows="4" placeholder=" " data-held .held=${node.value} ?disabled=${!node.enabled}
        aria-required=${required} aria-invalid=${invalid} aria-describedby=${`${id}-note`}
      ></textarea>`
    : html`<input
        id=${id} type=${HIDDEN.has(type) ? "password" : "text"} inputmode=${keyboard ?? "text"}
        autocomplete="off" autocapitalize="off" spellcheck="false"
        placeholder=" " data-held .held=${node.value} ?disabled=${!node.enabled}
        aria-required=${required} aria-invalid=${invalid} aria-describedby=${`${id}-note`}
      />`;
  return html`<div
    class=${`field ${variant === "large" ? "has-large-label" : ""} ${node.error ? "is-invalid" : ""} ${node.enabled ? "" : "is-disabled"}`}
  >
    <div
      class="field-box"
      @input=${({ target }) => ui.send({ type: "Fill", path: node.path, value: target.value })}
      @focusout=${() => ui.send({ type: "Blur", path: node.path })}
      @compositionstart=${composing(true)}
      @compositionend=${composing(false)}
    >${control}<label for=${id}>${labelled(label, optional)}</label></div>
    <div class="field-foot">${note(id, node.error, help)}${counter(node.counter)}</div>
  </div>`;
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
