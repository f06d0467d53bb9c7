/** Figures of an architecture replaced by what was measured. */

import {
  type Architecture,
  blocksOf,
  type FailoverCopies,
  mapBlocks,
  type Part,
} from "./architecture.ts";

/**
 * What incidents and drills said about one subject (a service, a pool, a server, an instance): the
 * input of `nines estimate --measured` and `--from-journal`. Absent: not measured.
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

/** A figure without an event stays as written. */
export function withMeasured(
  { name, system }: Architecture,
  measured: readonly MeasuredPart[],
): MeasuredArchitecture {
  const bySubject = new Map(measured.map((one) => [one.subject, one]));
  const used = new Map<string, Measurement>();
  const unfailing = new Map<string, MeasuredPart>();
  const note = (one: Measurement): number => {
    used.set(`${one.subject} ${one.figure}`, one);
    return one.measured;
  };
  const part = (written: Part): Part => {
    const { name: subject } = written;
    const found = sumOf(subject, subjectsOf(subject, written.measuredBy), bySubject);
    if (found === undefined) return written;
    const { failures: samples, downMs, observedMs } = found;
    if (samples === 0 || downMs <= 0 || downMs >= observedMs) {
      unfailing.set(subject, found);
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
  const group = (written: FailoverCopies): FailoverCopies => {
    const { name: subject, coverage, switchMs: writtenMs } = written;
    const found = sumOf(subject, subjectsOf(subject, written.measuredBy), bySubject);
    const { switches: samples = 0, covered = 0, switchMs } = found ?? {};
    if (samples === 0) return written;
    const share = covered / samples;
    const told = {
      subject,
      figure: "coverage",
      written: coverage,
      measured: share,
      samples,
    } as const;
    const changed = { ...written, coverage: note(told) };
    if (switchMs === undefined || covered === 0) return changed;
    const figure = { subject, figure: "switch", written: writtenMs, measured: switchMs } as const;
    return { ...changed, switchMs: note({ ...figure, samples: covered }) };
  };
  const changed = mapBlocks(system, (block) => {
    if (block.kind === "part") return { kind: "part", part: part(block.part) };
    return block.kind === "failover" ? group(block) : block;
  });
  return {
    architecture: { name, system: changed },
    used: [...used.values()],
    unfailing: [...unfailing.values()],
  };
}

/** Everything that figures are looked for under. */
export function measuredSubjects({ system }: Architecture): readonly string[] {
  const subjects = blocksOf(system).flatMap((block) => {
    if (block.kind === "part") return subjectsOf(block.part.name, block.part.measuredBy);
    return block.kind === "failover" ? subjectsOf(block.name, block.measuredBy) : [];
  });
  return [...new Set(subjects)];
}

function subjectsOf(name: string, measuredBy: readonly string[] | undefined): readonly string[] {
  return measuredBy ?? [name];
}

/** Undefined: none of them was watched. */
function sumOf(
  subject: string,
  subjects: readonly string[],
  measured: ReadonlyMap<string, MeasuredPart>,
): MeasuredPart | undefined {
  const found = subjects.flatMap((one) => measured.get(one) ?? []);
  if (found.length === 0) return undefined;
  const sum = (of: (one: MeasuredPart) => number): number =>
    found.reduce((all, one) => all + of(one), 0);
  const covered = sum((one) => one.covered ?? 0);
  const switchMs = sum((one) => (one.switchMs ?? 0) * (one.covered ?? 0)) / covered;
  return {
    subject,
    observedMs: sum((one) => one.observedMs),
    failures: sum((one) => one.failures),
    downMs: sum((one) => one.downMs),
    switches: sum((one) => one.switches ?? 0),
    covered,
    ...(found.some((one) => one.switchMs !== undefined) && covered > 0 ? { switchMs } : {}),
  };
}
