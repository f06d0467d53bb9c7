/** What the client is told when no attempt is left, and what the log says. */

import type { EndCause, EndPhase } from "./access-record.ts";

import { type Exchange, phaseOf } from "./exchange.ts";

export interface Failure {
  readonly status: number;
  readonly cause: EndCause;
  readonly phase: EndPhase;
  readonly reason: string;
}

/** Descriptors, memory or ports of this machine are used up: says nothing of any server. */
const OURS: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "EADDRNOTAVAIL",
]);

export function isOurs(reason: string): boolean {
  return OURS.has(reason);
}

export function notConnected(server: string, reason: string): Failure {
  if (isOurs(reason)) {
    return { status: 503, cause: "R", phase: "C", reason: `${server}: connect: ${reason} here` };
  }
  return { status: 502, cause: "S", phase: "C", reason: `${server}: connect: ${reason}` };
}

export function connectedTooLate(server: string, ms: number): Failure {
  return {
    status: 504,
    cause: "s",
    phase: "C",
    reason: `${server}: no connection within ${ms} ms`,
  };
}

export function answeredTooLate(server: string, ms: number): Failure {
  return { status: 504, cause: "s", phase: "H", reason: `${server}: no answer within ${ms} ms` };
}

export function lostBeforeAnswer(server: string, what: string): Failure {
  return { status: 502, cause: "S", phase: "H", reason: `${server}: ${what} before an answer` };
}

/** The client owes the rest of its request. */
export function bodyStopped(exchange: Exchange, ms: number): Failure {
  const phase = exchange.phase === "asked" ? "H" : phaseOf(exchange);
  return {
    status: 408,
    cause: "c",
    phase,
    reason: `${ms} ms without a byte of the request's body`,
  };
}

/** The server was taken away by a check or the operator. */
export function takenAway(reason: string): Failure {
  return { status: 502, cause: "D", phase: "H", reason };
}

/** The line is full, or somebody of a higher class has taken the place in it. */
export function refusedInLine(reason: string): Failure {
  return { status: 503, cause: "R", phase: "Q", reason };
}

/** No server had a place in time. */
export function waitedTooLong(ms: number): Failure {
  return { status: 503, cause: "s", phase: "Q", reason: `waited ${Math.round(ms)} ms in line` };
}

export function nobodyThere(reason: string): Failure {
  return { status: 503, cause: "S", phase: "C", reason };
}
