/** Small files of secrets: for their owner only, and either the old content or the new one. */

import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { writeWhole } from "./whole-write.ts";

/** Throws what the system said; then the old content is still there. */
export function writePrivateFile(path: string, text: string, mode: number = 0o600): void {
  const fresh = `${path}.${randomBytes(6).toString("hex")}`;
  // Neither a file nor a link that somebody else put there is opened.
  const fd = openSync(fresh, "wx", mode);
  try {
    writeWhole(fd, text);
    fsyncSync(fd);
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  const folder = openSync(dirname(path), "r");
  fsyncSync(folder);
  closeSync(folder);
}

/** A key of 32 random bytes, made when it is not there yet. */
export function privateKeyAt(path: string): Buffer {
  try {
    const key = Buffer.from(readFileSync(path, "utf8").trim(), "hex");
    if (key.length === 32) return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const key = randomBytes(32);
  writePrivateFile(path, `${key.toString("hex")}\n`);
  return key;
}
