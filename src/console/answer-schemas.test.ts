/** What is really answered is what is described. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { ANSWER_SCHEMAS } from "./answer-schemas.ts";
import { fixture, FIXTURE_NAMES } from "./fixture.ts";
import { openApi } from "./open-api.ts";
import { stateAt } from "./replay.ts";

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
ajv.addVocabulary(["components"]);
ajv.addSchema({ $id: "api", components: { schemas: ANSWER_SCHEMAS } });

function mistakes(name: string, answer: unknown): readonly string[] {
  const check = ajv.getSchema(`api#/components/schemas/${name}`);
  assert.ok(check !== undefined, name);
  // As it travels: what is undefined is absent.
  check(JSON.parse(JSON.stringify(answer)));
  return (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

for (const name of FIXTURE_NAMES) {
  test(`the overview of ${name} is as described`, () => {
    const overview = fixture(name);
    assert.deepEqual(mistakes("Overview", overview), []);
    assert.deepEqual(mistakes("IncidentList", { incidents: overview.incidents }), []);
    assert.deepEqual(mistakes("RecordPage", { records: overview.records, next: "x" }), []);
    const past = { atMs: overview.nowMs, others: [], of: () => [] };
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
  for (const name of Object.keys(ANSWER_SCHEMAS)) ajv.getSchema(`api#/components/schemas/${name}`);
});
