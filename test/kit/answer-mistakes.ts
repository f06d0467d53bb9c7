/** Holds an answer of the API against its description. */

import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { ANSWER_SCHEMAS } from "../../src/console/answer-schemas.ts";

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
ajv.addVocabulary(["components"]);
ajv.addSchema({ $id: "api", components: { schemas: ANSWER_SCHEMAS } });

/** `name`: as routes have it in `answers`. */
export function answerMistakes(name: string, answer: unknown): readonly string[] {
  const check = ajv.getSchema(`api#/components/schemas/${name}`);
  assert.ok(check !== undefined, name);
  // As it travels: what is undefined is absent.
  check(JSON.parse(JSON.stringify(answer)));
  return (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
