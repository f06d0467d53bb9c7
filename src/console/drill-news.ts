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

/**
 * Each of the others is asked until it has heard it: the line may be cut by the drill, and a console that
 * was killed by it has no neighbours yet when it starts again.
 */
export async function tellOthers(
  { kind, id, drill, wallMs: atMs }: DrillLine,
  neighbours: () => readonly Neighbour[],
  nowMs: number,
  againMs: number = AGAIN_MS,
): Promise<void> {
  const what = WORDS[kind];
  if (what === undefined || id === "" || Math.abs(nowMs - atMs) > YOUNG_MS) return;
  const order = { id, what, who: "", body: { drill } };
  const told = new Set<string>();
  for (let i = 0; i < TRIES; i++) {
    const others = neighbours();
    const tell = async (other: Neighbour): Promise<void> => {
      await other.ask("/api/v1/node/orders", order).then(
        () => told.add(other.name),
        () => undefined,
      );
    };
    await Promise.all(others.filter(({ name }) => !told.has(name)).map(tell));
    if (others.length > 0 && others.every(({ name }) => told.has(name))) return;
    await sleep(againMs, undefined, { ref: false });
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
