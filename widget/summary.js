// The summary for a doctor: seen, printed, saved and copied.

import { button, each, el } from "./dom.js";

/** @import { Section, Strings, Summary } from "./types.d.ts" */

// While a summary is printed, nothing else of the page is.
const PRINTED_ALONE =
  "@media print { body > :not(backtalk-chat) { display: none !important } body { margin: 0 !important } }";

/**
 * What can be done with a summary. `root` holds the chat's elements; `say` tells how it went.
 *
 * @param {Summary} summary
 * @param {string} text
 * @param {ShadowRoot} root
 * @param {Strings} strings
 * @param {(words: string) => void} say
 */
export function summaryTools({ sections, document: page, fhir }, text, root, strings, say) {
  return el(
    "div",
    { class: "chips" },
    button(strings.view, () => view(sections, root, strings), { class: "chip" }),
    button(strings.print, () => print(sections, root), { class: "chip" }),
    button(strings.download, () => save(page.name, page.mime_type, page.content), { class: "chip" }),
    button(
      strings.download_fhir,
      () => save("back-summary.fhir.json", "application/fhir+json", JSON.stringify(fhir, null, 2)),
      { class: "chip" },
    ),
    button(strings.copy, async () => say((await copied(text, root)) ? strings.copied : strings.not_copied), {
      class: "chip",
    }),
  );
}

/** @param {Section[]} sections */
const article = (sections) => el("article", { class: "summary" }, sections.map(section));

/**
 * @param {Section} section
 * @param {number} number
 */
function section({ title, lines }, number) {
  if (number === 0) return [el("h2", {}, lines[0]), each("p", lines.slice(1))];
  return title ? [el("h3", {}, title), el("ul", {}, each("li", lines))] : each("p", lines);
}

/**
 * @param {Section[]} sections
 * @param {ShadowRoot} root
 * @param {Strings} strings
 */
function view(sections, root, strings) {
  /** @type {HTMLDialogElement} */
  const dialog = el("dialog", { class: "sheet", "aria-label": strings.summary_long, close: () => dialog.remove() });
  const close = button("×", () => dialog.close(), { class: "close", "aria-label": strings.close_summary });
  dialog.append(
    close,
    article(sections),
    el(
      "div",
      { class: "chips" },
      button(strings.print, () => print(sections, root), { class: "chip" }),
    ),
  );
  root.append(dialog);
  dialog.showModal();
}

/**
 * @param {Section[]} sections
 * @param {ShadowRoot} root
 */
function print(sections, root) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(PRINTED_ALONE);
  const printed = el("div", { class: "printed" }, article(sections));
  const title = document.title;
  root.append(printed);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  document.title = sections[0]?.lines[0] ?? title;
  window.addEventListener(
    "afterprint",
    () => {
      document.title = title;
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
      printed.remove();
    },
    { once: true },
  );
  window.print();
}

/**
 * @param {string} name
 * @param {string} type
 * @param {string} content
 */
function save(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/**
 * @param {string} text
 * @param {ShadowRoot} root
 */
async function copied(text, root) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages without https may only copy what is marked.
    const area = el("textarea", { class: "hidden", "aria-hidden": "true" });
    area.value = text;
    root.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
