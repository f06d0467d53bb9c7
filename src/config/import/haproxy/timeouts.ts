/** `timeout NAME`: what Nines can wait. */

import type { Draft } from "../draft.ts";
import { type Bag, timeMs } from "./lines.ts";
import { duration } from "./servers.ts";

/** Undefined: nobody says it, or says for ever; that was told. */
export function timeoutOf(bag: Bag, name: string, draft: Draft): string | undefined {
  const line = bag.lastLine("timeout", name);
  const ms = timeMs(line?.words[2]);
  if (line === undefined || ms === undefined) return undefined;
  if (ms === 0) {
    draft.lost(line.at, "Nines does not wait for ever: its default was taken");
    return undefined;
  }
  return duration(ms);
}
