/** `nines probe` before a real nginx that is killed, frozen, slow and wrong; and a prober that is itself. */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProbeReport } from "../../src/core/probe/report.ts";
import type { TargetSummary } from "../../src/cli/probe-summary.ts";
import { run } from "../../src/lab/command.ts";
import type { Host } from "../../src/lab/host.ts";
import { createToken } from "../../src/console/tokens.ts";
import { openJournalToRead } from "../../src/drivers/journal-database.ts";
import type { KnownOutage } from "../../src/drivers/probe-intake-store.ts";
import { startBalancer } from "../../src/lab/peers/nines.ts";
import { nginxConf, startNginx } from "../../src/lab/peers/nginx.ts";
import type { LabProcess } from "../../src/lab/process.ts";
import { Theft } from "../../src/lab/stolen.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { withWorld } from "../../src/lab/world.ts";

const WEB = "10.81.0.1";
const LB = "10.81.0.10";
const PLAN = {
  name: "probe",
  segments: ["lan"],
  hosts: {
    user: { eth0: { segment: "lan", address: ["10.81.0.50/24"] } },
    web: { eth0: { segment: "lan", address: [`${WEB}/24`] } },
    lb: { eth0: { segment: "lan", address: [`${LB}/24`] } },
  },
} as const;

const URL_OF_IT = `http://${WEB}/`;

interface Line {
  readonly kind: string;
  readonly target?: string;
  readonly outage?: { readonly fromMs: number; readonly toMs?: number; readonly reason: string };
  readonly targets?: readonly TargetSummary[];
}

/** `nines probe --json` inside a host. */
class RunningProbe {
  readonly process: LabProcess;
  readonly lines: Line[] = [];

  static async start(
    host: Host,
    words: readonly string[],
    { url = URL_OF_IT, env = {} }: { url?: string; env?: Record<string, string> } = {},
  ): Promise<RunningProbe> {
    const program = `${import.meta.dirname}/../../bin/nines.ts`;
    const timing = ["--interval", "50ms", "--timeout", "400ms", "--slow", "200ms"];
    const argv = [process.execPath, program, "probe", url, "--json", ...timing, ...words];
    const probe = new RunningProbe(
      await host.start(argv, { name: "nines-probe", talk: true, env }),
    );
    const hasAnswer = (): boolean => probe.lines.some(({ kind }) => kind === "first-answer");
    await waitFor(hasAnswer, 10_000, "the first answer");
    return probe;
  }

  private constructor(running: LabProcess) {
    this.process = running;
    let rest = "";
    running.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      for (const part of parts) this.lines.push(JSON.parse(part) as Line);
    });
  }

  outages(kind: "outage-began" | "outage-ended"): NonNullable<Line["outage"]>[] {
    return this.lines.flatMap((line) => (line.kind === kind ? [line.outage!] : []));
  }

  async end(): Promise<TargetSummary> {
    process.kill(this.process.pid, "SIGTERM");
    const summary = (): Line | undefined => this.lines.find(({ kind }) => kind === "summary");
    await waitFor(() => summary() !== undefined, 15_000, "the summary");
    return summary()!.targets![0]!;
  }
}

async function withNginx(
  body: (stage: { user: Host; web: Host; lb: Host; nginx: LabProcess }) => Promise<void>,
  more = "",
): Promise<void> {
  await withWorld(PLAN, async (world) => {
    const [user, web] = [world.host("user"), world.host("web")];
    const head = 'add_header X-Served-By "web1" always;';
    const conf = nginxConf(web, more).replace("location / {", `location / { ${head}`);
    await body({ user, web, lb: world.host("lb"), nginx: await startNginx(web, conf) });
  });
}

