/**
 * Drills that one node of a group asks of another: a real line between two consoles, real faults, and
 * what is left when the one who asked dies or falls silent in the middle.
 */

import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import type { ActionPreview, Overview, RecordPage, RecordView } from "../../src/console/api.ts";
import type { DrillResult } from "../../src/core/drill/result.ts";
import type { DrillLine } from "../../src/drivers/drill-files.ts";
import type { Host } from "../../src/lab/host.ts";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { startBalancer, type NinesPeer } from "../../src/lab/peers/nines.ts";
import type { LabProcess } from "../../src/lab/process.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { curl, withStage } from "./balance-kit.ts";

const BIN = resolve(import.meta.dirname, "../../bin/nines");
const STATE = ["--state-dir", "/run/nines-state"];
const PLACES = ["--run-dir", "/run/nines", ...STATE];
const PAGE = "http://127.0.0.1:7600";
const TIMEOUT_MS = 40_000;

const YAML = `
nodes: { lb: 10.80.0.10, web3: 10.80.0.3 }
addresses:
  service:
    interface: eth0
    router_id: 51
    prefer: [lb, web3]
    advert_every: 200ms
    ip: 10.80.0.200/24
frontends:
  web: { listen: ":8080", pool: web }
pools:
  web: { servers: ["10.80.0.1:80", "10.80.0.2:80"], check: { http: /, every: 300ms } }
`;

interface Pair {
  readonly lb: Host;
  readonly other: Host;
  readonly first: NinesPeer;
  readonly second: NinesPeer;
}

function start(host: Host): Promise<NinesPeer> {
  return startBalancer(host, [
    "run",
    "-f",
    host.write("/run/nines.yaml", YAML),
    "--node",
    host.name,
  ]);
}

async function overview(host: Host): Promise<Overview> {
  return JSON.parse(await curl(host, `${PAGE}/api/v1/overview`)) as Overview;
}

async function isWhole(host: Host): Promise<boolean> {
  const { nodes, survival, verdict } = await overview(host);
  const isUp = nodes.every(({ state }) => state === "UP" || state === "STANDBY");
  return isUp && survival.survives === "yes" && verdict.state === "up";
}

/** `lb` has the address, `web3` would take it over and is the one who asks. */
async function withPair(body: (pair: Pair) => Promise<void>): Promise<void> {
  await withStage(async ({ world, lb }) => {
    const other = world.host("web3");
    for (const web of ["web1", "web2"]) await startNginx(world.host(web));
    const [first, second] = [await start(lb), await start(other)];
    await lb.run([BIN, "cert", "init", "--node", "lb", ...STATE]);
    const asked = await other.run([BIN, "cert", "request", ...STATE]);
    const request = lb.write("/run/request", asked);
    const invitation = await lb.run([BIN, "cert", "invite", "web3", request, ...STATE]);
    await other.run([BIN, "cert", "join", other.write("/run/invitation", invitation), ...STATE]);
    for (const host of [lb, other]) await waitFor(() => isWhole(host), TIMEOUT_MS, "a whole group");
    await body({ lb, other, first, second });
    first.kill();
    second.kill();
  });
}

function drill(host: Host, ...words: readonly string[]): Promise<string> {
  return host.run([BIN, "drill", ...words, ...PLACES], { timeoutMs: 60_000 });
}

async function lines(host: Host): Promise<readonly DrillLine[]> {
  const text = await host.run(["sh", "-c", "cat /run/nines-state/drills.jsonl 2>/dev/null; true"]);
  const all = text.split("\n").filter((line) => line !== "");
  return all.map((line) => JSON.parse(line) as DrillLine);
}

const passes = (host: Host, line: string): Promise<boolean> =>
  host.run(["sh", "-c", line]).then(
    () => true,
    () => false,
  );

const FROZEN = `grep -q '^State:.T' /proc/$(cat /run/nines/check.pid)/status`;

