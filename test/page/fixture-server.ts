/**
 * The console's own web server, page and stream before facts that a test makes up: what the browser sees of it
 * is the real thing, what it says is at hand. It can be ended and started on the same port.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { frameOf, stepsOf } from "../../src/core/ledger/chart.ts";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  ActionConfirmation,
  ActionPreview,
  ActionRequest,
  IncidentView,
  SeriesView,
  Overview,
  RecordView,
  StateAt,
} from "../../src/console/api.ts";
import { apiRoutes, type PageModel } from "../../src/console/api-routes.ts";
import { EventStreams } from "../../src/console/event-stream.ts";
import type { Fields } from "../../src/console/fields.ts";
import { fixture } from "../../src/console/fixture.ts";
import type { IdentityRules } from "../../src/console/identity.ts";
import { pageRoutes } from "../../src/console/page-routes.ts";
import { HostList } from "../../src/console/request-guard.ts";
import { json, problem, RouteTable, type Call, type Route } from "../../src/console/routes.ts";
import { sessionRoutes } from "../../src/console/session-routes.ts";
import { createToken, TokenBook } from "../../src/console/tokens.ts";
import { WebServer } from "../../src/console/web-server.ts";

export interface FixtureOptions {
  /** Who may read without a token. Default: loopback. */
  readonly anonymous?: "loopback" | "nobody";
}

const ACTION: Fields = {
  action: { type: "string", description: "", required: true },
  subject: { type: "string", description: "", required: true },
  weight: { type: "integer", description: "", nullable: true },
  deadlineMs: { type: "integer", description: "" },
  confirm: { type: "string", description: "" },
  reason: { type: "string", description: "" },
  override: { type: "string", description: "" },
};
const PAST_MS = 600_000;

export class FixtureServer {
  overview: Overview = fixture("small");
  /** Why the next confirmation comes too late. */
  conflict: string | undefined;
  /** What was confirmed, in order. */
  readonly confirmed: ActionConfirmation[] = [];
  readonly notes: string[] = [];
  /** The answer to a preview, made of the usual one. */
  previewed: (usual: ActionPreview) => ActionPreview = (usual) => usual;
  readonly token: string;
  #streams!: EventStreams;
  #server: Server | undefined;
  #port = 0;
  readonly #folder = mkdtempSync(join(tmpdir(), "nines-page-"));
  readonly #tokens: TokenBook;
  readonly #anonymous: "loopback" | "nobody";

  constructor({ anonymous = "loopback" }: FixtureOptions = {}) {
    const file = join(this.#folder, "tokens.json");
    this.token = createToken(file, { name: "ops", role: "operate" }, Date.now());
    this.#tokens = new TokenBook(file);
    this.#anonymous = anonymous;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async start(): Promise<void> {
    const rules = {
      tokens: this.#tokens,
      key: Buffer.alloc(32, 7),
      anonymous: this.#anonymous,
    };
    this.#streams = new EventStreams();
    const routes = new RouteTable([
      ...pageRoutes(),
      ...sessionRoutes(() => rules),
      ...apiRoutes(this.#model(rules)),
      ...this.#otherRoutes(),
      ...this.#orderRoutes(),
    ]);
    const web = new WebServer({
      routes: () => routes,
      hosts: () => new HostList([]),
      identity: () => rules,
      report: () => undefined,
    });
    this.#server = web.door({ isLocal: false });
    const server = this.#server;
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#streams.close();
    this.#server?.closeAllConnections();
    await new Promise<void>((resolve) => this.#server?.close(() => resolve()));
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true });
  }

  /** As when the group changes: whoever looks is told. */
  change(overview: Overview): void {
    this.overview = overview;
    this.#streams.show(overview);
  }

  tell(record: RecordView): void {
    this.#streams.tell(record);
  }

  #model(rules: IdentityRules): PageModel {
    return {
      node: () => this.overview.node,
      streams: this.#streams,
      identity: () => rules,
      overview: () => this.overview,
      records: ({ subject }) => {
        const { records } = this.overview;
        const isWanted = (one: RecordView): boolean =>
          subject === undefined || one.subject === subject;
        return { records: records.filter(isWanted) };
      },
      missed: () => [],
      stateAt: (atMs) => this.#past(atMs),
      unready: () => undefined,
      metrics: () => Promise.resolve(""),
      description: () => ({}),
    };
  }

