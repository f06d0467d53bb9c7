/** What other routers and the kernel see of a reload that costs no router its state. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Segment } from "../../../test/kit/vrrp-segment.ts";
import { instance, node, noNotify } from "../../../test/kit/vrrp-settings.ts";

test("a backup that hears of a shorter interval first goes on believing in its master", () => {
  const segment = new Segment();
  const settings = (priority: number, advertIntervalMs: number) =>
    node([instance({ priority, advertIntervalMs })]);
  const a = segment.add("A", settings(150, 1000));
  const b = segment.add("B", settings(100, 1000));
  segment.advance(10_500);
  segment.reconfigure(b, settings(100, 100));
  segment.advance(5000);
  segment.reconfigure(a, settings(150, 100));
  segment.advance(5000);
  assert.equal(a.status().counters.becameMaster, 1);
  assert.equal(b.status().counters.becameMaster, 0);
  segment.reconfigure(a, settings(150, 2000));
  segment.reconfigure(b, settings(100, 2000));
  segment.advance(10_000);
  assert.equal(b.status().counters.becameMaster, 0);
  a.paused = true;
  const took = segment.until(() => b.state === "MASTER");
  assert.ok(took > 5000 && took < 8000, `${took} ms`);
});

test("a master goes on under a lease of the new length", () => {
  const segment = new Segment();
  const router = segment.add("A", node([instance()]));
  segment.until(() => router.state === "MASTER");
  router.actions.length = 0;
  segment.reconfigure(router, node([instance({ advertIntervalMs: 100 })]));
  segment.advance(0);
  assert.deepEqual(
    router.did("renew-lease").map(({ durationMs }) => durationMs),
    [300],
  );
});

test("changes of priority are told in the state they happen in, where that is wanted", () => {
  const segment = new Segment();
  const draft = { notify: { ...noNotify, priorityChanges: true } };
  const router = segment.add("A", node([instance(draft)]));
  segment.reconfigure(router, node([instance({ ...draft, priority: 110 })]));
  segment.until(() => router.state === "MASTER");
  segment.reconfigure(router, node([instance({ ...draft, priority: 120 })]));
  segment.reconfigure(router, node([instance({ priority: 130 })]));
  assert.deepEqual(
    router.did("notify").map(({ state, priority }) => `${state} ${priority}`),
    ["BACKUP 100", "BACKUP_PRIORITY 110", "MASTER 110", "MASTER_PRIORITY 120"],
  );
});
