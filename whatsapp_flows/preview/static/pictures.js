// Pictures of a document. Only `data:` URLs are drawn; the page's policy allows nothing else either.

import { html } from "./lit-html.js";
import { icons } from "./icons.js";

const TYPES = { "/9j/": "jpeg", iVBO: "png", UklG: "webp", R0lG: "gif" };

// A data URL for base64 without its prefix, or null.
export function dataUrl(src) {
  if (typeof src !== "string") {
    return null;
  }
  if (/^data:image\/(?:png|jpeg|webp|gif);base64,/i.test(src)) {
    return src;
  }
  const type = TYPES[src.trim().slice(0, 4)];
  return type ? `data:image/${type};base64,${src.replace(/\s/g, "")}` : null;
}

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
  const url = dataUrl(src);
  return html`<span
    class=${`picture ${className}`}
    data-ratio=${size.ratio ?? ""}
    data-height=${size.height ?? ""}
    data-width=${size.width ?? ""}
    data-fit=${size.fit ?? ""}
    >${url ? html`<img src=${url} alt=${alt ?? ""} @error=${broken} @load=${loaded} />` : ""}${missing(alt)}</span
  >`;
}
