// The line at the top: the file, and what one does with the whole play.

import { html, nothing } from "./lit-html.js";
import { icons } from "./icons.js";

const THEMES = [["auto", "Auto"], ["light", "Light"], ["dark", "Dark"]];
const PLATFORMS = [["android", "Android"], ["ios", "iOS"]];

const choice = (name, label, options, current, onChange) => html`<fieldset class="switch">
  <legend class="unseen">${label}</legend>
  ${options.map(
    ([value, text]) => html`<label><input type="radio" name=${name} value=${value} .checked=${value === current} @change=${() => onChange(value)} /><span>${text}</span></label>`,
  )}
</fieldset>`;

const button = (id, icon, text, onClick, off = false) => html`<button id=${id} type="button" class="button" ?disabled=${off} @click=${onClick}>${icon}<span>${text}</span></button>`;

export const bar = (state, ui) => html`
  <h1 class="bar-title"><span class="bar-file">${state?.file.name ?? "Flow preview"}</span>${state?.file.problem ? html`<span class="pill is-bad">has a problem</span>` : nothing}</h1>
  <div class="bar-tools" role="toolbar" aria-label="Play">
    ${button("undo", icons.undo, "Undo", ui.undo, !state?.can_undo)} ${button("restart", icons.restart, "Restart", ui.restart, !state)}
    ${button("copy-test", icons.copy, "Copy as test", ui.copyTest, !state)} ${button("copy-link", icons.link, "Copy link", ui.copyLink, !state)}
  </div>
  <div class="bar-switches">
    ${choice("platform", "Layout", PLATFORMS, ui.platform, ui.setPlatform)} ${choice("theme", "Theme", THEMES, ui.theme, ui.setTheme)}
  </div>
`;
