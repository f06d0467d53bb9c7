/** Requests of known risk, from test/cases: what must be refused, what must be served. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { RequestHead } from "../src/core/http/request-head.ts";

interface Case {
  readonly name: string;
  readonly method: string;
  readonly uri: string;
  readonly version: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[] | null;
  readonly expected: { readonly tier: string; readonly reason?: string };
}

const cases = JSON.parse(
  readFileSync(new URL("cases/http-desync.json", import.meta.url), "utf8"),
) as readonly Case[];

function bytesOf({ method, uri, version, headers }: Case): Uint8Array {
  const fields = (headers ?? []).map(({ name, value }) => `${name}: ${value}\r\n`);
  // The cases are about other fields and often leave out the Host that HTTP/1.1 wants.
  if (!fields.some((line) => /^host:/i.test(line))) fields.unshift("Host: example.com\r\n");
  const text = `${method} ${uri} ${version}\r\n${fields.join("")}\r\n`;
  return Buffer.from(
    text,
    Array.from(text).some((c) => c.codePointAt(0)! > 255) ? "utf8" : "latin1",
  );
}

function verdict(bytes: Uint8Array): string {
  const head = new RequestHead();
  head.clear();
  const after = head.parse(bytes, 0, bytes.length, { bytes: 65_536, fields: 100 });
  if (head.refused !== undefined) return head.refused;
  if (after < bytes.length) return "incomplete";
  return head.ambiguous ? "served, connection not used again" : "served";
}

describe("requests of known risk", () => {
  for (const one of cases) {
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
