// The right side: what the endpoint is to answer, the result, findings, state, log.

import { html, nothing } from "./lit-html.js";
import { answerCard } from "./answer.js";
import { icons } from "./icons.js";

const LONGEST = 400; // characters of one text, such as an image

const shortened = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text);

const asText = (value) =>
  typeof value === "string"
    ? shortened(value)
    : (JSON.stringify(value, (_, each) => (typeof each === "string" ? shortened(each) : each), 2) ?? "");

const code = (value, label) => html`<pre class="code" tabindex="0" role="region" aria-label=${label}>${asText(value)}</pre>`;

const count = (number) => (number > 0 ? html`<span class="count">${number}</span>` : nothing);

const section = (id, title, number, body, open = true) => html`<details class="section" id=${id} ?open=${open}>
  <summary><h2>${title}</h2>${count(number)}<span class="chevron" aria-hidden="true">${icons.down}</span></summary>
  <div class="section-body">${body}</div>
</details>`;

const empty = (text) => html`<p class="empty">${text}</p>`;

// -- findings

const SEVERITIES = { error: "Error", warning: "Warning", info: "Note" };

const where = (finding, file) => (finding.line ? `${file}:${finding.line}:${finding.column ?? 1}` : finding.path || "");

const findingRow = (finding, state, ui) => html`<li>
  <button type="button" class="finding" @click=${() => ui.flash(finding.path)}>
    <span class=${`severity is-${finding.severity}`}>${SEVERITIES[finding.severity] ?? finding.severity}</span>
    <span class="finding-text">${finding.message}</span>
    <span class="finding-where"><span class="finding-code">${finding.code}</span> ${where(finding, state.file.name)}</span>
  </button>
</li>`;

const findings = (state, ui) =>
  state.findings.length > 0
    ? html`<ul class="list">${state.findings.map((finding) => findingRow(finding, state, ui))}</ul>`
    : empty("The validator has found nothing.");

// -- what is noteworthy about the screen that is shown

const allNodes = (view) => [...view.nodes, ...(view.footer ? [view.footer] : [])];

const evidence = (source) => (source ? html`<span class="evidence">${source.kind}: ${source.source}</span>` : nothing);

function notes(view, ui) {
  const rows = [
    ...view.issues.map((issue) => ({ issue, path: "", label: "Screen" })),
    ...allNodes(view)
      .filter((node) => node.shown)
      .flatMap((node) => node.issues.map((issue) => ({ issue, path: node.path, label: node.name || node.kind }))),
  ];
  return rows.map(
    ({ issue, path, label }) => html`<li>
      <button type="button" class="finding" @click=${() => ui.flash(path)}>
        <span class=${`severity is-${issue.blocking ? "error" : "info"}`}>${label}</span>
        <span class="finding-text">${issue.text}</span>${evidence(issue.evidence)}
      </button>
    </li>`,
  );
}

const unfinished = (view, ui) =>
  view.nodes
    .filter((node) => node.shown && node.invalid)
    .map(
      (node) => html`<li>
        <button type="button" class="chip-button" @click=${() => ui.flash(node.path)}>${node.name || node.kind}: ${node.invalid}</button>
      </li>`,
    );

function onScreen({ view, file }, ui) {
  if (view.over) {
    return empty("The Flow is over.");
  }
  if (file.problem && !view.screen) {
    return empty("There is no screen.");
  }
  const [rows, waits] = [notes(view, ui), unfinished(view, ui)];
  return html`${waits.length > 0 ? html`<p class="caption">Not valid yet</p><ul class="chips-row">${waits}</ul>` : nothing}
  ${rows.length > 0 ? html`<ul class="list">${rows}</ul>` : nothing}
  ${waits.length + rows.length === 0 ? empty("Everything on this screen can be played, and nothing is wrong.") : nothing}`;
}

// -- state

