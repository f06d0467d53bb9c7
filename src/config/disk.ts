/** Configuration files on the real disk. */

import { accessSync, constants, globSync, readFileSync, statSync } from "node:fs";
import type { ConfigurationFiles } from "./keepalived/lines.ts";

export const DISK: ConfigurationFiles = {
  trouble(path) {
    try {
      accessSync(path, constants.R_OK);
      return statSync(path).isDirectory() ? "it is a directory" : undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return "there is no such file";
      return code === "EACCES" ? "no permission to read it" : code;
    }
  },
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

/** Reason and next move for a configuration that cannot be read. */
export function unreadable(
  path: string,
  files: ConfigurationFiles,
): readonly [reason: string, next: string] {
  const trouble = files.trouble?.(path);
  const reason = `the file cannot be read${trouble === undefined ? "" : `: ${trouble}`}`;
  return [reason, "check its path and its permissions"];
}
