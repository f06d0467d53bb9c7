/**
 * Decides about each request: which route, which pool, or which answer of our own; then writes it
 * anew for a server and hands it over. Nothing of the client's own bytes goes any further.
 */

import { hashText } from "../balance/hash.ts";
import { sourceKey } from "../balance/source-key.ts";
import type { QueueClass } from "../balance/wait-queue.ts";
import { fieldNumber } from "../http/field-names.ts";
import { isText } from "../http/octets.ts";
import { refusal } from "../http/refusals.ts";
import { type MethodKind, RequestHead } from "../http/request-head.ts";
import { choosePool } from "../route/canary.ts";
import { lineSafe } from "../route/head-edits.ts";
import { drawFault } from "../route/fault-draw.ts";
import { shed } from "../route/load-shedding.ts";
import { RequestFacts } from "../route/request-facts.ts";
import type { Priority, RateLimit } from "../route/route-settings.ts";
import { accessText } from "./access-line.ts";
import { ACCESS_TEXTS, type EndCause } from "./access-record.ts";
import { findServer } from "./binding.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { Exchange } from "./exchange.ts";
import { countFinished } from "./exchange-traffic.ts";
import type { CompiledRoute, Frontend } from "./frontend.ts";
import type { FrontendSettings } from "./frontend-settings.ts";
import { errorPage, type OwnAnswer, textAnswer } from "./own-answer.ts";
import { RequestRelay } from "./request-relay.ts";
import { RequestWriter } from "./request-writer.ts";
import { COUNTERS } from "./traffic.ts";

const IDEMPOTENCY_KEY = fieldNumber("idempotency-key");
const UPGRADE = fieldNumber("upgrade");
const REFERER = fieldNumber("referer");
const USER_AGENT = fieldNumber("user-agent");
const CLASS_OF: Readonly<Record<Priority, QueueClass>> = {
  critical: 0,
  high: 1,
  normal: 2,
  low: 3,
};

export interface IntakeOptions {
  readonly pools: ReadonlyMap<string, Dispatcher>;
  readonly left: (client: ClientConnection) => void;
}

export class Intake {
  readonly relay: RequestRelay;
  readonly #parts: EngineParts;
  readonly #options: IntakeOptions;
  readonly #writer: RequestWriter;
  /** Of the request that is being decided upon. */
  readonly #facts = new RequestFacts(new RequestHead());
  #deciding: Exchange | undefined;

  constructor(parts: EngineParts, options: IntakeOptions) {
    this.#parts = parts;
    this.#options = options;
    this.relay = new RequestRelay(parts);
    this.#writer = new RequestWriter(parts);
    this.#facts.requestId = () => idOf(this.#deciding!);
  }

  /** The head is whole and can be read in one way only. It is valid during the call. */
  decide(exchange: Exchange, head: RequestHead): void {
    const client = exchange.client!;
    const { frontend } = client;
    const { settings } = frontend;
    const facts = this.#factsOf(client, head);
    learn(exchange, head);
    if (exchange.signsIn && frontend.forwarding.isProxy(facts.sender)) keepToItself(exchange);
    this.#deciding = exchange;
    this.#writer.identify(exchange, head);
    exchange.record.source = facts.source;
    if (settings.accessLog.format !== "off") keepTexts(exchange, head);
    const own = ownPath(settings, head);
    if (own !== undefined) return this.#tellOfUs(exchange, own);
    const tooLarge = bodyRefusal(settings, head);
    if (tooLarge !== undefined) {
      return this.#refuse(exchange, tooLarge.status, "P", tooLarge.text);
    }
    const route = frontend.match(facts);
    if (typeof route === "number") {
      return this.#refuse(exchange, route, "P", "too long for the pattern of a route");
    }
    exchange.record.route = route?.settings.name ?? "";
    const limited = this.#limit(exchange, route, facts);
    if (limited !== undefined) return this.#answer(exchange, limited);
    if (route !== undefined && route.settings.target.kind !== "pools") {
      return this.#answerByRoute(exchange, route, facts);
    }
    const pool = poolOf(frontend, route, facts.source);
    const dispatcher = pool === undefined ? undefined : this.#options.pools.get(pool);
    if (dispatcher === undefined) return this.#refuse(exchange, 404, "P", "no route takes it");
    this.#handOver(exchange, { route, facts, dispatcher });
  }

  /** The end of every exchange: it is counted and told. */
  finished(exchange: Exchange, frontend: Frontend): void {
    const { now, sinks } = this.#parts;
    const { record } = exchange;
    const { traffic } = frontend;
    record.totalMs = now - exchange.startedAt;
    if (exchange.placedAt >= 0) {
      const placed = exchange.attemptAt < 0 ? now : exchange.firstAttemptAt;
      record.queueMs = placed - exchange.placedAt;
    }
    if (exchange.connectedAt >= 0) record.connectMs = exchange.connectedAt - exchange.attemptAt;
    if (exchange.answeredAt >= 0) record.answerMs = exchange.answeredAt - exchange.sentAt;
    record.retries = exchange.retries;
    traffic.add(COUNTERS.inFlight, -1);
    if (record.status > 0) traffic.answered(record.status);
    if (record.cause === "C" || record.cause === "c") traffic.add(COUNTERS.clientAborts, 1);
    countFinished(traffic, exchange);
    const { accessLog } = frontend.settings;
    if (accessLog.format !== "off") sinks.access(record, accessLog);
  }

