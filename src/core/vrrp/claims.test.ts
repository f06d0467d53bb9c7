/** Another machine that has an address of ours and says so only when it is asked. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Segment, type SegmentNode } from "../../../test/kit/vrrp-segment.ts";
import { instance, node, unicast, type InstanceDraft } from "../../../test/kit/vrrp-settings.ts";

const ADDRESS = "192.0.2.200";

function master(draft: InstanceDraft = {}): { segment: Segment; router: SegmentNode } {
  const segment = new Segment();
  const router = segment.add("A", node([instance(draft)]));
  segment.until(() => router.state === "MASTER");
  return { segment, router };
}

const questions = (router: SegmentNode): number =>
  router.did("announce").filter(({ asks }) => asks === true).length;

test("a master asks who else has its addresses when it announces them again, not at once", () => {
  const { segment, router } = master();
  assert.equal(questions(router), 0);
  segment.advance(60_000);
  assert.equal(questions(router), 1);
});

test("nobody is asked where no multicast goes: there the network may answer for all", () => {
  const { segment, router } = master({ transport: unicast(["192.0.2.2"]) });
  segment.advance(60_000);
  assert.equal(router.did("announce").length, 2);
  assert.equal(questions(router), 0);
});

test("one that answers and then advertises as well is told twice and counted once", () => {
  const { segment, router } = master();
  const claim = { type: "address-claimed", instance: "V1", address: ADDRESS } as const;
  segment.input(router, { ...claim, mac: "0e:00" });
  segment.advance(5000);
  segment.tell(router, instance({ priority: 50 }));
  assert.equal(router.said("split-brain-found").length, 2);
  assert.equal(router.status().counters.splitBrains, 1);
});

test("who answers is a rival as long as it answers, however rarely it is asked", () => {
  const { segment, router } = master();
  for (let answered = 0; answered < 12; answered++) {
    segment.until(() => questions(router) > answered, 70_000);
    const claim = { type: "address-claimed", instance: "V1", address: ADDRESS } as const;
    segment.input(router, { ...claim, mac: "0e:00" });
  }
  assert.equal(router.said("split-brain-found").length, 1);
  assert.deepEqual(router.said("split-brain-healed"), []);
  segment.advance(200_000);
  assert.deepEqual(router.said("split-brain-healed"), ["split brain is over: 0e:00 fell silent"]);
  const asked = questions(router);
  segment.advance(600_000);
  assert.equal(questions(router), asked);
});
