/** The lab itself: every fault is seen to work, and nothing of a world is left. Needs root. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { monotonicMs } from "../../src/drivers/clock.ts";
import { run } from "../../src/lab/command.ts";
import * as faults from "../../src/lab/faults.ts";
import { healEverything } from "../../src/lab/heal.ts";
import type { Host } from "../../src/lab/host.ts";
import { sweepLeftovers } from "../../src/lab/leftovers.ts";
import type { WorldPlan } from "../../src/lab/plan.ts";
import { measureOutage, summarize } from "../../src/core/drill/probe-record.ts";
import {
  startEchoServer,
  startHttpProbe,
  startUdpProbe,
  startWebServer,
} from "../../src/lab/probe.ts";
import { canBuildWorlds } from "../../src/lab/privileges.ts";
import { isAlive, stateOf } from "../../src/lab/process-table.ts";
import { Theft } from "../../src/lab/stolen.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { World, withWorld } from "../../src/lab/world.ts";

const permission = canBuildWorlds();
const skip = permission.by === "root" ? false : `needs root: ${permission.reason}`;

const A = "192.168.17.51";
const A6 = "2001:db8:17::51";
const B = "192.168.17.52";
const plan: WorldPlan = {
  segments: ["lan"],
  hosts: {
    a: { eth0: { segment: "lan", address: [`${A}/24`, `${A6}/64`] } },
    b: { eth0: { segment: "lan", address: [`${B}/24`, "2001:db8:17::52/64"] } },
  },
};

/** One world for the faults: each leaves it as it found it. */
const shared = skip === false ? await World.create(plan) : undefined;
after(() => shared?.destroy());

function host(name: "a" | "b"): Host {
  return shared!.host(name);
}

async function pings(from: Host, address: string, ...more: string[]): Promise<boolean> {
  try {
    await from.run(["ping", "-n", "-q", "-c", "1", "-W", "1", ...more, address]);
    return true;
  } catch {
    return false;
  }
}

async function linkFlags(of: Host): Promise<string[]> {
  const json = await run(["ip", "-n", of.namespace, "-j", "link", "show", "eth0"]);
  return (JSON.parse(json) as { flags: string[] }[])[0]!.flags;
}

/** Seen broken, undone, and seen whole again. */
async function breaksBothWays(apply: () => Promise<faults.Undo>): Promise<void> {
  assert.ok(await pings(host("b"), A), "whole before");
  const undo = await apply();
  assert.equal(await pings(host("b"), A), false, "broken");
  await undo();
  await waitFor(() => pings(host("b"), A), 5000, "the ping to work again");
}

test("a world of three hosts stands in less than a second", { skip }, async () => {
  const [started, theft] = [performance.now(), new Theft()];
  const third = { eth0: { segment: "lan", address: "192.168.17.53/24" } };
  using world = await World.create({ ...plan, hosts: { ...plan.hosts, c: third } });
  const tookMs = performance.now() - started - theft.ms;
  assert.ok(await pings(world.host("c"), A));
  assert.ok(tookMs < 1000, `took ${tookMs} ms`);
});

test("hosts have names, files, processes and addresses of their own", { skip }, async () => {
  assert.equal((await host("a").run(["hostname"])).trim(), "a");
  await host("a").run(["sh", "-c", "echo mine > /run/x; echo mine > /tmp/x"]);
  assert.equal(host("a").read("/run/x"), "mine\n");
  await assert.rejects(host("b").run(["cat", "/tmp/x"]), /No such file/);
  const sleeper = await host("a").start(["sleep", "60"]);
  assert.match(await host("a").run(["ps", "ax"]), /sleep 60/);
  assert.doesNotMatch(await host("b").run(["ps", "ax"]), /sleep 60/);
  assert.equal((await host("a").run(["pidof", "sleep"])).trim(), String(sleeper.innerPid));
  assert.deepEqual(await host("a").addresses(), [`${A}/24`, `${A6}/64`]);
  assert.ok(await pings(host("b"), A6), "IPv6 without duplicate address detection");
  sleeper.kill();
  await sleeper.ended;
});

