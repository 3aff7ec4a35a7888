// Builds elements. Whatever a visitor, the bot or a page says becomes text nodes and attributes, never markup.

/** @import { Attributes, Child, Listener } from "./types.d.ts" */

const SVG = "http://www.w3.org/2000/svg";
const SAFE = new Set(["http:", "https:", "tel:", "mailto:"]);
const ADDRESS = /https?:\/\/[^\s<>"“”]+[^\s<>"“”.,;:!?)\]]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;

/**
 * An HTML element; attributes that are functions listen to events, and empty ones are left out.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} [attributes]
 * @param {Child[]} children
 */
export const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);

/**
 * An element for each of the texts.
 *
 * @param {keyof HTMLElementTagNameMap} name
 * @param {Child[]} texts
 */
export const each = (name, texts) => texts.map((text) => el(name, {}, text));

/**
 * An SVG element.
 *
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} attributes
 * @param {Child[]} children
 */
export const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

/**
 * A button that submits nothing.
 *
 * @param {Child} text
 * @param {Listener} onClick
 * @param {Attributes} [attributes]
 */
export const button = (text, onClick, attributes) =>
  el("button", { type: "button", click: onClick, ...attributes }, text);

/**
 * A link, or only its text where the address is none of http(s), tel and mailto.
 *
 * @param {string} address
 * @param {string} text
 */
export function link(address, text) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return text;
  }
  if (!SAFE.has(url.protocol)) return text;
  const leaves = url.protocol.startsWith("http");
  return el("a", { href: url.href, ...(leaves && { target: "_blank", rel: "noopener noreferrer" }) }, text);
}

/**
 * A link that dials a number.
 *
 * @param {string} number
 * @param {string} text
 */
export const dial = (number, text) => link(`tel:${number.replaceAll(" ", "")}`, text);

/**
 * The text as nodes, with its web and mail addresses as links.
 *
 * @param {string} text
 */
export function linked(text) {
  /** @type {Child[]} */
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = match[0];
    nodes.push(text.slice(end, match.index), link(address.startsWith("http") ? address : `mailto:${address}`, address));
    end = match.index + address.length;
  }
  return [...nodes, text.slice(end)];
}

/**
 * @template {Element} Kind
 * @param {Kind} element
 * @param {Attributes | undefined} attributes
 * @param {Child[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== undefined && value !== null && value !== false)
      element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {Child[]} children
 */
function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child) element.append(child);
  }
}
