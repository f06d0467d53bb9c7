import { test } from "node:test";
import assert from "node:assert/strict";
import { formatDuration } from "./duration.ts";

test("a duration is told with three digits in the unit that fits", () => {
  const rows: [number, string][] = [
    [0, "0 s"],
    [0.0123, "12 us"],
    [0.85, "850 us"],
    [12.34, "12.3 ms"],
    [850, "850 ms"],
    [4200, "4.20 s"],
    [59_900, "59.9 s"],
    [187_000, "3m 07s"],
    [7_500_000, "2h 05m"],
    [533_000_000, "6d 04h"],
    [Infinity, "never"],
    [-5, "-5.00 ms"],
  ];
  for (const [ms, text] of rows) assert.equal(formatDuration(ms), text);
});
