/** `errorfile 503` is what a pool answers when no server can. */

import type { ConfigurationFiles } from "../../keepalived/lines.ts";
import type { Data, Draft } from "../draft.ts";
import type { Bag } from "./lines.ts";

export interface Pages {
  readonly files: ConfigurationFiles;
  /** Of the configuration: where relative paths begin. */
  readonly directory: string;
}

/** Larger pages are no pages. */
const MOST_CHARACTERS = 65_536;

export function readSorry(bag: Bag, { files, directory }: Pages, draft: Draft): Data | undefined {
  const line = bag.lastLine("errorfile", "503");
  const path = line?.words[2];
  if (line === undefined || path === undefined) return undefined;
  const text = files.readFile(path.startsWith("/") ? path : `${directory}/${path}`);
  const [, head, body] = /^([^]*?)\r?\n\r?\n([^]*)$/u.exec(text ?? "") ?? [];
  if (head === undefined || body === undefined || body.length > MOST_CHARACTERS) {
    draft.lost(line.at, "the file cannot be read here: write its page into sorry of the pool");
    return undefined;
  }
  const type = /^content-type:\s*(.*?)\s*$/imu.exec(head)?.[1];
  const status = Number(/^HTTP\/\S+\s+(\d{3})/u.exec(head)?.[1] ?? 503);
  return { status: status === 503 ? undefined : status, body, type };
}
