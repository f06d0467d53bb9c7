/**
 * What a script's end says of a server (keepalived's MISC_CHECK): 0 is good, 1 bad; with `dynamic`
 * 2-255 are good and set the weight to the code less two (0 leaves it), otherwise they are bad as well.
 */

import type { ProbeResult } from "./probe.ts";
import { describeEnd, lastLine, type ScriptEnd } from "./script-track.ts";

export function judgeScript(
  { dynamic }: { readonly dynamic: boolean },
  end: ScriptEnd,
  output: string,
): ProbeResult {
  const said = `the script ${describeEnd(end)}`;
  if (end.kind === "exited" && end.code === 0) return { ok: true, reason: said };
  if (end.kind === "exited" && dynamic && end.code >= 2) {
    const weightPercent = end.code - 2;
    return { ok: true, reason: `${said}, weight ${weightPercent} %`, weightPercent };
  }
  if (end.kind === "not-started" && end.isOurs) return { ok: false, reason: said, isOurs: true };
  const line = lastLine(output);
  return { ok: false, reason: line === "" ? said : `${said} ("${line}")` };
}
