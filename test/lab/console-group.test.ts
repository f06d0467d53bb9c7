/** Two nodes and their pages: what one sees of the other, orders over HTTP, and who is kept out. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { test } from "node:test";
import type { ActionPreview, Overview, RecordPage, StateAt } from "../../src/console/api.ts";
import type { Host } from "../../src/lab/host.ts";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { startBalancer, type NinesPeer } from "../../src/lab/peers/nines.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { curl, withStage } from "./balance-kit.ts";

const ADDRESS = "10.80.0.200";
const PAGE = "http://127.0.0.1:7600";
const SOCKET = "/run/nines/console.sock";
const BIN = resolve(import.meta.dirname, "../../bin/nines");
const STATE = ["--state-dir", "/run/nines-state"];

const YAML = `
nodes: { lb: 10.80.0.10, web3: 10.80.0.3 }
addresses:
  service:
    interface: eth0
    router_id: 51
    prefer: [lb, web3]
    advert_every: 200ms
    ip: ${ADDRESS}/24
frontends:
  web: { listen: ":8080", pool: web }
pools:
  web: { servers: ["10.80.0.1:80", "10.80.0.2:80"], check: { http: /, every: 300ms } }
`;

function start(host: Host): Promise<NinesPeer> {
  const file = host.write("/run/nines.yaml", YAML);
  return startBalancer(host, ["run", "-f", file, "--node", host.name]);
}

async function overview(host: Host): Promise<Overview> {
  return JSON.parse(await curl(host, `${PAGE}/api/v1/overview`)) as Overview;
}

async function until(host: Host, what: string, is: (seen: Overview) => boolean): Promise<Overview> {
  let seen: Overview | undefined;
  const reached = async (): Promise<boolean> => {
    seen = await overview(host);
    return is(seen);
  };
  try {
    await waitFor(reached, 20_000, `${what} on the page of ${host.name}`);
  } catch (error) {
    const { nodes, survival, verdict, holders, alerts } = seen ?? {};
    const last = JSON.stringify({ nodes, survival, verdict, holders, alerts });
    throw new Error(`${String(error)}; it says: ${last}`, { cause: error });
  }
  return seen!;
}

/** As an operator on the machine. */
async function post(host: Host, path: string, body: object): Promise<unknown> {
  const words = ["--unix-socket", SOCKET, "-H", "content-type: application/json"];
  return JSON.parse(
    await curl(host, ...words, "-d", JSON.stringify(body), `http://localhost${path}`),
  );
}

async function join(lb: Host, other: Host): Promise<void> {
  await lb.run([BIN, "cert", "init", "--node", "lb", ...STATE]);
  const asked = await other.run([BIN, "cert", "request", ...STATE]);
  const request = lb.write("/run/request", asked);
  const invitation = await lb.run([BIN, "cert", "invite", "web3", request, ...STATE]);
  await other.run([BIN, "cert", "join", other.write("/run/invitation", invitation), ...STATE]);
}

test("each page shows the group; a dead node is old news; strangers get nothing", async () => {
  await withStage(async ({ world, lb, client }) => {
    const other = world.host("web3");
    for (const web of ["web1", "web2"]) await startNginx(world.host(web));
    const [first, second] = [await start(lb), await start(other)];
    // Nobody knows whether the other one is there.
    await until(lb, "doubt", ({ survival }) => survival.survives === "unknown");

    // The papers come while everything runs.
    await join(lb, other);
    const isWhole = ({ nodes, survival, verdict }: Overview): boolean =>
      nodes.every(({ state }) => state === "UP" || state === "STANDBY") &&
      survival.survives === "yes" &&
      verdict.state === "up";
    const here = await until(lb, "a whole group", isWhole);
    const there = await until(other, "a whole group", isWhole);
    for (const { holders } of [here, there]) {
      assert.deepEqual([holders[0]?.holder, holders[0]?.standbys], ["lb", ["web3"]]);
    }
    assert.ok(
      here.records.some(({ node }) => node === "web3"),
      "its records are here, too",
    );
    const page = JSON.parse(
      await curl(lb, `${PAGE}/api/v1/records?node=web3&limit=5`),
    ) as RecordPage;
    assert.ok(page.records.length > 0 && page.records.every(({ node }) => node === "web3"));

    await ordersOverHttp(lb, first);
    await chineseTo(lb);
    await pageFiles(lb);
    await metricsOf(lb);

    // A stranger: the right port, no certificate of ours.
    const code = ["-k", "-o", "/dev/null", "-w", "%{http_code}"];
    const stranger = await curl(client, ...code, "https://10.80.0.10:7601/api/v1/node").catch(
      (error: unknown) => String(error),
    );
    assert.doesNotMatch(stranger, /200/u);
    await until(lb, "the stranger in the journal", ({ records }) =>
      records.some(({ kind, reason }) => kind === "stranger" && reason.includes("10.80.0.50")),
    );

    // Its console, too, is gone: what is known of it gets old, and the address moves.
    const atMs = (await overview(lb)).nowMs;
    second.kill();
    const lonely = await until(lb, "the silence", ({ nodes }) => nodes[1]?.state === "UNKNOWN");
    assert.ok((lonely.nodes[1]?.ageMs ?? 0) > 2_000, JSON.stringify(lonely.nodes[1]));
    assert.equal(lonely.verdict.state, "up");
    assert.equal(lonely.survival.survives, "no");
    const past = JSON.parse(await curl(lb, `${PAGE}/api/v1/state?at=${atMs}`)) as StateAt;
    assert.equal(past.holders[0]?.holder, "lb");
    assert.equal(past.verdict.state, "up");
    first.kill();
  });
});

