/** Pictures of states: each has a shape of its own, so that nobody needs the colour. 20 x 20. */

import type { VNode } from "preact";
import type { State } from "../api.ts";
import { el, type Attributes } from "./dom.ts";
import { t } from "./preferences.ts";
import { toneOf } from "./states.ts";

const CIRCLE = "M10 1a9 9 0 1 1 0 18a9 9 0 1 1 0-18z";

/** Outline, what is drawn on it, and whether the outline is filled. */
const SHAPES: Readonly<Record<State, readonly [outline: string, glyph: string, kind: string]>> = {
  UP: [CIRCLE, "M5.8 10.4l2.9 2.9l5.6-6.2", "solid"],
  STANDBY: [CIRCLE, "M7.6 6.6v6.8M12.4 6.6v6.8", "hollow"],
  DRAINING: ["M10 .8l9.2 9.2l-9.2 9.2l-9.2-9.2z", "M10 5.6v8M6.8 10.6l3.2 3.2l3.2-3.2", "solid"],
  MAINTENANCE: [
    "M4 1.5h12a2.5 2.5 0 0 1 2.5 2.5v12a2.5 2.5 0 0 1-2.5 2.5h-12a2.5 2.5 0 0 1-2.5-2.5v-12a2.5 2.5 0 0 1 2.5-2.5z",
    "M5.8 14.2l5-5M14.4 6.2l-2.2 2.2l-.8-.8l2.2-2.2a3 3 0 1 0 .8.8z",
    "solid",
  ],
  "GOING-DOWN": ["M1 2.6h18l-9 16.2z", "M10 5.4v5M10 13v.4", "solid"],
  DEGRADED: ["M10 1.2l9 16.2h-18z", "M10 7v5M10 14.6v.4", "solid"],
  UNKNOWN: [CIRCLE, "M7.6 7.8a2.5 2.5 0 1 1 3.6 2.3c-.9.4-1.2.8-1.2 1.8M10 14.2v.4", "dashed"],
  DOWN: [
    "M6.2 1h7.6l5.2 5.2v7.6l-5.2 5.2h-7.6l-5.2-5.2v-7.6z",
    "M6.6 6.6l6.8 6.8M13.4 6.6l-6.8 6.8",
    "solid",
  ],
};

export function stateIcon(state: State, size: number, place: Attributes = {}): VNode {
  const [outline, glyph, kind] = SHAPES[state];
  return el(
    "svg",
    {
      class: `state-icon tone-${toneOf(state)}`,
      "data-state": state,
      viewBox: "0 0 20 20",
      width: size,
      height: size,
      "aria-hidden": "true",
      ...place,
    },
    el("path", { class: `outline ${kind}`, d: outline }),
    el("path", { class: `glyph ${kind}`, d: glyph }),
  );
}

/** Icon and word. */
export function stateMark(state: State, size = 16): VNode {
  return el(
    "span",
    { class: `state tone-${toneOf(state)}` },
    stateIcon(state, size),
    el("span", { class: "word" }, t(`state.${state}`)),
  );
}

const PATHS = {
  search: "M8.5 3a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11zM12.6 12.6l4.4 4.4",
  theme: "M10 2.5a7.5 7.5 0 1 0 0 15zM10 2.5a7.5 7.5 0 0 1 0 15z",
  close: "M5 5l10 10M15 5l-10 10",
  right: "M7.5 4.5l5.5 5.5l-5.5 5.5",
  left: "M12.5 4.5l-5.5 5.5l5.5 5.5",
} as const;

export function lineIcon(name: keyof typeof PATHS): VNode {
  return el(
    "svg",
    {
      class: `line-icon ${name}`,
      viewBox: "0 0 20 20",
      width: 18,
      height: 18,
      "aria-hidden": "true",
    },
    el("path", { d: PATHS[name] }),
  );
}
