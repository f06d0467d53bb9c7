/** The ledgers of two nodes that talk to each other: what one shows of the other's, and what is written where. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { answerMistakes } from "../../test/kit/answer-mistakes.ts";
import { DEFAULT_BOUNDS } from "../core/journal/retention.ts";
import type { Measurement } from "../core/journal/measurement.ts";
import type { Incident } from "../core/ledger/incident.ts";
import type { ReportData } from "../core/ledger/report.ts";
import { DEFAULT_CLASSES, type LedgerSettings } from "../core/ledger/settings.ts";
import { MeasureStore, type MeasurementQuery } from "../drivers/measure-store.ts";
import type { ServiceFacts } from "../daemon/control-api.ts";
import type { IncidentList, IncidentView, ObjectiveView, Problem, SeriesView } from "./api.ts";
import type { ConsoleCore, RunningPart } from "./console-core.ts";
import { accept, beginGroup, CERTIFICATE_DAYS, invite, makeRequest } from "./group-ca.ts";
import { alertsOfOthers, incidentsOfGroup } from "./group-ledger.ts";
import { Group } from "./group.ts";
import { parseIncidentId } from "./incident-routes.ts";
import { Journal } from "./journal.ts";
import { LEDGER } from "./ledger-part.ts";
import { NEWS_FORMAT, type Neighbour } from "./ledger-news.ts";
import type { NodePart } from "./node-part.ts";
import { type Answer, type Call, isProblem } from "./routes.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const skip = hasOpenssl ? false : "openssl is not installed: sudo scripts/lab-setup";
const folder = mkdtempSync(join(tmpdir(), "nines-group-ledger-"));
const NODES = [
  { name: "a", address: "127.0.0.4" },
  { name: "b", address: "127.0.0.5" },
];
/** Half an hour ago, on a whole span. */
const BEGAN = Math.floor((Date.now() - 1_800_000) / 10_000) * 10_000;

const SETTINGS: LedgerSettings = {
  services: [
    {
      name: "web",
      critical: true,
      frontends: ["web"],
      pools: [],
      instances: [],
      probes: [],
      objectives: { availability: 0.999, windowMs: 30 * 86_400_000 },
      layers: [],
      owners: [],
      minEvents: 1,
    },
  ],
  classes: DEFAULT_CLASSES,
  mergeMs: 60_000,
  falseStartMs: 0,
  timezone: "UTC",
  planned: [],
  alerts: { mail: false, webhooks: [], commands: [] },
};

/** All of a console that ledgers need, without a control process. */
class TestNode {
  readonly name: string;
  readonly journal: Journal;
  readonly group: Group;
  part!: RunningPart;
  #keep: (spans: readonly Measurement[]) => void = () => undefined;
  #measured: (spans: readonly Measurement[]) => void = () => undefined;

  constructor(name: string, port: number) {
    this.name = name;
    const state = join(folder, name);
    this.journal = new Journal({
      path: join(state, "journal.db"),
      boot: "boot",
      node: () => name,
      bounds: () => DEFAULT_BOUNDS,
    });
    const service = {
      nodes: NODES,
      console: { groupPort: port },
      ledger: SETTINGS,
      vrrp: { mail: { recipients: [] } },
      balance: {},
    } as unknown as ServiceFacts;
    let store!: MeasureStore;
    this.journal.onOpen((database) => (store = new MeasureStore(database)));
    this.#keep = (spans) => store.add(spans);
    const own = { neighbours: () => this.group.neighbours, close: () => undefined };
    const core = {
      stateDirectory: state,
      node: () => name,
      journal: this.journal,
      measures: {
        find: (query: MeasurementQuery) => store.find(query),
        looked: () => [],
        listen: (listener: (spans: readonly Measurement[]) => void) => {
          this.#measured = listener;
          return () => undefined;
        },
      },
      control: { service },
      parts: () => [own],
    } as unknown as ConsoleCore;
    this.part = LEDGER.start(core) as RunningPart;
    this.group = new Group({
      stateDirectory: state,
      node: () => name,
      service: () => service,
      part: () =>
        ({
          format: 1,
          node: name,
          nowMs: Date.now(),
          lastSeq: 0,
          ledger: this.part.ledger?.news()?.stamp,
        }) as unknown as NodePart,
      recordsAfter: () => [],
      errands: () => undefined,
      ledger: () => this.part.ledger,
      past: (atMs) => [{ node: name, seq: 1, wallMs: atMs - 10 }] as never,
      looked: () => undefined,
      heard: () => undefined,
      report: (_kind, reason) => assert.fail(reason),
    });
  }