async function ordersOverHttp(lb: Host, peer: NinesPeer): Promise<void> {
  const drain = { action: "drain", subject: "web/10.80.0.1:80" };
  const typed = "content-type: application/json";
  const path = `${PAGE}/api/v1/actions/preview`;
  const anonymous = await curl(lb, "-H", typed, "-d", JSON.stringify(drain), path);
  assert.match(anonymous, /anonymous may only read/u);
  const preview = (await post(lb, "/api/v1/actions/preview", drain)) as ActionPreview;
  assert.equal(preview.refused, undefined);
  assert.match(preview.left.map(({ text }) => text).join(), /next failure, of 10\.80\.0\.2:80/u);
  assert.equal(preview.command, "nines backend drain web/10.80.0.1:80");
  const confirmed = { ...drain, confirm: preview.confirm, reason: "new kernel" };
  assert.equal(((await post(lb, "/api/v1/actions", confirmed)) as { done?: true }).done, true);
  await until(lb, "the drain", ({ topology }) =>
    topology.nodes.some(({ name, state }) => name === "10.80.0.1:80" && state === "DRAINING"),
  );
  const last = { action: "maintenance", subject: "web/10.80.0.2:80" };
  const unsafe = (await post(lb, "/api/v1/actions/preview", last)) as ActionPreview;
  assert.equal(unsafe.refused?.code, "order-last-server");
  await peer.nines("backend", "ready", "web/10.80.0.1:80");
  const stale = await post(lb, "/api/v1/actions", {
    ...last,
    confirm: unsafe.confirm,
    reason: "new disk",
    override: unsafe.override,
  });
  assert.equal((stale as { status?: number }).status, 409, "it changed since the preview");
  const { records } = await until(lb, "the audit", ({ records: all }) =>
    all.some(({ kind }) => kind === "operator-refused"),
  );
  const asked = records.find(
    ({ kind, data }) => kind === "operator-asked" && data?.["action"] === "drain",
  );
  assert.deepEqual([asked?.source, asked?.data?.["who"]], ["operator", "local"]);
  assert.equal(asked?.data?.["why"], "new kernel");
}

/** Whatever happened so far is told in Chinese, but for what people wrote. */
async function chineseTo(lb: Host): Promise<void> {
  const chinese = ["-H", "accept-language: zh-CN,zh;q=0.9,en;q=0.8"];
  const { records } = JSON.parse(
    await curl(lb, ...chinese, `${PAGE}/api/v1/records?limit=1000`),
  ) as RecordPage;
  // Commands stay, and what the reader of the configuration says of a line of it.
  const said = records
    .map(({ reason }) => reason.replace(/new kernel|new disk|nines [ -~]+/u, ""))
    .filter((reason) => !reason.startsWith("/run/nines.yaml:"));
  const english = said.filter((reason) => /[a-z]{3,} [a-z]{3,}/u.test(reason));
  assert.deepEqual([...new Set(english)], []);
  const { verdict } = JSON.parse(await curl(lb, ...chinese, `${PAGE}/api/v1/overview`)) as Overview;
  assert.match(verdict.sentence.text, /\p{Script=Han}/u);
}

async function pageFiles(lb: Host): Promise<void> {
  const html = await curl(lb, `${PAGE}/`);
  const [, entry = ""] = /<script type="module" src="([^"]+)"/u.exec(html) ?? [];
  const head = await curl(lb, "-D", "-", "-o", "/dev/null", "--compressed", `${PAGE}${entry}`);
  assert.match(head, /200 OK/u);
  assert.match(head, /content-encoding: gzip/iu);
  assert.match(head, /cache-control: public, max-age=31536000, immutable/iu);
  const rebound = await curl(lb, "-H", "host: evil.example", `${PAGE}/api/v1/overview`);
  assert.match(rebound, /allowed_hosts/u);
}

async function metricsOf(lb: Host): Promise<void> {
  const input = await curl(lb, `${PAGE}/metrics`);
  assert.match(input, /^nines_service_state\{service="web",state="up"\} 1$/mu);
  assert.match(input, /^nines_node_known\{node="web3"\} 1$/mu);
  const { status, stderr, stdout } = spawnSync("promtool", ["check", "metrics"], { input });
  assert.equal(status, 0, `${stderr.toString()}${stdout.toString()}`);
}
