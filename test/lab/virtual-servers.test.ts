/** A director's keepalived.conf with virtual servers, carried out in front of real web servers. */

import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { Host } from "../../src/lab/host.ts";
import { keepalivedConf, startKeepalived } from "../../src/lab/peers/keepalived.ts";
import { nginxConf, startNginx } from "../../src/lab/peers/nginx.ts";
import { type NinesPeer, startBalancer, startNines } from "../../src/lab/peers/nines.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { withWorld, type World } from "../../src/lab/world.ts";
import { curl, serverOf, untilState } from "./balance-kit.ts";

const SAMPLE = new URL("../../samples/two-servers/virtual-servers-a.conf", import.meta.url)
  .pathname;
const VIP = "192.0.2.10";

const PLAN = {
  name: "lvs",
  segments: ["lan"],
  hosts: {
    client: { eth0: { segment: "lan", address: ["192.0.2.50/24"] } },
    a: { eth0: { segment: "lan", address: ["192.0.2.11/24"] } },
    b: { eth0: { segment: "lan", address: ["192.0.2.12/24"] } },
    web1: { eth0: { segment: "lan", address: ["192.0.2.21/24"] } },
    web2: { eth0: { segment: "lan", address: ["192.0.2.22/24"] } },
    sorry: { eth0: { segment: "lan", address: ["192.0.2.29/24"] } },
  },
} as const;

const HTTPS =
  'server { listen 443; location / { return 200 "secure $hostname $remote_addr\\n"; } }';

function web(host: Host): ReturnType<typeof startNginx> {
  return startNginx(host, nginxConf(host, HTTPS.replace("$hostname", host.name)));
}

/** The sample, asked every second and told of everything. */
function configuration(host: Host): string {
  const say = host.write("/run/say", '#!/bin/sh\necho "$@" >> /run/said\n');
  chmodSync(host.outside("/run/say"), 0o755);
  return readFileSync(SAMPLE, "utf8")
    .replaceAll("delay_loop 6", "delay_loop 1")
    .replaceAll("retry 2", "retry 0")
    .replace(
      "quorum 2",
      `quorum 2\n    omega\n    quorum_up "${say} quorum up"\n    quorum_down "${say} quorum down"`,
    )
    .replace(
      "real_server 192.0.2.22 80 {",
      `real_server 192.0.2.22 80 {\n        notify_up "${say} web2 up"\n        notify_down "${say} web2 down"`,
    )
    .replace(/^/u, "global_defs {\n    script_user root\n}\n");
}

function said(host: Host): string[] {
  try {
    return host.read("/run/said").trimEnd().split("\n");
  } catch {
    return [];
  }
}

async function director(world: World): Promise<NinesPeer> {
  const host = world.host("a");
  const file = host.write("/run/keepalived.conf", configuration(host));
  const peer = await startBalancer(host, ["run", "-f", file]);
  const isMaster = async (): Promise<boolean> => (await peer.states())["WEB"] === "MASTER";
  await waitFor(isMaster, 15_000, "a to be master");
  return peer;
}

const HTTP_POOL = "192.0.2.10-80";

