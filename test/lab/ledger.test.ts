/**
 * Users of a real balancer lose their servers: what the ledger makes of it, who is told - by a real
 * mail server, a webhook and a program -, and what is left of it when the daemon is dead.
 */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import type { Incident } from "../../src/core/ledger/incident.ts";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import type { NinesPeer } from "../../src/lab/peers/nines.ts";
import { startMailServer } from "../../src/lab/peers/small-servers.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { Load, run, untilState, withStage } from "./balance-kit.ts";

const YAML = `
global:
  smtp_server: 10.80.0.50 2525
  smtp_tls: off
  notification_email: ops@example.org
  notification_email_from: lb@example.org
frontends:
  web: { listen: ":8080", pool: web }
pools:
  web:
    servers:
      - { name: web1, address: "10.80.0.1:80" }
      - { name: web2, address: "10.80.0.2:80" }
    check: { http: /, every: 200ms, timeout: 300ms, rise: 2, fall: 2 }
services:
  shop: { frontends: web, owners: { platform: 60, network: 40 }, rto: 1m }
ledger:
  merge: 10s
  alerts:
    webhooks: { url: "http://10.80.0.50:9000/told", secret: topsecret }
    commands: /run/tell.sh
`;

const TELL = '#!/bin/sh\necho "$NINES_KIND $NINES_SERVICE $NINES_ALERT" >>/run/told.txt\n';
/** Writes each mail on its own; msmtpd gives the recipients as arguments. */
const KEEP_MAIL = '#!/bin/sh\n{ echo "To-Args: $*"; cat; echo; } >>/run/mails.txt\n';

interface Told {
  readonly status: number;
  readonly signature: string;
  readonly body: string;
}

interface Roles {
  readonly roles: readonly {
    readonly name: string;
    readonly state: string;
    readonly pid: number;
  }[];
}

async function incidentsOf(peer: NinesPeer): Promise<Incident[]> {
  const words = ["incidents", "--json", "--state-dir", "/run/nines-state"];
  const lines = (await peer.host.run([NINES, ...words])).split("\n");
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Incident);
}

const NINES = `${import.meta.dirname}/../../bin/nines`;

