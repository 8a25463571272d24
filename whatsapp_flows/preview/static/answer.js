// Without an endpoint, the page asks what it would answer: one of the screens that the server offers, an error, or none.

import { html, nothing } from "./lit-html.js";

const pretty = (value) => JSON.stringify(value, null, 2);

const FAILURES = [
  ["timeout", "No answer in time"],
  ["unreachable", "Not reachable"],
  ["token-refused", "427: the flow token is refused"],
];

const MESSAGE = { data: { error_message: "Please try again." } };

// What can be chosen: [name, the answer as text, or the failure].
const offers = (asks) => [
  ...asks.choices.map((choice) => ({ name: `Screen ${choice.screen}`, text: pretty({ screen: choice.screen, data: choice.data }) })),
  { name: "An error message", text: pretty({ screen: asks.screen, ...MESSAGE }) },
  ...FAILURES.map(([failure, name]) => ({ name, failure })),
];

function send(event, asks, ui) {
  event.preventDefault();
  const form = event.target;
  const offer = offers(asks)[Number(form.elements.offer.value)];
  const problem = form.querySelector(".answer-problem");
  if (offer?.failure) {
    ui.answer({ number: asks.number, failure: offer.failure });
    return;
  }
  try {
    const content = JSON.parse(form.elements.content.value);
    problem.textContent = "";
    ui.answer({ number: asks.number, content });
  } catch (error) {
    problem.textContent = `This is not JSON: ${error.message}`;
    form.elements.content.focus();
  }
}

function chosen(event, asks) {
  const { form } = event.target;
  const offer = offers(asks)[Number(event.target.value)];
  form.elements.content.value = offer.text ?? "";
  form.querySelector(".answer-content").hidden = Boolean(offer.failure);
}

// The text is set once for a request: what the user writes into it stays.
function prepared(form, asks) {
  if (!form || form.dataset.asked === String(asks.number)) {
    return;
  }
  form.dataset.asked = String(asks.number);
  form.elements.offer.value = "0";
  form.elements.content.value = offers(asks)[0].text;
  form.querySelector(".answer-content").hidden = false;
  form.querySelector(".answer-problem").textContent = "";
}

export const prepareAnswer = (root, asks) => prepared(root.querySelector("#answer-form"), asks);

export const answerCard = (asks, ui) => html`<section class="card is-asking" aria-labelledby="asks-title">
  <h2 id="asks-title" tabindex="-1">What does the endpoint answer?</h2>
  <p class="caption">
    <code>${asks.action}</code>${asks.screen ? html` from <code>${asks.screen}</code>` : nothing}. There is no endpoint: you answer.
  </p>
  <details class="asked"><summary>The request</summary><pre class="code" tabindex="0" role="region" aria-label="The request">${pretty(asks.data)}</pre></details>
  <form id="answer-form" @submit=${(event) => send(event, asks, ui)}>
    <label class="stacked"><span>Answer with</span>
      <select name="offer" @change=${(event) => chosen(event, asks)}>
        ${offers(asks).map((offer, index) => html`<option value=${index}>${offer.name}</option>`)}
      </select>
    </label>
    <label class="stacked answer-content"><span>Answer, as JSON</span>
      <textarea name="content" rows="9" spellcheck="false" autocomplete="off"></textarea>
    </label>
    <p class="answer-problem" role="alert"></p>
    <button type="submit" class="button is-main">Answer</button>
  </form>
</section>`;
