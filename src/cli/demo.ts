/** `nines demo`: watch drills of the catalogue on this machine: failovers, then a balancer. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drillKind } from "../core/drill/catalogue/catalogue.ts";
import { planFor } from "../core/drill/catalogue/drill-kind.ts";
import { shareOf, type ProbeRecord } from "../core/drill/probe-record.ts";
import type { Moments } from "../core/drill/result.ts";
import { conduct } from "../daemon/drill-conductor.ts";
import { farmSite, stageSite } from "../lab/drill-world.ts";
import type { SiteEvent } from "../drivers/drill-site.ts";
import type { LabSite } from "../lab/drill-site.ts";
import { BIN, consoleSocket, STATE_DIRECTORY } from "../lab/peers/nines.ts";
import { enterUserNamespace } from "../lab/privileges.ts";
import { farmActs, stageActs, type Act, type FarmAct, type StageAct } from "../lab/story/acts.ts";
import { Farm } from "../lab/story/farm.ts";
import { playLive } from "../lab/story/live-view.ts";
import * as narrator from "../lab/story/narrator.ts";
import { PageDoor } from "../lab/story/page-door.ts";
import { Stage } from "../lab/story/stage.ts";
import { pause } from "../lab/wait.ts";
import { report } from "./report.ts";

export interface DemoOptions {
  /** Only the story, no keys: also when there is no terminal. */
  readonly once: boolean;
  readonly color: boolean;
  /** Numbers of the drills, from 1; all when empty. */
  readonly only: readonly number[];
}

interface Telling {
  readonly style: narrator.Style;
  readonly say: (text: string) => void;
  readonly door: PageDoor;
}

/** What was told so far, too. */
interface Story extends Telling {
  readonly all: narrator.Told[];
}

interface Numbered<A extends Act> {
  readonly number: number;
  readonly act: A;
}

/** Spans of ten seconds: what happened last is in the journal then. */
const MEASURED_MS = 10_000;
const WRITTEN_MS = 1500;

/** 0 when every drill ended as promised, else 1; 2 where there is none of that number. */
export async function demo(options: DemoOptions): Promise<number> {
  const count = stageActs.length + farmActs.length;
  const unknown = options.only.find((number) => number < 1 || number > count);
  if (unknown !== undefined) {
    process.stderr.write(`nines: there is no experiment ${unknown}; there are 1 to ${count}\n`);
    return 2;
  }
  // Should nobody listen any more: what was not shown to be as promised was not.
  process.exitCode = 1;
  await enterUserNamespace();
  const door = await PageDoor.open();
  const telling: Telling = {
    style: narrator.style(options.color),
    say: (text) => void process.stdout.write(`${text}\n`),
    door,
  };
  try {
    return (await tell(options, telling)) ? 0 : 1;
  } finally {
    door.close();
  }
}

async function tell(options: DemoOptions, telling: Telling): Promise<boolean> {
  telling.say(narrator.pageAddress(telling.door.url, isReachable(), telling.style));
  const isWanted = ({ number }: Numbered<Act>): boolean =>
    options.only.length === 0 || options.only.includes(number);
  const ofStage = stageActs.map((act, i) => ({ number: i + 1, act })).filter(isWanted);
  const ofFarm = farmActs
    .map((act, i) => ({ number: stageActs.length + i + 1, act }))
    .filter(isWanted);
  const live = !options.once && process.stdin.isTTY && process.stdout.isTTY;
  const all: narrator.Told[] = [];
  if (ofStage.length > 0) {
    const stage = await Stage.build();
    telling.door.sockets = stage.nodes.map((name) => consoleSocket(stage.host(name)));
    await on(stage, () => tellStage(stage, ofStage, { ...telling, all }));
  }
  const conclude = (): void => telling.say(narrator.summary(all, telling.style));
  if (ofFarm.length > 0 || live) {
    const farm = await Farm.build();
    telling.door.sockets = farm.nodes.map((name) => consoleSocket(farm.world.host(name)));
    await on(farm, async () => {
      await tellFarm(farm, ofFarm, { ...telling, all });
      if (ofFarm.length > 0) await tellReport(farm, options, telling);
      conclude();
      if (live) await playLive(farm, process.stdin);
    });
  } else conclude();
  return all.every(({ result }) => result.verdict === "passed");
}

/** A user without rights runs us in a network of our own, where no browser comes. */
function isReachable(): boolean {
  return process.env["NINES_USER_NAMESPACE"] === undefined;
}

/** The month's report of these few minutes, as the director with the address counted them. */
async function tellReport(
  farm: Farm,
  { color }: DemoOptions,
  { style, say }: Telling,
): Promise<void> {
  await pause(MEASURED_MS - (Date.now() % MEASURED_MS) + WRITTEN_MS);
  const [owner = "lb1"] = await farm.owners();
  const stateDir = farm.world.host(owner).outside(STATE_DIRECTORY);
  const output = join(mkdtempSync(join(tmpdir(), "nines-demo-")), "report.html");
  const terminal = { out: say, err: say, color };
  const base = { stateDir, lang: "en", recompute: false } as const;
  say(style.bold(`The report of this month, which for ${owner} began minutes ago\n`));
  report({ ...base, format: "md" }, terminal);
  report({ ...base, format: "html", output }, { ...terminal, err: () => {} });
  say(`\n${narrator.reportPlace(output, style)}\n`);
}

