import assert from "node:assert/strict";
import { test } from "node:test";
import { readServiceYaml } from "./read-service.ts";
import type { ServiceReading } from "./service-model.ts";

function read(text: string): ServiceReading {
  return readServiceYaml("nines.yaml", {}, { readFile: () => text, glob: () => [] });
}

/** `LINE:COLUMN reason - next` of everything that is wrong with it. */
function mistakesOf(text: string): readonly string[] {
  return read(text).diagnostics.map(
    ({ line, column, reason, next }) => `${line}:${column} ${reason} - ${next}`,
  );
}

test("a list where a map belongs is told where it stands", () => {
  const text =
    "frontends:\n  web: { listen: ':80', routes: [{ path: /c, pools: [p, q] }] }\n" +
    "pools:\n  p: { servers: [127.0.0.1:1], retry: [2] }\n";
  const [pools, retry] = mistakesOf(text);
  assert.match(pools!, /^2:46 pools cannot be a list - /);
  assert.match(retry!, /^4:32 retry cannot be a list - /);
});

test("a name that cannot be one is told where it stands", () => {
  const servers = "{ servers: [127.0.0.1:1] }";
  const text = `frontends:\n  w: { listen: ':80', pool: p }\npools:\n  p: ${servers}\n  a b: ${servers}\n`;
  const [only, ...more] = mistakesOf(text);
  assert.match(only!, /^5:3 pools: 'a b' cannot be a name - /);
  assert.deepEqual(more, []);
});

test("a bare number in a short form is told what it lacks", () => {
  const text =
    "frontends:\n  web: { listen: ':80', routes: [{ rate_limit: 10, pool: p }] }\n" +
    "pools:\n  p: { servers: [127.0.0.1:1], slow_start: 20 }\n";
  assert.deepEqual(mistakesOf(text), [
    "2:48 rate: '10' is not a rate - write 100/s, 30/m or 5/h",
    "4:44 window: '20' has no unit - write 20s for seconds or 20ms",
  ]);
});

test("a file of two documents is told in words for its author", () => {
  const [only] = mistakesOf("pools: {}\n---\npools: {}\n");
  assert.equal(
    only,
    "2:1 a second document begins here - one file is one document: remove the ---",
  );
});

test("what can be switched takes the words that YAML once had for it", () => {
  const text = (word: string): string =>
    `frontends:\n  web: { listen: ":80", pool: p, access_log: ${word}, shedding: ${word} }\n` +
    `pools:\n  p: { servers: ["127.0.0.1:1"], outlier: ${word}, slow_start: ${word} }\n`;
  for (const word of ["off", "no", "Off", "false"]) {
    const { service, diagnostics } = read(text(word));
    assert.deepEqual(diagnostics, []);
    const [web] = service!.balance.frontends;
    const [pool] = service!.balance.pools;
    assert.deepEqual([web!.accessLog.format, web!.shedding.enabled], ["off", false]);
    assert.deepEqual([pool!.outlier.enabled, pool!.slowStart.windowMs], [false, 0]);
  }
});