  /** Of a request that is refused for its head: the log shows what it asked for. */
  keepLine(exchange: Exchange, head: RequestHead): void {
    exchange.record.version = 10 + head.minor;
    const { accessLog } = exchange.client!.frontend.settings;
    if (accessLog.format !== "off") keepTexts(exchange, head);
  }

  left(client: ClientConnection): void {
    this.#parts.signedIn.left(client);
    this.#options.left(client);
  }

  #factsOf({ frontend, origin }: ClientConnection, head: RequestHead): RequestFacts {
    const facts = this.#facts;
    facts.clear();
    facts.head = head;
    facts.sender = origin.source;
    facts.scheme = origin.tls === undefined ? "http" : "https";
    facts.localPort = origin.localPort;
    facts.clientSubject = origin.tls?.clientSubject;
    // Rules are about the client, not about the proxy in front of us.
    facts.source = frontend.forwarding.clientOf(facts);
    return facts;
  }

  /** Liveness and readiness, for what stands in front of us. */
  #tellOfUs(exchange: Exchange, asked: OwnPath): void {
    if (asked === "health") this.#tell(exchange, 200, "alive\n");
    else if (this.#parts.isReady && !this.#parts.isDraining) this.#tell(exchange, 200, "ready\n");
    else this.#tell(exchange, 503, "draining\n");
  }

  #tell(exchange: Exchange, status: number, text: string): void {
    exchange.blame("L", "R", "");
    this.#answer(exchange, textAnswer(status, text, "text/plain; charset=utf-8"));
  }

  #limit(
    exchange: Exchange,
    route: CompiledRoute | undefined,
    facts: RequestFacts,
  ): OwnAnswer | undefined {
    const { frontend } = exchange.client!;
    const { rateLimit, priority = "normal" } = route?.settings ?? {};
    if (route?.limiter !== undefined && rateLimit !== undefined) {
      const waitMs = route.limiter.take(this.#parts.now, limitKey(rateLimit, facts));
      if (waitMs > 0) {
        frontend.traffic.add(COUNTERS.rateLimited, 1);
        exchange.blame("P", "R", `more than ${rateLimit.perSecond} requests a second`);
        const seconds = Math.ceil(waitMs / 1000);
        return { ...errorPage(429, idOf(exchange)), fields: `retry-after: ${seconds}\r\n` };
      }
    }
    const overload = this.#shed(frontend, priority);
    if (overload === undefined) return undefined;
    frontend.traffic.add(COUNTERS.shed, 1);
    exchange.blame("R", "R", overload);
    return errorPage(503, idOf(exchange));
  }

  /** Full load is the node's: what all workers serve. */
  #shed({ settings: { shedding } }: Frontend, priority: Priority): string | undefined {
    if (!shedding.enabled) return undefined;
    const { load } = this.#parts;
    const overload = shed(shedding, load.sum() - 1, priority);
    return overload && shed(shedding, load.recount() - 1, priority);
  }

  #answerByRoute(exchange: Exchange, route: CompiledRoute, facts: RequestFacts): void {
    const { settings, responseEdits: edits } = route;
    const { target } = settings;
    const added = edits.text(facts);
    exchange.blame("L", "R", "");
    if (target.kind === "redirect") {
      const place = edits.drops("location")
        ? ""
        : `location: ${lineSafe(route.location(facts))}\r\n`;
      const page = textAnswer(target.status, "", "text/plain");
      this.#answer(exchange, { ...page, fields: place + added, edits });
    } else if (target.kind === "respond") {
      const page = textAnswer(target.status, target.body, target.contentType);
      this.#answer(exchange, { ...page, fields: added, edits });
    }
  }

  #handOver(
    exchange: Exchange,
    {
      route,
      facts,
      dispatcher,
    }: { route: CompiledRoute | undefined; facts: RequestFacts; dispatcher: Dispatcher },
  ): void {
    const parts = this.#parts;
    const { head } = facts;
    exchange.dispatcher = dispatcher;
    exchange.record.pool = dispatcher.settings.name;
    exchange.route = route;
    exchange.queueClass = CLASS_OF[route?.settings.priority ?? "normal"];
    if (route !== undefined && route.responseEdits.writesFields) {
      exchange.answerFields = route.responseEdits.lines(facts);
    }
    findServer(exchange, facts, parts);
    if (!this.#writer.write(exchange, facts, head.targetTo - head.methodFrom + fieldBytes(head))) {
      return this.#refuse(exchange, 431, "P", "too large with what is added to it");
    }
    const { delayMs, abortStatus } = drawFault(route?.settings.fault, parts.prng);
    exchange.abortStatus = abortStatus;
    dispatcher.begin(exchange, delayMs);
  }

  #refuse(exchange: Exchange, status: number, cause: EndCause, reason: string): void {
    exchange.blame(cause, "R", reason);
    this.#answer(exchange, errorPage(status, idOf(exchange)));
  }

  #answer(exchange: Exchange, answer: OwnAnswer): void {
    exchange.client!.answer(answer);
  }
}

