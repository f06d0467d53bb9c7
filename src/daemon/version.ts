/** The version as the package says it: two folders up in a checkout, three when built. */

import { readFileSync } from "node:fs";

export function version(): string {
  for (const up of ["../../package.json", "../../../package.json"]) {
    try {
      const text = readFileSync(new URL(up, import.meta.url), "utf8");
      const { name, version: found } = JSON.parse(text) as { name?: string; version?: string };
      if (name === "nines" && found !== undefined) return found;
    } catch {
      // Look one folder higher.
    }
  }
  return "unknown";
}
