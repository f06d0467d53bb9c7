/**
 * A real Redis whose copy has fallen behind: what was acknowledged and is gone after the switch is
 * measured by a prober and by a drill, and the ledger has it as a recovery point that was reached.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Overview, RecordPage, RecordView } from "../../src/console/api.ts";
import { createToken } from "../../src/console/tokens.ts";
import type { Incident } from "../../src/core/ledger/incident.ts";
import type { DrillResult } from "../../src/core/drill/result.ts";
import type { CommandFailed } from "../../src/lab/command.ts";
import type { Host } from "../../src/lab/host.ts";
import type { NinesPeer } from "../../src/lab/peers/nines.ts";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { startRedis } from "../../src/lab/peers/small-servers.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { curl, run, untilState, withStage } from "./balance-kit.ts";

const BIN = new URL("../../bin/nines", import.meta.url).pathname;
const PAGE = "http://127.0.0.1:7600";
const STATE = ["--state-dir", "/run/nines-state"];
const TIMEOUT_MS = 40_000;
/** So long the copy is behind when it is needed. */
const BEHIND_MS = 2000;

const YAML = `
frontends:
  web: { listen: ":8080", pool: web }
  db: { listen: ":6379", mode: tcp, pool: db }
pools:
  web: { servers: ["10.80.0.3:80"], check: { http: /, every: 300ms } }
  db:
    servers:
      - { name: a, address: "10.80.0.1:6379" }
      - { name: b, address: "10.80.0.2:6379", backup: true }
    check: { redis: true, every: 200ms, timeout: 300ms, rise: 2, fall: 2 }
services:
  store: { frontends: db }
ledger: { merge: 10s }
`;

const WRITES = [
  "--write-command",
  'redis-cli -e -h 10.80.0.10 set "$1" "$2"',
  "--read-command",
  'redis-cli -e -h 10.80.0.10 get "$1"',
];

async function losses(lb: Host): Promise<readonly RecordView[]> {
  const text = await curl(lb, `${PAGE}/api/v1/records?kind=work-lost`);
  return (JSON.parse(text) as RecordPage).records;
}

const redis = (host: Host, ...words: readonly string[]): Promise<string> =>
  host.run(["redis-cli", ...words]);

async function follow(copy: Host): Promise<void> {
  await redis(copy, "replicaof", "10.80.0.1", "6379");
  const isWhole = async (): Promise<boolean> =>
    (await redis(copy, "info", "replication")).includes("master_link_status:up");
  await waitFor(isWhole, TIMEOUT_MS, "the copy to be whole");
}

async function incidentsOf(lb: Host): Promise<readonly Incident[]> {
  const text = await lb.run([BIN, "incidents", "list", "--all", "--json", ...STATE]);
  const lines = text.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line) as Incident);
}

async function seenByProber(lb: Host, { a, b }: Record<"a" | "b", Host>): Promise<void> {
  const first = await startRedis(a);
  await follow(b);
  const secret = createToken(
    lb.outside("/run/nines-state/tokens.json"),
    {
      name: "home",
      role: "probe",
    },
    Date.now(),
  );
  const token = lb.write("/run/token", secret, 0o600);
  const words = ["--record", "-", "--name", "home", "--service", "store", "--interval", "100ms"];
  const to = ["--report-to", PAGE, "--token-file", token, "--json"];
  const argv = [BIN, "probe", "tcp://10.80.0.10:6379", ...words, ...to, ...WRITES];
  const probe = await lb.start(argv, { name: "probe", talk: true });
  await pause(3000);
  // From now on the copy gets nothing any more, and nobody notices.
  await redis(b, "replicaof", "no", "one");
  await pause(BEHIND_MS);
  first.kill();
  const [loss] = await waitFor(
    async () => {
      const all = await losses(lb);
      return all.length > 0 ? all : undefined;
    },
    TIMEOUT_MS,
    "the loss in the journal",
  );
  await probe.terminate();
  assert.deepEqual([loss?.source, loss?.subject], ["probe", "store"]);
  const { rpoMs, lost } = (loss?.data ?? {}) as { readonly rpoMs: number; readonly lost: number };
  assert.ok(rpoMs >= BEHIND_MS - 500 && rpoMs <= BEHIND_MS + 2500, `${rpoMs} ms`);
  assert.ok(lost >= 8 && lost <= 40, `${lost} writes`);
  const hit = await waitFor(
    async () => (await incidentsOf(lb)).find((one) => one.rpoMs !== undefined),
    TIMEOUT_MS,
    "the incident",
  );
  assert.equal(hit.service, "store");
  assert.equal(hit.rpoMs, rpoMs);
  const report = await lb.run([BIN, "report", ...STATE]);
  assert.match(report, /RPO reached: .*\d s/u);
  assert.match(await lb.run([BIN, "report", "--recompute", ...STATE]), /the report says the same/u);
}

/** What was written to the copy while the first one was away is gone when that is back. */
async function seenByDrill(lb: Host, a: Host, peer: NinesPeer): Promise<void> {
  const before = (await losses(lb)).length;
  await startRedis(a);
  // As the console sees it, which a drill asks; the file is ahead of it.
  const noIncident = async (): Promise<boolean> => {
    const { incidents } = JSON.parse(await curl(lb, `${PAGE}/api/v1/overview`)) as Overview;
    return incidents.every(({ closedMs }) => closedMs !== undefined);
  };
  await waitFor(noIncident, TIMEOUT_MS, "the end of the incident");
  // A drill on a server that is out is refused.
  await untilState(peer, "db/a", "up");
  const words = ["run", "backend-slow", "--server", "db/a", "--json", "--run-dir", "/run/nines"];
  const given = [...words, ...STATE, "--probe", "http://127.0.0.1:8080/", ...WRITES];
  const told = await lb
    .run([BIN, "drill", ...given], { timeoutMs: 90_000 })
    .catch((error: CommandFailed) => error.stdout || error.stderr);
  assert.match(told, /^\{/u);
  const result = JSON.parse(told) as DrillResult;
  assert.equal(result.verdict, "deviated", told);
  assert.match(result.deviations.join("; "), /acknowledged writes are lost/u);
  assert.ok((result.lostWrites ?? 0) > 0 && (result.workLoss?.rpoMs ?? 0) > 0, told);
  const fresh = await waitFor(
    async () => (await losses(lb)).slice(0).find(({ source }) => source === "drill"),
    TIMEOUT_MS,
    "the drill's loss in the journal",
  );
  assert.ok((await losses(lb)).length > before);
  assert.equal(fresh.data?.["rpoMs"], result.workLoss?.rpoMs);
}

test("acknowledged writes that a switch lost are found, told and counted", async () => {
  await withStage(async ({ world, lb }) => {
    const hosts = { a: world.host("web1"), b: world.host("web2") };
    await startNginx(world.host("web3"));
    const peer = await run(lb, YAML);
    await startRedis(hosts.b);
    await seenByProber(lb, hosts);
    await seenByDrill(lb, hosts.a, peer);
    await untilState(peer, "db/b", "up");
    peer.kill();
  });
});
