// The chat's elements: the button in the corner, and the panel with its messages and its form.

import { button, dial, each, el, svg } from "./dom.js";

/** @import { Actions, Strings } from "./types.d.ts" */

const ICON = "M4 5h16v11H9l-5 4z M8 9h8 M8 12.5h5";

/**
 * The elements by their names. `number` is the emergency number that the page sets, if any.
 *
 * @param {Strings} strings
 * @param {string} title
 * @param {string | undefined} number
 * @param {Actions} on
 */
export function buildPanel(strings, title, number, on) {
  const parts = {
    badge: el("span", { class: "badge", hidden: true }),
    privacy: el("span", {}, strings.privacy_unknown),
    emergency: el("aside", { class: "emergency", "aria-label": strings.call, hidden: true }),
    earlier: el("div", { class: "messages", role: "group", "aria-label": strings.earlier }),
    log: el("div", { class: "messages", role: "log", "aria-label": strings.log }),
    status: el("p", { class: "status", role: "status" }),
    answers: el("div"),
    input: el("textarea", {
      id: "message",
      rows: 1,
      placeholder: strings.placeholder,
      autocomplete: "off",
      input: on.input,
    }),
    note: el("p", { class: "hint", role: "status" }),
  };
  const launcher = button(
    [
      svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICON })),
      strings.launch,
      parts.badge,
    ],
    on.open,
    { class: "launcher", "aria-haspopup": "dialog" },
  );
  const top = el(
    "div",
    { class: "top" },
    el(
      "header",
      {},
      el("h2", { id: "title" }, title),
      button("×", on.close, { class: "close", "aria-label": strings.close }),
    ),
    parts.emergency,
  );
  const scroller = el(
    "div",
    { class: "scroller", role: "group", "aria-label": strings.log, tabindex: 0 },
    intro(strings, number, parts.privacy, on.erase),
    parts.earlier,
    parts.log,
    parts.status,
    parts.answers,
  );
  const panel = el(
    "dialog",
    { class: "panel", tabindex: -1, "aria-labelledby": "title", keydown: on.escape, cancel: on.escape },
    top,
    scroller,
    el(
      "form",
      { submit: on.submit, keydown: on.key },
      el("label", { for: "message" }, strings.message),
      el("div", { class: "row" }, parts.input, el("button", { type: "submit", class: "primary" }, strings.send)),
      parts.note,
    ),
    el(
      "footer",
      {},
      button(strings.start_over, on.startOver),
      button(strings.summary, on.summary),
      button(strings.erase, on.erase),
    ),
  );
  return { ...parts, launcher, top, scroller, panel };
}

/**
 * Who writes here, what it is not, and what is kept.
 *
 * @param {Strings} strings
 * @param {string | undefined} number
 * @param {HTMLElement} privacy
 * @param {() => void} onErase
 */
function intro(strings, number, privacy, onErase) {
  const call = number ? dial(number, strings.intro_call_number.replace("{number}", number)) : strings.intro_call;
  return el(
    "section",
    { class: "intro", "aria-label": strings.title },
    each("p", strings.intro),
    el("p", {}, el("strong", {}, call)),
    el("p", { class: "privacy" }, privacy, " ", button(strings.erase, onErase, { class: "plain" })),
  );
}
