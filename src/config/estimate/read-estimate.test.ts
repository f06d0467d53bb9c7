import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatDiagnostic } from "../diagnostic.ts";
import type { ConfigurationFiles } from "../keepalived/lines.ts";
import { type EstimateReading, readEstimate } from "./read-estimate.ts";

const HOUR = 3_600_000;

function read(text: string): EstimateReading {
  const files: ConfigurationFiles = { readFile: () => text, glob: () => [] };
  return readEstimate("x.yaml", files);
}

function told(text: string): string[] {
  const { diagnostics, architecture } = read(text);
  assert.equal(
    architecture === undefined,
    diagnostics.some((d) => d.severity === "error"),
  );
  return diagnostics.map((diagnostic) => formatDiagnostic(diagnostic));
}

const PARTS = "parts:\n  web: { mttf: 2000h, mttr: 4h }\n  db: { availability: 99%, mttr: 1h }\n";

test("parts and groups become an architecture with defaults filled in", () => {
  const { architecture, diagnostics } = read(
    `${PARTS}system:\n  - { copies: web, total: 3, crews: 1 }\n  - failover: [db]\n    coverage: 99%\n`,
  );
  assert.deepEqual(diagnostics, []);
  const exponential = { kind: "exponential" };
  const spread = { life: exponential, repair: exponential };
  const web = { name: "web", mttfMs: 2000 * HOUR, mttrMs: 4 * HOUR, ...spread };
  const system = architecture!.system;
  assert.ok(system.kind === "series");
  const [first, second] = system.blocks;
  assert.deepEqual(first, {
    kind: "copies",
    name: "web copies",
    of: { kind: "part", part: web },
    total: 3,
    crews: 1,
    need: 1,
  });
  assert.ok(second?.kind === "failover");
  assert.equal(second.switchMs, 3000);
  assert.ok(Math.abs(second.manualMs - HOUR) < 1);
  assert.ok(second.of.kind === "series" && second.of.blocks[0]?.kind === "part");
  assert.ok(Math.abs(second.of.blocks[0].part.mttfMs - 99 * HOUR) < 1);
});

const MISTAKES: readonly (readonly [string, string, string])[] = [
  ["an empty file", "", "x.yaml:1:1: error: there are no parts"],
  ["no system", PARTS, "x.yaml:1:1: error: there is no system"],
  [
    "a part that is not there",
    `${PARTS}system: [wbe, db]`,
    "4:10: error: there is no part 'wbe' - did you mean 'web'?",
  ],
  [
    "a key of a part",
    "parts:\n  a: { mtff: 1h, mttr: 1h }\nsystem: a",
    "2:8: error: a part has no key 'mtff' - did you mean 'mttf'?",
  ],
  [
    "one figure only",
    "parts:\n  a: { mttf: 1h }\nsystem: a",
    "2:3: error: part 'a' has mttf - write two of",
  ],
  [
    "three figures",
    "parts:\n  a: { mttf: 1h, mttr: 1h, availability: 50% }\nsystem: a",
    "part 'a' has mttf, mttr, availability",
  ],
  [
    "a time without a unit",
    "parts:\n  a: { mttf: 20, mttr: 1h }\nsystem: a",
    "2:14: error: mttf: '20' has no unit - write 20h",
  ],
  [
    "a share above all",
    `${PARTS}system: { failover: [web, db], coverage: 120% }`,
    "4:42: error: coverage: '120%' is not a share",
  ],
  [
    "a spread",
    "parts:\n  a: { mttf: 1d, mttr: 1h, life: gauss }\nsystem: a",
    "life: 'gauss' is no distribution",
  ],
  [
    "two kinds at once",
    `${PARTS}system: { copies: web, failover: db }`,
    "4:1: error: copies and failover?",
  ],
  ["no kind", `${PARTS}system: [web, db, { total: 3 }]`, "what kind of group is this?"],
  [
    "more than there are",
    `${PARTS}system: [db, { copies: web, need: 3 }]`,
    "3 of 2 are wanted - write 1 to 2",
  ],
  [
    "crews of stacks",
    `${PARTS}system: { copies: [web, db], crews: 1 }`,
    "crews are for copies of one part",
  ],
  [
    "one that fails over",
    `${PARTS}system: [db, { failover: web, total: 1, coverage: 1 }]`,
    "one copy cannot fail over",
  ],
  ["a list of nothing", `${PARTS}system: []`, "a list of blocks is wanted"],
  [
    "a part that is not used",
    `${PARTS}system: web`,
    "3:3: warning: part 'db' is not in the system",
  ],
  ["a switch that always works", `${PARTS}system: [db, { failover: web }]`, "warning: no coverage"],
  [
    "a manual switch slower than repair",
    `${PARTS}system: [db, { failover: web, coverage: 99%, manual: 9h }]`,
    "is longer than a repair (4h 00m)",
  ],
  [
    "too many parts",
    `${PARTS}system: [db, {copies: {copies: {copies: web, total: 32}, total: 32}, total: 32}]`,
    "more than 10000 parts",
  ],
];

for (const [what, text, wanted] of MISTAKES) {
  test(`told with its place: ${what}`, () => {
    const all = told(text);
    assert.ok(
      all.some((line) => line.includes(wanted)),
      all.join("\n"),
    );
  });
}

test("no text makes it throw", () => {
  const word = fc.constantFrom(
    "parts:",
    " a:",
    "system:",
    "{",
    "}",
    "[",
    "]",
    "mttf: 1h",
    "\n",
    " ",
    "- ",
    "copies: a",
    "&x",
    "*x",
    ",",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 25 }), (words) => void read(words.join(""))),
    { numRuns: 500 },
  );
});
