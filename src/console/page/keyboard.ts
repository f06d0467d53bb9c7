/** Keys without a modifier; never while somebody types. */

import { nextLanguage, nextTheme } from "./preferences.ts";
import { hashOf, type PageName } from "./routes.ts";
import { cursor, dialog, overview } from "./store.ts";
import { lookAt } from "./timeline-view.ts";

/** The second key of `g` has to come within this. */
const CHORD_MS = 1_200;
const PLACES: Readonly<Record<string, PageName>> = {
  o: "overview",
  t: "overview",
  e: "events",
  i: "incidents",
  d: "drills",
  n: "nodes",
};

let chordUntil = 0;

export function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
  if (dialog.value !== undefined) return;
  const { key } = event;
  if (performance.now() < chordUntil && PLACES[key] !== undefined) go(key, PLACES[key]);
  else if (!press(key)) {
    chordUntil = key === "g" ? performance.now() + CHORD_MS : 0;
    return;
  }
  chordUntil = 0;
  event.preventDefault();
}

function press(key: string): boolean {
  if (key === "/") dialog.value = { kind: "search" };
  else if (key === "?") dialog.value = { kind: "help" };
  else if (key === "t") nextTheme();
  else if (key === "l") nextLanguage();
  else if (key === "[") step(-1);
  else if (key === "]") step(1);
  else if (key === "Escape" && cursor.value !== undefined) lookAt(undefined);
  else return false;
  return true;
}

function go(key: string, page: PageName): void {
  location.hash = hashOf(page);
  if (key === "t") focusTopology(30);
}

/** The page it is on may have to be drawn first. */
function focusTopology(frames: number): void {
  const title = document.getElementById("topology-title");
  title?.focus();
  title?.scrollIntoView({ block: "center" });
  if (title === null && frames > 0) requestAnimationFrame(() => focusTopology(frames - 1));
}

/** To the event before or behind the moment that is shown. */
function step(direction: -1 | 1): void {
  const records = overview.value?.records ?? [];
  const atMs = cursor.value?.atMs ?? Number.POSITIVE_INFINITY;
  const next =
    direction < 0
      ? records.find(({ wallMs }) => wallMs < atMs - 1)
      : records.findLast(({ wallMs }) => wallMs > atMs + 1);
  lookAt(next?.wallMs);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.matches("input:not([type=range]), textarea, select")
  );
}