function values(title, map) {
  const entries = Object.entries(map ?? {});
  return html`<div class="values">
    <h4>${title}</h4>
    ${entries.length > 0
      ? html`<dl>${entries.map(([key, value]) => html`<div><dt>${key}</dt><dd>${asText(value)}</dd></div>`)}</dl>`
      : empty("Empty")}
  </div>`;
}

const screenState = (screen, ui) => html`<details class="screen-state" ?open=${screen.current}>
  <summary>
    <h3>${screen.id}</h3>
    ${screen.title ? html`<span class="muted">${screen.title}</span>` : nothing}
    ${screen.current ? html`<span class="pill">current</span>` : nothing}
    ${!screen.opened ? html`<span class="muted">· not opened</span>` : nothing}
  </summary>
  <div class="screen-values">
    ${values("Data", screen.data)} ${values("Form", screen.form)}
    ${screen.current ? nothing : html`<button type="button" class="button is-small" @click=${() => ui.openScreen(screen.id)}>Open this screen</button>`}
  </div>
</details>`;

const states = (state, ui) =>
  state.screens.length > 0
    ? html`${state.screens.map((screen) => screenState(screen, ui))}
        ${state.screens_left_out > 0 ? empty(`${state.screens_left_out} more screens are not listed.`) : nothing}`
    : empty("There is no screen.");

// -- log

const KINDS = {
  request: "Request",
  answer: "Answer",
  open_url: "Link",
  complete: "Complete",
  snackbar: "Message",
  broken: "Refused",
  reload: "Reloaded",
};

const clock = (time) => {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toLocaleTimeString("en-GB");
};

const logRow = (entry) => {
  const line = html`<time class="log-time" datetime=${entry.time}>${clock(entry.time)}</time><span class=${`log-kind is-${entry.kind}`}>${KINDS[entry.kind] ?? entry.kind}</span
    ><span class="log-text">${entry.text}</span
    ><span class="log-duration">${typeof entry.duration_ms === "number" ? `${Math.round(entry.duration_ms)} ms` : ""}</span>`;
  return html`<li>
    ${entry.detail
      ? html`<details class="log-row"><summary>${line}</summary>${code(entry.detail, `Details of entry ${entry.number}`)}</details>`
      : html`<div class="log-row">${line}</div>`}
  </li>`;
};

const log = (state) =>
  state.log.length > 0 ? html`<ol class="log" reversed>${[...state.log].reverse().map(logRow)}</ol>` : empty("Nothing has been sent yet.");

// -- the result

const result = ({ payload, summary, sent }) => html`<section class="card is-good" id="result" aria-labelledby="result-title">
  <h2 id="result-title">${sent ? "The answer" : "Closed without a message"}</h2>
  ${sent
    ? html`<p class="caption">What the webhook gets (<code>response_json</code>)</p>
        ${code(payload, "Payload")}
        <p class="caption">What the chat shows</p>
        ${summary?.length > 0
          ? html`<dl class="pairs">${summary.map(({ label, value }) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`
          : empty("Nothing: no answer of this Flow is shown in the chat.")}`
    : empty("No message is sent, and the webhook hears nothing.")}
</section>`;

const problem = (text) => html`<section class="card is-bad"><h2>The file</h2><p>${text}</p></section>`;

const stopped = ({ text }) => html`<section class="card is-warning"><h2>Replayed as far as it goes</h2><p>${text}</p></section>`;

export const panel = (state, ui) => html`
  ${state.file.problem ? problem(state.file.problem) : nothing} ${state.replay ? stopped(state.replay) : nothing}
  ${state.asks ? answerCard(state.asks, ui) : nothing} ${state.completed ? result(state.completed) : nothing}
  ${section("findings", "Findings", state.findings.length, findings(state, ui))}
  ${section("screen-notes", "This screen", 0, onScreen(state, ui))}
  ${section("state", "State", 0, states(state, ui))} ${section("log", "Log", state.log.length, log(state))}
`;
