/**
 * Raw and packet sockets, the alarm and scheduling in a real kernel: two namespaces with a cable
 * between them, and tcpdump's opinion of what goes over it. Needs root, iproute2, tcpdump, arping.
 */

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import type { ChildProcess, ChildProcessWithoutNullStreams } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { stateOf } from "../../src/lab/process-table.ts";

const LEFT = `ka-l${process.pid}`;
const RIGHT = `ka-r${process.pid}`;
const PROGRAM = join(import.meta.dirname, "programs/socket-user.ts");
const GROUP = { ipv4: "224.0.0.18", ipv6: "ff02::12" } as const;
const LINK_LOCAL = "fe80::a";
const VIRTUAL_MAC = "00:00:5e:00:01:33";

const skip = process.getuid?.() === 0 ? false : "needs root: run `npm run lab` as root";

function sh(command: string): string {
  return execFileSync("/bin/sh", ["-ec", command], { encoding: "utf8", stdio: "pipe" });
}

class User {
  readonly process: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor(...wrapper: string[]) {
    const argv = [...wrapper, process.execPath, PROGRAM];
    this.process = spawn(argv[0]!, argv.slice(1));
    this.process.stderr.pipe(process.stderr);
    this.#lines = createInterface({ input: this.process.stdout });
    this.#lines.on("line", (line) => this.#waiting.shift()?.(line));
  }

  static in(namespace: string): User {
    return new User("ip", "netns", "exec", namespace);
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- answers differ from command to command
  async ask(command: string, order: object = {}): Promise<any> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#waiting.push(resolve);
    this.process.stdin.write(`${JSON.stringify({ command, ...order })}\n`);
    return JSON.parse(await promise);
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.process.once("exit", () => resolve());
    this.process.stdin.end();
    await promise;
  }
}

/** What tcpdump says of `count` packets that arrive on the right while `act` runs. */
async function captured(filter: string, count: number, act: () => Promise<void>): Promise<string> {
  const options = ["-i", "eth0", "-c", String(count), "-envvl", "--immediate-mode", "-Qin"];
  const argv = ["netns", "exec", RIGHT, "timeout", "10", "tcpdump", ...options, filter];
  const tcpdump: ChildProcess = spawn("ip", argv);
  let text = "";
  const listening = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  tcpdump.stdout!.on("data", (chunk: Buffer) => (text += chunk.toString()));
  tcpdump.stderr!.on("data", (chunk: Buffer) => {
    if (chunk.includes("listening on")) listening.resolve();
  });
  tcpdump.on("close", () => ended.resolve());
  await listening.promise;
  await act();
  await ended.promise;
  return text;
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!(await holds())) {
    assert.ok(performance.now() < end, `not within 5 s: ${what}`);
    await sleep(10);
  }
}

function neighbour(address: string): string {
  return sh(`ip -n ${RIGHT} neigh show ${address} dev eth0`);
}

const V4_ADVERT = { family: "ipv4", source: "10.92.0.1", address: "10.92.0.100", ttl: 255 };
const V6_ADVERT = { family: "ipv6", source: LINK_LOCAL, address: "fd92::100", ttl: 255 };

