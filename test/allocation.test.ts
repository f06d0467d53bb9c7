import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

const BENCH = new URL("../bench/vrrp-steps.ts", import.meta.url).pathname;
/** A few boxed numbers; an object or an array for each advert would be more. */
const MOST_BYTES_PER_ADVERT = 160;
/** Over a hundred thousand adverts: what the runtime itself learns while it runs. */
const MOST_BYTES_KEPT = 500_000;
/** On a busy machine V8 compiles later, and what it interprets until then makes garbage of its own. */
const RUNS = 6;

interface Cost {
  readonly bytesPerAdvert: number;
  readonly bytesKept: number;
}

function measured(): Readonly<Record<string, Cost>> {
  const args = ["--expose-gc", BENCH, "--count", "100000", "--json"];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as never;
}

test("an advert, sent or received, leaves next to no garbage and nothing behind", () => {
  const least: Record<string, Cost> = {};
  const isCheap = ({ bytesPerAdvert }: Cost): boolean => bytesPerAdvert < MOST_BYTES_PER_ADVERT;
  for (let run = 0; run < RUNS && !(run > 0 && Object.values(least).every(isCheap)); run++) {
    for (const [what, cost] of Object.entries(measured())) {
      if (!(cost.bytesPerAdvert >= (least[what]?.bytesPerAdvert ?? Infinity))) least[what] = cost;
    }
  }
  const rows = Object.entries(least);
  assert.equal(rows.length, 2);
  for (const [what, { bytesPerAdvert, bytesKept }] of rows) {
    assert(bytesPerAdvert < MOST_BYTES_PER_ADVERT, `${what}: ${bytesPerAdvert} bytes an advert`);
    assert(bytesKept < MOST_BYTES_KEPT, `${what}: ${bytesKept} bytes kept`);
  }
});
