/** Figures of an architecture replaced by what was measured. */

import { type Architecture, mapBlocks, type Part } from "./architecture.ts";

/**
 * What incidents and drills said about one subject (a service, a pool, a server, an instance): the
 * input of `nines estimate --measured`. Absent: not measured.
 */
export interface MeasuredPart {
  readonly subject: string;
  /** How long it was watched. */
  readonly observedMs: number;
  readonly failures: number;
  /** Sum of the times from failure to service. */
  readonly downMs: number;
  /** Failures of the serving copy that a switch should have answered: incidents and drills. */
  readonly switches?: number;
  /** Those that it answered by itself. */
  readonly covered?: number;
  /** Mean of these. */
  readonly switchMs?: number;
}

export interface Measurement {
  readonly subject: string;
  readonly figure: "mttf" | "mttr" | "coverage" | "switch";
  readonly written: number;
  readonly measured: number;
  /** Events behind it. */
  readonly samples: number;
}

export interface MeasuredArchitecture {
  readonly architecture: Architecture;
  /** What took the place of what. */
  readonly used: readonly Measurement[];
  /** Subjects that were watched and never failed: what the file says stays. */
  readonly unfailing: readonly MeasuredPart[];
}

/** Below that, chance says more than the mean; told with the figure. */
export const FEW_SAMPLES = 5;

/** Parts and groups are found by name. A figure without an event stays as written. */
export function withMeasured(
  { name, system }: Architecture,
  measured: readonly MeasuredPart[],
): MeasuredArchitecture {
  const bySubject = new Map(measured.map((one) => [one.subject, one]));
  const used = new Map<string, Measurement>();
  const unfailing = new Set<MeasuredPart>();
  const note = (one: Measurement): number => {
    used.set(`${one.subject} ${one.figure}`, one);
    return one.measured;
  };
  const part = (written: Part): Part => {
    const found = bySubject.get(written.name);
    if (found === undefined) return written;
    const { subject, failures: samples, downMs, observedMs } = found;
    if (samples === 0 || downMs <= 0 || downMs >= observedMs) {
      unfailing.add(found);
      return written;
    }
    const mttf = (observedMs - downMs) / samples;
    const mttr = downMs / samples;
    return {
      ...written,
      mttfMs: note({ subject, figure: "mttf", written: written.mttfMs, measured: mttf, samples }),
      mttrMs: note({ subject, figure: "mttr", written: written.mttrMs, measured: mttr, samples }),
    };
  };
  const changed = mapBlocks(system, (block) => {
    if (block.kind === "part") return { kind: "part", part: part(block.part) };
    const found = block.kind === "failover" ? bySubject.get(block.name) : undefined;
    if (block.kind !== "failover" || found === undefined) return block;
    const { subject, switches: samples = 0, covered = 0, switchMs } = found;
    if (samples === 0) return block;
    const share = covered / samples;
    const base = { subject, samples };
    return {
      ...block,
      coverage: note({ ...base, figure: "coverage", written: block.coverage, measured: share }),
      ...(switchMs === undefined
        ? {}
        : {
            switchMs: note({
              ...base,
              figure: "switch",
              written: block.switchMs,
              measured: switchMs,
            }),
          }),
    };
  });
  return {
    architecture: { name, system: changed },
    used: [...used.values()],
    unfailing: [...unfailing],
  };
}
