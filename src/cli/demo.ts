/** `nines demo`: watch the failovers of the classic lesson on this machine. */

import { enterUserNamespace } from "../lab/privileges.ts";
import { experiments } from "../lab/story/experiments.ts";
import { playLive } from "../lab/story/live-view.ts";
import * as narrator from "../lab/story/narrator.ts";
import { perform, type Result } from "../lab/story/performance.ts";
import { Stage } from "../lab/story/stage.ts";

export interface DemoOptions {
  /** Only the story, no keys: also when there is no terminal. */
  readonly once: boolean;
  readonly color: boolean;
  /** Numbers of the experiments, from 1; all when empty. */
  readonly only: readonly number[];
}

/** 0 when every experiment ended as promised, else 1. */
export async function demo(options: DemoOptions): Promise<number> {
  await enterUserNamespace();
  const style = narrator.style(options.color);
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const stage = await Stage.build();
  try {
    say(narrator.introduction(stage, style));
    const results: Result[] = [];
    for (const [i, experiment] of experiments.entries()) {
      if (options.only.length > 0 && !options.only.includes(i + 1)) continue;
      say(narrator.announce(i + 1, experiment, style));
      const result = await perform(stage, experiment, (line) => say(style.faint(`   ${line}`)));
      say(narrator.conclusion(result, style));
      results.push(result);
    }
    say(narrator.summary(results, style));
    if (!options.once && process.stdin.isTTY) {
      say("");
      await playLive(stage, process.stdin);
    }
    return results.every((r) => r.broken === undefined) ? 0 : 1;
  } catch (error) {
    process.stderr.write(stage.world.report());
    throw error;
  } finally {
    stage.destroy();
  }
}