test("a killed nginx is an outage from its last good answer to its successor's first", async () => {
  await withNginx(async ({ user, web, nginx }) => {
    const probe = await RunningProbe.start(user, ["--record", "-"]);
    await sleep(1500);
    const killedMs = Date.now();
    nginx.kill();
    await waitFor(() => probe.outages("outage-began").length > 0, 5000, "the outage");
    await sleep(1000);
    const conf = nginxConf(web).replace(
      "location / {",
      'location / { add_header X-Served-By "two";',
    );
    await startNginx(web, conf);
    const startedMs = Date.now();
    await waitFor(() => probe.outages("outage-ended").length > 0, 5000, "its end");
    const summary = await probe.end();
    const [outage] = summary.outages;
    assert.equal(summary.outages.length, 1);
    assert.ok(Math.abs(outage!.fromMs - killedMs) < 400, `from ${outage!.fromMs - killedMs} ms`);
    assert.ok(Math.abs(outage!.toMs! - startedMs) < 800, `to ${outage!.toMs! - startedMs} ms`);
    assert.equal(outage!.before, "web1");
    assert.equal(outage!.after, "two");
    // The first to fail was cut off, or came too late.
    assert.match(outage!.reason, /ECONNRESET|ECONNREFUSED|connection/);
    assert.ok(summary.byTime < 1 && summary.totals.bad === outage!.failed);
  });
});

test("a frozen nginx is an outage whose answers never came in time", async () => {
  await withNginx(async ({ user, nginx }) => {
    const probe = await RunningProbe.start(user, ["--record", "-"]);
    await sleep(1000);
    const frozenMs = Date.now();
    nginx.stop();
    await sleep(1500);
    const thawedMs = Date.now();
    nginx.resume();
    await waitFor(() => probe.outages("outage-ended").length > 0, 5000, "the end of the outage");
    const { outages } = await probe.end();
    assert.equal(outages.length, 1);
    assert.equal(outages[0]!.reason, "no answer within 400 ms");
    assert.ok(Math.abs(outages[0]!.fromMs - frozenMs) < 400);
    assert.ok(Math.abs(outages[0]!.toMs! - thawedMs) < 600);
  });
});

test("answers of 503 are failures, slow ones are good and slow", async () => {
  await withNginx(async ({ user, web, nginx }) => {
    // The server is slow below: only a 503 may be a failure here.
    const probe = await RunningProbe.start(user, ["--record", "-", "--timeout", "5s"]);
    await sleep(800);
    const broken = nginxConf(web).replace(/return 200 "[^"]*"/u, "return 503");
    web.write("/run/nginx/nginx.conf", broken);
    process.kill(nginx.pid, "SIGHUP");
    await waitFor(() => probe.outages("outage-began").length > 0, 5000, "503");
    web.write("/run/nginx/nginx.conf", nginxConf(web));
    process.kill(nginx.pid, "SIGHUP");
    await waitFor(() => probe.outages("outage-ended").length > 0, 5000, "200 again");
    // Late, but within the timeout: nginx sleeps 320 ms at a time.
    for (let i = 0; i < 3; i++) {
      nginx.stop();
      await sleep(320);
      nginx.resume();
      await sleep(300);
    }
    const { outages, totals } = await probe.end();
    // While nginx reloads, its old worker and its new one answer in turn.
    assert.ok(outages.length >= 1 && outages.length <= 3, `${outages.length} outages`);
    for (const { reason } of outages) assert.equal(reason, "status 503, wanted 200-399");
    assert.ok(totals.slow >= 3, `${totals.slow} slow`);
  });
});

test("a prober that is stopped says so, and blames nobody", async () => {
  await withNginx(async ({ user }) => {
    const probe = await RunningProbe.start(user, ["--record", "-"]);
    await sleep(1000);
    const [stoppedMs, theft] = [performance.now(), new Theft()];
    probe.process.stop();
    await sleep(2000);
    probe.process.resume();
    const spanMs = performance.now() - stoppedMs;
    await sleep(1000);
    theft.end();
    const { outages, totals } = await probe.end();
    assert.deepEqual(outages, []);
    assert.equal(totals.bad, 0);
    const off = Math.abs(totals.ownMs - spanMs);
    assert.ok(off < 300 + theft.ms, `${totals.ownMs} of ${spanMs} ms, ${theft.ms} stolen`);
    assert.match(probe.process.log, /the prober stood still for \d+\.\d s/);
  });
});

