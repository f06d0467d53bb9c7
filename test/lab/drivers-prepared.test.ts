/**
 * Addresses that are put into a real kernel before a takeover, with their lease shut. Needs root,
 * iproute2, nftables and arping.
 */

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import {
  ALL_WELL,
  CABLE,
  type Holder,
  Holders,
  V4,
  V6,
  answers,
  answersArp,
  has,
  inHolder,
  instance,
  layCable,
  removeCable,
  skip,
  virtual,
} from "./holder-kit.ts";

describe("addresses in waiting", { skip }, () => {
  const holders = new Holders();
  let holder: Holder;

  before(layCable);
  after(removeCable);
  beforeEach(() => {
    holder = holders.begin();
  });
  afterEach(() => holders.end());

  test("prepared addresses answer nobody until the lease is renewed, and then at once", async () => {
    const settings = instance([virtual(V4), virtual(V6)], { accept: false });
    const open = { ...settings, accept: true };
    for (const prepared of [settings, open]) {
      // Another instance, whose lease is as long: its renewals are not ours.
      assert.equal(await holder.ask("renew", "VI_2", 5000), null);
      assert.equal(await holder.ask("prepareAddresses", prepared), true);
      assert.ok(has(V4) && has(V6));
      assert.ok(!answers(V4) && !answers(V6) && !answersArp(V4));
      assert.throws(() => inHolder(`ping -c1 -W1 ${V4}`), "not even on this machine");
      await holder.ask("release", "VI_1");
      assert.ok(!has(V4) && !has(V6));
    }
    assert.equal(await holder.ask("prepareAddresses", open), true);
    assert.equal(await holder.ask("renew", "VI_1", 5000), null);
    assert.ok(answersArp(V4) && answers(V4) && answers(V6));
    assert.deepEqual(await holder.ask("acquire", open), ALL_WELL);
    assert.ok(answersArp(V4) && answers(V4) && answers(V6));
    assert.equal(await holder.ask("prepareAddresses", open), false, "they are held");
    assert.deepEqual(await holder.ask("release", "VI_1"), []);
    assert.ok(!has(V4) && !has(V6));
  });

  test("prepared addresses have an end of their own, before and after the takeover", async () => {
    const settings = instance([virtual(V4), virtual(V6)]);
    const lines = (): string[] =>
      inHolder("ip -o address")
        .split("\n")
        .filter((line) => line.includes(` ${V4}/`) || line.includes(` ${V6}/`));
    assert.equal(await holder.ask("prepareAddresses", settings), true);
    assert.deepEqual([lines().length, lines().filter((line) => line.includes("forever"))], [2, []]);
    await holder.ask("renew", "VI_1", 5000);
    assert.deepEqual(await holder.ask("acquire", settings), ALL_WELL);
    assert.deepEqual([lines().length, lines().filter((line) => line.includes("forever"))], [2, []]);
  });

  test("what others would notice or use is not prepared", async () => {
    const probed = instance([virtual(V6, { noDad: false })]);
    assert.equal(await holder.ask("prepareAddresses", probed), false);
    const carried = instance([virtual(V6, { vmac: "vrrp.51" })]);
    assert.equal(await holder.ask("prepareAddresses", carried), false);
    assert.ok(!has(V6));
    inHolder(`ip address add ${V4}/32 dev ${CABLE}`);
    assert.equal(await holder.ask("prepareAddresses", instance([virtual(V4)])), false);
    assert.ok(has(V4) && answers(V4), "a stranger's goes on");
    inHolder(`ip address del ${V4}/32 dev ${CABLE}`);
    await holder.ask("renew", "VI_2", 5000);
    await holder.ask("acquire", instance([virtual(V4)], { name: "VI_2" }));
    assert.equal(await holder.ask("prepareAddresses", instance([virtual(V4)])), false);
    assert.ok(answers(V4), "another instance's goes on");
  });

  test("prepared addresses that a holder leaves behind stay silent until a restart", async () => {
    assert.equal(await holder.ask("prepareAddresses", instance([virtual(V4)])), true);
    await holder.kill();
    assert.ok(has(V4) && !answers(V4) && !answersArp(V4));
    const next = holders.start();
    assert.deepEqual(await next.ask("opened"), { cleanUp: [] });
    assert.ok(!has(V4));
    await next.close();
  });
});
