import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { test } from "node:test";
import { answerBalance, type BalanceBackend, type BalanceRoute } from "./balance-api.ts";

test("spans of time are numbers: one in quotes would be far in the future, and never over", async () => {
  const done: unknown[] = [];
  const took = (...given: unknown[]): object => {
    done.push(given.at(-1));
    return { done: true };
  };
  const balance = { apply: took, order: took } as unknown as BalanceBackend;
  const ask = async (route: BalanceRoute, body: object): Promise<number> => {
    const request = Readable.from([JSON.stringify(body)]) as unknown as IncomingMessage;
    return (await answerBalance(balance, route, request)).code;
  };
  const order = { server: "web/a", state: "drain" };
  for (const wrong of ["60", -1, null, 0]) {
    assert.equal(await ask("POST apply", { file: "/x", confirmWithinMs: wrong }), 422);
    if (wrong === 0) continue;
    assert.equal(await ask("POST server", { ...order, deadlineMs: wrong }), 422);
  }
  assert.deepEqual(done, []);
  assert.equal(await ask("POST apply", { file: "/x", confirmWithinMs: 60 }), 200);
  assert.equal(await ask("POST apply", { file: "/x" }), 200);
  assert.equal(await ask("POST server", { ...order, deadlineMs: 0 }), 200);
  assert.deepEqual(done, [60, undefined, { ...order, deadlineMs: 0 }]);
});