const STORY = [
  "web3 drill-asked",
  "lb drill-started",
  "lb drill-undone",
  "lb drill-finished",
  "web3 drill-answered",
];

async function story(host: Host, id: string): Promise<readonly RecordView[]> {
  const text = await curl(host, `${PAGE}/api/v1/records?limit=500`);
  const { records } = JSON.parse(text) as RecordPage;
  // What nodes tell of a drill beside them stands in their ledgers.
  return records.filter(({ data, kind }) => data?.["id"] === id && /^drill-(?!near-)/u.test(kind));
}

async function runs(pair: Pair): Promise<void> {
  const { lb, other } = pair;
  const plan = await drill(other, "plan", "hang-check", "--on", "lb");
  assert.match(plan, /on lb; promised:[\s\S]+do +kill -STOP \d+/u);
  assert.doesNotMatch(plan, /refused/u);
  const probe = ["--probe", "http://10.80.0.200:8080/"];
  const why = ["--reason", "first try", "--json"];
  const told = await drill(other, "run", "hang-check", "--on", "lb", ...probe, ...why);
  const result = JSON.parse(told) as DrillResult;
  assert.deepEqual([result.verdict, result.undoneBy], ["passed", "guard"], result.reason);
  assert.ok((result.measured?.requests ?? 0) > 10, "a client asked from here");

  const there = (await lines(lb)).filter(({ id }) => id === result.id);
  const kinds = ["drill-started", "drill-undone", "drill-finished"];
  assert.deepEqual(
    there.map(({ kind }) => kind),
    kinds,
  );
  assert.deepEqual([there[0]?.asked?.node, there[0]?.asked?.reason], ["web3", "first try"]);
  const here = (await lines(other)).filter(({ id }) => id === result.id);
  assert.deepEqual(
    here.map(({ kind }) => kind),
    ["drill-asked", "drill-answered"],
  );
  // Each page tells the whole story in the order of cause and effect.
  for (const host of [lb, other]) {
    const all = await waitFor(
      async () => {
        const found = await story(host, result.id);
        return found.length === 5 ? found : undefined;
      },
      TIMEOUT_MS,
      `both journals on ${host.name}`,
    );
    const order = all.map(({ node, kind }) => `${node} ${kind}`);
    assert.deepEqual(order.toSorted(), STORY.toSorted(), host.name);
  }
  // Cut by its own fault: the verdict is asked for afterwards.
  const cut = JSON.parse(
    await drill(other, "run", "kill-console", "--on", "lb", "--json"),
  ) as DrillResult;
  assert.equal(cut.verdict, "passed", cut.reason);
}

/** The address moves, the line is cut, the asker's client sees both. */
async function takes({ lb, other }: Pair): Promise<void> {
  await waitFor(() => isWhole(lb), TIMEOUT_MS, "a whole group again");
  const probe = ["--probe", "http://10.80.0.200:8080/"];
  const words = ["run", "link-down", "--on", "lb", ...probe, "--json"];
  const result = JSON.parse(await drill(other, ...words)) as DrillResult;
  assert.equal(result.verdict, "passed", JSON.stringify(result));
  assert.ok((result.measured?.outageMs ?? 0) > 100, "the asker's client felt the switch");
  assert.ok(await passes(lb, "ip link show eth0 | grep -q 'state UP'"));
}

