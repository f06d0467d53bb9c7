/** `nines demo`: watch failovers and a balancer on this machine. */

import { enterUserNamespace } from "../lab/privileges.ts";
import { experiments } from "../lab/story/experiments.ts";
import { Farm } from "../lab/story/farm.ts";
import { playLive } from "../lab/story/live-view.ts";
import * as narrator from "../lab/story/narrator.ts";
import { perform, type Result } from "../lab/story/performance.ts";
import { performScene, type SceneResult } from "../lab/story/scene-performance.ts";
import { scenes } from "../lab/story/scenes.ts";
import { Stage } from "../lab/story/stage.ts";

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
}

/** 0 when every experiment and scene ended as promised, else 1. */
export async function demo(options: DemoOptions): Promise<number> {
  await enterUserNamespace();
  const telling: Telling = {
    style: narrator.style(options.color),
    say: (text) => void process.stdout.write(`${text}\n`),
  };
  const numbered = [...experiments, ...scenes].map((_, i) => i + 1);
  const wanted = numbered.filter((n) => options.only.length === 0 || options.only.includes(n));
  const ofServers = wanted.filter((number) => number <= experiments.length);
  const ofFarm = wanted.filter((number) => number > experiments.length);
  const live = !options.once && process.stdin.isTTY;
  let kept = true;
  if (ofServers.length > 0) {
    kept = await on(await Stage.build(), (stage) => tellExperiments(stage, ofServers, telling));
  }
  if (ofFarm.length > 0 || live) {
    kept &&= await on(await Farm.build(), async (farm) => {
      const all = await tellScenes(farm, ofFarm, telling);
      if (live) await playLive(farm, process.stdin);
      return all;
    });
  }
  return kept ? 0 : 1;
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
