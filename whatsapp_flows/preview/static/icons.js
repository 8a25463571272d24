// Small pictures, drawn for this page. Each is decoration: the control around it carries the name.

import { html, svg } from "./lit-html.js";

const icon = (shape) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${shape}</svg>`;

export const icons = {
  close: icon(svg`<path d="M6 6l12 12M18 6L6 18" />`),
  back: icon(svg`<path d="M15 5l-7 7 7 7" />`),
  next: icon(svg`<path d="M9 5l7 7-7 7" />`),
  down: icon(svg`<path d="M6 9l6 6 6-6" />`),
  more: icon(svg`<path class="dots" d="M12 6v.01M12 12v.01M12 18v.01" />`),
  moreAcross: icon(svg`<path class="dots" d="M6 12h.01M12 12h.01M18 12h.01" />`),
  calendar: icon(svg`<rect x="4" y="6" width="16" height="14" rx="2" /><path d="M4 10.5h16M8.5 3.5v4M15.5 3.5v4" />`),
  tick: icon(svg`<path d="M5 12.5l4.5 4.5L19 7.5" />`),
  photo: icon(svg`<rect x="3.5" y="5" width="17" height="14" rx="2" /><path d="M4 17l5-5 4 4 3-3 4 4" /><path d="M15.5 9v.01" class="dots" />`),
  file: icon(svg`<path d="M7 3.5h7l4 4v13H7z" /><path d="M14 3.5v4h4" />`),
  warning: icon(svg`<path d="M12 4l9 16H3z" /><path d="M12 10v4.5M12 17.3v.01" />`),
  undo: icon(svg`<path d="M8 5L4 9l4 4" /><path d="M4 9h10a5 5 0 010 10h-3" />`),
  restart: icon(svg`<path d="M19 12a7 7 0 11-2-5" /><path d="M19 3v4.5h-4.5" />`),
  copy: icon(svg`<rect x="8.5" y="8.5" width="11" height="11" rx="2" /><path d="M15.5 8.5v-4h-11v11h4" />`),
  link: icon(svg`<path d="M10 14l4-4M8.5 11.5l-2 2a3.2 3.2 0 004.5 4.5l2-2M15.5 12.5l2-2a3.2 3.2 0 00-4.5-4.5l-2 2" />`),
  eye: icon(svg`<path d="M2.5 12s3.5-6 9.5-6 9.5 6 9.5 6-3.5 6-9.5 6-9.5-6-9.5-6z" /><circle cx="12" cy="12" r="2.5" />`),
  lock: icon(svg`<rect x="6" y="11" width="12" height="9" rx="2" /><path d="M8.5 11V8a3.5 3.5 0 017 0v3" />`),
  done: icon(svg`<circle cx="12" cy="12" r="8.5" /><path d="M8.5 12.3l2.5 2.5 4.7-5" />`),
};