async function diesInTheMiddle(pair: Pair, signal: "SIGKILL" | "SIGSTOP"): Promise<void> {
  const { lb, other } = pair;
  await waitFor(() => isWhole(other), TIMEOUT_MS, "a whole group again");
  const before = (await lines(lb)).length;
  // Long enough to find it and to act, and for four seconds of silence to be noticed.
  const words = [BIN, "drill", "run", "hang-check", "--on", "lb", "--for", "30s", ...PLACES];
  const asker: LabProcess = await other.start(words, { name: `asker-${signal}` });
  await waitFor(() => passes(lb, FROZEN), TIMEOUT_MS, "the fault");
  asker.signal(signal);
  await waitFor(async () => !(await passes(lb, FROZEN)), TIMEOUT_MS, "lb to mend itself");
  const ended = async (): Promise<DrillLine | undefined> =>
    (await lines(lb)).slice(before).find(({ kind }) => kind === "drill-finished");
  const { result } = await waitFor(ended, TIMEOUT_MS, "the verdict on lb");
  if (signal === "SIGSTOP") asker.signal("SIGKILL");
  assert.ok(result !== undefined);
  assert.equal(result.verdict, "aborted", result.reason);
  assert.match(result.reason, /web3 asks no more/u);
  assert.equal(result.undoneBy, "guard");
}

/** The last copy is not taken, whoever asks and however he insists; nor when the owner says so. */
async function refuses({ lb, other, first }: Pair): Promise<void> {
  const insist = drill(other, "run", "kill-all", "--on", "lb", "--allow-outage");
  await assert.rejects(insist, /insist on lb itself/u);
  await assert.rejects(drill(other, "run", "mute", "--on", "nobody"), /there is no node 'nobody'/u);
  await first.nines("backend", "maint", "web/10.80.0.2:80");
  const last = drill(other, "run", "backend-errors", "--on", "lb", "--server", "web/10.80.0.1:80");
  await assert.rejects(last, /refused: .*10\.80\.0\.1:80 is the last copy/u);
  const [refused] = (await lines(lb)).slice(-1);
  assert.equal(refused?.kind, "drill-refused");
  assert.match(refused.reason, /on web3 asked for it/u);
  await first.nines("backend", "ready", "web/10.80.0.2:80");
  lb.write("/run/nines.yaml", `${YAML}console: { drills_from: nobody }\n`);
  await first.nines("reload");
  const closed = async (): Promise<boolean> =>
    drill(other, "run", "hang-check", "--on", "lb").then(
      () => false,
      (error: unknown) => String(error).includes("drills_from: nobody"),
    );
  await waitFor(closed, TIMEOUT_MS, "lb to close its door");
}

async function fromThePage({ other }: Pair): Promise<void> {
  await waitFor(() => isWhole(other), TIMEOUT_MS, "a whole group again");
  const typed = [
    "--max-time",
    "30",
    "--unix-socket",
    "/run/nines/console.sock",
    "-H",
    "content-type: application/json",
  ];
  const post = async (path: string, body: object): Promise<unknown> =>
    JSON.parse(await curl(other, ...typed, "-d", JSON.stringify(body), `http://localhost${path}`));
  const action = { action: "drill-run", subject: "hang-check", node: "lb" };
  const preview = (await post("/api/v1/actions/preview", action)) as ActionPreview;
  assert.equal(preview.refused, undefined, preview.refused?.text ?? "");
  assert.match(preview.command, /^nines drill run hang-check --on lb/u);
  assert.match(preview.moves[0]?.text ?? "", /^lb: nobody asks the servers/u);
  await post("/api/v1/actions", { ...action, confirm: preview.confirm, reason: "by the page" });
  const ended = async (): Promise<boolean> => {
    const last = (await lines(other)).at(-1);
    return last?.kind === "drill-answered" && last.verdict === "passed";
  };
  await waitFor(ended, TIMEOUT_MS, "the verdict");
  const { drills } = await overview(other);
  assert.ok(drills.recent.some(({ node, verdict }) => node === "lb" && verdict === "passed"));
}

test("a drill on another node: its own rules, its own guard, and a verdict for both", async () => {
  await withPair(async (pair) => {
    await runs(pair);
    await diesInTheMiddle(pair, "SIGKILL");
    await diesInTheMiddle(pair, "SIGSTOP");
    await fromThePage(pair);
    // An incident follows from it, and with that no further drill.
    await takes(pair);
    await refuses(pair);
  });
});
