import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schema } from "./expand.ts";
import { compile } from "./mistakes.ts";
import { serviceSchema } from "./schema/service-schema.ts";

test("what checks a file is made of short functions: the engine makes long ones fast at any price", () => {
  const made: string[] = [];
  const original = globalThis.Function;
  globalThis.Function = new Proxy(original, {
    construct(target, words: string[]) {
      made.push(words.at(-1)!);
      return Reflect.construct(target, words);
    },
  });
  try {
    compile(serviceSchema as unknown as Schema);
  } finally {
    globalThis.Function = original;
  }
  assert.ok(made.length > 10, "they are seen at all");
  const longest = Math.max(...made.map((text) => text.length));
  assert.ok(longest < 100_000, `${longest} letters`);
});
