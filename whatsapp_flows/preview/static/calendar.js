// The fields for dates, and the calendar that they open. Which date is valid is decided by the server; days that the
// properties rule out are marked and cannot be chosen.

import { html, nothing } from "./lit-html.js";
import { note, opener } from "./fields.js";
import { icons } from "./icons.js";
import { footButton } from "./sheet.js";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const ISO = /^\d{4}-\d\d-\d\d$/;
const ENDS = ["start-date", "end-date"];
const [FIRST_YEAR, LAST_YEAR] = [1900, 2100];

const iso = (date) => date.toISOString().slice(0, 10);
const parse = (text) => (typeof text === "string" && ISO.test(text) ? new Date(`${text}T00:00:00Z`) : null);
const valid = (date) => (date && !Number.isNaN(date.getTime()) ? date : null);
const plus = (date, days) => new Date(date.getTime() + days * 86_400_000);
const weekday = (date) => (date.getUTCDay() + 6) % 7;

function plusMonths(date, months) {
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months + 1, 0));
  return new Date(Date.UTC(last.getUTCFullYear(), last.getUTCMonth(), Math.min(date.getUTCDate(), last.getUTCDate())));
}

export function dateInWords(text) {
  const date = valid(parse(text));
  return date ? `${DAYS[weekday(date)]}, ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}` : String(text ?? "");
}

function ruledOut(props) {
  const [first, last] = [props["min-date"], props["max-date"]];
  const unavailable = new Set(Array.isArray(props["unavailable-dates"]) ? props["unavailable-dates"] : []);
  const days = Array.isArray(props["include-days"]) ? new Set(props["include-days"]) : null;
  return (text) =>
    (ISO.test(first ?? "") && text < first) ||
    (ISO.test(last ?? "") && text > last) ||
    unavailable.has(text) ||
    (days !== null && !days.has(DAYS[weekday(parse(text))]));
}

// -- the fields

const part = (value, end) => (end && value !== null && typeof value === "object" ? value[end] : value);

const dateField = (node, ui, { id, end, label, help, optional, error }) =>
  opener({
    id,
    label,
    optional,
    help,
    error,
    value: part(node.value, end) ? dateInWords(part(node.value, end)) : "",
    enabled: node.enabled,
    icon: icons.calendar,
    expanded: ui.sheet?.path === node.path && ui.sheet.end === end,
    onOpen: () => ui.open({ path: node.path, end, opener: id }),
  });

export const datePicker = (node, ui) =>
  dateField(node, ui, {
    id: ui.id(node),
    label: node.props.label,
    help: node.props["helper-text"],
    optional: node.props.optional,
    error: node.error,
  });

export function calendarPicker(node, ui) {
  const { props } = node;
  if (props.mode !== "range") {
    return datePicker(node, ui);
  }
  const id = ui.id(node);
  return html`<fieldset class="range" aria-describedby=${`${id}-note`}>
    <legend class=${props.title ? "" : "unseen"}>${props.title ?? "Dates"}</legend>
    ${props.description ? html`<p class="choices-description">${props.description}</p>` : nothing}
    <div class="range-fields">
      ${ENDS.map((end) =>
        dateField(node, ui, {
          id: `${id}-${end}`,
          end,
          label: part(props.label, end),
          help: part(props["helper-text"], end),
          optional: part(props.optional, end),
          error: "",
        }),
      )}
    </div>
    ${note(id, node.error)}
  </fieldset>`;
}

// -- the calendar

function choose(node, ui, text) {
  const { end } = ui.sheet;
  if (!end) {
    ui.send({ type: "Fill", path: node.path, value: text });
    ui.close();
    return;
  }
  const value = { ...(node.value ?? {}), [end]: text };
  ui.send({ type: "Fill", path: node.path, value });
  if (end === "start-date" && !value["end-date"]) {
    ui.open({ ...ui.sheet, end: "end-date", at: text });
  } else {
    ui.close();
  }
}

function clear(node, ui) {
  ui.send({ type: "Fill", path: node.path, value: ui.sheet.end ? {} : "" });
  ui.close();
}

function move(ui, at) {
  const text = iso(at);
  if (at.getUTCFullYear() >= FIRST_YEAR && at.getUTCFullYear() <= LAST_YEAR) {
    ui.open({ ...ui.sheet, at: text, focus: "[data-current]" });
  }
}

const KEYS = {
  ArrowLeft: (at) => plus(at, -1),
  ArrowRight: (at) => plus(at, 1),
  ArrowUp: (at) => plus(at, -7),
  ArrowDown: (at) => plus(at, 7),
  Home: (at) => plus(at, -weekday(at)),
  End: (at) => plus(at, 6 - weekday(at)),
  PageUp: (at, { shiftKey }) => plusMonths(at, shiftKey ? -12 : -1),
  PageDown: (at, { shiftKey }) => plusMonths(at, shiftKey ? 12 : 1),
};

