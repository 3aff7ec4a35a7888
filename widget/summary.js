// The summary for a doctor: seen, printed, saved and copied.

import { button, el } from "./dom.js";

// While a summary is printed, nothing else of the page is.
const PRINTED_ALONE = "@media print { body > :not(backtalk-chat) { display: none !important } body { margin: 0 !important } }";

/** What can be done with a summary. `host` is the chat's element; `say(text)` tells how it went. */
export function summaryTools({ sections, document: page, fhir }, text, host, strings, say) {
  return el(
    "div",
    { class: "chips" },
    button(strings.view, () => view(sections, host, strings), { class: "chip" }),
    button(strings.print, () => print(sections, host), { class: "chip" }),
    button(strings.download, () => save(page.name, page.mime_type, page.content), { class: "chip" }),
    button(strings.download_fhir, () => save("back-summary.fhir.json", "application/fhir+json", JSON.stringify(fhir, null, 2)), { class: "chip" }),
    button(strings.copy, async () => say((await copied(text, host)) ? strings.copied : strings.not_copied), { class: "chip" }),
  );
}

const article = (sections) =>
  el("article", { class: "summary" }, sections.map(({ title, lines }, number) => section(title, lines, number === 0)));

const section = (title, lines, isFirst) => [
  isFirst ? [el("h2", {}, lines[0]), lines.slice(1).map((line) => el("p", {}, line))] : title && el("h3", {}, title),
  !isFirst && (title ? el("ul", {}, lines.map((line) => el("li", {}, line))) : lines.map((line) => el("p", {}, line))),
];

function view(sections, host, strings) {
  const dialog = el("dialog", { class: "sheet", "aria-label": strings.summary_long, close: () => dialog.remove() });
  const close = button("×", () => dialog.close(), { class: "close", "aria-label": strings.close_summary });
  dialog.append(close, article(sections), el("div", { class: "chips" }, button(strings.print, () => print(sections, host), { class: "chip" })));
  host.shadowRoot.append(dialog);
  dialog.showModal();
}

function print(sections, host) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(PRINTED_ALONE);
  const printed = el("div", { class: "printed" }, article(sections));
  const title = document.title;
  host.shadowRoot.append(printed);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  document.title = sections[0].lines[0];
  window.addEventListener("afterprint", () => {
    document.title = title;
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    printed.remove();
  }, { once: true });
  window.print();
}

function save(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

async function copied(text, host) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages without https may only copy what is marked.
    const area = el("textarea", { class: "hidden", "aria-hidden": "true" });
    area.value = text;
    host.shadowRoot.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