test("a record outlives prober and node: it is delivered when the node is there, once", async () => {
  await withNginx(async ({ user }) => {
    const token = user.write("/run/token", "nines_secret\n");
    const record = user.outside("/run/probe.db");
    const to = ["--report-to", "http://127.0.0.1:7699", "--token-file", token];
    const words = ["--record", record, "--name", "home", ...to];
    // Nobody listens: kept.
    const first = await RunningProbe.start(user, words);
    await sleep(1200);
    await first.end();
    assert.match(first.process.log, /buckets wait in/);
    const taker = await user.start(
      [process.execPath, `${import.meta.dirname}/programs/report-taker.ts`, "7699"],
      { name: "report-taker", talk: true },
    );
    let text = "";
    taker.stdout!.setEncoding("utf8").on("data", (part: string) => (text += part));
    await waitFor(() => taker.log.includes("listening"), 5000, "the taker of reports");
    const second = await RunningProbe.start(user, words);
    await sleep(1200);
    await second.end();
    const third = await RunningProbe.start(user, [...words, "--duration", "300ms"]);
    await waitFor(() => third.lines.some(({ kind }) => kind === "summary"), 5000, "the end");
    await sleep(200);
    const taken = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Taken);
    const reports = taken.map(({ report }) => report);
    assert.equal(new Set(reports.map(({ run }) => run)).size, 3);
    const keys = reports.flatMap(({ run, buckets }) => buckets.map((b) => `${run} ${b.fromMs}`));
    assert.equal(new Set(keys).size, keys.length, "nothing comes twice");
    assert.ok(taken.every(({ token: said }) => said === "Bearer nines_secret"));
    const good = reports.flatMap(({ buckets }) => buckets).reduce((all, b) => all + b.good, 0);
    assert.ok(good >= 40, `${good} good ones`);
  });
});

const NODE = `
console: { listen: "${LB}:7600", tls: { certificate: /run/node.pem } }
frontends:
  web: { listen: ":80", pool: web }
pools:
  web: { servers: ["${WEB}:80"], check: { http: /, every: 200ms, timeout: 150ms } }
`;

test("a node takes reports over HTTP, moves the times of a wrong clock, and tells the outage", async () => {
  await withNginx(async ({ user, lb, nginx }) => {
    const pem = await certificate(LB);
    lb.write("/run/node.pem", pem, 0o600);
    const ca = user.write("/run/ca.pem", pem);
    const node = await startBalancer(lb, ["run", "-f", lb.write("/run/nines.yaml", NODE)]);
    const tokens = lb.outside("/run/nines-state/tokens.json");
    const token = createToken(tokens, { name: "home", role: "probe" }, Date.now());
    const file = user.write("/run/token", token, 0o600);
    const to = ["--report-to", `https://${LB}:7600`, "--report-ca", ca, "--token-file", file];
    const ahead = { LD_PRELOAD: FAKE, FAKETIME: "+2h", FAKETIME_DONT_FAKE_MONOTONIC: "1" };
    const words = ["--record", "-", "--name", "home", ...to];
    const probe = await RunningProbe.start(user, words, { url: `http://${LB}/`, env: ahead });
    await sleep(1000);
    const stoppedMs = Date.now();
    nginx.stop();
    await sleep(1500);
    nginx.resume();
    await waitFor(() => probe.outages("outage-ended").length > 0, 5000, "the end of the outage");
    const [local] = probe.outages("outage-ended");
    assert.ok(local!.fromMs - stoppedMs > 7_000_000, "the prober's clock is two hours ahead");
    await probe.end();
    const get = (path: string): Promise<unknown> => consoleOf(lb, path);
    const kinds = async (): Promise<string[]> => {
      const page = (await get("/api/v1/records?limit=200")) as { records: { kind: string }[] };
      return page.records.map(({ kind }) => kind);
    };
    const ended = async (): Promise<boolean> => (await kinds()).includes("probe-outage-ended");
    await waitFor(ended, 5000, "the outage in the journal");
    assert.ok((await kinds()).includes("probe-clock"));
    const outages = (await get("/api/v1/probe-outages")) as KnownOutage[];
    assert.equal(outages.length, 1);
    assert.ok(Math.abs(outages[0]!.fromMs - stoppedMs) < 1000, `${outages[0]!.fromMs - stoppedMs}`);
    assert.equal(outages[0]!.service, "web");
    const database = openJournalToRead(lb.outside("/run/nines-state/journal.db"));
    const rows = database
      .prepare("SELECT good, bad, start FROM measurement WHERE vantage = 'probe:home'")
      .all();
    database.close();
    const sum = (key: string): number => rows.reduce((all, row) => all + Number(row[key]), 0);
    assert.ok(sum("good") > 20 && sum("bad") > 5, JSON.stringify(rows));
    assert.ok(rows.every((row) => Math.abs(Number(row["start"]) - stoppedMs) < 30_000));
    assert.ok(node.supervisor.isRunning);
    // A prober's token is good for nothing else.
    const read = await user.run([
      "curl",
      "-k",
      "-s",
      "-H",
      `authorization: Bearer ${token}`,
      `https://${LB}:7600/api/v1/overview`,
    ]);
    assert.match(read, /may only probe/);
  });
});