test("virtual servers of a keepalived.conf are carried out: checks, quorum, sorry server, scripts", async () => {
  await withWorld(PLAN, async (world) => {
    const [client, a] = [world.host("client"), world.host("a")];
    const [web1, web2] = [await web(world.host("web1")), await web(world.host("web2"))];
    await startNginx(world.host("sorry"));
    const peer = await director(world);
    for (const name of ["192.0.2.21:80", "192.0.2.22:80"]) {
      await untilState(peer, `${HTTP_POOL}/${name}`, "up");
    }
    const { log } = peer.supervisor;
    assert.match(log, /2 virtual servers carried by a TCP proxy, not by IPVS/);
    const ask = (port = 80): Promise<string> => curl(client, `http://${VIP}:${port}/`);
    const answers = [await ask(), await ask(), await ask(), await ask()].map((one) => one.trim());
    assert.deepEqual(answers.toSorted(), ["web1", "web1", "web2", "web2"]);
    // Bound by address, and the server sees who stands in between.
    const bound = new Set([await ask(443), await ask(443), await ask(443)]);
    assert.equal(bound.size, 1);
    assert.match([...bound][0] ?? "", /^secure web[12] 192\.0\.2\.11$/m);

    web2.kill();
    await untilState(peer, `${HTTP_POOL}/192.0.2.22:80`, "down");
    assert.match((await serverOf(peer, `${HTTP_POOL}/192.0.2.22:80`)).reason, /ECONNREFUSED/);
    // One of two is less than the quorum.
    assert.equal((await ask()).trim(), "sorry");
    await waitFor(() => said(a).length === 3, 5000, "the scripts");
    // Scripts of a server and of its pool run beside each other.
    assert.deepEqual(said(a)[0], "quorum up");
    assert.deepEqual(said(a).slice(1).toSorted(), ["quorum down", "web2 down"]);

    await web(world.host("web2"));
    await untilState(peer, `${HTTP_POOL}/192.0.2.22:80`, "up");
    assert.match((await ask()).trim(), /^web[12]$/);
    await waitFor(() => said(a).length === 5, 5000, "the scripts");
    assert.deepEqual(said(a).slice(3).toSorted(), ["quorum up", "web2 up"]);
    assert.match(await peer.nines("pool", HTTP_POOL), /192\.0\.2\.29:80 .* unchecked/);

    web1.stop();
    await untilState(peer, `${HTTP_POOL}/192.0.2.21:80`, "down");
    web1.resume();
    await untilState(peer, `${HTTP_POOL}/192.0.2.21:80`, "up");
    await pause(200);
    const before = said(a).length;
    await peer.supervisor.terminate(10_000);
    assert.deepEqual(said(a).slice(before).toSorted(), ["quorum down", "web2 down"]);
  });
});

test("a web server that listens where IPVS would take over keeps its port, and the address its owner", async () => {
  await withWorld(PLAN, async (world) => {
    const a = world.host("a");
    await startNginx(a);
    const file = a.write("/run/keepalived.conf", configuration(a));
    const peer = await startNines(a, file);
    const isMaster = async (): Promise<boolean> => (await peer.states())["WEB"] === "MASTER";
    await waitFor(isMaster, 15_000, "a to be master");
    assert.match(peer.supervisor.log, /virtual servers are not carried out: .*EADDRINUSE/);
    assert.equal((await curl(world.host("client"), `http://${VIP}/`)).trim(), "a");
  });
});

const SUSPENDED = `
vrrp_instance WEB {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 100
    version 3
    virtual_ipaddress {
        ${VIP}/24
    }
}
virtual_server ${VIP} 80 {
    delay_loop 1
    retry 0
    ha_suspend
    protocol TCP
    real_server 192.0.2.21 81 {
        TCP_CHECK {
        }
    }
}
`;

test("with ha_suspend servers are asked only while the address is here, and stay what they were while keepalived has it", async () => {
  await withWorld(PLAN, async (world) => {
    const [a, b, web1] = [world.host("a"), world.host("b"), world.host("web1")];
    const web = nginxConf(web1, "server { listen 81; location / { return 200; } }");
    const keepalived = keepalivedConf([
      { state: "BACKUP", virtualRouterId: 51, priority: 200, addresses: [`${VIP}/24`] },
    ]);
    const name = `${HTTP_POOL}/192.0.2.21:81`;
    const nginx = await startNginx(web1, web);
    const holder = await startKeepalived(a, keepalived);
    await waitFor(() => holder.log.includes("Entering MASTER"), 10_000, "keepalived to be master");
    const peer = await startBalancer(b, ["run", "-f", b.write("/run/keepalived.conf", SUSPENDED)]);
    await untilState(peer, name, "unchecked");
    const why = `checks suspended: ${VIP} is elsewhere`;
    const suspended = async (): Promise<boolean> => (await serverOf(peer, name)).suspended === why;
    await waitFor(suspended, 5000, "the checks to be suspended");
    nginx.kill();
    await pause(2500);
    // Nobody has seen that it is dead.
    assert.equal((await serverOf(peer, name)).state, "unchecked");
    assert.match(await peer.nines("pool"), new RegExp(why.replaceAll(".", "\\.")));

    await holder.terminate(5000);
    await untilState(peer, name, "down");
    assert.equal((await serverOf(peer, name)).suspended, undefined);
    const again = await startKeepalived(a, keepalived);
    await waitFor(suspended, 15_000, "the checks to be suspended again");
    await startNginx(web1, web);
    await pause(2500);
    assert.equal((await serverOf(peer, name)).state, "down");
    await again.terminate(5000);
    await untilState(peer, name, "up");
  });
});
