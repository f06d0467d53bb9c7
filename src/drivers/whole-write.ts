/**
 * Writing all of it, or telling why not. write(2) on a disk that fills up takes what has room and
 * says so with a number, not with an error; whoever does not look leaves half a line behind.
 */

import { writeSync } from "node:fs";

/** At `position`, or where the file stands (`null`). Throws what the system said. */
export function writeWhole(fd: number, text: string, position: number | null = null): number {
  const bytes = Buffer.from(text);
  let done = 0;
  while (done < bytes.length) {
    const at = position === null ? null : position + done;
    done += writeSync(fd, bytes, done, bytes.length - done, at);
  }
  return done;
}