/** What ran on the stage is gone afterwards; what it logged is shown when `body` fails. */
async function on<S extends Stage | Farm>(
  stage: S,
  body: (stage: S) => Promise<void>,
): Promise<void> {
  try {
    await body(stage);
  } catch (error) {
    process.stderr.write(stage.world.report());
    throw error;
  } finally {
    stage.destroy();
  }
}

async function tellStage(
  stage: Stage,
  acts: readonly Numbered<StageAct>[],
  telling: Story,
): Promise<void> {
  const { say, style } = telling;
  say(narrator.introduction(stage, style));
  let site: LabSite | undefined;
  let variant: StageAct["variant"] | undefined;
  for (const one of acts) {
    // Every drill leaves behind what it found, so nothing is started anew.
    if (site === undefined || one.act.variant !== variant) {
      const isFirst = site === undefined;
      ({ variant } = one.act);
      await (isFirst ? stage.reset(variant) : stage.change(variant));
      site = stageSite(stage);
    }
    await tellAct(site, one, telling);
  }
}

async function tellFarm(
  farm: Farm,
  acts: readonly Numbered<FarmAct>[],
  telling: Story,
): Promise<void> {
  if (acts.length === 0) return;
  telling.say(narrator.farmIntroduction(farm, telling.style));
  const site = farmSite(farm);
  const tell = (line: string): void => telling.say(telling.style.faint(`   ${line}`));
  for (const one of acts) {
    const { server, showsShare } = one.act;
    const shown = {
      ...(server === undefined ? {} : { server }),
      watched: () => tellPool(farm, tell),
      recorded: (record: ProbeRecord, moments: Moments): void => {
        if (showsShare === true) tell(sharesLine(record, moments, nameOf(server ?? "")));
      },
    };
    await tellAct(site, one, telling, shown);
  }
}

interface Shown {
  readonly server?: string;
  readonly watched?: () => Promise<void>;
  readonly recorded?: (record: ProbeRecord, moments: Moments) => void;
}

async function tellAct(
  site: LabSite,
  { number, act }: Numbered<Act>,
  { style, say, all }: Story,
  { server, watched, recorded }: Shown = {},
): Promise<void> {
  const kind = drillKind(act.drill)!;
  const plan = planFor(kind, await site.facts(), server === undefined ? {} : { server });
  if (typeof plan === "string") throw new Error(`${act.drill}: ${plan}`);
  const { title = kind.title, says = kind.says } = act;
  say(narrator.announce(number, title, says, style));
  const events: SiteEvent[] = [];
  let answerers: readonly string[] = [];
  const result = await conduct(plan, site, {
    nines: [BIN],
    heard: (event) => {
      events.push(event);
      const line = narrator.eventLine(event);
      if (line !== undefined) say(style.faint(`   ${line}`));
    },
    recorded: (record, moments) => {
      if (server !== undefined) answerers = othersThatAnswered(record, moments, nameOf(server));
      recorded?.(record, moments);
    },
    ...(watched === undefined ? {} : { watched }),
  });
  const one = narrator.told(number, title, { result, events, answerers });
  say(narrator.conclusion(one, style));
  all.push(one);
}

function othersThatAnswered(
  record: ProbeRecord,
  { faultMs, undoMs }: Moments,
  name: string,
): readonly string[] {
  const others = record.answerers.filter((by) => by !== name);
  return others.filter((by) => shareOf(record, by, faultMs, undoMs) > 0).toSorted();
}

/** Of `pool/server`. */
const nameOf = (server: string): string => server.split("/")[1] ?? "";

/** `nines pool` on the director with the address. */
async function tellPool(farm: Farm, tell: (line: string) => void): Promise<void> {
  const [nines] = await farm.directors();
  if (nines === undefined) return;
  tell(`${nines.host.name}$ nines pool`);
  for (const line of (await nines.nines("pool")).trimEnd().split("\n")) tell(`  ${line}`);
}

const SHARE_STEP_MS = 500;
const MAX_SHARES = 12;

function sharesLine(record: ProbeRecord, { undoMs, endMs }: Moments, name: string): string {
  const steps = Math.min(MAX_SHARES, Math.floor((endMs - undoMs) / SHARE_STEP_MS));
  const shares = Array.from({ length: steps }, (_, i) => {
    const startMs = undoMs + i * SHARE_STEP_MS;
    return `${Math.round(shareOf(record, name, startMs, startMs + SHARE_STEP_MS) * 100)} %`;
  });
  return `${name}'s share of the answers, each half second: ${shares.join("  ")}`;
}
