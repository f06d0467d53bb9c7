/** `nines demo`: watch failovers and a balancer on this machine. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { consoleSocket, STATE_DIRECTORY } from "../lab/peers/nines.ts";
import { enterUserNamespace } from "../lab/privileges.ts";
import { experiments } from "../lab/story/experiments.ts";
import { Farm } from "../lab/story/farm.ts";
import { playLive } from "../lab/story/live-view.ts";
import * as narrator from "../lab/story/narrator.ts";
import { PageDoor } from "../lab/story/page-door.ts";
import { perform, type Result } from "../lab/story/performance.ts";
import { performScene, type SceneResult } from "../lab/story/scene-performance.ts";
import { scenes } from "../lab/story/scenes.ts";
import { Stage } from "../lab/story/stage.ts";
import { pause } from "../lab/wait.ts";
import { report } from "./report.ts";

export interface DemoOptions {
  /** Only the story, no keys: also when there is no terminal. */
  readonly once: boolean;
  readonly color: boolean;
  /** Numbers of the experiments and scenes, from 1; all when empty. */
  readonly only: readonly number[];
}

interface Telling {
  readonly style: narrator.Style;
  readonly say: (text: string) => void;
  readonly door: PageDoor;
}

/** Spans of ten seconds: what happened last is in the journal then. */
const MEASURED_MS = 10_000;
const WRITTEN_MS = 1500;

/** 0 when every experiment and scene ended as promised, else 1. */
export async function demo(options: DemoOptions): Promise<number> {
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
  const numbered = [...experiments, ...scenes].map((_, i) => i + 1);
  const wanted = numbered.filter((n) => options.only.length === 0 || options.only.includes(n));
  const ofServers = wanted.filter((number) => number <= experiments.length);
  const ofFarm = wanted.filter((number) => number > experiments.length);
  const live = !options.once && process.stdin.isTTY;
  let kept = true;
  if (ofServers.length > 0) {
    const stage = await Stage.build();
    telling.door.sockets = stage.nodes.map((name) => consoleSocket(stage.host(name)));
    kept = await on(stage, () => tellExperiments(stage, ofServers, telling));
  }
  if (ofFarm.length > 0 || live) {
    const farm = await Farm.build();
    telling.door.sockets = farm.nodes.map((name) => consoleSocket(farm.world.host(name)));
    kept &&= await on(farm, async () => {
      const all = await tellScenes(farm, ofFarm, telling);
      if (ofFarm.length > 0) await tellReport(farm, options, telling);
      if (live) await playLive(farm, process.stdin);
      return all;
    });
  }
  return kept;
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
  body: (stage: S) => Promise<boolean>,
): Promise<boolean> {
  try {
    return await body(stage);
  } catch (error) {
    process.stderr.write(stage.world.report());
    throw error;
  } finally {
    stage.destroy();
  }
}

async function tellExperiments(
  stage: Stage,
  numbers: readonly number[],
  { style, say }: Telling,
): Promise<boolean> {
  say(narrator.introduction(stage, style));
  const results: Result[] = [];
  for (const number of numbers) {
    const experiment = experiments[number - 1]!;
    say(narrator.announce(number, experiment, style));
    const result = await perform(stage, experiment, (line) => say(style.faint(`   ${line}`)));
    say(narrator.conclusion(result, style));
    results.push(result);
  }
  say(`${narrator.summary(results, style)}\n`);
  return results.every((r) => r.broken === undefined);
}

async function tellScenes(
  farm: Farm,
  numbers: readonly number[],
  { style, say }: Telling,
): Promise<boolean> {
  if (numbers.length === 0) return true;
  say(narrator.farmIntroduction(farm, style));
  const results: SceneResult[] = [];
  for (const number of numbers) {
    const scene = scenes[number - 1 - experiments.length]!;
    say(narrator.announce(number, scene, style));
    const result = await performScene(farm, scene, (line) => say(style.faint(`   ${line}`)));
    say(narrator.sceneConclusion(result, style));
    results.push(result);
  }
  say(`${narrator.sceneSummary(results, style)}\n`);
  return results.every((r) => r.broken === undefined);
}
