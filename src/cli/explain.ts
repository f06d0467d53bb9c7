/** `nines explain KEY`: what a keyword of the configuration means. */

import { explain, explainText } from "../config/read-configuration.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export function explainKeyword(keyword: string, terminal: Terminal): ExitCode {
  const { meanings, keys } = explain(keyword);
  if (meanings.length + keys.length > 0) {
    terminal.out(explainText(keyword));
    return 0;
  }
  terminal.err(`nines: ${explainText(keyword)}`);
  return 2;
}
