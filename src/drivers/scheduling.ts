/**
 * How the kernel treats this process: the `vrrp` role must send its adverts in time beside any
 * load. Nothing here throws; each step says whether it was permitted, and the role runs on.
 *
 * Only the calling thread (the event loop) becomes real-time: V8's helper threads compile and
 * collect at normal priority. No mlockall: V8 reserves more memory than it uses, and aborts when
 * the pages must be there.
 */

import { readFileSync, writeFileSync } from "node:fs";
import * as ffi from "./ffi.ts";

const SCHED_OTHER = 0;
const SCHED_RR = 2;
/** Children and threads made from now on start with normal scheduling. */
const SCHED_RESET_ON_FORK = 0x4000_0000;
const RLIMIT_RTTIME = 15;
/** Bits in the affinity mask handed to the kernel. */
const MAX_CPUS = 1024;

export interface SchedulingSettings {
  /** SCHED_RR priority, 1-99. Absent = stay normal. */
  readonly realtimePriority?: number;
  /**
   * The kernel ends the process (SIGXCPU) when its real-time thread ran this long without once
   * waiting, ms: a runaway loop must not take the machine. Granularity is the timer tick.
   */
  readonly realtimeLimitMs?: number;
  /** CPUs for the event loop. Absent = all. */
  readonly cpus?: readonly number[];
  /** -1000 (never killed for memory) to 1000. */
  readonly oomScoreAdjust?: number;
}

export interface SchedulingStep {
  readonly what: "realtime" | "realtime limit" | "cpu affinity" | "oom score";
  readonly applied: boolean;
  /** One sentence for the log: what was set, or why it was not and what permits it. */
  readonly reason: string;
}

/** Applies what is set, in an order in which the limit holds before the priority is raised. */
export function applyScheduling(settings: SchedulingSettings): SchedulingStep[] {
  const steps: SchedulingStep[] = [];
  const { realtimePriority, realtimeLimitMs, cpus, oomScoreAdjust } = settings;
  if (realtimeLimitMs !== undefined) steps.push(limitRealtime(realtimeLimitMs));
  if (realtimePriority !== undefined) steps.push(makeRealtime(realtimePriority));
  if (cpus !== undefined) steps.push(pinTo(cpus));
  if (oomScoreAdjust !== undefined) steps.push(adjustOomScore(oomScoreAdjust));
  return steps;
}

/** Whether the calling thread is real-time now. */
export function isRealtime(): boolean {
  const policy = ffi.schedGetscheduler(0) & ~SCHED_RESET_ON_FORK;
  return policy === SCHED_RR || policy === 1;
}

/** Another process is no longer real-time, if that is permitted. */
export function makeOrdinary(pid: number): void {
  ffi.schedSetscheduler(pid, SCHED_OTHER, 0);
}

function makeRealtime(priority: number): SchedulingStep {
  const result = ffi.schedSetscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, priority);
  if (result === 0) {
    const reason = `real-time round robin at priority ${priority}`;
    return { what: "realtime", applied: true, reason };
  }
  const needs = "needs CAP_SYS_NICE or RLIMIT_RTPRIO, and real-time budget in its CPU cgroup";
  return refused("realtime", `sched_setscheduler to ${priority}`, { result, needs });
}

function limitRealtime(limitMs: number): SchedulingStep {
  const softUs = Math.ceil(limitMs * 1000);
  // SIGKILL at the hard limit, should SIGXCPU be blocked: half as much again later.
  const result = ffi.setrlimit(RLIMIT_RTTIME, softUs, Math.ceil(softUs * 1.5));
  if (result === 0) {
    const reason = `ended by the kernel after ${limitMs} ms of uninterrupted running`;
    return { what: "realtime limit", applied: true, reason };
  }
  const needs = "the hard limit that was inherited is lower";
  return refused("realtime limit", `setrlimit RLIMIT_RTTIME to ${limitMs} ms`, { result, needs });
}

function pinTo(cpus: readonly number[]): SchedulingStep {
  const mask = new Uint8Array(MAX_CPUS / 8);
  for (const cpu of cpus) mask[cpu >> 3] = mask[cpu >> 3]! | (1 << (cpu & 7));
  const result = ffi.schedSetaffinity(0, mask);
  const name = cpus.join(", ");
  if (result === 0) return { what: "cpu affinity", applied: true, reason: `runs on CPU ${name}` };
  const needs = "at least one of them must exist and be allowed by the cpuset";
  return refused("cpu affinity", `sched_setaffinity to CPU ${name}`, { result, needs });
}

function adjustOomScore(adjust: number): SchedulingStep {
  const path = "/proc/self/oom_score_adj";
  try {
    writeFileSync(path, String(adjust));
    const now = readFileSync(path, "utf8").trim();
    return { what: "oom score", applied: true, reason: `oom_score_adj is ${now}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const reason = `${path}: ${why} (below the inherited value it needs CAP_SYS_RESOURCE)`;
    return { what: "oom score", applied: false, reason };
  }
}

function refused(
  what: SchedulingStep["what"],
  call: string,
  why: { readonly result: number; readonly needs: string },
): SchedulingStep {
  const { message } = ffi.osFailure(call, why.result);
  return { what, applied: false, reason: `${message} (${why.needs})` };
}