test(
  "a killed program is dead with its children, and a hung one goes on later",
  { skip },
  async () => {
    // No shell loop: a shell that waits for its vfork child to run cannot be seen to stop.
    const ticks = `setInterval(() => console.log("tick"), 10)`;
    const script = `sleep 61 & exec ${process.execPath} -e '${ticks}'`;
    const ticking = await host("a").start(["sh", "-c", script], { name: "ticking" });
    await waitFor(() => ticking.log.length > 0, 2000, "a tick");
    const undo = await faults.hang(ticking);
    await waitFor(() => stateOf(ticking.pid) === "T", 1000, "the stop");
    const { length } = ticking.log;
    await pause(60);
    assert.equal(ticking.log.length, length);
    await undo();
    await waitFor(() => ticking.log.length > length, 2000, "another tick");
    await faults.hang(ticking);
    await faults.kill(ticking);
    assert.equal((await ticking.ended).signal, "SIGKILL");
    assert.deepEqual(host("a").pidsOf("sleep"), []);
  },
);

test(
  "a host without power has no process and no interface, and starts anew",
  { skip },
  async () => {
    await host("a").ip("addr add 192.168.17.99/24 dev eth0");
    const sleeper = await host("a").start(["setsid", "-f", "sleep", "62"]);
    await sleeper.ended;
    const orphan = await waitFor(() => host("a").pidsOf("sleep")[0], 1000, "the orphan");
    const undo = await faults.powerOff(shared!, host("a"));
    assert.equal(isAlive(orphan), false);
    assert.equal(await pings(host("b"), A), false);
    const ports = await run(["ip", "-n", shared!.state.wire, "-br", "link"]);
    assert.doesNotMatch(ports, /a-eth0/);
    await assert.rejects(host("a").run(["true"]), /powered off/);
    await undo();
    await waitFor(() => pings(host("b"), A), 2000, "the host to be back");
    assert.deepEqual(await host("a").addresses(), [`${A}/24`, `${A6}/64`]);
  },
);

test("a link that is down in the host is up again with its IPv6 addresses", { skip }, async () => {
  await breaksBothWays(() => faults.linkDown(host("a")));
  assert.ok((await host("a").addresses()).includes(`${A6}/64`));
});

test("a pulled cable takes the carrier", { skip }, async () => {
  await breaksBothWays(async () => {
    const undo = await faults.carrierLoss(host("a"));
    const flags = await linkFlags(host("a"));
    assert.ok(flags.includes("UP") && flags.includes("NO-CARRIER"), flags.join());
    return undo;
  });
});

test("a silent partition leaves the carrier", { skip }, async () => {
  await breaksBothWays(async () => {
    const undo = await faults.partition(host("a"));
    assert.ok((await linkFlags(host("a"))).includes("LOWER_UP"));
    return undo;
  });
});

test("one-way partitions lose one direction only", { skip }, async () => {
  for (const direction of ["in", "out"] as const) {
    const counter = direction === "in" ? "from b" : "from a";
    await breaksBothWays(() => faults.oneWayPartition(host("a"), direction));
    const undo = await faults.oneWayPartition(host("a"), direction);
    // The other direction is open: what a host sends arrives, only the answer does not.
    const [sender, receiver] = direction === "in" ? [host("a"), host("b")] : [host("b"), host("a")];
    const listening = await receiver.start(
      ["tcpdump", "-n", "-l", "-i", "eth0", "-c", "1", "arp or icmp"],
      { name: `tcpdump-${direction}` },
    );
    await waitFor(() => listening.log.includes("listening on"), 3000, "tcpdump");
    await pings(sender, direction === "in" ? B : A);
    await waitFor(() => !listening.isRunning, 3000, `something to arrive, though not ${counter}`);
    await undo();
  }
});

