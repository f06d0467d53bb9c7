/** Performs one experiment before the eyes of a client, and tells it line by line. */

import { monotonicMs } from "../../drivers/clock.ts";
import { formatDuration } from "../../lib/duration.ts";
import { startHttpProbe, type Probe } from "../probe.ts";
import { measureOutage, summarize, type Outage } from "../../core/drill/probe-record.ts";
import { pause } from "../wait.ts";
import type { Experiment } from "./experiments.ts";
import { VIRTUAL_ADDRESS, type Stage } from "./stage.ts";
import { eventLine, EventReader, type ToldEvent } from "./told-events.ts";

/** A thousand requests a second. */
const PROBE_INTERVAL_MS = 1;
const CALM_BEFORE_MS = 500;

export interface Result {
  readonly experiment: Experiment;
  readonly requests: number;
  readonly failed: number;
  readonly outageMs: number;
  readonly taker: string;
  /** Why the taker took over, in Nines' own words. */
  readonly why: string;
  /** What broke the promise; undefined = it was kept. */
  readonly broken: string | undefined;
}

export type Tell = (line: string) => void;

export async function perform(stage: Stage, experiment: Experiment, tell: Tell): Promise<Result> {
  await stage.reset(experiment.variant);
  await experiment.before?.(stage);
  const probe = await startHttpProbe(stage.client, VIRTUAL_ADDRESS, {
    intervalMs: PROBE_INTERVAL_MS,
  });
  await probe.untilAnswered();
  await pause(CALM_BEFORE_MS);
  const events = await EventReader.open(stage);
  const faultMs = monotonicMs();
  const undo = await experiment.act(stage);
  try {
    await experiment.until(stage);
    await pause(experiment.watchMs);
    const told = await events.news();
    for (const line of told.map(eventLine)) if (line !== undefined) tell(line);
    const wrong = await experiment.check?.(stage);
    return await conclude({ experiment, probe, faultMs, told, wrong });
  } finally {
    await undo();
  }
}

interface Ending {
  readonly experiment: Experiment;
  readonly probe: Probe;
  readonly faultMs: number;
  readonly told: readonly ToldEvent[];
  readonly wrong: string | undefined;
}

async function conclude(ending: Ending): Promise<Result> {
  const { experiment, probe, faultMs, told, wrong } = ending;
  const record = await probe.stop();
  const outage = measureOutage(record, faultMs);
  const { sent } = summarize(record);
  const taker = outage.after ?? "nobody";
  const takeOver = told.findLast((t) => t.event.to === "MASTER" && t.server === taker);
  return {
    experiment,
    requests: sent,
    failed: outage.lost,
    outageMs: outage.outageMs,
    taker,
    why: takeOver?.event.reason ?? "it had the address all the time",
    broken: wrong ?? brokenPromise(experiment, outage),
  };
}

function brokenPromise(experiment: Experiment, outage: Outage): string | undefined {
  const { longestOutageMs, taker } = experiment.promise;
  if (taker !== undefined && outage.after !== taker)
    return `${outage.after ?? "nobody"} answers, not ${taker}`;
  if (outage.outageMs <= longestOutageMs) return undefined;
  const longest = formatDuration(longestOutageMs);
  return `out for ${formatDuration(outage.outageMs)}, longer than ${longest}`;
}
