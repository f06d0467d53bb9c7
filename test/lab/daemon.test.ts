/** A node as its operator meets it: processes that die, reloads, hand-overs, the end. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import type { RouterStatus } from "../../src/core/vrrp/status.ts";
import { ControlClient } from "../../src/daemon/control-client.ts";
import type { Host } from "../../src/lab/host.ts";
import { startNines, type NinesPeer } from "../../src/lab/peers/nines.ts";
import { signal } from "../../src/lab/process-table.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { withWorld, type World } from "../../src/lab/world.ts";

const ADDRESS = "10.79.0.200";
const PLAN = {
  name: "daemon",
  segments: ["lan"],
  hosts: {
    lb1: { eth0: { segment: "lan", address: ["10.79.0.11/24"] } },
    lb2: { eth0: { segment: "lan", address: ["10.79.0.12/24"] } },
  },
};

interface Wish {
  readonly priority: number;
  readonly extra?: string;
  readonly second?: boolean;
}

function configuration({ priority, extra = "", second = false }: Wish): string {
  const instance = (name: string, vrid: number, address: string): string => `
vrrp_instance ${name} {
    state BACKUP
    version 3
    interface eth0
    virtual_router_id ${vrid}
    priority ${priority}
    advert_int 0.2
    ${name === "VI_1" ? extra : ""}
    virtual_ipaddress {
        ${address}/24
    }
}
`;
  const two = second ? instance("VI_2", 52, "10.79.0.201") : "";
  return `global_defs {\n  script_user root\n}\n${instance("VI_1", 51, ADDRESS)}${two}`;
}

function start(host: Host, wish: Wish): Promise<NinesPeer> {
  return startNines(host, host.write("/run/keepalived.conf", configuration(wish)));
}

function clientOf(host: Host): ControlClient {
  return new ControlClient(host.outside("/run/nines/control.sock"));
}

function untilState(peer: NinesPeer, state: string, within = 8000): Promise<unknown> {
  const reached = async (): Promise<boolean> => {
    try {
      return (await peer.states())["VI_1"] === state;
    } catch {
      return false;
    }
  };
  return waitFor(reached, within, `VI_1 of ${peer.host.name} to be ${state}`);
}

async function master(world: World, wish: Wish = { priority: 150 }): Promise<NinesPeer> {
  const peer = await start(world.host("lb1"), wish);
  await untilState(peer, "MASTER");
  return peer;
}

test("a node alone takes the address, shows it, and cleans up after SIGTERM", async () => {
  await withWorld(PLAN, async (world) => {
    const host = world.host("lb1");
    const peer = await master(world);
    assert.equal(await host.holds(ADDRESS), true);
    const bin = new URL("../../bin/nines", import.meta.url).pathname;
    const text = await host.run([bin, "status"]);
    assert.match(text, /VI_1 +MASTER/);
    assert.match(text, /VI_1: MASTER because no master heard for/);
    const metrics = await clientOf(host).metrics();
    assert.match(
      metrics,
      /^nines_vrrp_master\{vrrp_instance="VI_1",interface="eth0",vrid="51",.*\} 1$/m,
    );
    for (const name of ["control.sock", "vrrp.sock", "owned.json"]) {
      assert.equal(statSync(host.outside(`/run/nines/${name}`)).mode & 0o777, 0o600, name);
    }
    assert.equal(statSync(host.outside("/run/nines")).mode & 0o777, 0o750);
    const { code } = await peer.supervisor.terminate(8000);
    assert.equal(code, 0);
    assert.equal(await host.holds(ADDRESS), false);
    assert.deepEqual(peer.pids("vrrp"), []);
    assert.deepEqual(peer.pids("check"), []);
    assert.equal((await host.run(["nft", "list", "ruleset"])).includes("nines-"), false);
  });
});

test("SIGTERM hands over: the peer answers within a fraction of the down interval", async () => {
  await withWorld(PLAN, async (world) => {
    const first = await master(world);
    const second = await start(world.host("lb2"), { priority: 100 });
    await untilState(second, "BACKUP");
    await pause(500);
    first.supervisor.signal("SIGTERM");
    await untilState(second, "MASTER");
    const events = await second.events();
    const reason = events.findLast((event) => event.to === "MASTER")?.reason ?? "";
    assert.match(reason, /10\.79\.0\.11 resigned/);
  });
});

test("a killed vrrp process is back at once and removes only what it had put there", async () => {
  await withWorld(PLAN, async (world) => {
    const host = world.host("lb1");
    const peer = await master(world);
    await host.ip("addr add 10.79.0.77/24 dev eth0");
    const [before] = peer.pids("vrrp");
    assert.ok(before !== undefined);
    signal(before, "SIGKILL");
    await waitFor(
      () => peer.pids("vrrp").some((pid) => pid !== before),
      5000,
      "a new vrrp process",
    );
    await untilState(peer, "MASTER");
    // What is shown may for a moment still be what the killed process said last.
    await waitFor(() => host.holds(ADDRESS), 5000, "the address");
    assert.equal(await host.holds("10.79.0.77"), true);
    const reasons = (await peer.events()).map((event) => event.reason);
    assert.ok(reasons.some((reason) => /vrrp process was ended by SIGKILL/.test(reason)));
  });
});

test("the address outlives the control process, and the next one takes the roles over", async () => {
  await withWorld(PLAN, async (world) => {
    const host = world.host("lb1");
    const peer = await master(world);
    const [vrrp] = peer.pids("vrrp");
    await waitFor(() => peer.pids("check").length === 1, 5000, "the check process");
    const [check] = peer.pids("check");
    peer.supervisor.signal("SIGKILL");
    await peer.supervisor.ended;
    // Longer than the lease: somebody must be renewing it.
    await pause(1500);
    assert.equal(await host.holds(ADDRESS), true);
    const next = await startNines(host, "/run/keepalived.conf");
    assert.equal((await next.states())["VI_1"], "MASTER");
    const isAdopted = async (): Promise<boolean> =>
      (await clientOf(host).status()).roles.every((role) => role.state === "running");
    await waitFor(isAdopted, 5000, "both roles to be taken over");
    assert.deepEqual(next.pids("vrrp"), [vrrp]);
    assert.deepEqual(next.pids("check"), [check]);
    const changes = (await next.events()).filter((event) => event.kind === "state-changed");
    assert.deepEqual(changes, [], "the instance did not notice");
    await next.supervisor.terminate(8000);
    assert.equal(await host.holds(ADDRESS), false);
  });
});

test("a second nines on the same run directory is refused", async () => {
  await withWorld(PLAN, async (world) => {
    const host = world.host("lb1");
    await master(world);
    const bin = new URL("../../bin/nines", import.meta.url).pathname;
    const again = await host.start([bin, "run", "-f", "/run/keepalived.conf"], { name: "again" });
    assert.equal((await again.ended).code, 1);
    assert.match(again.log, /another nines runs on \/run\/nines/);
  });
});

test("SIGHUP reloads by difference; a file with mistakes changes nothing", async () => {
  await withWorld(PLAN, async (world) => {
    const host = world.host("lb1");
    const peer = await master(world);
    const changes = async (): Promise<number> =>
      (await peer.events()).filter((e) => e.kind === "state-changed" && e.instance === "VI_1")
        .length;
    const before = await changes();
    host.write("/run/keepalived.conf", configuration({ priority: 150, second: true }));
    peer.supervisor.signal("SIGHUP");
    const both = async (): Promise<boolean> => (await peer.states())["VI_2"] === "MASTER";
    await waitFor(both, 8000, "VI_2 to be there");
    assert.equal(await changes(), before, "VI_1 did not notice");
    host.write("/run/keepalived.conf", configuration({ priority: 150, extra: "prioritie 3" }));
    const { reloaded, diagnostics } = await clientOf(host).reload();
    assert.equal(reloaded, false);
    assert.match(diagnostics.join("\n"), /unknown keyword 'prioritie'.*did you mean 'priority'/);
    assert.deepEqual(await peer.states(), { VI_1: "MASTER", VI_2: "MASTER" });
    host.write("/run/keepalived.conf", configuration({ priority: 150 }));
    assert.equal((await clientOf(host).reload()).reloaded, true);
    assert.equal(await host.holds("10.79.0.201"), false);
    assert.equal(await changes(), before, "VI_1 did not notice");
  });
});

test("handover moves the address and why tells the reason", async () => {
  await withWorld(PLAN, async (world) => {
    const first = await master(world);
    const second = await start(world.host("lb2"), { priority: 100 });
    await untilState(second, "BACKUP");
    await pause(500);
    await clientOf(first.host).handOver("VI_1");
    await untilState(second, "MASTER");
    await untilState(first, "BACKUP");
    const { decisions } = await clientOf(first.host).why("VI_1");
    assert.ok(decisions.some(({ event }) => /asked for a handover/.test(event.reason)));
    await assert.rejects(clientOf(first.host).handOver("VI_9"), /no instance 'VI_9'/);
  });
});

test("a node that hangs as a whole loses its address in the kernel", async () => {
  await withWorld(PLAN, async (world) => {
    const host = world.host("lb1");
    const peer = await master(world);
    const second = await start(world.host("lb2"), { priority: 100 });
    await untilState(second, "BACKUP");
    await pause(500);
    const [hung] = peer.pids("vrrp");
    assert.ok(hung !== undefined);
    peer.hang();
    await untilState(second, "MASTER");
    // Who watches over it goes on, and finds it hanging.
    for (const pid of host.pids()) if (pid !== hung) signal(pid, "SIGCONT");
    await waitFor(() => !peer.pids("vrrp").includes(hung), 15_000, "the hung process to be killed");
    // Of the hung one's last state nothing follows.
    await untilState(second, "BACKUP", 15_000);
    await waitFor(() => host.holds(ADDRESS), 2000, "the address to be back");
    await untilState(peer, "MASTER");
  });
});

test("an address that somebody removes is put back", async () => {
  await withWorld(PLAN, async (world) => {
    const host = world.host("lb1");
    const peer = await master(world);
    await host.ip(`addr del ${ADDRESS}/24 dev eth0`);
    await waitFor(() => host.holds(ADDRESS), 2000, "the address to be back");
    const isTold = async (): Promise<boolean> =>
      (await peer.events()).some(({ kind }) => kind === "address-restored");
    await waitFor(isTold, 2000, "the word of it, which follows the deed");
  });
});

test("another machine that has the address without a word is asked, and told", async () => {
  await withWorld(PLAN, async (world) => {
    const stranger = world.host("lb2");
    // Neither puts out a word by itself: what a killed keepalived leaves behind.
    await stranger.ip(`addr add ${ADDRESS}/32 dev eth0`);
    const peer = await master(world);
    const isTold = async (): Promise<boolean> =>
      (await peer.events()).some(({ kind }) => kind === "split-brain-found");
    await waitFor(isTold, 15_000, "the word of the other owner");
    const status = await peer.nines("status");
    assert.match(status, new RegExp(`our address ${ADDRESS} is answered from [0-9a-f:]{17}`));
    await stranger.ip(`addr del ${ADDRESS}/32 dev eth0`);
    const isOver = async (): Promise<boolean> =>
      (await peer.events()).some(({ kind }) => kind === "split-brain-healed");
    await waitFor(isOver, 40_000, "the word of its end");
  });
});

test("virtual MACs: two nodes with the same MAC hear each other whatever rp_filter says", async () => {
  await withWorld(PLAN, async (world) => {
    for (const host of world.hosts) {
      await host.run(["sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1"]);
    }
    const first = await master(world, { priority: 150, extra: "use_vmac" });
    const frames = ["tcpdump", "-e", "-n", "-c", "1", "-i", "eth0", "proto", "112"];
    const frame = await world.host("lb2").run(frames);
    assert.match(
      frame,
      /00:00:5e:00:01:33 > 01:00:5e:00:00:12/,
      "RFC 9568 7.3: the advert's source",
    );
    const extra = "use_vmac\n virtual_routes {\n 10.99.0.0/16 dev vrrp.51\n }";
    const second = await start(world.host("lb2"), { priority: 100, extra });
    await untilState(second, "BACKUP");
    await pause(1500);
    assert.equal((await second.states())["VI_1"], "BACKUP");
    const found = (await second.events()).flatMap(({ to }) => to ?? []);
    assert.deepEqual(found, ["BACKUP"], "nobody took away what was made just now");
    await second.host.run(["ping", "-c", "1", "-W", "2", ADDRESS]);
    assert.match(await second.host.run(["ip", "neigh", "show", ADDRESS]), /00:00:5e:00:01:33/);
    await clientOf(first.host).handOver("VI_1");
    await untilState(second, "MASTER");
    await untilState(first, "BACKUP");
    await first.supervisor.terminate(8000);
    const filter = await first.host.run(["sysctl", "-n", "net.ipv4.conf.all.rp_filter"]);
    assert.equal(filter.trim(), "1");
    assert.equal((await first.host.run(["ip", "-br", "link"])).includes("vrrp"), false);
  });
});

test("beside virtual MACs an advert from a plain MAC is heard once, and is no replay", async () => {
  await withWorld(PLAN, async (world) => {
    const secret = "00112233445566778899aabbccddeeff".repeat(2);
    const signed = `auth_hmac {\n key 1 hex:${secret}\n active_key 1\n }`;
    await master(world, { priority: 150, extra: signed, second: true });
    const extra = `use_vmac\n ${signed}`;
    const second = await start(world.host("lb2"), { priority: 100, extra, second: true });
    const heard = async (): Promise<boolean> =>
      ((await second.instance("VI_1"))?.counters.advertsReceived ?? 0) > 5;
    await waitFor(heard, 8000, "some adverts");
    const { router } = (await second.get("/v1/status")) as { router: RouterStatus };
    assert.deepEqual(
      Object.entries(router.rejected).filter(([, count]) => count > 0),
      [],
    );
    const [first, other] = router.instances.map(({ counters }) => counters.advertsReceived);
    assert.ok(Math.abs(first! - other!) <= 2, `${first} and ${other} adverts`);
  });
});

test("a virtual MAC of one's own is seen by others, and may be changed by a reload", async () => {
  await withWorld(PLAN, async (world) => {
    const first = await master(world, { priority: 150, extra: "use_vmac web 02:00:00:00:aa" });
    const client = world.host("lb2");
    const seen = async (mac: string): Promise<void> => {
      const isSeen = async (): Promise<boolean> => {
        await client.run(["ping", "-c", "1", "-W", "1", ADDRESS]).catch(() => "");
        return (await client.run(["ip", "neigh", "show", ADDRESS])).includes(mac);
      };
      await waitFor(isSeen, 6000, `the MAC ${mac}`);
    };
    await seen("02:00:00:00:aa:33");
    const next = configuration({ priority: 150, extra: "use_vmac web 02:00:00:00:00:07" });
    first.host.write("/run/keepalived.conf", next);
    await clientOf(first.host).reload();
    await seen("02:00:00:00:00:07");
  });
});

test("a virtual MAC interface that somebody takes away, or sets down, comes back", async () => {
  await withWorld(PLAN, async (world) => {
    const first = await master(world, { priority: 150, extra: "use_vmac" });
    const index = async (): Promise<string> => {
      return (await first.host.run(["cat", "/sys/class/net/vrrp.51/ifindex"])).trim();
    };
    const before = await index();
    await first.host.ip("link del vrrp.51");
    await waitFor(async () => (await index().catch(() => before)) !== before, 2000, "a new one");
    await waitFor(() => first.host.holds(ADDRESS), 2000, "the address on it");
    const second = await start(world.host("lb2"), { priority: 100, extra: "use_vmac" });
    // It hears the adverts, and clients reach the address.
    await pause(1500);
    assert.equal((await second.states())["VI_1"], "BACKUP");
    await second.host.run(["ping", "-c", "1", "-W", "2", ADDRESS]);
    await first.host.ip("link set vrrp.51 down");
    const isUp = async (): Promise<boolean> => {
      return (await first.host.run(["ip", "-br", "link", "show", "vrrp.51"])).includes("LOWER_UP");
    };
    await waitFor(isUp, 2000, "the interface to be up again");
  });
});

test("an address that was there before is told of, and not that of a predecessor of our own", async () => {
  await withWorld(PLAN, async (world) => {
    const told = async (peer: NinesPeer): Promise<boolean> => {
      return (await peer.events()).some(({ reason }) => reason.includes("by another program"));
    };
    await world.host("lb2").ip(`addr add ${ADDRESS}/24 dev eth0`);
    const second = await start(world.host("lb2"), { priority: 100 });
    await waitFor(() => told(second), 2000, "the warning");
    await second.supervisor.terminate(8000);
    const first = await master(world);
    first.kill();
    assert.ok(await first.host.holds(ADDRESS));
    assert.equal(await told(await master(world)), false);
  });
});

test("track_src_ip: the node whose source address is taken away hands over", async () => {
  await withWorld(PLAN, async (world) => {
    const extra = "mcast_src_ip 10.79.0.11\n    track_src_ip";
    const first = await master(world, { priority: 150, extra });
    await first.host.ip("addr add 10.79.0.111/24 dev eth0", "addr del 10.79.0.11/24 dev eth0");
    await untilState(first, "FAULT");
    await first.host.ip("addr add 10.79.0.11/24 dev eth0");
    await untilState(first, "MASTER");
  });
});