  /** Ten seconds of traffic; `bad`: nobody got an answer. */
  count(fromMs: number, what: "good" | "bad"): void {
    const [good, bad] = what === "good" ? [100, 0] : [0, 100];
    const dark = bad > 0 ? { darkMs: 10_000, firstBadMs: fromMs + 1000, lastBadMs: fromMs } : {};
    const base = { subject: "frontend web", vantage: "balancer", fromMs, lengthMs: 10_000 };
    this.#keep([{ ...base, good, bad, ...dark }]);
    this.#measured([{ ...base, good, bad, ...dark }]);
  }

  async ask(method: string, path: string, call: Partial<Call> = {}): Promise<unknown> {
    const route = this.part.routes!.find((one) => one.method === method && one.path === path)!;
    const viewer = { role: "operate", who: "ops" };
    const whole = { params: {}, query: {}, body: {}, viewer, nowMs: Date.now(), ...call };
    const answer: Answer = await route.handle(whole as unknown as Call);
    if (isProblem(answer!)) return answer;
    const value: unknown = JSON.parse(String(answer!.body));
    assert.deepEqual(answerMistakes(route.answers, value), [], `${method} ${path}`);
    return value;
  }

  async incidents(): Promise<readonly IncidentView[]> {
    return ((await this.ask("GET", "/api/v1/incidents")) as IncidentList).incidents;
  }

  close(): void {
    this.group.close();
    void this.part.close();
    this.journal.close();
  }
}

let a: TestNode;
let b: TestNode;

