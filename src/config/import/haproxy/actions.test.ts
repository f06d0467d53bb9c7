import assert from "node:assert/strict";
import { test } from "node:test";
import { requestAction, responseAction } from "./actions.ts";

test("\\0 is all that was found, where that is all that is replaced; elsewhere it is told", () => {
  const changed = (expression: string, to: string): unknown =>
    responseAction(["http-response", "replace-header", "X", expression, to], false);
  assert.deepEqual(changed("^.*$", "\\0; $1 Secure"), {
    change: { response: { replace: { X: { regex: "^.*$", to: "$&; $$1 Secure" } } } },
    rest: [],
  });
  const lost = { lost: "Nines does not know this value" };
  assert.deepEqual(changed("a+", "\\0b"), lost);
  assert.deepEqual(requestAction(["replace-path", "/old", "/new\\0"], false), lost);
  for (const words of [
    ["replace-path", "^/.*$", "/new\\0"],
    ["set-path", "%[path,regsub(^/.*$,/new\\0)]"],
  ]) {
    assert.deepEqual(requestAction(words, false), {
      change: { rewrite: { regex: "^/.*$", to: "/new$&" } },
      rest: [],
    });
  }
});

test("what a backend does with answers is apart from what its frontend does", () => {
  const words = (kind: string): string[] => [kind, "set-header", "X", "a"];
  for (const [kind, inner, outer] of [
    ["http-response", "inner", "response"],
    ["http-after-response", "innerAnswer", "answer"],
  ] as const) {
    const changed = { set: { X: "a" } };
    assert.deepEqual(responseAction(words(kind), true), { change: { [inner]: changed }, rest: [] });
    assert.deepEqual(responseAction(words(kind), false), {
      change: { [outer]: changed },
      rest: [],
    });
  }
});