test("a node probes by itself what its configuration says, and a change of it counts at once", async () => {
  await withNginx(async ({ lb, nginx }) => {
    const own = (every: string): string =>
      `${NODE}probes:\n  front: { ask: "http://${LB}/", every: ${every}, timeout: 400ms }\n`;
    const file = lb.write("/run/nines.yaml", own("100ms"));
    lb.write("/run/node.pem", await certificate(LB), 0o600);
    const node = await startBalancer(lb, ["run", "-f", file]);
    await sleep(1500);
    const stoppedMs = Date.now();
    nginx.stop();
    await sleep(1500);
    nginx.resume();
    const outages = async (): Promise<KnownOutage[]> =>
      (await consoleOf(lb, "/api/v1/probe-outages?service=web")) as KnownOutage[];
    const isOver = async (): Promise<boolean> => (await outages()).some(({ toMs }) => toMs);
    await waitFor(isOver, 10_000, "the end of the outage");
    const [outage] = await outages();
    assert.equal(outage!.probe, "front");
    assert.ok(Math.abs(outage!.fromMs - stoppedMs) < 1200, `${outage!.fromMs - stoppedMs}`);
    lb.write("/run/nines.yaml", NODE);
    await node.nines("reload");
    await sleep(1500);
    const before = (await outages()).length;
    nginx.stop();
    await sleep(1500);
    nginx.resume();
    assert.equal((await outages()).length, before, "nobody asks any more");
  });
});

/** Over the node's unix socket. */
function consoleOf(host: Host, path: string): Promise<unknown> {
  const socketPath = host.outside("/run/nines/console.sock");
  return new Promise((resolve, reject) => {
    get({ socketPath, path, headers: { host: "localhost" } }, (response) => {
      text(response).then((body) => resolve(JSON.parse(body) as unknown), reject);
    }).on("error", reject);
  });
}

/** Key and certificate of a node in one text; it is its own authority. */
async function certificate(address: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "nines-probe-"));
  const [key, pem] = [join(directory, "key"), join(directory, "pem")];
  try {
    const subject = ["-subj", "/CN=node", "-addext", `subjectAltName=IP:${address}`];
    const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    await run(["openssl", "req", ...kind, "-days", "2", ...subject, "-keyout", key, "-out", pem]);
    return readFileSync(key, "utf8") + readFileSync(pem, "utf8");
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const FAKE = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

interface Taken {
  readonly report: ProbeReport;
  readonly token: string;
}
