/** `nines handover`: who has the addresses then, and for how long. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Segment, type SegmentNode } from "../../../test/kit/vrrp-segment.ts";
import { instance, node } from "../../../test/kit/vrrp-settings.ts";

const SKEW_OF_100 = (156 * 1000) / 256;

/** A at 150 is master, B at 100 backup. */
function pair(): { segment: Segment; a: SegmentNode; b: SegmentNode } {
  const segment = new Segment();
  const a = segment.add("A", node([instance({ priority: 150 })]));
  const b = segment.add("B", node([instance()]));
  segment.until(() => a.state === "MASTER");
  segment.advance(10_500);
  return { segment, a, b };
}

test("handover: the peer has the addresses in a fraction of its skew and keeps them", () => {
  const { segment, a, b } = pair();
  segment.input(a, { type: "handover-requested", instance: "V1", reason: "maintenance" });
  assert.deepEqual([...a.holds], []);
  const took = segment.until(() => b.state === "MASTER");
  assert.ok(Math.abs(took - 10 - SKEW_OF_100 / 8) < 1, `${took} ms`);
  segment.advance(3_600_000);
  assert.deepEqual(segment.masters(), ["B"]);
});

test("handover: when the new master fails, the old one is there and preempts again later", () => {
  const { segment, a, b } = pair();
  segment.input(a, { type: "handover-requested", instance: "V1", reason: "maintenance" });
  segment.until(() => b.state === "MASTER");
  segment.advance(10_000);
  b.paused = true;
  segment.until(() => a.state === "MASTER", 4000);
  b.paused = false;
  segment.advance(10_000);
  assert.deepEqual(segment.masters(), ["A"]);
  segment.link(a, false);
  segment.until(() => b.state === "MASTER");
  segment.link(a, true);
  segment.until(() => a.state === "MASTER", 4000);
});

test("handover to nobody: the addresses come back after a down interval", () => {
  const segment = new Segment();
  const a = segment.add("A", node([instance()]));
  segment.until(() => a.state === "MASTER");
  segment.advance(10_500);
  segment.input(a, { type: "handover-requested", instance: "V1", reason: "maintenance" });
  const took = segment.until(() => a.state === "MASTER");
  assert.equal(took, 3000 + SKEW_OF_100);
});

test("handover asked of a backup or of nobody: told, nothing done", () => {
  const { segment, b } = pair();
  b.actions.length = 0;
  segment.input(b, { type: "handover-requested", instance: "V1", reason: "maintenance" });
  assert.deepEqual(b.said("note"), ["nothing to hand over: V1 is BACKUP"]);
  assert.equal(b.actions.length, 1);
  segment.input(b, { type: "handover-requested", instance: "nobody", reason: "maintenance" });
  assert.equal(b.actions.length, 1);
});

test("after a handover a new master whose priority falls is not left in charge", () => {
  const tracks = [{ kind: "script", name: "web", weight: -60, reverse: false }] as const;
  const segment = new Segment();
  const a = segment.add("A", node([instance({ priority: 150 })]));
  const b = segment.add("B", node([instance({ tracks })]));
  const web = (ok: boolean): void => {
    segment.input(b, {
      type: "track-changed",
      kind: "script",
      name: "web",
      ok,
      value: 0,
      reason: "",
    });
  };
  web(true);
  segment.until(() => a.state === "MASTER");
  segment.input(a, { type: "handover-requested", instance: "V1", reason: "maintenance" });
  segment.until(() => b.state === "MASTER");
  segment.advance(3_600_000);
  assert.deepEqual(segment.masters(), ["B"]);
  web(false);
  segment.until(() => a.state === "MASTER", 4000);
  segment.advance(10_000);
  assert.deepEqual(segment.masters(), ["A"]);
});
