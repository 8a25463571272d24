// The phone: a sheet over a chat, drawn from VIEW. It decides nothing: what is shown, enabled or wrong stands in the
// nodes, and each tap and key press becomes an event for `ui.send`.

import { html, nothing } from "./lit-html.js";
import { calendarPicker, calendarSheet, datePicker } from "./calendar.js";
import { chat } from "./chat.js";
import { checkboxGroup, chipsSelector, dropdown, dropdownSheet, navigationList, optIn, radioButtonsGroup } from "./choices.js";
import { textField } from "./fields.js";
import { icons } from "./icons.js";
import { blocks } from "./markdown.js";
import { image, imageCarousel, picker, pickerSheet } from "./media.js";
import { sheet } from "./sheet.js";

const paragraphs = (text, className) =>
  (Array.isArray(text) ? text : [text ?? ""]).map((one) => html`<p class=${className}>${one}</p>`);

const styled = ({ "font-weight": weight, strikethrough }, base) =>
  [base, weight && `weight-${weight}`, strikethrough === true && "is-struck"].filter(Boolean).join(" ");

const prose = (base) => ({ props }) =>
  props.blocks
    ? html`<div class=${styled(props, `${base} prose`)}>${blocks(props.blocks)}</div>`
    : paragraphs(props.text, styled(props, base));

const link = (node, ui) => html`<button
  id=${ui.id(node)}
  class="link"
  type="button"
  ?disabled=${!node.enabled}
  @click=${() => ui.send({ type: "Tap", path: node.path })}
  >${node.props.text}</button
>`;

const COMPONENTS = {
  TextHeading: ({ props }) => html`<h3 class="text-heading">${props.text}</h3>`,
  TextSubheading: ({ props }) => html`<h4 class="text-subheading">${props.text}</h4>`,
  TextBody: prose("text-body"),
  TextCaption: prose("text-caption"),
  RichText: ({ props }) => html`<div class="rich prose">${props.blocks ? blocks(props.blocks) : paragraphs(props.text, "")}</div>`,
  TextInput: textField,
  TextArea: textField,
  CheckboxGroup: checkboxGroup,
  RadioButtonsGroup: radioButtonsGroup,
  ChipsSelector: chipsSelector,
  Dropdown: dropdown,
  OptIn: optIn,
  EmbeddedLink: link,
  DatePicker: datePicker,
  CalendarPicker: calendarPicker,
  Image: image,
  ImageCarousel: imageCarousel,
  NavigationList: navigationList,
  PhotoPicker: picker,
  DocumentPicker: picker,
};

// What opens over the screen, by the component that has opened it.
const SHEETS = {
  Dropdown: dropdownSheet,
  DatePicker: calendarSheet,
  CalendarPicker: calendarSheet,
  PhotoPicker: pickerSheet,
  DocumentPicker: pickerSheet,
};

export function unplayable(kind, reasons) {
  return html`<div class="unplayable">
    <p class="unplayable-title">${icons.warning}<span>${kind || "Component"} cannot be shown</span></p>
    ${reasons.map((text) => html`<p>${text}</p>`)}
  </div>`;
}

const reasonsOf = (node) => node.issues.filter((issue) => issue.blocking).map((issue) => issue.text);

function component(node, ui) {
  if (!node.shown) {
    return nothing;
  }
  const reasons = reasonsOf(node);
  const draw = COMPONENTS[node.kind];
  const drawn = reasons.length > 0 || !draw ? unplayable(node.kind, reasons) : draw(node, ui);
  return html`<div class="node" data-kind=${node.kind} data-path=${node.path} data-name=${node.name}>${drawn}</div>`;
}

const captions = ({ "left-caption": start, "center-caption": centre, "right-caption": end }) =>
  start || centre || end
    ? html`<p class="captions">
        ${start ? html`<span>${start}</span>` : nothing}${centre ? html`<span class="is-centre">${centre}</span>` : nothing}
        ${end ? html`<span class="is-end">${end}</span>` : nothing}
      </p>`
    : nothing;

function footer(node, view, ui) {
  const off = !node.enabled || view.loading;
  const reasons = reasonsOf(node);
  return html`<div class="node" data-kind="Footer" data-path=${node.path}>
    ${reasons.length > 0
      ? unplayable("Footer", reasons)
      : html`${captions(node.props)}
          <button
            id=${ui.id(node)}
            class="footer-button"
            type="button"
            aria-disabled=${off ? "true" : "false"}
            @click=${() => ui.send({ type: "Tap", path: node.path })}
            ><span>${node.props.label}</span>${view.loading ? html`<span class="spinner" aria-hidden="true"></span>` : nothing}</button
          >`}
  </div>`;
}

const header = (view, ui) => html`<header class="screen-head">
  <button id="leave" type="button" class="round" aria-label=${ui.first ? "Close" : "Back"} ?disabled=${!view.back} @click=${() => ui.send({ type: "Back" })}
    >${ui.first ? icons.close : icons.back}</button
  >
  <h2 id="screen-title" class="screen-title" tabindex="-1">${view.title || (view.loading && !view.screen ? "Opening" : "")}</h2>
  <button id="menu" type="button" class="round" aria-label="About this phone" aria-haspopup="dialog" @click=${ui.about}
    >${ui.platform === "ios" ? icons.moreAcross : icons.more}</button
  >
</header>`;

const screen = (view, ui) => html`<div class="screen" aria-busy=${view.loading ? "true" : "false"} ?inert=${Boolean(ui.sheet)}>
  ${ui.platform === "ios" ? html`<span class="handle" aria-hidden="true"></span>` : nothing} ${header(view, ui)}
  <div class=${view.loading ? "progress is-on" : "progress"} role="status">${view.loading ? html`<span class="unseen">Loading</span>` : nothing}</div>
  <div class="screen-body" tabindex="-1">
    ${view.issues.filter((issue) => issue.blocking).length > 0
      ? unplayable("The screen", view.issues.filter((issue) => issue.blocking).map((issue) => issue.text))
      : nothing}
    ${view.nodes.map((node) => component(node, ui))}
  </div>
  <div class="screen-foot">
    <div class="snackbar-place" role="status">${ui.snackbar ? html`<p class="snackbar">${ui.snackbar}</p>` : nothing}</div>
    ${view.footer?.shown ? footer(view.footer, view, ui) : nothing}
    <p class="managed">Run by the business. <button type="button" class="link is-small" @click=${ui.about}>About</button></p>
  </div>
</div>`;

function overlay(view, ui) {
  const node = ui.sheet && [...view.nodes, view.footer].find((one) => one?.shown && one.path === ui.sheet.path);
  const make = node && SHEETS[node.kind];
  return make ? sheet(make(node, ui), ui) : nothing;
}

// The whole phone. `ui`: platform, send(event), id(node), sheet, open(sheet), close(), about(), restart(), first,
// completed, broken.
export const phone = (view, ui) => html`<div class="phone" data-platform=${ui.platform} data-screen=${view.screen}>
  <div class="phone-glass">
    ${chat(view, ui)}
    ${view.over
      ? nothing
      : html`<div class="dim" aria-hidden="true"></div>
          <div class="flow">${screen(view, ui)}${overlay(view, ui)}</div>`}
  </div>
</div>`;
