import assert from "node:assert/strict";
import { test } from "node:test";
import { KEYWORDS, keywordsOf } from "./schema.ts";

test("no keyword is defined twice in one block", () => {
  const seen = new Set<string>();
  for (const row of KEYWORDS) {
    for (const block of row.blocks) {
      const key = `${block} ${row.name}`;
      assert.ok(!seen.has(key), key);
      seen.add(key);
    }
  }
});

test("every block that a keyword opens has keywords", () => {
  for (const row of KEYWORDS) {
    if (row.takes.kind === "block") assert.ok(keywordsOf(row.takes.block).size > 0, row.name);
  }
});

test("every keyword has a meaning that ends with a full stop, and a source", () => {
  for (const row of KEYWORDS) {
    assert.match(row.meaning, /^\S.*[.?;)]$/u, row.name);
    assert.notEqual(row.source, "", row.name);
  }
});

test("ranges are not empty and numeric defaults are inside them", () => {
  for (const { takes, name, default: standard } of KEYWORDS) {
    if (!("min" in takes)) continue;
    assert.ok(takes.min < takes.max, name);
    if (/^\d+(\.\d+)?$/u.test(standard)) {
      assert.ok(Number(standard) >= takes.min && Number(standard) <= takes.max, name);
    }
  }
});

test("defaults of a choice are one of the choices, or name another keyword", () => {
  for (const { takes, name, default: standard } of KEYWORDS) {
    if (takes.kind !== "one-of" || standard === "") continue;
    const named = KEYWORDS.some((row) => row.name === standard);
    assert.ok(takes.options.includes(standard) || named, name);
  }
});

test("the table covers keepalived's language", () => {
  assert.ok(KEYWORDS.length >= 400, String(KEYWORDS.length));
});
