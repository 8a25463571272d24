// Components that offer options: groups, chips, the dropdown and its sheet, the opt-in, the list that navigates.

import { html, nothing } from "./lit-html.js";
import { labelled, note, sheetField } from "./fields.js";
import { icons } from "./icons.js";
import { picture } from "./pictures.js";
import { footButton } from "./sheet.js";

const select = (node, ui, option) => ({ target }) =>
  ui.send({ type: "Select", path: node.path, option, selected: target.checked });

const optionMedia = (item, large) => {
  if (typeof item.image === "string") {
    return picture(item.image, item["alt-text"], large ? "option-image is-large" : "option-image");
  }
  const colour = /^#[0-9a-f]{6}$/i.test(item.color ?? "") ? item.color : null;
  return colour
    ? html`<svg class=${large ? "swatch is-large" : "swatch"} viewBox="0 0 10 10" preserveAspectRatio="none" role="img" aria-label=${item["alt-text"] ?? colour}>
        <rect width="10" height="10" fill=${colour} />
      </svg>`
    : nothing;
};

const optionText = (item) => html`<span class="option-text">
  <span class="option-title">${item.title}</span>
  ${item.description ? html`<span class="option-description">${item.description}</span>` : nothing}
  ${item.metadata ? html`<span class="option-metadata">${item.metadata}</span>` : nothing}
</span>`;

const option = (node, ui, item, { type, large = false, onChange = select(node, ui, item.id) }) => html`<label
  class=${`option ${large ? "is-large" : ""} ${item.enabled === false ? "is-disabled" : ""}`}
>
  ${optionMedia(item, large)}${optionText(item)}
  <input
    type=${type}
    name=${ui.id(node)}
    value=${item.id}
    data-held
    .held=${item.selected === true}
    ?disabled=${item.enabled === false}
    @change=${onChange}
  />
</label>`;

// How many may be chosen, in words.
function inWords({ min: least, max: most }) {
  if (least && most) {
    return least === most ? `Choose ${least}` : `Choose ${least} to ${most}`;
  }
  if (least) {
    return `Choose at least ${least}`;
  }
  return most ? `Choose up to ${most}` : "";
}

const group = (node, ui, className, options) => {
  const { props } = node;
  const id = ui.id(node);
  const hint = props.hint ? inWords(props.hint) : "";
  return html`<fieldset class=${`choices ${className}`} aria-describedby=${`${id}-note`} ?data-invalid=${Boolean(node.error)}>
    ${props.label ? html`<legend>${labelled(props.label, props.optional)}</legend>` : html`<legend class="unseen">Options</legend>`}
    ${props.description ? html`<p class="choices-description">${props.description}</p>` : nothing}
    ${hint ? html`<p class="choices-hint">${hint}</p>` : nothing}
    <div class="options">${options}</div>
    ${note(id, node.error)}
  </fieldset>`;
};

const offered = (node) => node.props["data-source"] ?? [];

const listed = (type) => (node, ui) => {
  const large = node.props["media-size"] === "large";
  return group(node, ui, large ? "has-large-media" : "", offered(node).map((item) => option(node, ui, item, { type, large })));
};

export const checkboxGroup = listed("checkbox");
export const radioButtonsGroup = listed("radio");

export const chipsSelector = (node, ui) =>
  group(node, ui, "chips", offered(node).map(
    (item) => html`<label class=${`chip ${item.enabled === false ? "is-disabled" : ""}`}>
      <input
        type="checkbox"
        value=${item.id}
        data-held
        .held=${item.selected === true}
        ?disabled=${item.enabled === false}
        @change=${select(node, ui, item.id)}
      /><span class="chip-tick" aria-hidden="true">${icons.tick}</span><span>${item.title}</span>
    </label>`,
  ));

export const dropdown = (node, ui) =>
  sheetField(node, ui, { value: offered(node).find((item) => item.selected)?.title ?? "" });

export const dropdownSheet = (node, ui) => ({
  title: node.props.label,
  body: html`<div class="options" role="radiogroup" aria-label=${node.props.label ?? "Options"}>
    ${offered(node).map((item) =>
      option(node, ui, item, {
        type: "radio",
        onChange: (event) => {
          select(node, ui, item.id)(event);
          if (!ui.byKeyboard) {
            ui.close();
          }
        },
      }),
    )}
  </div>`,
  foot: footButton("Done", ui.close),
});

export function optIn(node, ui) {
  const { props } = node;
  const id = ui.id(node);
  return html`<div class="opt-in" ?data-invalid=${Boolean(node.error)}>
    <div class="opt-in-row">
      <label class="opt-in-label">
        <input
          id=${id}
          type="checkbox"
          data-held
          .held=${node.value === true}
          ?disabled=${!node.enabled}
          aria-required=${props.required === true ? "true" : "false"}
          aria-invalid=${node.error ? "true" : "false"}
          aria-describedby=${`${id}-note`}
          @change=${select(node, ui, "")}
        />
        <span class="opt-in-text">${labelled(props.label, props.optional)}</span>
      </label>
      ${props["on-click-action"]
        ? html`<button
            class="link"
            type="button"
            id=${`${id}-more`}
            aria-label=${`Read more: ${props.label ?? ""}`}
            @click=${() => ui.send({ type: "Tap", path: node.path })}
            >Read more</button
          >`
        : nothing}
    </div>
    ${note(id, node.error)}
  </div>`;
}

const endColumn = (end) =>
  end
    ? html`<span class="row-end">
        ${end.title ? html`<span class="row-end-title">${end.title}</span>` : nothing}
        ${end.description ? html`<span class="row-end-text">${end.description}</span>` : nothing}
        ${end.metadata ? html`<span class="row-end-text">${end.metadata}</span>` : nothing}
      </span>`
    : nothing;

const row = (node, ui, item, index, large) => {
  const main = item["main-content"] ?? {};
  const off = item.enabled === false || !node.enabled;
  return html`<li>
    <button
      class=${`row ${large ? "is-large" : ""}`}
      type="button"
      id=${`${ui.id(node)}-${index}`}
      aria-disabled=${off ? "true" : "false"}
      @click=${() => ui.send({ type: "Tap", path: node.path, item: item.id })}
    >
      ${item.start ? picture(item.start.image, item.start["alt-text"], large ? "row-image is-large" : "row-image") : nothing}
      <span class="row-main">
        ${item.badge ? html`<span class="badge">${item.badge}</span>` : nothing}
        <span class="row-title">${main.title}</span>
        ${main.description ? html`<span class="row-text">${main.description}</span>` : nothing}
        ${main.metadata ? html`<span class="row-metadata">${main.metadata}</span>` : nothing}
        ${item.tags?.length ? html`<span class="tags">${item.tags.map((tag) => html`<span class="tag">${tag}</span>`)}</span>` : nothing}
      </span>
      ${endColumn(item.end)}<span class="row-next" aria-hidden="true">${icons.next}</span>
    </button>
  </li>`;
};

export function navigationList(node, ui) {
  const { props } = node;
  const large = props["media-size"] === "large";
  return html`<div class="navigation">
    ${props.label ? html`<h3 class="text-subheading">${props.label}</h3>` : nothing}
    ${props.description ? html`<p class="choices-description">${props.description}</p>` : nothing}
    <ul class="rows">${(props["list-items"] ?? []).map((item, index) => row(node, ui, item, index, large))}</ul>
    ${note(ui.id(node), node.error)}
  </div>`;
}
