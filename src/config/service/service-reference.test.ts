import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { globSync } from "node:fs";
import { assertSameText } from "../../../test/kit/same-text.ts";
import { jsonSchema } from "./json-schema.ts";
import { allKeys, pathOf } from "./keys.ts";
import { serviceReference } from "./service-reference.ts";

const UPDATE = process.argv.includes("--update");
const PAGES = [
  ["docs/config.md", serviceReference()],
  ["docs/nines.schema.json", `${JSON.stringify(jsonSchema(), undefined, 1)}\n`],
] as const;

for (const [path, wanted] of PAGES) {
  test(`${path} says what the schema says`, () => {
    const file = new URL(`../../../${path}`, import.meta.url);
    if (UPDATE) writeFileSync(file, wanted);
    assertSameText(readFileSync(file, "utf8"), wanted, path);
  });
}

test("every key says what it means in a sentence, and no two of one map have a name", () => {
  const seen = new Set<string>();
  for (const key of allKeys()) {
    const path = pathOf(key);
    assert.match(key.meaning, /^\S.*[.…]$/u, path);
    assert.ok(!seen.has(path), path);
    seen.add(path);
  }
  assert.ok(seen.size > 300, `${seen.size} keys`);
});

const editor = new Ajv({ strict: false, allErrors: true }).compile(jsonSchema());

const ROOT = new URL("../../../", import.meta.url).pathname;
const SERVICES = globSync("{samples/*/nines,test/golden/import/**/*}.yaml", { cwd: ROOT }).sort();

for (const path of SERVICES) {
  test(`an editor that knows the JSON Schema finds nothing wrong with ${path}`, () => {
    const data: unknown = parse(readFileSync(`${ROOT}${path}`, "utf8"), { merge: true });
    assert.ok(editor(data), JSON.stringify(editor.errors?.slice(0, 5), undefined, 1));
  });
}

test("the samples were looked at, and a number is fine where words are numbers", () => {
  assert.ok(SERVICES.length > 10, `${SERVICES.length} files`);
  const tls = { certificates: ["a.pem"], minimum_version: 1.3 };
  assert.ok(editor({ frontends: { web: { listen: 443, pool: "web", tls } } }));
});

test("an editor marks an unknown key and a duration without a unit", () => {
  assert.ok(!editor({ pools: { web: { server: [] } } }));
  assert.ok(!editor({ checks: { web: { tcp: true, every: 5 } } }));
  assert.ok(editor({ checks: { web: { tcp: true, every: "5s" } } }));
});
