import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { latin1Bytes } from "../../lib/text-bytes.ts";
import { RequestHead } from "../http/request-head.ts";
import { RequestFacts } from "./request-facts.ts";
import type { RouteConditions, TextMatch } from "./route-settings.ts";
import { RouteTable } from "./route-table.ts";

function matched(when: RouteConditions, fields: string, target = "/"): boolean {
  const bytes = latin1Bytes(`GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  const head = new RequestHead();
  head.clear();
  assert.equal(head.parse(bytes, 0, bytes.length, { bytes: 9999, fields: 50 }), bytes.length);
  const edits = { remove: [], set: [], add: [] };
  const pools = { kind: "pools", pools: [] } as const;
  const common = { requestHeaders: edits, responseHeaders: edits, priority: "normal" } as const;
  const table = new RouteTable([{ name: "r", when, target: pools, ...common }]);
  return typeof table.match(new RequestFacts(head)) === "object";
}

describe("a condition on headers", () => {
  it("looks at each field of the name, since servers differ about which counts", () => {
    const fields = `N: a\r\nn: b\r\nN: ${"x".repeat(4097)}\r\n`;
    const is = (match: TextMatch, name = "n"): boolean =>
      matched({ headers: [{ name, match }] }, fields);
    assert.equal(is({ kind: "exact", value: "a" }), true);
    assert.equal(is({ kind: "exact", value: "b" }), true);
    assert.equal(is({ kind: "exact", value: "c" }), false);
    assert.equal(is({ kind: "present" }), true);
    assert.equal(is({ kind: "absent" }), false);
    assert.equal(is({ kind: "absent" }, "m"), true);
    assert.equal(is({ kind: "regex", pattern: "^b$" }), false, "another one is too long");
  });

  it("looks at each cookie and parameter of the name, too", () => {
    const fields = "Cookie: n=a; n=b\r\nCookie: n=c\r\n";
    const is = (match: TextMatch): readonly boolean[] => [
      matched({ cookies: [{ name: "n", match }] }, fields),
      matched({ query: [{ name: "n", match }] }, "", "/?n=a&m=d&n=%62&n=c"),
    ];
    for (const value of ["a", "b", "c"])
      assert.deepEqual(is({ kind: "exact", value }), [true, true]);
    assert.deepEqual(is({ kind: "exact", value: "d" }), [false, false]);
    assert.deepEqual(is({ kind: "absent" }), [false, false]);
  });

  it("knows letters beyond ASCII, as one on cookies does: they are UTF-8", () => {
    const octets = "\xe4\xb8\x8a";
    const fields = `N: a${octets}\r\nCookie: n=a${octets}\r\n`;
    const matches = [
      { kind: "exact", value: "a\u4e0a" },
      { kind: "prefix", value: "a\u4e0a" },
      { kind: "regex", pattern: "^a[\u4e0a\u4e0b]$" },
    ] as const;
    for (const match of matches) {
      assert.equal(matched({ headers: [{ name: "n", match }] }, fields), true, match.kind);
      assert.equal(matched({ cookies: [{ name: "n", match }] }, fields), true, match.kind);
    }
  });
});
