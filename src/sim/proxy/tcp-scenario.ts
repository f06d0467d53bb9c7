/** What happens in one run of carried connections: plain data, and how a seed becomes one. */

import { Prng } from "../../lib/prng.ts";
import type { Pieces, WorldPlan } from "./scenario.ts";
import { drawFaults } from "./swarm.ts";

/** One end of a connection. Before its own bytes it says who it is, in `NAME_BYTES`. */
export interface SidePlan {
  readonly length: number;
  /** Before it says anything. */
  readonly pauseMs: number;
  /** Stops reading for so long after every piece. */
  readonly readPauseMs: number;
  readonly pieces: Pieces;
  /** `fin`: ends its half and reads on; `last`: when the other one has ended; `close`: both at once. */
  readonly ending: "fin" | "last" | "close";
  /** Breaks off when it has sent and read so many bytes; -1 = never. */
  readonly breaksAfter: number;
  readonly breaksBy: "reset" | "close" | "silence";
}

export interface TcpClientPlan extends SidePlan {
  readonly startMs: number;
}

export interface TcpServerPlan {
  readonly name: string;
  readonly maxConnections: number;
  /** What its first, second ... connection does; then from the beginning. */
  readonly connections: readonly SidePlan[];
}

export interface TcpScenario extends WorldPlan {
  readonly servers: readonly TcpServerPlan[];
  readonly clients: readonly TcpClientPlan[];
}

interface Mood {
  readonly breaks: boolean;
  readonly closes: boolean;
  readonly slow: boolean;
  readonly large: boolean;
  readonly full: boolean;
  readonly pieces: readonly Pieces[];
}

export function drawTcpScenario(seed: number): TcpScenario {
  const prng = new Prng(Math.imul(seed, 0x9e3779b1) ^ 0x7c90);
  const mood: Mood = {
    breaks: prng.chance(0.5),
    closes: prng.chance(0.3),
    slow: prng.chance(0.3),
    large: prng.chance(0.3),
    full: prng.chance(0.2),
    pieces: prng.pick<readonly Pieces[]>([["whole"], ["random"], ["bytes"], ["whole", "random"]]),
  };
  const servers = Array.from({ length: prng.pick([1, 2, 2, 3]) }, (_, i) => ({
    name: `s${i + 1}`,
    maxConnections: mood.full ? prng.pick([1, 2]) : 0,
    connections: Array.from({ length: prng.pick([1, 2, 3]) }, () => drawSide(prng, mood)),
  }));
  const clients = Array.from({ length: prng.pick([1, 2, 3, 5, 8]) }, () => ({
    ...drawSide(prng, mood),
    startMs: prng.between(0, 1500),
  }));
  const hasFaults = prng.chance(0.3);
  return {
    seed,
    servers,
    clients,
    faults: hasFaults ? drawFaults(prng, servers.length) : [],
    attempts: prng.pick([0, 1, 2, 2, 3]),
    bufferBytes: 65_536,
    queueLimit: mood.full ? prng.pick([0, 2, 100]) : 100,
    sticky: prng.pick(["none", "none", "table"]),
    sendProxy: prng.pick(["off", "off", "off", "v1", "v2"]),
    kernelBytes: prng.pick([0, 100, 4096, 65_536]),
    markBytes: prng.pick([1, 1000, 65_536]),
    delayMs: prng.pick([0, 0.1, 2]),
    drainAtMs: prng.chance(0.1) ? prng.between(0, 3000) : -1,
  };
}

function drawSide(prng: Prng, mood: Mood): SidePlan {
  const pieces = prng.pick(mood.pieces);
  const large = mood.large ? [100_000, 300_000] : [];
  const lengths = pieces === "bytes" ? [0, 1, 10, 300] : [0, 1, 10, 500, 5000, 20_000, ...large];
  return {
    length: prng.pick(lengths),
    pauseMs: prng.pick([0, 0, 1, 30, 1500]),
    readPauseMs: mood.slow && prng.chance(0.5) ? prng.between(1, 40) : 0,
    pieces,
    ending: mood.closes ? prng.pick(["fin", "last", "close"]) : prng.pick(["fin", "last"]),
    breaksAfter: mood.breaks && prng.chance(0.4) ? prng.pick([0, 3, prng.between(0, 600)]) : -1,
    breaksBy: prng.pick(["reset", "reset", "close", "silence"]),
  };
}

/** Nobody does anything that could cost a byte, and nobody waits for somebody who waits for him. */
export function isCalm(scenario: TcpScenario): boolean {
  const { clients, servers, faults, drainAtMs } = scenario;
  if (faults.length > 0 || drainAtMs >= 0 || servers.some((one) => one.maxConnections > 0)) {
    return false;
  }
  const connections = servers.flatMap((one) => one.connections);
  const waits = (sides: readonly SidePlan[]): boolean => sides.some((one) => one.ending === "last");
  if (waits(clients) && waits(connections)) return false;
  return [...clients, ...connections].every(
    ({ breaksAfter, ending, readPauseMs, pieces }) =>
      breaksAfter < 0 && ending !== "close" && (readPauseMs === 0 || pieces === "whole"),
  );
}
