import assert from "node:assert/strict";
import { test } from "node:test";
import { type Condition, conjunction } from "./conditions.ts";

function both(a: Condition, b: Condition): unknown {
  const [one, other] = [conjunction([a, b]), conjunction([b, a])];
  assert.equal(typeof one, typeof other, "the order does not count");
  return one;
}

test("two conditions on one header are one where one value can be both, else they cannot be said", () => {
  const header = (match: unknown): Condition => ({ headers: { "x-a": match } });
  const there = header("*");
  const is = header({ exact: "b" });
  assert.deepEqual(both(there, is), is);
  assert.equal(both(header(false), is), "false");
  assert.equal(both(header(false), there), "false");
  assert.equal(both(is, header({ exact: "c" })), undefined, "a request with two may be both");
  assert.deepEqual(both(is, header({ regex: "^b" })), is);
  assert.equal(both(is, header({ regex: "^c" })), undefined);
  const host = (exact: string): Condition => ({ headers: { host: { exact } } });
  assert.equal(both(host("a"), host("b")), "false", "nobody passes two of that one");
  const { headers } = both(header({ regex: "^b" }), header({ regex: "c$" })) as {
    headers: { "x-a": { regex: string } };
  };
  const pattern = new RegExp(headers["x-a"].regex, "u");
  assert.deepEqual(
    ["b", "c", "bc", "b\nc", "cb"].map((text) => pattern.test(text)),
    [false, false, true, true, false],
  );
});

test("paths that cannot be both make no condition", () => {
  const path = (...paths: string[]): Condition => ({ path: paths });
  assert.equal(both(path("/a"), path("/b")), "false");
  assert.equal(both(path("/a*"), path("/b*")), "false");
  assert.deepEqual(both(path("/a*"), path("/a/b*")), path("/a/b*"));
  assert.deepEqual(both(path("/a", "/b/c"), path("/b*", "/d*")), path("/b/c"));
  assert.deepEqual(both(path("/a.png", "/a"), path("~ [.]png$")), path("/a.png"));
  assert.equal(both(path("/a"), path("~ [.]png$")), "false");
});

test("nobody has a certificate and none", () => {
  const shown = { client_certificate: true };
  assert.deepEqual(both(shown, shown), shown);
  assert.equal(both(shown, { client_certificate: false }), "false");
});
