import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

const BENCH = new URL("../bench/vrrp-steps.ts", import.meta.url).pathname;
/** A few boxed numbers; an object or an array for each advert would be more. */
const MOST_BYTES_PER_ADVERT = 160;
/** Over a hundred thousand adverts: what the runtime itself learns while it runs. */
const MOST_BYTES_KEPT = 500_000;

test("an advert, sent or received, leaves next to no garbage and nothing behind", () => {
  const args = ["--expose-gc", BENCH, "--count", "100000", "--json"];
  const costs: unknown = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
  assert(typeof costs === "object" && costs !== null);
  const rows = Object.entries(costs);
  assert.equal(rows.length, 2);
  for (const [what, { bytesPerAdvert, bytesKept }] of rows) {
    assert(bytesPerAdvert < MOST_BYTES_PER_ADVERT, `${what}: ${bytesPerAdvert} bytes an advert`);
    assert(bytesKept < MOST_BYTES_KEPT, `${what}: ${bytesKept} bytes kept`);
  }
});