test("an outage becomes an incident, is told by mail, webhook and program, and can be recounted", async () => {
  await withStage(async ({ world, lb, client }) => {
    const sink = `${import.meta.dirname}/programs/webhook-sink.ts`;
    const file = "/run/hooks.txt";
    client.write("/run/hooks.txt", "");
    client.write("/run/mails.txt", "");
    client.write("/run/keep-mail.sh", KEEP_MAIL, 0o755);
    lb.write("/run/tell.sh", TELL, 0o755);
    lb.write("/run/told.txt", "");
    await client.start([process.execPath, sink, "9000", file], { name: "webhook-sink" });
    await startMailServer(client, 2525, "/run/keep-mail.sh --");
    const webs = await Promise.all(["web1", "web2"].map((name) => startNginx(world.host(name))));
    const peer = await run(lb, YAML);
    for (const name of ["web1", "web2"]) await untilState(peer, `web/${name}`, "up");
    const load = await Load.start(world, 8080, 2);
    await pause(12_000);

    const killedMs = Date.now();
    for (const web of webs) web.kill();
    await untilState(peer, "web/web1", "down");
    await pause(14_000);
    for (const name of ["web1", "web2"]) await startNginx(world.host(name));
    for (const name of ["web1", "web2"]) await untilState(peer, `web/${name}`, "up");
    const backMs = Date.now();

    const isClosed = async (): Promise<boolean> =>
      (await incidentsOf(peer)).some(({ state }) => state === "closed");
    await waitFor(isClosed, 60_000, "the end of the incident");
    await load.stop();
    const [incident, ...others] = await incidentsOf(peer);
    assert.equal(others.length, 0);
    assert.equal(incident!.service, "shop");
    assert.equal(incident!.layer, "server");
    assert.equal(incident!.recovery, "by repair");
    assert.equal(incident!.class, "accident");
    assert.ok(Math.abs(incident!.startMs - killedMs) < 2500, `${incident!.startMs - killedMs} ms`);
    assert.ok(incident!.detectedMs - incident!.startMs < 3000);
    assert.ok(Math.abs(incident!.restoredMs! - backMs) < 12_000);
    assert.ok(incident!.harmMs > 12_000, `${incident!.harmMs} ms`);
    assert.ok(incident!.score > 15, `${incident!.score}`);

    const told = (): Told[] =>
      client
        .read("/run/hooks.txt")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Told);
    const kinds = (): string[] =>
      told()
        .filter(({ status }) => status === 200)
        .map(({ body }) => (JSON.parse(body) as { kind: string }).kind);
    await waitFor(() => kinds().includes("incident-closed"), 20_000, "the webhook");
    assert.equal(told()[0]!.status, 503);
    assert.equal(told()[0]!.body, told()[1]!.body);
    assert.ok(kinds().includes("burn-started"), kinds().join(" "));
    assert.equal(kinds().filter((kind) => kind === "incident-opened").length, 1);
    for (const { body, signature } of told()) {
      const mine = createHmac("sha256", "topsecret").update(body).digest("hex");
      assert.equal(signature, `sha256=${mine}`);
    }
    const mails = (): string => client.read("/run/mails.txt");
    await waitFor(() => mails().includes("incident-closed"), 20_000, "the mails");
    assert.match(mails(), /^To-Args: -- ops@example\.org$/mu);
    assert.match(mails(), /^Subject: \[lb\] shop: incident-opened/mu);
    assert.match(mails(), /^Subject: \[lb\] shop: burn-started/mu);
    const commands = lb.read("/run/told.txt");
    assert.match(commands, /^incident-opened shop \{"kind":"incident-opened"/mu);

    const directories = ["--run-dir", "/run/nines"];
    const nines = (...words: string[]): Promise<string> => lb.run([NINES, ...words]);
    const noted = await nines("incidents", "annotate", incident!.id, "both racks", ...directories);
    assert.match(noted, /root: both racks$/mu);
    const graded = ["class", incident!.id, "B", "--reason", "night", ...directories];
    assert.match(await nines("incidents", ...graded), /class B \(root\)/u);
    const shares = ["owner", incident!.id, "network=100", "--reason", "cable", ...directories];
    assert.match(await nines("incidents", ...shares), /owners +network 100 %/u);
    const start = ["start", "--service", "shop", "--for", "2h", "--reason", "disks"];
    assert.match(await nines("maintenance", ...start, ...directories), /^shop .* disks$/mu);
    assert.match(await nines("maintenance", "end", ...directories), /^shop .* disks$/mu);
    const opened = told().length;

    const aims = await nines("objectives", ...directories);
    assert.match(aims, /^shop: 99.9 % within 30d 00h, \d+\.\d+ % now; .* of 43m 12s left$/mu);
    assert.match(aims, /^ {2}lb +balancer +fast +firing /mu);

    // The console dies: its successor knows everything, and tells nobody again.
    const consolePid = async (): Promise<number | undefined> => {
      const { roles } = (await peer.get("/v1/status")) as Roles;
      return roles.find(({ name, state }) => name === "console" && state === "running")?.pid;
    };
    const before = await consolePid();
    await lb.run(["kill", "-9", String(before)]);
    const hasFresh = async (): Promise<boolean> => {
      const now = await consolePid();
      return now !== undefined && now !== before;
    };
    await waitFor(hasFresh, 15_000, "another console");
    await pause(6000);
    assert.equal(told().length, opened);
    assert.equal((await incidentsOf(peer)).length, 1);

    peer.kill();
    const state = ["--state-dir", "/run/nines-state"];
    const again = await nines("report", "--recompute", ...state);
    assert.match(again, /shop balancer: \d+ good and \d+ bad requests/u);
    assert.match(again, /shop incident .* score/u);
    assert.match(again, /the report says the same/u);
    const report = await nines("report", "--lang", "zh", ...state);
    assert.match(report, /both racks/u);
    assert.match(report, /disks/u);
  });
});
