// The chat behind the sheet: the message that has opened the Flow, and what is sent at its end.

import { html, nothing } from "./lit-html.js";
import { icons } from "./icons.js";

const bubble = (rows) => html`<div class="bubble is-own" id="answer" tabindex="-1">
  <p class="bubble-title">${icons.done}<span>Answer sent</span></p>
  ${rows.length > 0
    ? html`<dl class="summary">${rows.map(({ label, value }) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`
    : html`<p class="bubble-text">No answers are shown in the chat.</p>`}
</div>`;

const closed = (ui) => html`<p class="chat-line" id="answer" tabindex="-1">
  ${ui.broken || "The Flow was closed. No message is sent."}
</p>`;

const ending = (view, ui) =>
  ui.completed?.sent ? bubble(ui.completed.summary ?? []) : closed(ui);

export const chat = (view, ui) => html`<div class="chat" ?inert=${!view.over}>
  <div class="chat-head"><span class="face" aria-hidden="true">B</span><span>Business</span></div>
  <div class="chat-body">
    <div class="bubble">
      <p class="bubble-text">A message with a button opens the Flow.</p>
      <button type="button" class="bubble-button" id="again" @click=${ui.restart}>${view.over ? "Open again" : "Open"}</button>
    </div>
    ${view.over ? ending(view, ui) : nothing}
  </div>
</div>`;
