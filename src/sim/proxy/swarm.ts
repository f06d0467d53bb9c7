/**
 * A seed becomes a scenario. Each seed switches most features and faults off and a few on: bugs
 * hide where one fault masks another.
 */

import { Prng } from "../../lib/prng.ts";
import type {
  AnswerFault,
  AnswerPlan,
  ClientPlan,
  HostFault,
  Pieces,
  ProxyScenario,
  RequestPlan,
  ServerPlan,
} from "./scenario.ts";

/** Which features this seed has. */
interface Mood {
  readonly answerFaults: boolean;
  readonly hostFaults: boolean;
  readonly rudeClients: boolean;
  readonly slowReaders: boolean;
  readonly pipelining: boolean;
  readonly upgrades: boolean;
  readonly expects: boolean;
  readonly old: boolean;
  readonly early: boolean;
  readonly closers: boolean;
  readonly large: boolean;
  readonly pieces: readonly Pieces[];
}

export function drawScenario(seed: number): ProxyScenario {
  const prng = new Prng(Math.imul(seed, 0x9e3779b1) ^ 0x90a7);
  const mood: Mood = {
    answerFaults: prng.chance(0.5),
    hostFaults: prng.chance(0.3),
    rudeClients: prng.chance(0.3),
    slowReaders: prng.chance(0.25),
    pipelining: prng.chance(0.3),
    upgrades: prng.chance(0.2),
    expects: prng.chance(0.3),
    old: prng.chance(0.25),
    early: prng.chance(0.25),
    closers: prng.chance(0.4),
    large: prng.chance(0.25),
    pieces: prng.pick<readonly Pieces[]>([["whole"], ["random"], ["bytes"], ["whole", "random"]]),
  };
  const servers = Array.from({ length: prng.pick([1, 2, 2, 3, 4]) }, (_, i) =>
    drawServer(prng, mood, i),
  );
  const clients = Array.from({ length: prng.pick([1, 1, 2, 3, 5, 8]) }, (_, i) =>
    drawClient(prng, mood, i),
  );
  const draining = prng.chance(0.1);
  return {
    seed,
    servers,
    clients,
    faults: mood.hostFaults ? drawFaults(prng, servers.length) : [],
    attempts: prng.pick([0, 1, 2, 2, 3]),
    bufferBytes: prng.pick([0, 1000, 65536, 65536]),
    queueLimit: prng.pick([0, 2, 100, 100]),
    sticky: prng.pick(["none", "none", "insert", "table"]),
    sendProxy: prng.pick(["off", "off", "off", "off", "v1", "v2"]),
    kernelBytes: prng.pick([0, 100, 4096, 65536]),
    markBytes: prng.pick([1, 1000, 65536]),
    delayMs: prng.pick([0, 0.1, 2]),
    drainAtMs: draining ? prng.between(0, 3000) : -1,
  };
}

function drawServer(prng: Prng, mood: Mood, index: number): ServerPlan {
  return {
    name: `s${index + 1}`,
    maxConnections: prng.pick([0, 0, 0, 1, 2]),
    keepAliveMs: mood.closers ? prng.pick([1, 50, 1000, 3000]) : 60_000,
    tellsTimeout: prng.chance(0.5),
    pieces: prng.pick(mood.pieces),
  };
}

function drawClient(prng: Prng, mood: Mood, index: number): ClientPlan {
  const pieces = prng.pick(mood.pieces);
  const count = prng.pick([1, 1, 2, 3, 6]);
  const rude = mood.rudeClients && prng.chance(0.6);
  return {
    startMs: prng.between(0, 1500),
    requests: Array.from({ length: count }, (_, i) =>
      drawRequest(prng, { mood, pieces, id: `c${index + 1}.${i + 1}`, last: i === count - 1 }),
    ),
    pieces,
    readPauseMs: mood.slowReaders && prng.chance(0.5) ? prng.between(1, 40) : 0,
    leavesAfterSent: rude && prng.chance(0.5) ? prng.between(0, 600) : -1,
    leavesAfterRead: rude && prng.chance(0.5) ? prng.between(0, 800) : -1,
    leavesBy: prng.pick(["reset", "destroy", "end"]),
  };
}

interface RequestContext {
  readonly mood: Mood;
  readonly pieces: Pieces;
  readonly id: string;
  readonly last: boolean;
}

