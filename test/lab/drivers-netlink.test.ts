/**
 * Addresses, leases and virtual MACs in a real kernel: a holder and a client, each in a network
 * namespace of its own, with a cable between them. Needs root, iproute2, nftables and arping.
 */

import assert from "node:assert/strict";
import type { InstanceSettings } from "../../src/core/vrrp/settings.ts";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { againIfStolen } from "../../src/lab/stolen.ts";
import {
  ALL_WELL,
  CABLE,
  CLIENT,
  type Holder,
  Holders,
  V4,
  V6,
  answers,
  answersArp,
  answersKnown,
  has,
  inClient,
  inHolder,
  instance,
  layCable,
  removeCable,
  sh,
  skip,
  speakFrom,
  until,
  virtual,
} from "./holder-kit.ts";

describe("addresses in the kernel", { skip }, () => {
  const holders = new Holders();
  let holder: Holder;

  before(layCable);
  after(removeCable);
  beforeEach(() => {
    holder = holders.begin();
  });
  afterEach(() => holders.end());

  test("acquired addresses answer and released ones do not, both families", async () => {
    const settings = instance([virtual(V4), virtual(V6)]);
    assert.deepEqual(await holder.ask("opened"), { cleanUp: [] });
    assert.equal(await holder.ask("renew", "VI_1", 5000), null);
    assert.deepEqual(await holder.ask("acquire", settings), ALL_WELL);
    assert.ok(answers(V4) && answers(V6) && answersArp(V4));
    const shown = inHolder(`ip address show dev ${CABLE}`);
    assert.match(shown, /inet6 fd91::100\/128 scope global nodad deprecated dynamic/);
    assert.match(shown, /inet 10\.91\.0\.100\/32 scope global dynamic eth0\s+valid_lft 1\dsec/);
    assert.deepEqual(await holder.ask("release", "VI_1"), []);
    assert.ok(!has(V4) && !has(V6));
    assert.ok(!answersArp(V4));
  });

  test("an interface that goes by another name now keeps nothing of ours", async () => {
    const settings = instance([virtual(V4), virtual(V6)]);
    await holder.ask("renew", "VI_1", 5000);
    assert.deepEqual(await holder.ask("acquire", settings), ALL_WELL);
    inHolder(`ip link set ${CABLE} name moved`);
    assert.deepEqual(await holder.ask("release", "VI_1"), []);
    inHolder(`ip link set moved name ${CABLE}`);
    assert.ok(!has(V4) && !has(V6));
  });

  /** A holder that the host keeps from its CPU for so long still renews in time. */
  const HARMLESS_MS = 40;

  for (const signal of ["SIGSTOP", "SIGKILL"] as const) {
    test(`a 100 ms lease silences a configured address after ${signal}`, () =>
      againIfStolen(HARMLESS_MS, async () => {
        await holders.end();
        holder = holders.begin();
        await lapses(signal);
      }));
  }

  async function lapses(signal: "SIGSTOP" | "SIGKILL"): Promise<void> {
    const settings = instance([virtual(V4), virtual(V6)]);
    await holder.ask("renewEvery", "VI_1", 100, 30);
    assert.deepEqual(await holder.ask("acquire", settings), ALL_WELL);
    assert.ok(answers(V4) && answers(V6) && answersArp(V4));
    await sleep(300);
    assert.ok(answersKnown(V4), "the lease is renewed");
    const pid = holder.process.pid!;
    process.kill(pid, signal);
    const stopped = performance.now();
    await until("the address falls silent", () => !answersKnown(V4), 3000);
    assert.ok(performance.now() - stopped < 2000, "long before its lifetime of 12 s ends");
    assert.ok(has(V4) && has(V6), "still configured");
    assert.ok(!answersKnown(V6));
    assert.ok(!answersArp(V4));
    assert.ok(!answers(V4) && !answers(V6));
    if (signal === "SIGKILL") return;
    process.kill(pid, "SIGCONT");
    await until("it answers again", () => answersKnown(V4) && answers(V6));
    assert.ok(answersArp(V4));
  }

  test("lifetimes remove the addresses of a dead holder from the kernel", async () => {
    await holder.ask("renew", "VI_1", 100);
    await holder.ask("acquire", instance([virtual(V4), virtual(V6)]));
    await holder.kill();
    await until("the kernel removes both", () => !has(V4) && !has(V6), 20_000);
  });

  test("a restart removes what its predecessor left, and no stranger's", async () => {
    inHolder(`ip address add 10.91.0.77/32 dev ${CABLE}`);
    inHolder(`ip address add 10.91.0.101/32 dev ${CABLE}`);
    const route = {
      family: "ipv4" as const,
      kind: "unicast" as const,
      destination: "192.0.2.0",
      prefixLength: 24,
      via: "10.91.0.2",
      interface: CABLE,
      source: V4,
      onLink: false,
      tracked: true,
    };
    const rule = {
      family: "ipv4" as const,
      from: { address: "198.51.100.0", prefixLength: 24 },
      table: 100,
      priority: 777,
      tracked: true,
    };
    const both = [virtual(V4), virtual("10.91.0.101"), virtual(V6)];
    const settings = instance(both, { routes: [route], rules: [rule] });
    await holder.ask("renew", "VI_1", 5000);
    assert.deepEqual(await holder.ask("acquire", settings), {
      failures: [],
      foreign: ["address 10.91.0.101/32 on eth0"],
    });
    assert.match(inHolder("ip route show 192.0.2.0/24"), /via 10\.91\.0\.2 .*proto keepalived/);
    assert.match(inHolder("ip rule show"), /777:\tfrom 198\.51\.100\.0\/24 lookup 100/);
    assert.equal(statSync(join(holders.state, "owned.json")).mode & 0o777, 0o600);
    await holder.kill();
    assert.ok(has(V4));
    const next = holders.start();
    assert.deepEqual(await next.ask("opened"), { cleanUp: [] });
    assert.ok(!has(V4) && !has(V6));
    assert.ok(has("10.91.0.77") && has("10.91.0.101"));
    assert.equal(inHolder("ip route show 192.0.2.0/24"), "");
    assert.doesNotMatch(inHolder("ip rule show"), /777/);
    // The same ones again, by the successor, and ended in order.
    await next.ask("renew", "VI_1", 5000);
    assert.equal((await next.ask("acquire", settings)).failures.length, 0);
    assert.deepEqual(await next.ask("release", "VI_1"), []);
    assert.ok(has("10.91.0.101") && !has(V4));
    await next.close();
    assert.doesNotMatch(inHolder("nft list tables"), /nines/);
    const record = readFileSync(join(holders.state, "owned.json"), "utf8").trim();
    assert.equal(record.split("\n").length, 1, "a heading and no entry");
    inHolder(`ip address del 10.91.0.77/32 dev ${CABLE}`);
    inHolder(`ip address del 10.91.0.101/32 dev ${CABLE}`);
  });

  test("a stranger's second address of our subnet outlives our first one", async () => {
    await holder.ask("renew", "VI_1", 5000);
    await holder.ask("acquire", instance([virtual("10.92.0.1", { prefixLength: 24 })]));
    inHolder(`ip address add 10.92.0.7/24 dev ${CABLE}`);
    assert.deepEqual(await holder.ask("release", "VI_1"), []);
    assert.ok(has("10.92.0.7") && !has("10.92.0.1"));
    inHolder(`ip address del 10.92.0.7/24 dev ${CABLE}`);
  });

  test("removals by others are heard with their instance, our own are not", async () => {
    const fact = await holder.ask("watch", CABLE);
    assert.equal(fact.primaryIpv4, "10.91.0.1");
    assert.match(fact.linkLocalIpv6, /^fe80::/);
    await holder.ask("renew", "VI_1", 5000);
    await holder.ask("acquire", instance([virtual(V4), virtual(V6)]));
    await holder.ask("heard");
    inHolder(`ip address del ${V4}/32 dev ${CABLE}`);
    assert.deepEqual(await holder.ask("heard"), [{ removed: V4, from: CABLE, instance: "VI_1" }]);
    assert.equal(await holder.ask("restore", "VI_1", V4), null);
    assert.ok(answers(V4));
    await holder.ask("release", "VI_1");
    assert.deepEqual(await holder.ask("heard"), []);
    sh(`ip -n ${CLIENT} link set ${CABLE} down`);
    await until("the carrier is lost", () => !inHolder(`ip link`).includes("LOWER_UP> mtu 1500"));
    const isHeard = async (up: boolean): Promise<boolean> =>
      (await holder.ask("heard")).at(-1)?.up === up;
    await until("the loss is heard", () => isHeard(false));
    sh(`ip -n ${CLIENT} link set ${CABLE} up`);
    sh(`ip -n ${CLIENT} address replace fd91::2/64 dev ${CABLE} nodad`);
    await until("the return is heard", () => isHeard(true));
  });

  test("the lease survives `nft flush ruleset`", async () => {
    await holder.ask("renew", "VI_1", 2000);
    await holder.ask("acquire", instance([virtual(V4)]));
    inHolder("nft flush ruleset");
    // A lease that was renewed a moment ago is left alone.
    await until("it is renewed from nothing", async () => {
      assert.equal(await holder.ask("renew", "VI_1", 2000), null);
      return (await holder.ask("rebuilds")) === 1;
    });
    assert.ok(answers(V4));
    await sleep(2100);
    assert.ok(!answersKnown(V4));
  });

  test("without accept mode packets are dropped, ARP and ND go on", async () => {
    await holder.ask("renew", "VI_1", 5000);
    const settings = instance([virtual(V4), virtual(V6)], { accept: false });
    assert.deepEqual(await holder.ask("acquire", settings), ALL_WELL);
    assert.ok(!answers(V4) && !answers(V6));
    assert.ok(answersArp(V4));
    const neighbour = inClient(`ip neigh show ${V6}`);
    assert.match(neighbour, /lladdr/);
    assert.doesNotMatch(neighbour, /FAILED|INCOMPLETE/);
  });

  test("a changed configuration adds and removes by difference", async () => {
    await holder.ask("renew", "VI_1", 5000);
    await holder.ask("acquire", instance([virtual(V4), virtual("10.91.0.102")]));
    await holder.ask("acquire", instance([virtual(V4), virtual("10.91.0.103")]));
    assert.ok(has(V4) && !has("10.91.0.102") && has("10.91.0.103"));
    assert.ok(answers("10.91.0.103") && answers(V4));
  });

  test("only the virtual MAC is ever told for addresses on a virtual MAC", async () => {
    const vmac = (name: string): Partial<InstanceSettings> => {
      return { vmac: { name, sendFromBase: false } };
    };
    const four = instance([virtual(V4, { prefixLength: 24 })], vmac("vrrp4.51"));
    const six = instance([virtual(V6, { prefixLength: 64 })], {
      ...vmac("vrrp6.51"),
      name: "VI_6",
      family: "ipv6",
    });
    for (const settings of [four, six]) {
      assert.deepEqual(await holder.ask("prepare", settings), []);
      await holder.ask("renew", settings.name, 5000);
      assert.deepEqual(await holder.ask("acquire", settings), ALL_WELL);
    }
    assert.match(inHolder("ip -d link show vrrp4.51"), /macvlan mode private/);
    assert.doesNotMatch(inHolder("ip address show dev vrrp6.51"), /fe80/);
    const arp = inClient(`arping -c3 -w4 -I ${CABLE} ${V4} || true`);
    assert.match(arp, /00:00:5e:00:01:33/i);
    assert.doesNotMatch(arp, /00:00:5e:00:02:33/i);
    const base = inHolder(`cat /sys/class/net/${CABLE}/address`).trim();
    assert.doesNotMatch(arp, new RegExp(base, "i"));
    assert.ok(answers(V4) && answers(V6));
    inHolder(`ip neigh flush dev ${CABLE}`);
    speakFrom(V4, "10.91.0.2");
    assert.match(inClient("ip neigh"), /10\.91\.0\.100 .*00:00:5e:00:01:33/);
    assert.match(inClient("ip neigh"), /fd91::100 .*00:00:5e:00:02:33/);
    for (const settings of [four, six]) {
      assert.deepEqual(await holder.ask("release", settings.name), []);
      assert.equal(await holder.ask("dismiss", settings.vmac!.name), null);
    }
    assert.doesNotMatch(inHolder("ip link"), /vrrp/);
    await holder.close();
    assert.equal(inHolder(`sysctl -n net.ipv4.conf.${CABLE}.arp_ignore`), "0\n");
  });

  test("RFC 9568 6.4.2 (345): what a switch floods to the virtual MAC is taken by its master only", async () => {
    const six = { name: "VI_6", family: "ipv6" } as const;
    const both = [
      instance([virtual(V4)], { vmac: { name: "vrrp4.51", sendFromBase: false } }),
      instance([virtual(V6)], { ...six, vmac: { name: "vrrp6.51", sendFromBase: false } }),
    ];
    const behind = ["10.91.9.9", "fd91:9::9"];
    for (const address of behind) inHolder(`ip address add ${address} dev lo`);
    for (const [i, via] of [V4, V6].entries()) {
      const mac = `00:00:5e:00:0${i + 1}:33`;
      inClient(`ip neigh replace ${via} lladdr ${mac} nud permanent dev ${CABLE}`);
      inClient(`ip route replace ${behind[i]} via ${via} dev ${CABLE} onlink`);
    }
    const takes = (): boolean[] => behind.map((address) => answersKnown(address, 1));
    for (const settings of both) assert.deepEqual(await holder.ask("prepare", settings), []);
    assert.deepEqual(takes(), [false, false]);
    for (const settings of both) {
      await holder.ask("renew", settings.name, 5000);
      assert.deepEqual(await holder.ask("acquire", settings), ALL_WELL);
    }
    assert.deepEqual(takes(), [true, true]);
    // The link comes back, or a reload: again prepared, and a master goes on.
    for (const settings of both) await holder.ask("prepare", settings);
    assert.deepEqual(takes(), [true, true]);
    for (const { name } of both) assert.deepEqual(await holder.ask("release", name), []);
    assert.deepEqual(takes(), [false, false]);
    for (const { vmac } of both) assert.equal(await holder.ask("dismiss", vmac!.name), null);
    assert.doesNotMatch(inHolder("nft list ruleset"), /vrrp/);
  });

  test("a single address lives on a macvlan of its own, the others stay on the interface", async () => {
    const own = virtual(V4, { prefixLength: 24, vmac: "vrrp.51" });
    const other = virtual("10.91.0.102", { prefixLength: 24 });
    const settings = instance([own, other]);
    assert.deepEqual(await holder.ask("prepare", settings), []);
    await holder.ask("renew", settings.name, 5000);
    assert.deepEqual(await holder.ask("acquire", settings), ALL_WELL);
    assert.match(inHolder("ip -br address show dev vrrp.51"), /10\.91\.0\.100\/24/);
    assert.match(inHolder(`ip -br address show dev ${CABLE}`), /10\.91\.0\.102\/24/);
    const arp = inClient(`arping -c2 -w3 -I ${CABLE} ${V4} || true`);
    assert.match(arp, /00:00:5e:00:01:33/i);
    const plain = inClient(`arping -c2 -w3 -I ${CABLE} 10.91.0.102 || true`);
    assert.match(plain, /bytes from/i);
    assert.doesNotMatch(plain, /00:00:5e/i);
    assert.deepEqual(await holder.ask("release", settings.name), []);
    assert.equal(await holder.ask("dismiss", "vrrp.51"), null);
    assert.doesNotMatch(inHolder("ip link"), /vrrp/);
    await holder.close();
  });

  test("255 addresses are acquired and released in a few milliseconds", async (t) => {
    const addresses = Array.from({ length: 255 }, (_, i) => virtual(`10.91.1.${i}`));
    await holder.ask("renew", "VI_1", 5000);
    const first = await holder.ask("timeAcquire", instance(addresses));
    await holder.ask("renew", "VI_1", 5000);
    const second = await holder.ask("timeAcquire", instance(addresses));
    for (const { failures, left, acquireMs, releaseMs } of [first, second]) {
      assert.deepEqual([failures, left], [[], []]);
      t.diagnostic(`acquire ${acquireMs.toFixed(1)} ms, release ${releaseMs.toFixed(1)} ms`);
      assert.ok(acquireMs < 1000 && releaseMs < 1000, "one by one it would be seconds");
    }
  });
});
