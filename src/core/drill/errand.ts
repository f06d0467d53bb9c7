/**
 * A drill that is asked for on another node: what is asked, and what comes back, a line of JSON each.
 * The node that is broken conducts it and judges by its own rules; who asks keeps the line warm.
 */

import { LONGEST_LAST_MS } from "./catalogue/drill-kind.ts";
import type { DrillPlan } from "./plan.ts";
import type { DrillResult } from "./result.ts";

/** The one who asks says something at least so often, ms. */
export const BEAT_EVERY_MS = 500;
/** After so much silence nobody is believed to be there, ms. */
export const SILENCE_MS = 4000;
/** A line is a plan with its commands at most. */
export const MAX_LINE = 1_048_576;

export interface Errand {
  readonly verb: "plan" | "run";
  /** Of the run; the same in the journals of both nodes. */
  readonly id: string;
  readonly drill: string;
  /** `POOL/SERVER`. */
  readonly server?: string;
  /** The fault lasts at least so long, ms. */
  readonly lastsMs?: number;
  /** Who asks, there, and why. */
  readonly who: string;
  readonly reason: string;
}

/** For whom a drill is done here. */
export interface Asked {
  /** The node that asks, by its certificate. */
  readonly node: string;
  readonly who: string;
  readonly reason: string;
}

export interface PlannedCommands {
  readonly says: string;
  readonly inject: readonly string[];
  readonly undo: readonly string[];
}

/** What is told on the way back; one of them. */
export interface ErrandWord {
  readonly planned?: {
    readonly plan: DrillPlan;
    readonly commands: readonly PlannedCommands[];
    /** Why it would not be run now; empty: it would. */
    readonly refusals: readonly string[];
  };
  /** It begins: what is promised there, and whether the line will break by it. */
  readonly plan?: DrillPlan;
  readonly step?: string;
  /** Not done, and why. */
  readonly refused?: readonly string[];
  readonly result?: DrillResult;
}

const MAX_TEXT = 500;

/** A sentence when it is none. It becomes the name of a file: nothing but words. */
export function readErrand(value: unknown): Errand | string {
  if (typeof value !== "object" || value === null) return "no errand was told";
  const errand = value as Partial<Record<keyof Errand, unknown>>;
  const { verb, id, drill, server, lastsMs, who, reason } = errand;
  if (verb !== "plan" && verb !== "run") return "an errand is `plan` or `run`";
  if (typeof id !== "string" || !/^[\w-]{8,64}$/u.test(id)) return "the errand has no number";
  if (!isText(drill) || !isText(who) || !isText(reason)) return "who, what and why must be told";
  if (server !== undefined && !isText(server)) return "a server is POOL/SERVER";
  if (lastsMs !== undefined && !isSpan(lastsMs)) return "a fault lasts 0 to 3,600,000 ms";
  return {
    verb,
    id,
    drill,
    who,
    reason,
    ...(server === undefined ? {} : { server }),
    ...(lastsMs === undefined ? {} : { lastsMs }),
  };
}

function isSpan(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= LONGEST_LAST_MS;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT && !/\p{Cc}/u.test(value);
}
