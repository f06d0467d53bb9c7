import { test } from "node:test";
import assert from "node:assert/strict";
import { MAX_WAITING, NotificationOutbox } from "./notification-outbox.ts";

function order(name: string, state: "MASTER" | "BACKUP" | "MASTER_PRIORITY") {
  return { type: "notify", scope: "INSTANCE", name, state, priority: 100 } as const;
}

test("what is not acknowledged stays, in order", () => {
  const outbox = new NotificationOutbox();
  for (const state of ["BACKUP", "MASTER", "BACKUP"] as const) outbox.add(order("a", state), 0);
  outbox.acknowledge(1);
  assert.deepEqual(
    outbox.list().map((n) => n.seq),
    [2, 3],
  );
  outbox.acknowledge(1);
  outbox.acknowledge(99);
  assert.equal(outbox.length, 0);
});

test("at the bound the overtaken goes first and every last word stays", () => {
  const outbox = new NotificationOutbox();
  outbox.add(order("quiet", "MASTER"), 0);
  for (let i = 0; i < MAX_WAITING + 50; i++) {
    outbox.add(order("loud", i % 2 === 0 ? "MASTER" : "BACKUP"), i);
  }
  assert.equal(outbox.length, MAX_WAITING);
  assert.equal(outbox.dropped, 51);
  assert.equal(outbox.list()[0]?.name, "quiet");
  assert.equal(outbox.list().at(-1)?.seq, MAX_WAITING + 51);
});

test("changes of priority overtake no change of state", () => {
  const outbox = new NotificationOutbox();
  outbox.add(order("a", "MASTER"), 0);
  for (let i = 0; i < MAX_WAITING + 50; i++) outbox.add(order("a", "MASTER_PRIORITY"), i);
  assert.equal(outbox.list()[0]?.state, "MASTER");
  assert.equal(outbox.list().at(-1)?.seq, MAX_WAITING + 51);
});
