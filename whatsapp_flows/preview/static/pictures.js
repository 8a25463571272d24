// Pictures of a document. Only `data:` URLs are drawn; the page's policy allows nothing else either.

import { html } from "./lit-html.js";
import { icons } from "./icons.js";

// The URL if it is one of an image in the document itself, or null.
const own = (src) => (typeof src === "string" && /^data:image\/(?:png|jpeg|webp|gif);base64,/.test(src) ? src : null);

const missing = (alt) => html`<span class="picture-missing">${icons.photo}<span>${alt || "This image cannot be shown"}</span></span>`;

function broken({ target }) {
  target.hidden = true;
  target.parentElement?.classList.add("is-broken");
}

function loaded({ target }) {
  target.hidden = false;
  target.parentElement?.classList.remove("is-broken");
}

// A picture with its text for who cannot see it. `size` are CSS values: ratio, height, width, fit.
export function picture(src, alt, className = "", size = {}) {
  const url = own(src);
  return html`<span
    class=${`picture ${className}`}
    data-ratio=${size.ratio ?? ""}
    data-height=${size.height ?? ""}
    data-width=${size.width ?? ""}
    data-fit=${size.fit ?? ""}
    >${url ? html`<img src=${url} alt=${alt ?? ""} @error=${broken} @load=${loaded} />` : ""}${missing(alt)}</span
  >`;
}