// A suite: its nodes end with it, and not with the last test of all files.
describe("two nodes and their ledgers", () => {
  before(async () => {
    if (!hasOpenssl) return;
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, "127.0.0.4", resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    await beginGroup(join(folder, "a"), "a");
    const publicKey = makeRequest(join(folder, "b"));
    const asked = { publicKey, node: "b", days: CERTIFICATE_DAYS };
    accept(join(folder, "b"), await invite(join(folder, "a"), asked));
    [a, b] = [new TestNode("a", port), new TestNode("b", port)];
  });

  after(() => {
    a?.close();
    b?.close();
    rmSync(folder, { recursive: true });
  });

  async function until(what: string, is: () => Promise<boolean>): Promise<void> {
    for (let i = 0; i < 400; i++) {
      if (await is()) return;
      await sleep(25);
    }
    assert.fail(what);
  }

  test(
    "what one node's ledger has is on the other one's page; the same outage is one",
    { skip },
    async () => {
      // b alone saw the first one, both the second.
      b.count(BEGAN, "bad");
      b.count(BEGAN + 300_000, "bad");
      a.count(BEGAN + 300_000, "bad");
      a.count(BEGAN + 310_000, "bad");
      a.count(BEGAN + 600_000, "good");
      b.count(BEGAN + 600_000, "good");
      await until("both know both", async () => {
        const all = [await a.incidents(), await b.incidents()];
        return all.every((one) => one.flatMap(({ vantages }) => vantages).length === 3);
      });
      const [here, there] = [await a.incidents(), await b.incidents()];
      for (const all of [here, there]) {
        assert.equal(all.length, 2);
        const [second, first] = all;
        assert.deepEqual(
          first?.vantages.map(({ node }) => node),
          ["b"],
        );
        assert.deepEqual(second?.vantages.map(({ node }) => node).toSorted(), ["a", "b"]);
        assert.ok((second?.harmMs ?? 0) >= 19_000, "as bad as the worst view of it");
      }
      assert.deepEqual(a.part.exhibits?.().incidents?.length, 2);
      const only = (await b.ask("GET", "/api/v1/incidents", {
        query: { node: "a" },
      })) as IncidentList;
      assert.deepEqual(
        only.incidents.map(({ node, vantages }) => [node, vantages.length]),
        [["a", 1]],
      );
      const none = (await b.ask("GET", "/api/v1/incidents", { query: { node: "c" } })) as Problem;
      assert.deepEqual([none.status, none.detail], [404, "there is no node 'c'; there are: b a"]);
    },
  );

  test("the budget is spent by harm that anybody saw, and once", { skip }, async () => {
    const spent = async (node: TestNode): Promise<number> => {
      const answer = await node.ask("GET", "/api/v1/objectives");
      const { objectives } = answer as { objectives: readonly ObjectiveView[] };
      return Math.round((objectives[0]?.budget.spentMs ?? 0) / 1000);
    };
    await until("the same budget", async () => (await spent(a)) === (await spent(b)));
    const seconds = await spent(a);
    assert.ok(seconds >= 28 && seconds <= 31, `${seconds} s of three spans of ten`);
  });

  test(
    "what both balancers measured is one line, and says who did not answer",
    { skip },
    async () => {
      const query = { service: "web", from: BEGAN, to: BEGAN + 3_600_000 };
      const series = (await a.ask("GET", "/api/v1/series", { query })) as SeriesView;
      assert.deepEqual([series.stepMs, series.missing], [10_000, []]);
      const [line, ...others] = series.vantages;
      assert.deepEqual([line?.vantage, others.length], ["balancer", 0]);
      assert.deepEqual(
        [line?.bad[0], line?.bad[30], line?.bad[31], line?.good[60]],
        [100, 200, 100, 200],
      );
      const wrong = (await a.ask("GET", "/api/v1/series", {
        query: { from: 0, to: 1 },
      })) as Problem;
      assert.equal(wrong.detail, "name a service, a pool or a server");
    },
  );

  test("planned times and the report are answered as described", { skip }, async () => {
    const path = "/api/v1/maintenance";
    const body = { reason: "disks", forMs: 60_000 };
    type Planned = { readonly windows: readonly { readonly reason: string; toMs?: number }[] };
    const begun = (await b.ask("POST", path, { body })) as Planned;
    assert.deepEqual(
      begun.windows.map(({ reason }) => reason),
      ["disks"],
    );
    assert.equal(((await b.ask("GET", path)) as Planned).windows.length, 1);
    const there = (await a.ask("GET", path)) as Planned;
    assert.deepEqual(
      there.windows.map(({ reason }) => reason),
      ["disks"],
      "the other node leaves it out as well",
    );
    const [record] = a.journal.find({ kind: "maintenance-started", limit: 10 });
    assert.equal(record?.data?.["who"], "ops at b");
    const ended = (await b.ask("POST", `${path}/end`)) as Planned;
    assert.ok(ended.windows[0]!.toMs! <= Date.now());
    assert.ok(((await a.ask("GET", path)) as Planned).windows[0]!.toMs! <= Date.now());
    const report = (await b.ask("GET", "/api/v1/report")) as ReportData;
    assert.equal(report.services[0]?.planned[0]?.reason, "disks");
  });

  test("a note is written where the incident lives", { skip }, async () => {
    const [, first] = await a.incidents();
    const id = `${first!.id}@b`;
    const path = "/api/v1/incidents/{id}/annotations";
    const order = { params: { id }, body: { text: "the new switch" } };
    const noted = (await a.ask("POST", path, order)) as IncidentView;
    assert.deepEqual(
      noted.annotations.map(({ who, text }) => [who, text]),
      [["ops at a", "the new switch"]],
    );
    const [record] = b.journal.find({ kind: "incident-annotated", limit: 10 });
    assert.deepEqual([record?.source, record?.data?.["who"]], ["operator", "ops at a"]);
    assert.equal(a.journal.find({ kind: "incident-annotated", limit: 10 }).length, 0);
    const shown = (await a.ask("GET", "/api/v1/incidents/{id}", {
      params: { id },
    })) as IncidentView;
    assert.equal(shown.annotations.length, 1, "without waiting for the next look");
    const wrong = { params: { id }, body: { class: "Z", reason: "x" } };
    const refused = (await a.ask("POST", "/api/v1/incidents/{id}/class", wrong)) as Problem;
    assert.match(refused.detail, /b did not take it: there is no class 'Z'/u);
  });

  test("an order that no page would send is refused by the other node", { skip }, async () => {
    const [neighbour] = a.group.neighbours;
    const bad = { id: "x", what: "annotations", who: "ops", body: { text: "" } };
    await assert.rejects(neighbour!.ask("/api/v1/node/orders", bad), /'text' is empty/u);
    const odd = { id: "x", what: "constructor", who: "ops", body: {} };
    await assert.rejects(neighbour!.ask("/api/v1/node/orders", odd), /no word about an incident/u);
    const long = { id: "x", what: "annotations", who: "ops", body: { text: "x".repeat(20_000) } };
    await assert.rejects(neighbour!.ask("/api/v1/node/orders", long), /too long/u);
  });

  test("a node that is gone keeps what it said, and takes no note", { skip }, async () => {
    const [, first] = await a.incidents();
    b.group.close();
    const order = { params: { id: `${first!.id}@b` }, body: { text: "late" } };
    const refused = (await a.ask("POST", "/api/v1/incidents/{id}/annotations", order)) as Problem;
    assert.equal(refused.status, 503);
    assert.match(refused.detail, /say it there: nines incidents on b/u);
    const alone = (await a.ask("POST", "/api/v1/maintenance", {
      body: { reason: "alone", forMs: 1000 },
    })) as { readonly untold: readonly { readonly node: string }[] };
    assert.deepEqual(
      alone.untold.map(({ node }) => node),
      ["b"],
    );
    assert.equal((await a.incidents()).length, 2);
    const series = await a.ask("GET", "/api/v1/series", { query: { service: "web", from: BEGAN } });
    const { missing, vantages } = series as SeriesView;
    assert.deepEqual([missing[0]?.node, vantages[0]?.bad[30]], ["b", 100]);
  });

  test("a silent node's incident has the age of its word; its alerts are not repeated", () => {
    const incident = { id: "web-1", service: "web", state: "open", startMs: 100, segments: [] };
    const news = {
      format: NEWS_FORMAT,
      stamp: "1",
      incidents: [{ ...incident, annotations: [], parts: [] } as unknown as Incident],
      alerts: [
        { level: "error", subject: "web", node: "b", sentence: { code: "x", args: {}, text: "x" } },
      ],
      burns: [],
      services: [],
    } as const;
    const ask = (): Promise<unknown> => Promise.reject(new Error("silent"));
    const b = { name: "b", news, reason: "silent", aheadMs: 40, ask };
    const seen = (neighbour: Neighbour): IncidentView[] =>
      incidentsOfGroup({ node: "a", incidents: [] }, [neighbour], 1000);
    assert.deepEqual([seen(b)[0]?.ageMs, seen(b)[0]?.startMs], [undefined, 60]);
    assert.equal(seen({ ...b, ageMs: 500 })[0]?.ageMs, 500);
    assert.equal(alertsOfOthers([b]).length, 1);
    assert.equal(alertsOfOthers([{ ...b, ageMs: 500 }]).length, 0);
  });

  test("an id may name the node whose ledger it is of", () => {
    assert.deepEqual(parseIncidentId("a-b-20261121T132134Z@x@y/z"), {
      id: "a-b-20261121T132134Z",
      node: "x@y/z",
    });
    assert.deepEqual(parseIncidentId("me@home-20261121T132134Z"), {
      id: "me@home-20261121T132134Z",
    });
  });
});
