// The answers to choose from under the last message: chips, and lists in which any number can be chosen.

import { bodyMap, markChosen } from "./body-map.js";
import { button, el } from "./dom.js";

/** @import { Child, Choice, OnAnswer, Option, Reply, Strings } from "./types.d.ts" */

/**
 * The answers that a message offers, or null: its `buttons` and, where several may be chosen, its `custom.options`.
 *
 * @param {Reply} message
 * @param {Strings} strings
 * @param {OnAnswer} onAnswer
 */
export function answers({ buttons = [], custom }, strings, onAnswer) {
  if (custom?.type !== "question" || !custom.options?.length)
    return buttons.length ? group(strings.answers, chips(buttons, onAnswer)) : null;
  const { question, options } = custom;
  const others = buttons.filter(({ payload }) => !options.some(({ id }) => payload.includes(`"${id}"`)));
  return several(question, options, others, strings, onAnswer);
}

/**
 * @param {string} question
 * @param {Option[]} options
 * @param {Choice[]} others
 * @param {Strings} strings
 * @param {OnAnswer} onAnswer
 */
function several(question, options, others, strings, onAnswer) {
  /** @type {Set<string>} */
  const chosen = new Set();
  const isMap = question === "regions";
  const hint = el("p", { class: "hint", role: "status" });
  const toggles = options.map(({ id, text }, place) =>
    toggle(id, isMap ? text : `${place + 1}. ${text}`, () => choose(id)),
  );
  const map = isMap && bodyMap(options, chosen, strings.map, choose);
  const done = button(strings.continue, answer, { class: "primary" });

  /** @param {string} id */
  function choose(id) {
    if (!chosen.delete(id)) chosen.add(id);
    hint.textContent = "";
    for (const option of toggles) option.setAttribute("aria-pressed", String(chosen.has(option.dataset.option ?? "")));
    if (map) markChosen(map, chosen);
  }

  function answer() {
    const given = options.filter(({ id }) => chosen.has(id));
    if (!given.length) {
      hint.textContent = strings.choose_first;
      return;
    }
    // All that apply, and no others.
    /** @type {Record<string, string[]>} */
    const entities = {};
    for (const { id, entity } of given) (entities[entity] ??= []).push(id);
    onAnswer(`/inform${JSON.stringify({ answer: "only", ...entities })}`, given.map(({ text }) => text).join(", "));
  }

  return group(
    strings.answers_many,
    isMap && el("p", { class: "hint" }, strings.map_hint),
    el("div", { class: isMap ? "where" : "" }, map, el("div", { class: isMap ? "chips" : "list" }, toggles)),
    hint,
    el("div", { class: "chips" }, done, chips(others, onAnswer)),
  );
}

/**
 * @param {Choice[]} buttons
 * @param {OnAnswer} onAnswer
 */
const chips = (buttons, onAnswer) =>
  el(
    "div",
    { class: "chips" },
    buttons.map(({ title, payload }) => button(title, () => onAnswer(payload, title), { class: "chip" })),
  );

/**
 * @param {string} id
 * @param {string} text
 * @param {() => void} onClick
 */
const toggle = (id, text, onClick) =>
  button([el("span", { class: "box", "aria-hidden": "true" }), el("span", {}, text)], onClick, {
    class: "chip option",
    "aria-pressed": "false",
    "data-option": id,
  });

/**
 * @param {string} label
 * @param {Child[]} children
 */
const group = (label, ...children) =>
  el("div", { class: "answers", role: "group", "aria-label": label, tabindex: -1 }, ...children);