describe("socket drivers", { skip }, () => {
  let left: User;
  let right: User;

  before(() => {
    for (const name of [LEFT, RIGHT]) sh(`ip netns add ${name}; ip -n ${name} link set lo up`);
    sh(`ip -n ${LEFT} link add eth0 type veth peer name eth0 netns ${RIGHT}`);
    sh(`ip -n ${LEFT} address add 10.92.0.1/24 dev eth0
      ip -n ${LEFT} address add 10.92.0.7/24 dev eth0
      ip -n ${RIGHT} address add 10.92.0.2/24 dev eth0
      ip -n ${LEFT} address add fd92::1/64 dev eth0 nodad
      ip -n ${LEFT} address add ${LINK_LOCAL}/64 dev eth0 nodad
      ip -n ${RIGHT} address add fd92::2/64 dev eth0 nodad
      ip -n ${LEFT} link set eth0 up; ip -n ${RIGHT} link set eth0 up`);
    left = User.in(LEFT);
    right = User.in(RIGHT);
  });

  after(async () => {
    await left?.end();
    await right?.end();
    for (const name of [LEFT, RIGHT]) spawnSync("ip", ["netns", "delete", name]);
  });

  test("adverts of both families arrive with source, destination, TTL and bytes", async () => {
    for (const advert of [V4_ADVERT, V6_ADVERT]) {
      const family = advert.family as "ipv4" | "ipv6";
      const group = GROUP[family];
      for (const user of [left, right]) {
        assert.equal(await user.ask("open", { family, address: group }), 0);
      }
      let heard: Record<string, unknown>[] = [];
      // Again and again: IPv6 needs a moment after the link came up.
      await until(`${family} advert heard`, async () => {
        assert.equal(await left.ask("advertise", { ...advert, destination: group }), 0);
        heard = (await right.ask("heard")) as Record<string, unknown>[];
        return heard.length > 0;
      });
      const { payload, waitedMs, ...header } = heard[0]!;
      assert.ok(Number(waitedMs) >= 0, "the kernel said when it came");
      const expected = { interface: "eth0", family, protocol: 112, source: advert.source };
      assert.deepEqual(header, { ...expected, destination: group, ttl: 255 });
      assert.match(String(payload), /^313396010064/);
      assert.deepEqual(await left.ask("heard"), [], "the sender does not hear itself");
    }
  });

  test("what Ethernet fills a short advert up with is not part of it", async () => {
    await right.ask("heard");
    const header = "45c0002000000000ff70d03e0a5c0001e0000012";
    const advert = "31339601006400000a5c0064";
    const frame = `01005e0000120200000000010800${header}${advert}${"ff".repeat(14)}`;
    let heard: { payload: string }[] = [];
    assert.equal(await left.ask("sendFrame", { frame }), 0);
    await until("the short advert heard", async () => {
      heard = (await right.ask("heard")) as { payload: string }[];
      return heard.length > 0;
    });
    assert.equal(heard[0]!.payload, advert);
  });

  test("an advert that is read late says how long it has waited, in both families", async () => {
    for (const advert of [V4_ADVERT, V6_ADVERT]) {
      const { pid } = right.process;
      process.kill(pid!, "SIGSTOP");
      await until("the reader stands", () => stateOf(pid!) === "T");
      const family = advert.family as "ipv4" | "ipv6";
      for (let i = 0; i < 20; i++) {
        await left.ask("advertise", { ...advert, destination: GROUP[family] });
        await sleep(1);
      }
      process.kill(pid!, "SIGCONT");
      const waits: number[] = [];
      await until("all heard", async () => {
        const heard = (await right.ask("heard")) as { waitedMs: number }[];
        waits.push(...heard.map(({ waitedMs }) => waitedMs));
        return waits.length === 20;
      });
      // Sent a millisecond apart and more, read in one go.
      assert.ok(waits[0]! - waits.at(-1)! >= 19, waits.join());
      assert.ok(
        waits.every((ms) => ms >= 0 && ms < 5000),
        waits.join(),
      );
      assert.ok(
        waits.every((ms, i) => i === 0 || ms < waits[i - 1]!),
        waits.join(),
      );
    }
  });

  test("tcpdump finds the adverts well formed, marked as network control", async () => {
    const v4 = await captured("ip proto 112", 1, () =>
      left.ask("advertise", { ...V4_ADVERT, destination: GROUP.ipv4 }),
    );
    assert.match(v4, /> 01:00:5e:00:00:12,.*tos 0xc0, ttl 255,.*proto VRRP \(112\)/);
    assert.match(v4, /10\.92\.0\.1 > 224\.0\.0\.18: .*VRRPv3, Advertisement, vrid 51, prio 150/);
    assert.match(v4, /intvl 100cs, length 12, addrs: 10\.92\.0\.100/);
    const v6 = await captured("ip6 proto 112", 1, () =>
      left.ask("advertise", { ...V6_ADVERT, destination: GROUP.ipv6 }),
    );
    assert.match(v6, /> 33:33:00:00:00:12,.*class 0xc0.*hlim 255, next-header VRRP \(112\)/);
    assert.match(v6, /fe80::a > ff02::12: .*VRRPv3, Advertisement, vrid 51, prio 150/);
    for (const text of [v4, v6]) assert.doesNotMatch(text, /bad|incorrect|invalid/i);
  });

  test("source, destination and TTL are those of each datagram", async () => {
    await right.ask("heard");
    const rows = [
      { source: "10.92.0.7", destination: "10.92.0.2", ttl: 64 },
      { source: "10.92.0.1", destination: GROUP.ipv4, ttl: 255 },
      { source: "10.92.0.7", destination: GROUP.ipv4, ttl: 1 },
    ];
    for (const row of rows) assert.equal(await left.ask("advertise", { ...V4_ADVERT, ...row }), 0);
    const heard: Record<string, unknown>[] = [];
    await until("all heard", async () => {
      heard.push(...((await right.ask("heard")) as Record<string, unknown>[]));
      return heard.length === rows.length;
    });
    const seen = heard.map(({ source, destination, ttl }) => ({ source, destination, ttl }));
    assert.deepEqual(seen, rows);
  });

  test("a source that was taken away is spoken from all the same, in both families", async () => {
    await right.ask("heard");
    const orders = [
      { ...V4_ADVERT, source: "10.92.0.99", destination: GROUP.ipv4 },
      { ...V4_ADVERT, source: "10.92.0.99", destination: "10.92.0.2" },
      { ...V6_ADVERT, source: "fe80::99", destination: GROUP.ipv6 },
    ];
    for (const order of orders) assert.equal(await left.ask("advertise", order), 0);
    const heard: Record<string, unknown>[] = [];
    await until("all heard", async () => {
      heard.push(...((await right.ask("heard")) as Record<string, unknown>[]));
      return heard.length === orders.length;
    });
    const seen = new Set(heard.map(({ source }) => source));
    assert.deepEqual(seen, new Set(["10.92.0.99", "fe80::99"]));
  });

  test("a gratuitous ARP and an unsolicited NA move an address to the MAC they name", async () => {
    const arp = { address: "10.92.0.100", mac: VIRTUAL_MAC, count: 1 };
    const na = { address: "fd92::100", mac: VIRTUAL_MAC, count: 1 };
    for (const { address } of [arp, na]) {
      sh(`ip -n ${RIGHT} neigh replace ${address} lladdr 02:00:00:00:00:99 nud stale dev eth0`);
    }
    const arpText = await captured("arp", 1, () => left.ask("announce", arp));
    assert.match(arpText, new RegExp(`${VIRTUAL_MAC} > ff:ff:ff:ff:ff:ff.*ARP`));
    assert.match(arpText, /who-has 10\.92\.0\.100 \(ff:ff:ff:ff:ff:ff\) tell 10\.92\.0\.100/);
    const naText = await captured("icmp6 and ip6[40] == 136", 1, () => left.ask("announce", na));
    assert.match(naText, /hlim 255.*\[icmp6 sum ok\].*neighbor advertisement.*fd92::100/);
    assert.match(naText, /Flags \[router, override\]/);
    for (const { address } of [arp, na]) {
      await until("cache moved", () => neighbour(address).includes(VIRTUAL_MAC));
    }
  });

  test("claims of watched addresses are heard, of others and of our own not", async () => {
    assert.equal(await right.ask("watchClaims", { addresses: ["10.92.0.100", "fd92::100"] }), 0);
    const claim = { mac: VIRTUAL_MAC, count: 1 };
    for (const address of ["10.92.0.101", "fd92::101", "10.92.0.100", "fd92::100"]) {
      assert.equal(await left.ask("announce", { ...claim, address }), 0);
      assert.equal(await right.ask("announce", { ...claim, address }), 0);
    }
    const heard: string[] = [];
    await until("both claims", async () => {
      heard.push(...((await right.ask("claims")) as string[]));
      return heard.length >= 2;
    });
    assert.deepEqual(heard, [`10.92.0.100 ${VIRTUAL_MAC}`, `fd92::100 ${VIRTUAL_MAC}`]);
    assert.equal(await right.ask("watchClaims", { addresses: ["10.92.0.101"] }), 0);
    sh(`ip netns exec ${LEFT} arping -q -c1 -w1 -A -I eth0 -s 10.92.0.1 10.92.0.1 || true`);
    await left.ask("announce", { ...claim, address: "10.92.0.101" });
    await until("claim of the new address", async () => {
      heard.push(...((await right.ask("claims")) as string[]));
      return heard.length >= 3;
    });
    assert.deepEqual(heard.slice(2), [`10.92.0.101 ${VIRTUAL_MAC}`]);
  });

  test("echo replies come from living addresses of both families and from no other", async () => {
    for (const address of ["10.92.0.2", "fd92::2"]) {
      const { sent, replies } = await left.ask("echo", { address, count: 3 });
      assert.deepEqual(sent, [0, 0, 0]);
      assert.deepEqual(replies, [0, 1, 2], address);
    }
    const dead = await left.ask("echo", { address: "10.92.0.222", count: 1 });
    assert.deepEqual(dead.replies, []);
    const unrouted = await left.ask("echo", { address: "192.0.2.1", count: 1 });
    assert.ok(unrouted.sent[0] < 0);
  });

  test("claims are heard also after the link was down", async () => {
    assert.equal(await right.ask("watchClaims", { addresses: ["10.92.0.103"] }), 0);
    await right.ask("claims");
    sh(`ip -n ${RIGHT} link set eth0 down; ip -n ${RIGHT} link set eth0 up`);
    await until("the claim", async () => {
      await left.ask("announce", { mac: VIRTUAL_MAC, count: 1, address: "10.92.0.103" });
      return ((await right.ask("claims")) as string[]).length > 0;
    });
  });

  test("adverts are heard again after a link flap, and a socket of a removed link says so", async () => {
    sh(`ip -n ${RIGHT} link set eth0 down; ip -n ${RIGHT} link set eth0 up`);
    await right.ask("rejoin", { family: "ipv4" });
    await right.ask("heard");
    await until("heard again", async () => {
      await left.ask("advertise", { ...V4_ADVERT, destination: GROUP.ipv4 });
      return ((await right.ask("heard")) as unknown[]).length > 0;
    });
    assert.equal(await right.ask("isBound", { family: "ipv4" }), true);
    sh(`ip -n ${RIGHT} link delete eth0`);
    assert.equal(await right.ask("isBound", { family: "ipv4" }), false);
    const order = { ...V4_ADVERT, source: "10.92.0.2", destination: GROUP.ipv4 };
    assert.ok((await right.ask("advertise", order)) < 0);
  });
});

