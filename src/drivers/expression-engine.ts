/** How long an expression of the configuration may take on a text that a stranger chose. */

import { setFlagsFromString } from "node:v8";

/**
 * One text on which an expression goes back and forth for hours would stop all else in the process: V8 then takes
 * its other engine, which takes no longer than the text is long. That one knows no flag but `s`, no look-around and no
 * back references. For expressions that are made afterwards.
 */
export function limitBacktracking(): void {
  setFlagsFromString("--enable-experimental-regexp-engine-on-excessive-backtracks");
}
