/** Version, priority, intervals and preemption of an instance, and how they limit each other. */

import type { Family, InstanceSettings } from "../../../core/vrrp/settings.ts";
import type { Block } from "../block.ts";
import type { Context } from "./context.ts";

export type Timing = Pick<
  InstanceSettings,
  | "version"
  | "alsoVersion2"
  | "priority"
  | "advertIntervalMs"
  | "startAsMaster"
  | "preempt"
  | "preemptDelayMs"
  | "downTimerAdverts"
>;

export interface TimingFacts {
  readonly globals: Block;
  readonly family: Family;
  readonly strict: boolean;
}

const OWNER = 255;
const STANDARD = 100;
/** 12 bits of centiseconds, RFC 9568 section 5.2.7. */
const LONGEST_V3_MS = 40_950;

export function readTiming(block: Block, facts: TimingFacts, context: Context): Timing {
  const version = readVersion(block, facts, context);
  const priority = block.number("priority") ?? standardPriority(block, context);
  const also = readAlsoVersion2(block, { ...facts, version }, context);
  const startAsMaster = readState(block, priority, facts, context);
  const preempt = readPreempt(block, priority, startAsMaster, context);
  return {
    version,
    ...(also ? { alsoVersion2: true } : {}),
    priority,
    // Version 2 counts whole seconds, also beside version 3.
    advertIntervalMs: readInterval(block, also ? 2 : version, context),
    startAsMaster,
    preempt,
    preemptDelayMs: readPreemptDelay(block, { preempt, startAsMaster, ...facts }, context),
    downTimerAdverts: readDownTimerAdverts(block, facts),
  };
}

/** RFC 5798 section 6.1 knows no other number than three. */
function readDownTimerAdverts(block: Block, { strict, globals }: TimingFacts): number {
  const own = block.number("down_timer_adverts") ?? globals.number("vrrp_down_timer_adverts");
  return strict ? 3 : (own ?? 3);
}

/** As keepalived's: who says MASTER and no number is the owner of the addresses. */
function standardPriority(block: Block, context: Context): number {
  if (block.text("state") !== "MASTER") return STANDARD;
  const reason = "state MASTER without a priority means 255: weights and nopreempt have no effect";
  const next = "write priority, e.g. 150, and a lower one on the other nodes";
  context.findings.warn(block.at("state"), reason, next);
  return OWNER;
}

function readVersion(block: Block, facts: TimingFacts, context: Context): 2 | 3 {
  const own = block.text("version");
  if (facts.family === "ipv6") {
    if (own === "2") {
      const reason = "IPv6 needs VRRP version 3: version 3 is used";
      context.findings.warn(block.valueAt("version"), reason, "write: version 3");
    }
    return 3;
  }
  return (own ?? facts.globals.text("vrrp_version")) === "3" ? 3 : 2;
}

function readAlsoVersion2(
  block: Block,
  { family, version }: TimingFacts & { readonly version: 2 | 3 },
  context: Context,
): boolean {
  if (!block.has("also_version_2")) return false;
  const at = block.at("also_version_2");
  const { findings } = context;
  if (family === "ipv6") findings.error(at, "version 2 knows no IPv6", "remove also_version_2");
  else if (version === 2) {
    const next = "write: version 3";
    findings.error(at, "also_version_2 adds version 2 to version 3, but the version is 2", next);
  } else if (block.has("auth_hmac")) {
    const next = "change the version first, then bring in auth_hmac";
    findings.error(at, "version 2 has no auth_hmac", next);
  } else return true;
  return false;
}

function readInterval(block: Block, version: 2 | 3, context: Context): number {
  const written = block.number("advert_int");
  if (written === undefined) return 1000;
  const at = block.valueAt("advert_int");
  const { findings } = context;
  if (version === 2) {
    if (written % 1000 === 0) return written;
    const rounded = Math.max(1, Math.round(written / 1000)) * 1000;
    const reason = `version 2 counts whole seconds: ${rounded / 1000} s is used`;
    const next = block.has("also_version_2")
      ? "remove also_version_2 when all nodes speak version 3"
      : "set version to 3 in this instance on all its nodes";
    findings.warn(at, reason, next);
    return rounded;
  }
  if (written > LONGEST_V3_MS) {
    const next = "write 0.01 to 40.95, or use version 2";
    findings.error(at, `advert_int ${written / 1000} is too long for version 3`, next);
  }
  const rounded = Math.max(10, Math.round(written / 10) * 10);
  if (rounded !== written) {
    const reason = `version 3 counts hundredths of a second: ${rounded / 1000} s is used`;
    findings.warn(at, reason, "write at most two digits after the point");
  }
  return Math.min(rounded, LONGEST_V3_MS);
}

function readState(block: Block, priority: number, facts: TimingFacts, context: Context): boolean {
  const master = block.text("state") === "MASTER";
  const owner = priority === OWNER;
  if (!facts.strict || master === owner || !block.has("state")) return master;
  const reason = `strict mode wants state MASTER exactly when priority is 255: ${owner ? "MASTER" : "BACKUP"} is used`;
  context.findings.warn(block.at("state"), reason, "correct the state or the priority");
  return owner;
}

function readPreempt(block: Block, priority: number, master: boolean, context: Context): boolean {
  if (!block.has("nopreempt")) return true;
  const at = block.at("nopreempt");
  if (master) {
    const reason = "nopreempt has no effect with state MASTER";
    context.findings.warn(at, reason, "write state BACKUP on all nodes");
    return true;
  }
  if (priority === OWNER) {
    const reason = "nopreempt has no effect with priority 255: the owner always takes over";
    context.findings.warn(at, reason, "use a priority below 255");
    return true;
  }
  return false;
}

function readPreemptDelay(
  block: Block,
  facts: { preempt: boolean; startAsMaster: boolean; strict: boolean },
  context: Context,
): number {
  const delay = block.number("preempt_delay") ?? 0;
  if (delay === 0 || facts.strict) return 0;
  const at = block.at("preempt_delay");
  if (facts.startAsMaster) {
    const reason = "preempt_delay has no effect with state MASTER";
    context.findings.warn(at, reason, "write state BACKUP");
    return 0;
  }
  if (!facts.preempt) {
    context.findings.warn(at, "preempt_delay has no effect with nopreempt", "remove one of them");
    return 0;
  }
  return delay;
}
