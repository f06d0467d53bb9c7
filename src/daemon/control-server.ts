/** Serves the control API (see `control-api.ts`) on a unix socket. Decides nothing. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { chmodSync } from "node:fs";
import { answerBalance, isBalanceRoute, type BalanceBackend } from "./balance-api.ts";
import type {
  Done,
  Failure,
  NodeStatus,
  Reloaded,
  ServiceFacts,
  TrafficLook,
  RenewedRole,
  Upgrading,
  Why,
} from "./control-api.ts";
import type { EventDraft, EventLog } from "./event-log.ts";
import { removeStaleSocket } from "./line-connection.ts";
import { formatMetrics } from "./metrics.ts";

/** Users at once; more are refused, so that a runaway script cannot exhaust descriptors. */
const MAX_CONNECTIONS = 64;
/** Events written at once to a follower; it gets more when it has read them. */
const BATCH = 256;

export interface ControlBackend {
  readonly events: EventLog;
  readonly balance: BalanceBackend;
  traffic(what: "services" | "servers"): Promise<TrafficLook>;
  /** Undefined before the first configuration. */
  service(): ServiceFacts | undefined;
  /** `histograms`: with all buckets of all latencies, for metrics. */
  status(histograms?: boolean): Promise<NodeStatus>;
  why(instance: string): Promise<Why | Failure>;
  handOver(instance: string): Promise<Done | Failure>;
  reload(): Promise<Reloaded>;
  upgrade(): Promise<Upgrading | Failure>;
  renewRoles(): Promise<readonly RenewedRole[]>;
}

/** Listens on `path`, mode 0600. The caller has made sure that nobody else does. */
export function serveControl(path: string, backend: ControlBackend): Promise<Server> {
  const server = createServer((request, response) => {
    answer(backend, request, response).catch((error: unknown) => {
      sendJson(response, 500, { error: `internal error: ${String(error)}` });
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    removeStaleSocket(path);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve(server);
    });
  });
}

async function answer(
  backend: ControlBackend,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = URL.parse(request.url ?? "/", "http://nines");
  if (url === null) return sendJson(response, 400, { error: "the request names no place" });
  const [, version, verb, subject] = url.pathname.split("/").map(decode);
  const balance = `${request.method} ${version === "v1" ? (verb ?? "") : ""}`;
  noteOrder(backend.events, request, response);
  if (isBalanceRoute(balance)) {
    const { code, body } = await answerBalance(backend.balance, balance, request);
    sendJson(response, code, body);
    return;
  }
  request.resume();
  const route = `${request.method} ${version === "v1" ? (verb ?? "") : url.pathname}`;
  switch (route) {
    case "GET /metrics": {
      response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
      response.end(formatMetrics(await backend.status(true)));
      return;
    }
    case "GET status":
      sendJson(response, 200, await backend.status());
      return;
    case "GET traffic":
      sendJson(response, 200, await backend.traffic(subject === "servers" ? subject : "services"));
      return;
    case "GET service":
      sendJson(response, 200, backend.service() ?? { error: "there is no configuration yet" });
      return;
    case "GET events":
      sendEvents(backend.events, url.searchParams, response);
      return;
    case "GET why":
      sendOutcome(response, await backend.why(subject ?? ""));
      return;
    case "POST handover":
      sendOutcome(response, await backend.handOver(subject ?? ""));
      return;
    case "POST reload": {
      const outcome = await backend.reload();
      sendJson(response, outcome.reloaded ? 200 : 422, outcome);
      return;
    }
    case "POST upgrade": {
      const outcome = await backend.upgrade();
      sendJson(response, "error" in outcome ? 422 : 200, outcome);
      return;
    }
    case "POST renew-roles":
      sendJson(response, 200, await backend.renewRoles());
      return;
    default:
      sendJson(response, 404, { error: `no such thing: ${request.method} ${url.pathname}` });
  }
}

/** Questions that are asked with a body. */
const ASKS: ReadonlySet<string> = new Set(["/v1/explain-request", "/v1/plan"]);
const MAX_WHO = 64;
/** Orders whose path does not say what they are for a reader. */
const ORDER_WORDS: Readonly<Record<string, string>> = {
  server: "an order to a server",
  apply: "another configuration",
  confirm: "the configuration to stay",
  "renew-roles": "fresh processes",
};

/** Who gives an order is in the journal before anything comes of it, and how it ended if not well. */
function noteOrder(events: EventLog, request: IncomingMessage, response: ServerResponse): void {
  const { method, url = "" } = request;
  if (method !== "POST" || ASKS.has(url)) return;
  const [, , verb = "", subject = ""] = url.split("/").map(decode);
  const who = String(request.headers["nines-who"] ?? "somebody").slice(0, MAX_WHO);
  const what = subject === "" ? (ORDER_WORDS[verb] ?? verb) : `${verb} ${subject}`;
  const add = (level: "info" | "warning", kind: EventDraft["kind"], reason: string): void =>
    events.add({ source: "operator", level, kind, instance: subject, reason, who });
  add("info", "operator-asked", `${who} asked for ${what} over the control socket`);
  response.once("finish", () => {
    const { statusCode } = response;
    if (statusCode < 400) return;
    add("warning", "operator-refused", `${what}, asked for by ${who}, was refused (${statusCode})`);
  });
}

/** A path segment; text that is no valid percent encoding stands for itself. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function sendEvents(events: EventLog, query: URLSearchParams, response: ServerResponse): void {
  const since = Number(query.get("since") ?? 0);
  if (!Number.isSafeInteger(since) || since < 0) {
    sendJson(response, 400, { error: "since must be the number of an event, 0 for all" });
    return;
  }
  response.setHeader("nines-life", events.life);
  const isOther = (query.get("life") ?? events.life) !== events.life;
  const from = isOther ? 0 : since;
  if (query.get("follow") === "1") streamEvents(events, from, response);
  else sendJson(response, 200, events.since(from));
}

/**
 * A follower is as fast as it reads: what it has not read yet is kept where all events are, and one
 * that is too slow for that misses the oldest, which their numbers tell it.
 */
function streamEvents(events: EventLog, since: number, response: ServerResponse): void {
  response.setHeader("content-type", "application/jsonl");
  response.flushHeaders();
  let sent = events.isFuture(since) ? 0 : since;
  let isWaiting = false;
  const pump = (): void => {
    isWaiting = false;
    while (!response.writableNeedDrain && !response.destroyed) {
      const batch = events.next(sent, BATCH);
      const last = batch.at(-1);
      if (last === undefined) return;
      sent = last.seq;
      response.write(batch.map((event) => `${JSON.stringify(event)}\n`).join(""));
    }
  };
  const stop = events.follow(() => {
    if (isWaiting || response.writableNeedDrain) return;
    isWaiting = true;
    setImmediate(pump);
  });
  response.on("drain", pump);
  response.once("close", stop);
  pump();
}

function sendOutcome(response: ServerResponse, outcome: Why | Done | Failure): void {
  sendJson(response, "error" in outcome ? 404 : 200, outcome);
}

function sendJson(response: ServerResponse, code: number, body: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(code, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}
