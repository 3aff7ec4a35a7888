// A person seen from behind, with the three regions of the back.

import { svg } from "./dom.js";

/** @import { OnToggle, Region, RegionShape } from "./types.d.ts" */

// One half of the person as seen from behind, for x from 100 to the right; the other half is its mirror image.
const HALF = [
  // Head and ear.
  "M100 6 C116 6 124 18 123 33 C127 32 127 42 122 43 C120 52 113 58 100 58 Z",
  // Neck, shoulder, side, hip and leg.
  "M100 50 L113 50 C112 60 114 66 122 70 C134 75 147 77 155 84 C152 100 146 114 143 130 C140 146 140 158 143 170 C148 188 151 206 149 240 L104 240 L100 204 Z",
  // Arm and hand.
  "M151 82 C163 87 168 98 170 112 C173 130 178 148 183 168 C187 182 191 196 190 208 C189 219 180 220 177 210 C170 194 164 178 160 162 C155 146 152 132 150 116 C148 104 148 92 151 82 Z",
];
/**
 * The height at which the name of each region stands, and half of its outline.
 *
 * @type {Record<string, RegionShape>}
 */
const REGIONS = {
  cervical: { y: 62, half: "M100 46 L112 46 C111 58 113 65 121 69 C114 78 108 82 100 84 Z" },
  thoracic: {
    y: 116,
    half: "M100 88 C109 86 117 81 125 73 C135 76 145 79 150 85 C148 101 143 114 141 130 L140 140 C128 147 114 149 100 149 Z",
  },
  lumbar: {
    y: 172,
    half: "M100 154 C114 154 127 152 139 146 C138 156 139 164 142 173 C144 180 145 186 146 192 C134 203 112 205 100 205 Z",
  },
};
const SPINE = "M100 48 V200";
const NAMES_AT = 204;

/**
 * The drawing. With `onToggle` each region is a checkbox, named by its text; without, it is a picture named by `label`.
 *
 * @param {Region[]} regions
 * @param {Set<string>} chosen
 * @param {string} label
 * @param {OnToggle} [onToggle]
 */
export function bodyMap(regions, chosen, label, onToggle) {
  const picture = onToggle ? { role: "group", "aria-label": label } : { role: "img", "aria-label": label };
  const parts = regions.map((region) => part(region, REGIONS[region.id], chosen, onToggle));
  return svg(
    "svg",
    { class: "map", viewBox: onToggle ? "4 0 300 246" : "4 0 192 246", ...picture },
    svg("g", { class: "person" }, HALF.map(whole)),
    parts,
    svg("path", { class: "spine", d: SPINE }),
  );
}

/**
 * Shows which regions are chosen.
 *
 * @param {SVGElement} map
 * @param {Set<string>} chosen
 */
export function markChosen(map, chosen) {
  /** @type {NodeListOf<SVGElement>} */
  const regions = map.querySelectorAll(".region");
  for (const region of regions) {
    const isChosen = chosen.has(region.dataset.region ?? "");
    region.classList.toggle("chosen", isChosen);
    if (region.getAttribute("role")) region.setAttribute("aria-checked", String(isChosen));
  }
}

/**
 * @param {Region} region
 * @param {RegionShape | undefined} shape
 * @param {Set<string>} chosen
 * @param {OnToggle} [onToggle]
 */
function part({ id, text }, shape, chosen, onToggle) {
  if (!shape) return null;
  const { y, half } = shape;
  const isChosen = chosen.has(id);
  const control = onToggle && {
    role: "checkbox",
    tabindex: 0,
    "aria-checked": String(isChosen),
    "aria-label": text,
    click: () => onToggle(id),
    /** @param {KeyboardEvent} event */
    keydown: (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      onToggle(id);
    },
  };
  return svg(
    "g",
    { class: `region${isChosen ? " chosen" : ""}`, "data-region": id, ...control },
    onToggle && svg("rect", { class: "band", x: 100, y: y - 20, width: 202, height: 40 }),
    whole(half),
    onToggle && [
      svg("path", { class: "tick", d: `M94 ${y} l6 7 l12 -14` }),
      svg("path", { class: "leader", d: `M140 ${y} H${NAMES_AT - 6}` }),
      name(text, y),
    ],
  );
}

/**
 * @param {string} text
 * @param {number} y
 */
function name(text, y) {
  const rows = text.length > 12 && text.includes(" ") ? split(text) : [text];
  const first = y + 5 - (rows.length - 1) * 9;
  return [
    svg("rect", { class: "hit", x: NAMES_AT - 6, y: first - 19, width: 104, height: 10 + 18 * rows.length, rx: 6 }),
    svg(
      "text",
      { y: first },
      rows.map((row, number) => svg("tspan", { x: NAMES_AT, dy: number ? 18 : 0 }, row)),
    ),
  ];
}

/** @param {string} text */
function split(text) {
  const words = text.split(" ");
  const half = Math.ceil(words.length / 2);
  return [words.slice(0, half).join(" "), words.slice(half).join(" ")];
}

/** @param {string} half */
const whole = (half) => [svg("path", { d: half }), svg("path", { d: half, transform: "matrix(-1 0 0 1 200 0)" })];
