// The answers to choose from under the last message: chips, and lists in which any number can be chosen.

import { bodyMap, markChosen } from "./body-map.js";
import { button, el } from "./dom.js";

/**
 * The answers that a message offers, or null. `onAnswer(payload, title)` is called with the one that is given.
 * A message has `buttons` and, where several may be chosen, `custom.options`.
 */
export function answers({ buttons = [], custom }, strings, onAnswer) {
  const options = custom?.type === "question" ? custom.options : null;
  if (!options?.length) return buttons.length ? group(strings.answers, chips(buttons, onAnswer)) : null;
  const others = buttons.filter(({ payload }) => !options.some(({ id }) => payload.includes(`"${id}"`)));
  return several(custom.question, options, others, strings, onAnswer);
}

function several(question, options, others, strings, onAnswer) {
  const chosen = new Set();
  const isMap = question === "regions";
  const hint = el("p", { class: "hint", role: "status" });
  const toggles = options.map(({ id, text }, place) => toggle(id, isMap ? text : `${place + 1}. ${text}`, () => choose(id)));
  const map = isMap && bodyMap(options, chosen, strings.map, choose);
  const done = button(strings.continue, answer, { class: "primary" });

  function choose(id) {
    if (!chosen.delete(id)) chosen.add(id);
    hint.textContent = "";
    for (const option of toggles) option.setAttribute("aria-pressed", chosen.has(option.dataset.option));
    if (map) markChosen(map, chosen);
  }

  function answer() {
    const given = options.filter(({ id }) => chosen.has(id));
    if (!given.length) {
      hint.textContent = strings.choose_first;
      return;
    }
    // All that apply, and no others.
    const entities = { answer: "only" };
    for (const { id, entity } of given) (entities[entity] ??= []).push(id);
    onAnswer(`/inform${JSON.stringify(entities)}`, given.map(({ text }) => text).join(", "));
  }

  return group(
    strings.answers_many,
    isMap && el("p", { class: "hint" }, strings.map_hint),
    el("div", { class: isMap ? "where" : "" }, map, el("div", { class: isMap ? "chips" : "list" }, toggles)),
    hint,
    el("div", { class: "chips" }, done, chips(others, onAnswer)),
  );
}

const chips = (buttons, onAnswer) =>
  el("div", { class: "chips" }, buttons.map(({ title, payload }) => button(title, () => onAnswer(payload, title), { class: "chip" })));

const toggle = (id, text, onClick) =>
  button([el("span", { class: "box", "aria-hidden": "true" }), el("span", {}, text)], onClick, {
    class: "chip option", "aria-pressed": "false", "data-option": id,
  });

const group = (label, ...children) => el("div", { class: "answers", role: "group", "aria-label": label, tabindex: -1 }, ...children);
