/** `console` and `journal`: what sees and remembers the service. */

import { duration, flag, integer, block, section, size, switchable } from "./words.ts";

export const consoleSchema = Object.assign(
  switchable(
    block("The process that keeps the journal and shows what happens. Nothing depends on it.", {
      enabled: flag("A map without it switches it on.", { default: true }),
    }),
    { enabled: false },
  ),
  { default: {} },
);

export const journalSchema = section(
  "What is remembered; at each bound the oldest goes. In STATEDIR/journal.db.",
  {
    age: duration("How long.", { default: "400d", min: "1h", max: "3660d" }),
    size: size("How large the file may become.", 2 ** 40, { default: "2GB", min: 1_000_000 }),
    records: integer("How many.", 1000, 1_000_000_000, { default: 20_000_000 }),
  },
);
