/** Expressions of routes on texts that a client chose so that they go back and forth. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { limitBacktracking } from "../src/drivers/expression-engine.ts";
import { get, ProxyRig } from "./kit/proxy-rig.ts";
import { edits, type RouteDraft } from "./kit/proxy-settings.ts";

limitBacktracking();

const PATTERN = "(a+)+$";
const LONG = `${"a".repeat(3000)}b`;

/** What a server gets; it never gets anything when the expression does not come to an end. */
function asked(route: RouteDraft): string {
  const rig = new ProxyRig({ frontend: { routes: [route] } });
  rig.client().write(get(`/${LONG}`, `x-long: ${LONG}`));
  return rig.server().took();
}

test("a path on which an expression would go back and forth for ever is judged all the same", () => {
  const when = { paths: [{ kind: "regex", pattern: PATTERN }] } as const;
  const target = { kind: "respond", status: 200, body: "", contentType: "" } as const;
  assert.ok(asked({ when, target }).startsWith(`GET /${LONG} `));
});

test("and so is a header that is a condition or changed, and a path that is rewritten", () => {
  const match = { kind: "regex", pattern: PATTERN } as const;
  const replace = [{ name: "X-Long", pattern: PATTERN, replacement: "" }];
  const rewrite = { ...match, replacement: "/" };
  const when = { headers: [{ name: "x-long", match }] };
  const target = { kind: "respond", status: 200, body: "", contentType: "" } as const;
  const first = { when, target } as const;
  assert.match(asked(first), new RegExp(`x-long: ${LONG}\r\n`));
  assert.match(asked({ rewrite, requestHeaders: edits({ replace }) }), new RegExp(LONG));
});
