// What a template cannot say: sizes that come with a document (set through the style object, as the page's policy
// forbids style attributes), and the values of controls, which the user changes between two drawings.

const NUMBER = /^\d+(\.\d+)?$/;

const inPixels = (value) => (NUMBER.test(value) ? `${Math.min(Number(value), 2000)}px` : "");

function place(element) {
  const { ratio, height, width, fit } = element.dataset;
  element.style.aspectRatio = NUMBER.test(ratio) && Number(ratio) > 0 ? ratio : "";
  element.style.height = inPixels(height);
  element.style.width = inPixels(width);
  element.classList.toggle("fit-cover", fit === "cover");
}

// The field that has the focus keeps what was typed while newer requests are on their way; otherwise it shows what the
// server holds, and its caret stays.
function settle(control, typing) {
  const value = control.held;
  if (control.type === "checkbox" || control.type === "radio") {
    control.checked = value === true;
    return;
  }
  const text = value ?? "";
  if (control.value === text || (typing && control === document.activeElement) || control.composing) {
    return;
  }
  const [start, end] = [control.selectionStart, control.selectionEnd];
  control.value = text;
  if (control === document.activeElement && start !== null) {
    control.setSelectionRange(Math.min(start, text.length), Math.min(end, text.length));
  }
}

export function present(root, { typing = false } = {}) {
  root.querySelectorAll("[data-ratio]").forEach(place);
  root.querySelectorAll("[data-held]").forEach((control) => settle(control, typing));
}
