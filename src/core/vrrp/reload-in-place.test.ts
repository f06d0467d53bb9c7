/** What other routers and the kernel see of a reload that costs no router its state. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Segment } from "../../../test/kit/vrrp-segment.ts";
import { group, instance, node, noNotify } from "../../../test/kit/vrrp-settings.ts";

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

test("an instance that only gets another name keeps its addresses, its role and its counters", () => {
  const segment = new Segment();
  const settings = (name: string, priority: number) => node([instance({ name, priority })]);
  const a = segment.add("A", settings("old", 150));
  const b = segment.add("B", settings("old", 100));
  segment.advance(10_000);
  for (const [router, priority] of [
    [a, 150],
    [b, 100],
  ] as const) {
    router.actions.length = 0;
    segment.reconfigure(router, settings("new", priority));
  }
  assert.deepEqual(segment.masters("new"), ["A"]);
  assert.deepEqual(
    a.actions.map((action) => (action.type === "report" ? action.event.reason : action.type)),
    [
      "is called new from now on",
      "rename-instance",
      "was called old until now",
      "acquire-addresses",
    ],
  );
  a.actions.length = 0;
  segment.advance(10_000);
  assert.deepEqual(b.did("notify"), []);
  assert.deepEqual([a.status("new").state, b.status("new").state], ["MASTER", "BACKUP"]);
  assert.equal(a.status("new").counters.becameMaster, 1);
  assert.ok(a.did("renew-lease").every((renewal) => renewal.instance === "new"));
  assert.equal(a.did("send-datagram", "new").length, a.did("send-datagram").length);
});

test("a sync group whose members are renamed stays master, and is told nothing", () => {
  const segment = new Segment();
  const settings = (names: readonly [string, string]) => {
    const [one, other] = names;
    const second = instance({ name: other, vrid: 52, vips: ["192.0.2.201"] });
    return node([instance({ name: one }), second], { groups: [group(names)] });
  };
  const router = segment.add("A", settings(["V1", "V2"]));
  segment.until(() => router.status("V2").state === "MASTER");
  router.actions.length = 0;
  segment.reconfigure(router, settings(["V2", "V3"]));
  segment.advance(10_000);
  // A name that belongs to another router now is not a new name: that one starts anew.
  assert.equal(router.status("V3").state, "MASTER");
  router.actions.length = 0;
  segment.reconfigure(router, settings(["V4", "V5"]));
  assert.deepEqual(router.did("notify"), []);
  assert.deepEqual([...router.holds].toSorted(), ["V4", "V5"]);
});
