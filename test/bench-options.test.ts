import assert from "node:assert/strict";
import { test } from "node:test";
import { advertBench } from "../bench/adverts.ts";
import { bodiesBench } from "../bench/bodies.ts";
import { checkBench } from "../bench/checks.ts";
import { coreBench } from "../bench/core.ts";
import { engineBench } from "../bench/engine.ts";
import { estimateBench } from "../bench/estimate.ts";
import { evidenceBench } from "../bench/evidence.ts";
import { faultsBench } from "../bench/faults.ts";
import { hostileBench } from "../bench/hostile.ts";
import { httpBench } from "../bench/http.ts";
import { isWrongOption } from "../bench/options.ts";
import { parserBench } from "../bench/parser.ts";
import { vrrpBench } from "../bench/vrrp.ts";

type Bench = (args: string[]) => Promise<void>;

/** What is said, or that nothing was. */
async function told(bench: Bench, words: string): Promise<string> {
  try {
    await bench(words.split(" "));
  } catch (error) {
    if (isWrongOption(error)) return error.message;
    throw error;
  }
  return "";
}

const WRONG: readonly (readonly [Bench, words: string, told: RegExp])[] = [
  [advertBench, "--advert 0", /--advert: '0' is not a number above 0/],
  [
    bodiesBench,
    "--only sideways",
    /--only: 'sideways' is none of these:\n {2}upload, HTTP\/1\.1\n/,
  ],
  [bodiesBench, "--beside /nowhere", /--beside: there is no copy of Nines in \/nowhere/],
  [checkBench, "--offered many", /--offered: 'many' is not a number above 0/],
  [coreBench, "--count 1.5", /--count: '1\.5' is not a whole number/],
  [engineBench, "--only lean,fat", /--only: 'fat' is none of these:\n {2}lean\n {2}full features$/],
  [estimateBench, "--events -1", /Option '--events' argument is ambiguous/],
  [evidenceBench, "--only costs", /--only: 'costs' is none of these:\n {2}cost\n/],
  [
    faultsBench,
    "--peer nginy",
    /--peer: 'nginy' is none of these:\n {2}nginx\n {2}HAProxy\n {2}Nines$/,
  ],
  [faultsBench, "--only stolen", /--only: 'stolen' is none of these:\n {2}killed -9\n/],
  [hostileBench, "--seconds=", /--seconds: '' is not a number above 0/],
  [httpBench, "--runs 0", /--runs: '0' is not a number above 0/],
  [httpBench, "--only 65", /--only: '65' is none of these:\n {2}lean, kept, 64 x 2 B\n/],
  [httpBench, "quick", /Unexpected argument 'quick'/],
  [parserBench, "--runs 2", /Unknown option '--runs'/],
  [vrrpBench, "--adverts 1,x", /--adverts: 'x' is not a number above 0/],
];

for (const [bench, words, wanted] of WRONG) {
  test(`${bench.name} starts nothing when asked for ${words}`, async () => {
    assert.match(await told(bench, words), wanted);
  });
}