  /** What other parts of the console answer. */
  #otherRoutes(): readonly Route[] {
    const read = { method: "GET", access: "read", summary: "", answers: "" } as const;
    return [
      {
        ...read,
        path: "/api/v1/series",
        query: {
          service: { type: "string", description: "" },
          pool: { type: "string", description: "" },
          server: { type: "string", description: "" },
          from: { type: "number", description: "" },
          to: { type: "number", description: "" },
        },
        handle: ({ query }) => json(measured(query)),
      },
      {
        ...read,
        path: "/api/v1/incidents",
        handle: () => json({ incidents: this.overview.incidents }),
      },
      {
        ...read,
        path: "/api/v1/incidents/{id}",
        handle: ({ params }) => {
          const found = this.overview.incidents.find(
            ({ id, node }) => `${id}@${node}` === params["id"],
          );
          return found === undefined
            ? problem(404, "not-found", `there is no incident ${params["id"]}`)
            : json(this.#annotated(found));
        },
      },
      {
        ...read,
        path: "/api/v1/drills",
        handle: () =>
          json({
            drills: [
              {
                name: "kill-vrrp",
                title: "the vrrp process is killed",
                faults: ["SIGKILL to the vrrp process"],
                radius: "this node: its addresses must go to another one",
              },
              {
                name: "power-off",
                title: "the master loses power",
                faults: ["nobody knows the way to 10.0.0.1"],
                radius: "this node: its addresses must go to another one",
                refused: "an incident is open: web-20261121T114746Z",
              },
            ],
          }),
      },
      {
        ...read,
        path: "/api/v1/drills/history",
        handle: () => json({ runs: this.overview.drills.recent }),
      },
    ];
  }

  #orderRoutes(): readonly Route[] {
    const write = { method: "POST", access: "operate", summary: "", answers: "" } as const;
    return [
      {
        ...write,
        path: "/api/v1/actions/preview",
        body: ACTION,
        handle: ({ body }) => json(this.previewed(usualPreview(body as unknown as ActionRequest))),
      },
      {
        ...write,
        path: "/api/v1/actions",
        body: ACTION,
        handle: ({ body }) => {
          this.confirmed.push(body as unknown as ActionConfirmation);
          const { conflict } = this;
          this.conflict = undefined;
          if (conflict !== undefined) return problem(409, "changed", conflict);
          const text = `${String(body["action"])} of ${String(body["subject"])} done`;
          return json({ done: true, sentence: { code: "action-done", args: {}, text } });
        },
      },
      {
        ...write,
        path: "/api/v1/incidents/{id}/annotations",
        body: { text: { type: "string", description: "", required: true } },
        handle: ({ body }) => {
          this.notes.push(String(body["text"]));
          return json({ done: true });
        },
      },
    ];
  }

  #annotated(incident: IncidentView): IncidentView {
    const added = this.notes.map((text) => ({ atMs: this.overview.nowMs, who: "ops", text }));
    return { ...incident, annotations: [...incident.annotations, ...added] };
  }

  /** Longer ago than ten minutes the first server was down. */
  #past(atMs: number): StateAt {
    const { verdict, holders, records, topology, nowMs } = this.overview;
    const isOld = nowMs - atMs > PAST_MS;
    const nodes = topology.nodes.map((node) =>
      isOld && node.id === "server web/web1"
        ? { ...node, state: "DOWN" as const, reason: "check failed: ECONNREFUSED, 3 of 3" }
        : node,
    );
    return { atMs, verdict, holders, records, topology: { ...topology, nodes } };
  }
}

/** One in ten requests fails; the other node did not answer. */
function measured({ service, pool, server, from, to }: Call["query"]): SeriesView {
  const frame = frameOf(Number(from), Number(to));
  const count = stepsOf(frame);
  const points = (value: number): readonly number[] => Array.from({ length: count }, () => value);
  const line = { good: points(9), bad: points(1), p50: points(2), p99: points(40) };
  return {
    subject: subjectOf({ service, pool, server }),
    ...frame,
    vantages: [{ vantage: "balancer", ...line }],
    missing: [{ node: "lb2", reason: "it does not answer" }],
  };
}

function subjectOf(named: Call["query"]): string {
  const [found] = Object.entries(named).filter(([, value]) => value !== undefined);
  return (found ?? []).join(" ");
}

function usualPreview(action: ActionRequest): ActionPreview {
  const { subject, weight } = action;
  const verb = { maintenance: "maint" }[action.action as string] ?? action.action;
  return {
    action,
    moves: [
      {
        code: "moves-away-drain",
        args: { server: subject, active: 3 },
        text: `3 requests of ${subject} may finish; no new ones come`,
      },
    ],
    left: [
      {
        code: "left-servers",
        args: { pool: "web", ready: 2, servers: 3 },
        text: "pool web has 2 servers left: web2, web3",
      },
    ],
    command: `nines pool ${verb} ${subject}${weight === undefined ? "" : ` ${String(weight)}`} --reason '…'`,
    confirm: `seen-${action.action}`,
    expiresMs: Date.now() + 60_000,
  };
}