const keys = (ui, at) => (event) => {
  const step = KEYS[event.key];
  if (step) {
    event.preventDefault();
    move(ui, step(at, event));
  }
};

function cell(node, ui, day, { at, out, today }) {
  const text = iso(day);
  const [start, last] = ENDS.map((end) => part(node.value, end));
  const chosen = ui.sheet.end ? text === start || text === last : text === node.value;
  const within = ui.sheet.end && start && last && text > start && text < last;
  const off = out(text);
  const classes = ["day", chosen && "is-chosen", within && "is-within", off && "is-off", text === today && "is-today"];
  return html`<td role="gridcell" aria-selected=${chosen ? "true" : "false"} class=${within ? "is-within" : ""}>
    <button
      type="button"
      class=${classes.filter(Boolean).join(" ")}
      tabindex=${text === iso(at) ? "0" : "-1"}
      ?data-current=${text === iso(at)}
      data-day=${text}
      aria-label=${`${dateInWords(text)}${off ? ", not available" : ""}`}
      aria-disabled=${off ? "true" : "false"}
      aria-current=${text === today ? "date" : nothing}
      @click=${() => (off ? undefined : choose(node, ui, text))}
      >${day.getUTCDate()}</button
    >
  </td>`;
}

function weeks(at) {
  const first = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1));
  const start = plus(first, -weekday(first));
  const rows = [];
  for (let row = 0; row < 6; row += 1) {
    const days = DAYS.map((_, column) => plus(start, row * 7 + column));
    if (days.some((day) => day.getUTCMonth() === at.getUTCMonth())) {
      rows.push(days);
    }
  }
  return rows;
}

const head = (ui, at) => html`<div class="calendar-head">
  <button type="button" class="round" aria-label="Previous month" @click=${() => ui.open({ ...ui.sheet, at: iso(plusMonths(at, -1)), focus: "" })}>${icons.back}</button>
  <select aria-label="Month" @change=${({ target }) => ui.open({ ...ui.sheet, at: iso(plusMonths(at, Number(target.value) - at.getUTCMonth())), focus: "" })}>
    ${MONTHS.map((name, index) => html`<option value=${index} .selected=${index === at.getUTCMonth()}>${name}</option>`)}
  </select>
  <input
    class="calendar-year"
    type="number"
    aria-label="Year"
    min=${FIRST_YEAR}
    max=${LAST_YEAR}
    .value=${String(at.getUTCFullYear())}
    @change=${({ target }) => {
      const year = Math.min(Math.max(Number(target.value) || FIRST_YEAR, FIRST_YEAR), LAST_YEAR);
      target.value = String(year);
      ui.open({ ...ui.sheet, at: iso(plusMonths(at, (year - at.getUTCFullYear()) * 12)), focus: "" });
    }}
  />
  <button type="button" class="round" aria-label="Next month" @click=${() => ui.open({ ...ui.sheet, at: iso(plusMonths(at, 1)), focus: "" })}>${icons.next}</button>
</div>`;

// The month that is shown first: that of the value, or of today, moved into what the document allows.
function opening(node, ui) {
  const { props } = node;
  const value = ui.sheet.at ?? part(node.value, ui.sheet.end) ?? part(node.value, "start-date");
  const today = iso(new Date());
  const [first, last] = [props["min-date"], props["max-date"]];
  const wanted = valid(parse(value)) ? value : today;
  if (ui.sheet.at || valid(parse(value))) {
    return parse(wanted);
  }
  if (valid(parse(first)) && wanted < first) {
    return parse(first);
  }
  return valid(parse(last)) && wanted > last ? parse(last) : parse(wanted);
}

export function calendarSheet(node, ui) {
  const { end } = ui.sheet;
  const at = opening(node, ui);
  const facts = { at, out: ruledOut(node.props), today: iso(new Date()) };
  const label = part(node.props.label, end) ?? "Date";
  const chosen = end ? ENDS.some((one) => part(node.value, one)) : Boolean(node.value);
  return {
    title: label,
    focus: "[data-current]",
    body: html`<div class="calendar">
      ${head(ui, at)}
      <table role="grid" aria-label=${`${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`} @keydown=${keys(ui, at)}>
        <thead><tr>${DAYS.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
        <tbody>
          ${weeks(at).map(
            (days) => html`<tr>${days.map((day) =>
              day.getUTCMonth() === at.getUTCMonth() ? cell(node, ui, day, facts) : html`<td class="is-empty"></td>`)}</tr>`,
          )}
        </tbody>
      </table>
    </div>`,
    foot: chosen ? footButton(end ? "Clear both dates" : "Clear the date", () => clear(node, ui)) : undefined,
  };
}
