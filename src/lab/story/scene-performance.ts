/** Performs one scene of the balancer before the eyes of a client that never stops asking. */

import { monotonicMs } from "../../drivers/clock.ts";
import { formatDuration } from "../../lib/duration.ts";
import { startHttpProbe } from "../probe.ts";
import {
  longestSilenceMs,
  measureOutage,
  shareOf,
  slowestAnswerMs,
  type ProbeRecord,
} from "../../core/drill/probe-record.ts";
import { pause } from "../wait.ts";
import type { DirectorName, Farm, WebName } from "./farm.ts";
import type { Tell } from "./performance.ts";
import type { Scene, Show } from "./scenes.ts";
import { VIRTUAL_ADDRESS } from "./stage.ts";
import { eventLine, EventReader, type ToldEvent } from "./told-events.ts";

/** Five hundred requests a second. */
export const ASK_EVERY_MS = 2;
/** A user who waits for a frozen server waits until the checks have found it out. */
const PATIENCE_MS = 5000;
/** With the director itself gone nobody will ever answer; the usual patience of the story. */
const PATIENCE_WITH_OUTAGE_MS = 1000;
const CALM_BEFORE_MS = 500;
/** The last requests are given time to be answered. */
const LAST_ANSWERS_MS = 500;
const SHARE_STEP_MS = 500;
const MAX_SHARES = 12;

export interface SceneResult {
  readonly scene: Scene;
  readonly requests: number;
  readonly failed: number;
  readonly slowestMs: number;
  /** Longest time without any answer. */
  readonly outageMs: number;
  /** Nines' own words. */
  readonly why: string;
  /** What broke the promise; undefined = it was kept. */
  readonly broken: string | undefined;
}

interface Watched {
  readonly name: WebName;
  readonly fromMs: number;
}

export async function performScene(farm: Farm, scene: Scene, tell: Tell): Promise<SceneResult> {
  const limited = scene.promise.longestOutageMs === undefined;
  const probe = await startHttpProbe(farm.client, VIRTUAL_ADDRESS, {
    intervalMs: ASK_EVERY_MS,
    limitMs: limited ? PATIENCE_MS : PATIENCE_WITH_OUTAGE_MS,
  });
  await probe.untilAnswered();
  const events = await EventReader.open(farm);
  const told: ToldEvent<DirectorName>[] = [];
  const tellNews = async (): Promise<void> => {
    const [owner] = await farm.owners();
    // Both directors look at the servers and say the same.
    const isTold = (one: ToldEvent<DirectorName>): boolean =>
      one.server === owner || !one.event.kind.startsWith("server-");
    const news = (await events.news()).filter(isTold);
    for (const line of news.map(eventLine)) if (line !== undefined) tell(line);
    told.push(...news);
  };
  let watched: Watched | undefined;
  const show: Show = {
    say: tell,
    pool: async () => {
      await tellNews();
      await tellPool(farm, tell);
    },
    watchShare: (name) => (watched = { name, fromMs: monotonicMs() }),
  };
  const fromMs = monotonicMs();
  await pause(CALM_BEFORE_MS);
  await scene.play(farm, show);
  const untilMs = monotonicMs();
  await tellNews();
  const wrong = await wrongOwner(farm, scene.promise.owner);
  await pause(LAST_ANSWERS_MS);
  const record = await probe.stop();
  if (watched !== undefined) tell(sharesLine(record, watched, untilMs));
  await scene.after?.(farm);
  return conclude({ scene, record, fromMs, untilMs, told, wrong });
}

async function tellPool(farm: Farm, tell: Tell): Promise<void> {
  const [nines] = await farm.directors();
  if (nines === undefined) return;
  tell(`${nines.host.name}$ nines pool`);
  for (const line of (await nines.nines("pool")).trimEnd().split("\n")) tell(`  ${line}`);
}

function sharesLine(record: ProbeRecord, { name, fromMs }: Watched, untilMs: number): string {
  const steps = Math.min(MAX_SHARES, Math.floor((untilMs - fromMs) / SHARE_STEP_MS));
  const shares = Array.from({ length: steps }, (_, i) => {
    const startMs = fromMs + i * SHARE_STEP_MS;
    return `${Math.round(shareOf(record, name, startMs, startMs + SHARE_STEP_MS) * 100)} %`;
  });
  return `${name}'s share of the answers, each half second: ${shares.join("  ")}`;
}

async function wrongOwner(farm: Farm, name: DirectorName): Promise<string | undefined> {
  const owners = await farm.owners();
  if (owners.length === 1 && owners[0] === name) return undefined;
  return `the address is on ${owners.join(" and ") || "nobody"}, not on ${name} alone`;
}

interface Ending {
  readonly scene: Scene;
  readonly record: ProbeRecord;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly told: readonly ToldEvent[];
  readonly wrong: string | undefined;
}

function conclude({ scene, record, fromMs, untilMs, told, wrong }: Ending): SceneResult {
  const { lost } = measureOutage(record, fromMs, untilMs);
  const outageMs = longestSilenceMs(record, fromMs, untilMs);
  const said = told.findLast(({ event }) => {
    return event.kind === scene.told && (event.to === undefined || event.to === "MASTER");
  });
  const requests = record.sentMs.filter((sent) => sent >= fromMs && sent <= untilMs).length;
  return {
    scene,
    requests,
    failed: lost,
    slowestMs: slowestAnswerMs(record, fromMs, untilMs),
    outageMs,
    why: said?.event.reason ?? "nothing was said",
    broken: wrong ?? brokenPromise(scene, lost, outageMs),
  };
}

function brokenPromise(scene: Scene, failed: number, outageMs: number): string | undefined {
  const { longestOutageMs } = scene.promise;
  if (longestOutageMs === undefined) {
    return failed === 0 ? undefined : `${failed} requests failed`;
  }
  if (outageMs <= longestOutageMs) return undefined;
  return `out for ${formatDuration(outageMs)}, longer than ${formatDuration(longestOutageMs)}`;
}
