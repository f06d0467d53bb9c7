/** What is really answered is what is described. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { answerMistakes as mistakes } from "../../test/kit/answer-mistakes.ts";
import { ANSWER_SCHEMAS } from "./answer-schemas.ts";
import { fixture, FIXTURE_NAMES } from "./fixture.ts";
import { openApi } from "./open-api.ts";
import { stateAt } from "./replay.ts";

for (const name of FIXTURE_NAMES) {
  test(`the overview of ${name} is as described`, () => {
    const overview = fixture(name);
    assert.deepEqual(mistakes("Overview", overview), []);
    assert.deepEqual(mistakes("IncidentList", { incidents: overview.incidents }), []);
    assert.deepEqual(mistakes("RecordPage", { records: overview.records, next: "x" }), []);
    const past = { atMs: overview.nowMs, others: [], of: () => [], silence: () => undefined };
    const then = { ...stateAt(overview, past), records: overview.records };
    assert.deepEqual(mistakes("StateAt", then), []);
  });
}

test("what is not described, and what is missing, is found", () => {
  const overview = fixture("small");
  assert.match(mistakes("Overview", { ...overview, more: 1 })[0]!, /additional properties/u);
  const { verdict: _verdict, ...rest } = overview;
  assert.match(mistakes("Overview", rest)[0]!, /required property 'verdict'/u);
});

test("the document has them, and every reference leads somewhere", () => {
  const text = JSON.stringify(openApi([], "1"));
  const names = [...text.matchAll(/#\/components\/schemas\/(\w+)/gu)].map(([, name]) => name!);
  for (const name of names) assert.ok(Object.hasOwn(ANSWER_SCHEMAS, name) || name === "Problem");
  // An unsound schema cannot be compiled.
  for (const name of Object.keys(ANSWER_SCHEMAS)) mistakes(name, {});
});
