// Texts: plain ones, and the blocks that the server has made of Markdown. A text becomes a text node, never markup; a
// link is drawn if its scheme is one that a phone opens.

import { html, nothing } from "./lit-html.js";
import { picture } from "./pictures.js";

const SCHEMES = new Set(["http:", "https:", "mailto:", "tel:"]);

// The address if it may be a link of this page, or null.
export function safeHref(href) {
  if (typeof href !== "string") {
    return null;
  }
  try {
    return SCHEMES.has(new URL(href).protocol) ? href : null;
  } catch {
    return null;
  }
}

function span({ text, bold, italic, strike, href }) {
  let drawn = html`${text}`;
  if (bold) {
    drawn = html`<strong>${drawn}</strong>`;
  }
  if (italic) {
    drawn = html`<em>${drawn}</em>`;
  }
  if (strike) {
    drawn = html`<s>${drawn}</s>`;
  }
  const address = safeHref(href);
  return address ? html`<a class="text-link" href=${address} target="_blank" rel="noopener noreferrer">${drawn}</a>` : drawn;
}

export const spans = (list) => (list ?? []).map(span);

const listed = ({ ordered, items, start }) => {
  const rows = (items ?? []).map((item) => html`<li>${spans(item)}</li>`);
  return ordered ? html`<ol start=${start ?? 1}>${rows}</ol>` : html`<ul>${rows}</ul>`;
};

const columns = (widths) => html`<colgroup>${(widths ?? []).map((width) => html`<col width=${`${width}%`} />`)}</colgroup>`;

const table = ({ header, rows, widths }) => html`<div class="table-frame" tabindex="0" role="region" aria-label="Table">
  <table>
    ${columns(widths)}
    <thead><tr>${(header ?? []).map((cell) => html`<th scope="col">${spans(cell)}</th>`)}</tr></thead>
    <tbody>${(rows ?? []).map((row) => html`<tr>${row.map((cell) => html`<td>${spans(cell)}</td>`)}</tr>`)}</tbody>
  </table>
</div>`;

const heading = ({ level, spans: list }) => {
  if (level === 1) {
    return html`<h3 class="text-heading">${spans(list)}</h3>`;
  }
  return level === 2 ? html`<h4 class="text-subheading">${spans(list)}</h4>` : html`<p>${spans(list)}</p>`;
};

const BLOCKS = {
  heading,
  paragraph: ({ spans: list }) => html`<p>${spans(list)}</p>`,
  list: listed,
  table,
  image: ({ src, alt }) => picture(src, alt, "text-image"),
};

export const blocks = (list) => (list ?? []).map((block) => BLOCKS[block.type]?.(block) ?? nothing);