describe("time and scheduling drivers", { skip }, () => {
  test("a real-time process is woken well within a tenth of the shortest advert", async () => {
    const user = new User("env");
    await user.ask("schedule", { scheduling: { realtimePriority: 50 } });
    const { median, earliest } = await user.ask("lateness", { count: 300 });
    await user.end();
    assert.ok(earliest >= 0, `${earliest} ms`);
    assert.ok(median < 1, `${median} ms`);
  });

  test("the event loop becomes real-time, its helpers and children do not", async () => {
    const user = new User("env");
    const scheduling = { realtimeLimitMs: 1000, realtimePriority: 50, oomScoreAdjust: 100 };
    const { steps, realtime } = await user.ask("schedule", { scheduling });
    const applied = (steps as { applied: boolean; reason: string }[]).filter((s) => s.applied);
    assert.equal(applied.length, 3, JSON.stringify(steps));
    assert.equal(realtime, true);
    const policies = sh(`ps -L -o lwp=,cls= -p ${user.process.pid}`).trim().split("\n");
    const real = policies
      .filter((line) => line.endsWith("RR"))
      .map((line) => Number.parseInt(line));
    assert.deepEqual(real, [user.process.pid]);
    await user.end();
  });

  test("the kernel ends a real-time process that runs away", async () => {
    const user = new User("env");
    await user.ask("schedule", { scheduling: { realtimeLimitMs: 200, realtimePriority: 10 } });
    const ended = Promise.withResolvers<NodeJS.Signals | null>();
    user.process.once("exit", (_code, signal) => ended.resolve(signal));
    void user.ask("runaway");
    assert.equal(await ended.promise, "SIGXCPU");
  });

  test("a process without rights is told what it lacks", async () => {
    const user = new User("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");
    const scheduling = { realtimePriority: 50, oomScoreAdjust: -900 };
    const { steps, realtime } = await user.ask("schedule", { scheduling });
    await user.end();
    assert.equal(realtime, false);
    const reasons = (steps as { applied: boolean; reason: string }[]).map((step) => step.reason);
    assert.match(reasons[0]!, /EPERM.*CAP_SYS_NICE/);
    assert.match(reasons[1]!, /EACCES.*CAP_SYS_RESOURCE/);
  });
});