function drawRequest(prng: Prng, context: RequestContext): RequestPlan {
  const { mood, id, last } = context;
  const method = prng.pick(["GET", "GET", "GET", "HEAD", "PUT", "POST", "POST", "DELETE"] as const);
  const version = mood.old && prng.chance(0.4) ? "1.0" : "1.1";
  const hasBody = method === "PUT" || method === "POST";
  const upgrade = mood.upgrades && last && method === "GET" && version === "1.1";
  const bodyLength = hasBody ? drawLength(prng, context) : 0;
  return {
    id,
    method,
    version,
    bodyLength,
    bodyFraming: version === "1.1" && prng.chance(0.4) ? "chunked" : "length",
    expectContinue: mood.expects && bodyLength > 0 && version === "1.1" && prng.chance(0.6),
    close: last && prng.chance(0.3),
    keepAlive10: version === "1.0" && prng.chance(0.6),
    upgrade,
    idempotencyKey: method === "POST" && prng.chance(0.3),
    pipelined: mood.pipelining && prng.chance(0.7),
    pauseMs: prng.pick([0, 0, 0, 1, 30, 1500]),
    answers: drawAnswers(prng, context),
  };
}

function drawLength(prng: Prng, { mood, pieces }: RequestContext): number {
  if (pieces === "bytes") return prng.pick([0, 1, 10, 300]);
  const large = mood.large ? [100_000, 300_000] : [];
  return prng.pick([0, 1, 10, 500, 5000, 20_000, ...large]);
}

/** A few that fail, then a good one. */
function drawAnswers(prng: Prng, context: RequestContext): AnswerPlan[] {
  const good = drawAnswer(prng, context);
  if (!context.mood.answerFaults || prng.chance(0.5)) return [good];
  const bad = Array.from({ length: prng.pick([1, 1, 2]) }, () => drawBadAnswer(prng, context));
  return [...bad, prng.chance(0.1) ? { ...good, status: 503 } : good];
}

function drawAnswer(prng: Prng, context: RequestContext): AnswerPlan {
  const { mood } = context;
  const status = prng.pick([200, 200, 200, 200, 204, 304, 404, 500]);
  const old = mood.old && prng.chance(0.2);
  return {
    status,
    bodyLength: status === 204 || status === 304 ? 0 : drawLength(prng, context),
    framing: prng.pick(["length", "length", "chunked", "close"]),
    version: old ? "1.0" : "1.1",
    closes: mood.closers ? prng.pick(["no", "announced", "silent"]) : "no",
    when: mood.early && prng.chance(0.4) ? "early" : "complete",
    hints: prng.chance(0.1) ? prng.between(1, 3) : 0,
    trailers: prng.chance(0.3),
    delayMs: prng.pick([0, 0, 1, 40, 300]),
    fault: { kind: "none" },
  };
}

function drawBadAnswer(prng: Prng, context: RequestContext): AnswerPlan {
  const answer = drawAnswer(prng, context);
  if (prng.chance(0.8)) return { ...answer, fault: drawFault(prng) };
  // Within a body without a length only the manner of the end tells that it is not whole.
  const [at, afterMs] = [prng.between(300, 600), prng.pick([5, 50])];
  const fault = { kind: "cut", at, how: "reset", afterMs } as const;
  return { ...answer, status: 200, framing: "close", bodyLength: 500, hints: 0, fault };
}

function drawFault(prng: Prng): AnswerFault {
  const how = prng.pick(["reset", "end", "end", "silence"] as const);
  return prng.pick<AnswerFault>([
    { kind: "cut", at: 0, how },
    { kind: "cut", at: prng.between(0, 30), how },
    { kind: "cut", at: prng.between(0, 400), how },
    { kind: "reset-at-request" },
    { kind: "extra" },
    { kind: "garbage" },
  ]);
}

export function drawFaults(prng: Prng, servers: number): HostFault[] {
  const kinds = ["refuse", "swallow", "die", "down", "drain", "maint", "remove"] as const;
  return Array.from({ length: prng.between(1, 3) }, () => ({
    server: prng.between(0, servers - 1),
    atMs: prng.between(0, 3000),
    durationMs: prng.between(1, 3000),
    kind: prng.pick(kinds),
  }));
}
