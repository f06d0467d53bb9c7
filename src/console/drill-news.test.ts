import assert from "node:assert/strict";
import { test } from "node:test";
import type { DrillLine } from "../drivers/drill-files.ts";
import { takeDrillNews, tellOthers } from "./drill-news.ts";
import type { ForwardedOrder, Neighbour } from "./ledger-news.ts";
import type { LedgerModel, OperatorRecord } from "./ledger-routes.ts";
import { isProblem } from "./routes.ts";

const NOW = 1_800_000_000_000;

function line(kind: DrillLine["kind"], wallMs = NOW): DrillLine {
  return { kind, wallMs, id: "20261121-1", drill: "mute", reason: "" };
}

/** A node that takes an order when it was asked so often. */
function neighbour(name: string, took: string[], after = 1): Neighbour {
  let asked = 0;
  const ask = (_path: string, order?: object): Promise<unknown> => {
    if (++asked < after) return Promise.reject(new Error("no answer"));
    took.push(`${name} ${(order as ForwardedOrder).what}`);
    return Promise.resolve({});
  };
  return { name, reason: "", aheadMs: 0, ask };
}

test("each of the others hears of a drill once, also one that was away at first", async () => {
  const took: string[] = [];
  const others = [neighbour("b", took), neighbour("c", took, 2)];
  let looks = 0;
  // A console that has just started knows of nobody yet.
  const list = (): readonly Neighbour[] => (looks++ === 0 ? [] : others);
  await tellOthers(line("drill-started"), list, NOW, 1);
  assert.deepEqual(took.toSorted(), ["b drill-near-started", "c drill-near-started"]);
  took.length = 0;
  await tellOthers(line("drill-undone"), list, NOW, 1);
  assert.deepEqual(took.toSorted(), ["b drill-near-undone", "c drill-near-undone"]);
});

test("drills of an earlier life and those of other nodes are not told", async () => {
  const took: string[] = [];
  const list = (): readonly Neighbour[] => [neighbour("b", took)];
  await tellOthers(line("drill-started", NOW - 3_600_000), list, NOW, 1);
  await tellOthers(line("drill-asked"), list, NOW, 1);
  await tellOthers(line("drill-refused"), list, NOW, 1);
  assert.deepEqual(took, []);
});

function take(order: Partial<ForwardedOrder>): {
  readonly answer: ReturnType<typeof takeDrillNews>;
  readonly said: readonly OperatorRecord[];
} {
  const said: OperatorRecord[] = [];
  const model = { say: (record: OperatorRecord) => void said.push(record) };
  const told = { id: "20261121-1", who: "", body: { drill: "mute" }, ...order };
  const answer = takeDrillNews(model as unknown as LedgerModel, told as ForwardedOrder, {
    node: "lb2",
  });
  return { answer, said };
}

test("what is heard becomes a record that the ledger reads", () => {
  const { said } = take({ what: "drill-near-started" });
  assert.deepEqual(said, [
    {
      source: "drill",
      kind: "drill-near-started",
      subject: "mute",
      reason: "the drill 'mute' on lb2 begins",
      data: { id: "20261121-1", on: "lb2" },
    },
  ]);
});

test("what no node would say is refused, and what is about something else is left alone", () => {
  for (const wrong of [{ id: "../x" }, { body: {} }, { body: { drill: "x", more: 1 } }]) {
    const { answer, said } = take({ what: "drill-near-finished", ...wrong });
    assert.ok(answer !== undefined && isProblem(answer) && answer.status === 400);
    assert.deepEqual(said, []);
  }
  assert.equal(take({ what: "annotations" }).answer, undefined);
});
