/** Requests of known risk, from test/cases: what must be refused, what must be served. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RequestHead } from "../src/core/http/request-head.ts";
import { bytesOf, desyncCases } from "./kit/desync-cases.ts";

function verdict(bytes: Uint8Array): string {
  const head = new RequestHead();
  head.clear();
  const after = head.parse(bytes, 0, bytes.length, { bytes: 65_536, fields: 100 });
  if (head.refused !== undefined) return head.refused;
  if (after < bytes.length) return "incomplete";
  return head.ambiguous ? "served, connection not used again" : "served";
}

describe("requests of known risk", () => {
  for (const one of desyncCases()) {
    const { tier, reason } = one.expected;
    it(`${tier}: ${one.name}`, () => {
      const said = verdict(bytesOf(one));
      if (tier === "Severe") assert.doesNotMatch(said, /^served|incomplete/);
      if (tier === "Compliant") {
        assert.match(said, /^served|transfer-coding-not-implemented/);
      }
      if (tier === "Ambiguous" && reason !== "UndefinedContentLengthSemantics") {
        assert.notEqual(said, "served");
      }
    });
  }
});