test("of the packets a part is lost", { skip }, async () => {
  const server = await startEchoServer(host("a"), [A]);
  const undo = await faults.packetLoss(host("a"), 20);
  const probe = await startUdpProbe(host("b"), A);
  await waitFor(() => probe.latest.sent > 1500, 10_000, "1500 probes");
  const { sent, lost } = summarize(await probe.stop());
  await undo();
  await faults.kill(server);
  // Twenty percent each way.
  assert.ok(lost / sent > 0.3 && lost / sent < 0.42, `${lost} of ${sent} lost`);
});

test("of the packets all are lost", { skip }, async () => {
  const undo = await faults.packetLoss(host("a"), 100);
  assert.equal(await pings(host("b"), A), false);
  await undo();
  assert.ok(await pings(host("b"), A));
});

test("without ARP only the neighbours already known are reached", { skip }, async () => {
  assert.ok(await pings(host("b"), A));
  const undo = await faults.arpDrop(host("a"));
  assert.ok(await pings(host("b"), A), "still in the cache");
  await host("b").ip("neigh flush all");
  assert.equal(await pings(host("b"), A), false);
  await undo();
  await waitFor(() => pings(host("b"), A), 5000, "ARP to work again");
});

test("blocked multicast leaves broadcast and unicast alone", { skip }, async () => {
  const heard = async (): Promise<boolean> => {
    const filter = `icmp and (dst host 224.0.0.18 or dst host ${A})`;
    const listening = await host("a").start(
      ["tcpdump", "-n", "-l", "-i", "eth0", "-c", "1", filter],
      { name: "tcpdump-multicast", log: `${host("a").state.directory}/log/${monotonicMs()}.log` },
    );
    await waitFor(() => listening.log.includes("listening on"), 3000, "tcpdump");
    await pings(host("b"), "224.0.0.18", "-I", "eth0");
    // It comes second, or alone.
    assert.ok(await pings(host("b"), A));
    await waitFor(() => !listening.isRunning, 3000, "tcpdump to have heard something");
    return listening.log.includes("> 224.0.0.18");
  };
  assert.ok(await heard());
  const undo = await faults.multicastBlocked(host("a"));
  assert.equal(await heard(), false);
  await host("b").ip("neigh flush all");
  assert.ok(await pings(host("b"), A));
  await undo();
  assert.ok(await heard());
});

test("a stranger's removal of an address is seen and undone", { skip }, async () => {
  const undo = await faults.addressRemoved(host("a"), `${A}/24`);
  assert.equal(await host("a").holds(A), false);
  await undo();
  assert.ok(await host("a").holds(A));
});

test("CPU hogs run until they are called off", { skip }, async () => {
  const undo = await faults.cpuHog(host("a"), 2);
  const hogs = host("a").processes.filter((p) => p.name.startsWith("hog") && p.isRunning);
  const ticks = (): number =>
    hogs.reduce((sum, hog) => {
      const stat = readFileSync(`/proc/${hog.pid}/stat`, "utf8");
      return sum + Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[11]);
    }, 0);
  assert.equal(hogs.length, 2);
  await waitFor(() => ticks() > 10, 5000, "100 ms of CPU time");
  await undo();
  assert.ok(hogs.every((hog) => !hog.isRunning));
});

test("healing needs no memory of the faults", { skip }, async () => {
  const hung = await host("a").start(["sleep", "63"]);
  await faults.hang(hung);
  await faults.partition(host("a"));
  await faults.oneWayPartition(host("a"), "in");
  await faults.linkDown(host("a"));
  await faults.powerOff(shared!, host("b"));
  await healEverything(shared!);
  await waitFor(() => pings(host("b"), A), 5000, "the ping to work again");
  assert.equal(stateOf(hung.pid), "S");
  hung.kill();
  await hung.ended;
});

