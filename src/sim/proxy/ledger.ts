/** What was really asked and delivered: the truth that the oracles hold the proxy to. */

import { isIdempotent, patternByte, type AnswerPlan, type RequestPlan } from "./scenario.ts";
import { ProxyViolation, type ProxyOracle } from "./violation.ts";

export interface Delivery {
  readonly server: string;
  readonly act: AnswerPlan;
  /** The request came whole. */
  complete: boolean;
  /** The last byte of a sound final answer was handed to the server's kernel. */
  answered: boolean;
}

/** As the client sees it. */
export type Outcome = "unsent" | "waiting" | "answered" | "cut" | "left";

export class Entry {
  readonly plan: RequestPlan;
  readonly deliveries: Delivery[] = [];
  outcome: Outcome = "unsent";
  /** Of the final answer; 0 = none. */
  status = 0;
  /** The answer came from a server, not from the proxy itself. */
  fromServer = false;
  /** The engine has logged it as answered, nothing amiss. */
  isLoggedWell = false;
  sentAt = 0;
  settledAt = 0;

  constructor(plan: RequestPlan) {
    this.plan = plan;
  }
}

export class Ledger {
  readonly entries: Map<string, Entry> = new Map();

  entry(id: string, oracle: ProxyOracle): Entry {
    const entry = this.entries.get(id);
    if (entry === undefined) throw new ProxyViolation(oracle, `nobody sent a request '${id}'`);
    return entry;
  }

  /** A server has read the head of a request. */
  delivered(id: string, server: string): Delivery {
    const { plan, deliveries } = this.entry(id, "request-bytes");
    const act = plan.answers[Math.min(deliveries.length, plan.answers.length - 1)];
    if (act === undefined) throw new Error(`request ${id} has no plan of an answer`);
    const delivery = { server, act, complete: false, answered: false };
    deliveries.push(delivery);
    if (deliveries.length > 1 && !isIdempotent(plan)) {
      const servers = deliveries.map((d) => d.server).join(" and ");
      throw new ProxyViolation("delivered-twice", `${plan.method} ${id} reached ${servers}`);
    }
    return delivery;
  }
}

/** Compares the bytes of a body with what they must be at `offset`. */
export function checkPattern(
  key: number,
  offset: number,
  piece: Uint8Array,
  fail: (at: number) => ProxyViolation,
): void {
  for (let i = 0; i < piece.length; i++) {
    if (piece[i] !== patternByte(key, offset + i)) throw fail(offset + i);
  }
}
