/** Configuration files on the real disk. */

import { globSync, readFileSync } from "node:fs";
import type { ConfigurationFiles } from "./keepalived/lines.ts";

export const DISK: ConfigurationFiles = {
  readFile(path) {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  },
  glob(pattern) {
    return globSync(pattern).sort();
  },
};