test("a probe measures an outage as long as the fault", { skip }, async () => {
  const servers = [await startEchoServer(host("a"), [A]), await startWebServer(host("a"))];
  for (const start of [startUdpProbe, startHttpProbe]) {
    const probe = await start(host("b"), A);
    await probe.untilAnswered("a");
    const [faultMs, theft] = [monotonicMs(), new Theft()];
    const undo = await faults.partition(host("a"));
    await pause(150);
    await undo();
    const lastedMs = monotonicMs() - faultMs;
    await probe.untilAnswered("a");
    await pause(400);
    const record = await probe.stop();
    const { outageMs, takeoverMs } = measureOutage(record, faultMs);
    // TCP repeats what was lost after 200 ms or more; new connections only after a second.
    const mostMs = lastedMs + (start === startUdpProbe ? 15 : 300) + theft.ms;
    assert.ok(outageMs > 140 && outageMs < mostMs, `${outageMs} ms for ${lastedMs} ms`);
    assert.equal(takeoverMs, undefined);
  }
  for (const server of servers) await faults.kill(server);
});

test("two worlds with the same addresses do not meet", { skip }, async () => {
  const [one, two] = await Promise.all([World.create(plan), World.create(plan)]);
  try {
    await faults.powerOff(one, one.host("a"));
    assert.equal(await pings(one.host("b"), A), false);
    assert.ok(await pings(two.host("b"), A));
  } finally {
    one.destroy();
    two.destroy();
  }
  assert.ok(await pings(host("b"), A), "and the others' end ends nobody else's");
});

test(
  "nothing is left of a destroyed world, and destroying it again is harmless",
  { skip },
  async () => {
    const world = await World.create(plan);
    const stopped = await world.host("a").start(["sleep", "64"]);
    await world.host("b").start(["setsid", "-f", "sleep", "64"]);
    await faults.hang(stopped);
    const pids = world.hosts.flatMap((h) => h.pids());
    assert.ok(pids.length >= 2);
    world.destroy();
    world.destroy();
    assertGone(world.state.directory, world.state.hosts[0]!.namespace);
    await waitFor(() => !pids.some(isAlive), 2000, "its processes to be gone");
  },
);

test(
  "a world whose body throws is destroyed, and its logs are in the error",
  { skip },
  async () => {
    let namespace = "";
    let directory = "";
    const failing = withWorld(plan, async (world) => {
      ({ namespace, directory } = world.host("a").state);
      const { ended } = await world.host("a").start(["sh", "-c", "echo the last words"]);
      await ended;
      throw new Error("as planned");
    });
    await assert.rejects(failing, /as planned[^]*the last words/);
    assertGone(directory, namespace);
  },
);

for (const signal of ["SIGTERM", "SIGINT", "SIGKILL"] as const) {
  test(`a world ends with its creator, by ${signal}`, { skip }, async () => {
    const program = `
      const { World } = await import(${JSON.stringify(new URL("../../src/lab/world.ts", import.meta.url).href)});
      const world = await World.create(${JSON.stringify(plan)});
      const p = await world.host("a").start(["sleep", "65"]);
      console.log(JSON.stringify([world.state, p.pid]));
      setInterval(() => {}, 1000);
    `;
    const creator = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => {
      creator.once("exit", (code, by) => resolve(by ?? code));
    });
    const lines = createInterface({ input: creator.stdout });
    const { value } = await lines[Symbol.asyncIterator]().next();
    const [state, pid] = JSON.parse(value as string) as [
      { directory: string; hosts: { namespace: string }[] },
      number,
    ];
    assert.ok(isAlive(pid));
    creator.kill(signal);
    assert.equal(await ended, signal);
    await waitFor(() => !isAlive(pid), 3000, "its process to be gone");
    if (signal === "SIGKILL") sweepLeftovers();
    assertGone(state.directory, state.hosts[0]!.namespace);
  });
}

function assertGone(directory: string, namespace: string): void {
  const prefix = namespace.slice(0, namespace.lastIndexOf("-"));
  const namespaces = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
  assert.deepEqual(
    namespaces.filter((name) => name.startsWith(`${prefix}-`)),
    [],
  );
  assert.equal(existsSync(directory), false, `${directory} is left`);
}
