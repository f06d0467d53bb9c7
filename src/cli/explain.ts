/** `nines explain KEY`: what a keyword of the configuration means. */

import { explain, explainText } from "../config/read-configuration.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export function explainKeyword(
  { keyword, json }: { readonly keyword: string; readonly json: boolean },
  terminal: Terminal,
): ExitCode {
  const explanation = explain(keyword);
  const isKnown = explanation.meanings.length + explanation.keys.length > 0;
  if (json) {
    terminal.out(JSON.stringify(explanation, undefined, 2));
    return isKnown ? 0 : 2;
  }
  if (isKnown) {
    terminal.out(explainText(keyword));
    return 0;
  }
  terminal.err(`nines: ${explainText(keyword)}`);
  return 2;
}