function idOf({ record }: Exchange): string {
  return accessText(record, ACCESS_TEXTS.requestId);
}

/** What must be known of the request after its head is gone. */
function learn(exchange: Exchange, head: RequestHead): void {
  const method = head.method;
  exchange.isHead = method === "HEAD";
  exchange.isIdempotent = isIdempotent(method) || head.has(IDEMPOTENCY_KEY);
  exchange.isVersion10 = head.minor === 0;
  exchange.isAmbiguous = head.ambiguous;
  exchange.signsIn = head.signsConnectionIn;
  exchange.keepAlive = head.keepAlive && !exchange.isLast;
  exchange.isFinalWord = !head.keepAlive && head.framing === "none";
  exchange.expectsContinue = head.expectContinue;
  exchange.requestChunked = head.framing === "chunked";
  exchange.record.version = 10 + head.minor;
  exchange.wantsUpgrade = head.upgrade && head.framing === "none" && !isHttp2(head);
}

/** Whose connection to the server would it be? A proxy asks for many. */
function keepToItself(exchange: Exchange): void {
  exchange.signsIn = false;
  exchange.isAmbiguous = true;
}

/** RFC 9110 9.2.2. */
function isIdempotent(method: MethodKind): boolean {
  return method !== "POST" && method !== "PATCH" && method !== "other";
}

/** HTTP/2 without TLS would turn the connection into something that nobody here reads. */
function isHttp2(head: RequestHead): boolean {
  return /\bh2c?\b/i.test(head.valueText(head.indexOf(UPGRADE)));
}

function keepTexts({ record }: Exchange, head: RequestHead): void {
  const { bytes } = head;
  record.keep(ACCESS_TEXTS.method, bytes, head.methodFrom, head.methodTo);
  record.keep(ACCESS_TEXTS.target, bytes, head.pathFrom, head.targetTo);
  record.keep(ACCESS_TEXTS.host, bytes, head.hostFrom, head.hostTo);
  const referer = head.indexOf(REFERER);
  const agent = head.indexOf(USER_AGENT);
  if (referer >= 0) {
    record.keep(ACCESS_TEXTS.referer, bytes, head.valueFrom(referer), head.valueTo(referer));
  }
  if (agent >= 0) {
    record.keep(ACCESS_TEXTS.userAgent, bytes, head.valueFrom(agent), head.valueTo(agent));
  }
}

/** Of a body whose length is told; one in chunks is counted as it comes. Undefined: it may come. */
export function bodyRefusal(
  { limits: { bodyBytes } }: FrontendSettings,
  head: RequestHead,
): ReturnType<typeof refusal> | undefined {
  const isTooLarge = bodyBytes > 0 && head.framing === "length" && head.length > bodyBytes;
  return isTooLarge ? refusal("body-too-large") : undefined;
}

type OwnPath = "health" | "ready";

/** Undefined: not a path that the balancer answers itself. */
export function ownPath(
  { healthPath, readyPath }: FrontendSettings,
  head: RequestHead,
): OwnPath | undefined {
  if (head.form !== "origin") return undefined;
  if (isPath(head, healthPath)) return "health";
  return isPath(head, readyPath) ? "ready" : undefined;
}

/** Without the query. "" is no path. */
function isPath(head: RequestHead, path: string): boolean {
  if (path === "" || head.pathTo - head.pathFrom !== path.length) return false;
  return isText(head.bytes, head.pathFrom, head.pathTo, path.toLowerCase());
}

function limitKey({ per }: RateLimit, facts: RequestFacts): string {
  if (per === "source") return facts.source;
  if (per === "route") return "";
  if ("prefix" in per) return sourceKey(per, facts.source);
  return facts.head.text(per.header.toLowerCase()) ?? "";
}

export function poolOf(
  frontend: Frontend,
  route: CompiledRoute | undefined,
  source: string,
): string | undefined {
  if (route === undefined) return frontend.settings.defaultPool;
  const { target } = route.settings;
  if (target.kind !== "pools") return undefined;
  const { pools } = target;
  return pools.length === 1 ? pools[0]!.pool : choosePool(pools, hashText(source));
}

/** Octets of all fields as they will be written. */
function fieldBytes(head: RequestHead): number {
  const last = head.count - 1;
  return last < 0 ? 0 : head.valueTo(last) - head.nameFrom(0) + 2 * head.count;
}
