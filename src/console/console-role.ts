/**
 * The console role: memory and face of a node. It follows control, keeps the journal, and carries the
 * parts that are listed here. Neither addresses nor requests need it: it may die, hang or be switched
 * off, and goes on where the journal ended.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { getPriority, hostname, setPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULT_BOUNDS } from "../core/journal/retention.ts";
import type { RecordDraft } from "../core/journal/record.ts";
import { onBeat } from "../drivers/beat.ts";
import { journalPath } from "../drivers/journal-database.ts";
import type { LoggedEvent } from "../daemon/control-api.ts";
import type { RolePlaces } from "../daemon/role.ts";
import { keepShowingLife } from "../daemon/role-spawn.ts";
import type { ConsoleCore, ConsolePart, RunningPart } from "./console-core.ts";
import { ControlWatch } from "./control-watch.ts";
import { DRILLS } from "./drill-part.ts";
import { Journal } from "./journal.ts";
import { LEDGER } from "./ledger-part.ts";
import { Measures } from "./measure.ts";
import { PAGE } from "./page-part.ts";
import { PROBES } from "./probe-intake.ts";
import { RecordFeed } from "./record-feed.ts";

/** What runs in this process beside the journal; each in a file of its own. */
const PARTS: readonly ConsolePart[] = [LEDGER, PROBES, DRILLS, PAGE];

/** A third of the share of processor time that others get: much less and it would miss events. */
const NICER = 5;
const MOST_NICE = 19;

const LOOK_FOR_HOME_MS = 5_000;

/** A page that is read slowly must not cost the last records. */
const CLOSE_WITHIN_MS = 1_000;

/** Never returns while the role lives; the process ends by a signal. */
export async function runConsoleRole({ directory, stateDirectory }: RolePlaces): Promise<void> {
  // Node would write it at the exit only, and roles are killed.
  flushCompileCache();
  makeWay();
  const node = (): string => control.service?.node ?? hostname();
  const boot = bootId();
  const journal = new Journal({
    path: journalPath(stateDirectory),
    boot,
    node,
    bounds: () => control.service?.journal ?? DEFAULT_BOUNDS,
  });
  const running: RunningPart[] = [];
  const control: ControlWatch = new ControlWatch(directory.controlSocket, journal.place, {
    event: (event, place) => {
      journal.add(draftOf(event), place);
      measures.heard(event);
    },
    missed: (count) => missed(journal, count),
    told: (status) => measures.told(status),
    configured: () => running.forEach((part) => tellConfigured(part, journal)),
    // Control starts another one, of the program as it is now.
    outdated: () => process.kill(process.pid, "SIGTERM"),
    reachable: (isReachable) => sayReachable(journal, isReachable),
  });
  const measures: Measures = new Measures(control, journal, boot);
  const core: ConsoleCore = {
    directory,
    stateDirectory,
    node,
    journal,
    feed: new RecordFeed(journal),
    control,
    measures,
    parts: () => running,
  };
  endOnSignals(async () => {
    await control.close();
    measures.close();
    await Promise.race([closeAll(running), sleep(CLOSE_WITHIN_MS)]);
    journal.close();
  });
  endWith(directory.path);
  keepShowingLife("console", directory.path);
  const following = control.run();
  for (const part of PARTS) {
    try {
      running.push(await part.start(core));
    } catch (error) {
      const reason = `${part.name} cannot be started: ${String(error)}`;
      journal.say({ source: "console", level: "error", kind: "part-failed", subject: "", reason });
    }
  }
  measures.run();
  await following;
}

/** Whoever carries addresses and requests goes first. */
function makeWay(): void {
  const nice = Math.min(MOST_NICE, getPriority() + NICER);
  setPriority(nice);
  try {
    // sched(7): each session is a group that gets its share as a whole, and roles have their own ones.
    writeFileSync("/proc/self/autogroup", String(nice));
  } catch {
    // A kernel without such groups: the line above is enough.
  }
}

async function closeAll(parts: readonly RunningPart[]): Promise<void> {
  for (const part of parts) await part.close();
}

/** A part that cannot must not keep the others, and the journal, from what is new. */
function tellConfigured(part: RunningPart, journal: Journal): void {
  try {
    part.configured?.();
  } catch (error) {
    const reason = `a part of the console cannot do as it is configured: ${String(error)}`;
    journal.say({ source: "console", level: "error", kind: "part-failed", subject: "", reason });
  }
}

/** Control's events, as the journal has them. */
function draftOf(event: LoggedEvent): RecordDraft {
  const { seq: _seq, time, monoMs, source, level, kind, instance, reason, ...data } = event;
  const wallMs = Date.parse(time);
  const base = { wallMs, monoMs, source, level, kind, subject: instance, reason };
  return Object.keys(data).length === 0 ? base : { ...base, data };
}

function missed(journal: Journal, count: number): void {
  const reason = `${count} events are missing: control had forgotten them before they were read`;
  const data = { count };
  journal.say({ source: "console", level: "warning", kind: "gap", subject: "", reason, data });
}

function sayReachable(journal: Journal, isReachable: boolean): void {
  const kind = isReachable ? "control-back" : "control-gone";
  const reason = isReachable
    ? "the control process answers again"
    : "the control process does not answer: what it does is not known until it is back";
  const level = isReachable ? "info" : "warning";
  journal.say({ source: "console", level, kind, subject: "", reason });
}

/** The kernel's name for this life of the machine. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "unknown";
  }
}

/** No control process can come back to a run directory that is gone: nobody would ever end this one. */
function endWith(runDirectory: string): void {
  onBeat(() => {
    if (!existsSync(runDirectory)) process.kill(process.pid, "SIGTERM");
  }, LOOK_FOR_HOME_MS);
}

function endOnSignals(end: () => Promise<void>): void {
  let isEnding = false;
  const once = (): void => {
    if (isEnding) return;
    isEnding = true;
    void end().finally(() => process.exit(0));
  };
  process.on("SIGTERM", once);
  process.on("SIGINT", once);
}
