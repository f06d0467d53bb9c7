/**
 * Drills as the other nodes of a group know them. What one node breaks, the others see: without a word they
 * would call it a failure, count it and wake somebody. It is told when it begins and when it is over.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { DrillLine } from "../drivers/drill-files.ts";
import { type Fields, mistakeIn } from "./fields.ts";
import { TEXT, textOf } from "./incident-routes.ts";
import { DRILL_WORDS, type DrillWord, type ForwardedOrder, type Neighbour } from "./ledger-news.ts";
import type { LedgerModel } from "./ledger-routes.ts";
import { type Answer, json, problem } from "./routes.ts";

/** A drill may cut the line: its end is told again and again, so often and so far apart. */
const TRIES = 60;
const AGAIN_MS = 2000;
/** Older lines are of an earlier life. */
const YOUNG_MS = 10 * 60_000;

const WORDS: Partial<Record<DrillLine["kind"], DrillWord>> = {
  "drill-started": "drill-near-started",
  "drill-finished": "drill-near-finished",
  "drill-undone": "drill-near-undone",
};

const SAYS: Readonly<Record<DrillWord, string>> = {
  "drill-near-started": "begins",
  "drill-near-undone": "is mended",
  "drill-near-finished": "is over",
};

const BODY: Fields = { drill: { ...TEXT, description: "Its name." } };

/** To each of the others by itself: one that is silent keeps nobody waiting. */
export function tellOthers(
  { kind, id, drill, wallMs: atMs }: DrillLine,
  neighbours: () => readonly Neighbour[],
  nowMs: number,
): void {
  const what = WORDS[kind];
  if (what === undefined || id === "" || Math.abs(nowMs - atMs) > YOUNG_MS) return;
  const order = { id, what, who: "", body: { drill } };
  for (const { name } of neighbours()) void tell(name, order, neighbours);
}

async function tell(
  name: string,
  order: ForwardedOrder,
  neighbours: () => readonly Neighbour[],
): Promise<void> {
  for (let i = 0; i < TRIES; i++) {
    const other = neighbours().find((one) => one.name === name);
    if (other === undefined) return;
    try {
      await other.ask("/api/v1/node/orders", order);
      return;
    } catch {
      await sleep(AGAIN_MS, undefined, { ref: false });
    }
  }
}

/** From another node of the group; undefined: it is about something else. */
export function takeDrillNews(
  model: LedgerModel,
  { id, what, body }: ForwardedOrder,
  { node }: { readonly node: string },
): Answer | undefined {
  const kind = DRILL_WORDS.find((one) => one === what);
  if (kind === undefined) return undefined;
  const mistake = mistakeIn(body, BODY) ?? (/^[\w-]{1,64}$/u.test(id) ? undefined : "which drill?");
  if (mistake !== undefined) return problem(400, "mistake", mistake);
  const drill = textOf(body, "drill");
  const data = { id, on: node };
  const reason = `the drill '${drill}' on ${node} ${SAYS[kind]}`;
  model.say({ source: "drill", kind, subject: drill, reason, data });
  return json({ done: true });
}
