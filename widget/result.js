// The result of the questionnaire as a card.

import { bodyMap } from "./body-map.js";
import { button, dial, each, el, link, linked, svg } from "./dom.js";

/**
 * @import { Assessment, Card, Child, Explanation, Reason, Relief } from "./types.d.ts"
 * @import { Source, Statement, Strings, TelephoneNumber } from "./types.d.ts"
 */

/**
 * A sign for each level, so that colour is never alone.
 *
 * @type {Record<string, string> & { clinician: string }}
 */
const ICONS = {
  emergency: "M8 2h8l6 6v8l-6 6H8l-6-6V8z M12 7v6 M12 16.5v.5",
  urgent: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18z M12 7v5l3.5 2.5",
  clinician: "M4 6h16v14H4z M4 10h16 M8 3v5 M16 3v5 M12 12.5v5 M9.5 15h5",
  self_care: "M3 11l9-8 9 8 M5.5 9.5V20h13V9.5 M12 12.5v5 M9.5 15h5",
};

/**
 * The card of an assessment; `onSummary` is called when the summary is wanted.
 *
 * @param {Assessment & { card: Card }} assessment
 * @param {Strings} strings
 * @param {() => void} onSummary
 */
export function resultCard({ urgency, regions, card }, strings, onSummary) {
  /**
   * @param {string} title
   * @param {Child[]} children
   */
  const section = (title, ...children) => el("section", {}, el("h4", {}, title), ...children);
  /** @param {Child[]} items */
  const list = (items) => el("ul", {}, each("li", items));
  const title = strings[`level_${card.alone ?? urgency}`] ?? card.level;
  return el(
    "article",
    { class: `card level-${urgency}`, "aria-label": title },
    el("h3", { class: "level" }, icon(urgency), title),
    section(strings.do, el("p", { class: "headline" }, card.headline), each("p", card.do.map(statement))),
    urgency === "emergency" && calls(card.call, strings),
    card.changed.length > 0 && section(strings.changed, list(card.changed)),
    section(
      strings.why,
      each("p", card.notes),
      card.harmless && el("p", {}, statement({ ...card.harmless, text: capital(card.harmless.text) })),
      card.reasons.length > 0 && list(card.reasons.map((why) => reason(why, strings))),
      card.also.length > 0 && [el("p", {}, `${strings.also}:`), list(card.also.map((why) => reason(why, strings)))],
    ),
    section(strings[`seek_help_${urgency}`] ?? strings.seek_help, el("p", {}, statement(card.seek_help))),
    card.relief &&
      card.relief.length > 0 &&
      section(
        strings.relief,
        el(
          "ul",
          { class: "relief" },
          card.relief.map((option) => relief(option, strings)),
        ),
      ),
    card.worse && el("p", {}, statement(card.worse)),
    card.explanation &&
      section(strings.muscles, place(regions, card, strings), el("p", {}, statement(card.explanation))),
    section(
      strings.sources,
      el(
        "ol",
        { class: "sources" },
        card.sources.map((source) => el("li", { value: source.number }, cited(source, strings))),
      ),
    ),
    el("p", { class: "note" }, card.note),
    el("div", { class: "chips" }, button(strings.summary_long, onSummary, { class: "chip" })),
  );
}

/**
 * Links that dial the numbers to call.
 *
 * @param {TelephoneNumber[]} numbers
 * @param {Strings} strings
 */
export const calls = (numbers, strings) =>
  el(
    "p",
    { class: "calls" },
    numbers.map(({ number, of }) => dial(number, strings[`call_${of}`].replace("{number}", number))),
  );

/** @param {string} urgency */
const icon = (urgency) =>
  svg(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" },
    svg("path", { d: ICONS[urgency] ?? ICONS.clinician }),
  );

/**
 * @param {Statement} statement
 * @returns {Child[]}
 */
const statement = ({ text, sources }) => [
  linked(text),
  sources.length > 0 && el("span", { class: "cite" }, ` [${sources.join(", ")}]`),
];

/**
 * @param {Reason} why
 * @param {Strings} strings
 * @returns {Child[]}
 */
const reason = (why, strings) => [why.said && [`${strings.said} `, el("q", {}, why.said), ". "], statement(why)];

/**
 * @param {Relief} option
 * @param {Strings} strings
 */
const relief = ({ name, text, caution, evidence, sources }, strings) =>
  el(
    "li",
    {},
    el("strong", {}, capital(name)),
    el("p", {}, linked(text)),
    caution && el("p", { class: "caution" }, caution),
    evidence &&
      el(
        "details",
        {},
        el("summary", {}, strings.evidence, el("span", { class: "hidden" }, ` ${name}`)),
        el("p", {}, statement({ text: evidence, sources })),
      ),
  );

/**
 * @param {string[]} regions
 * @param {Explanation} card
 * @param {Strings} strings
 */
function place(regions, card, strings) {
  if (!card.muscles.length) return null;
  const label = strings.place.replace("{regions}", card.place);
  return el(
    "div",
    { class: "place" },
    bodyMap(
      regions.map((id) => ({ id, text: "" })),
      new Set(regions),
      label,
    ),
    el(
      "div",
      {},
      el("p", {}, label),
      el(
        "ul",
        {},
        card.muscles.map((muscle) => el("li", {}, el("strong", {}, muscle.name), ": ", statement(muscle))),
      ),
    ),
  );
}

/**
 * @param {Source} source
 * @param {Strings} strings
 */
const cited = ({ url, full }, strings) =>
  url ? [link(url, full), el("span", { class: "hidden" }, ` (${strings.new_page})`)] : full;

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
