/** Requests of known risk (test/cases) driven through the engine: which of them reach a server. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bytesOf, desyncCases, type DesyncCase } from "./kit/desync-cases.ts";
import { get, ok, ProxyRig } from "./kit/proxy-rig.ts";

/** In front of the request, so that one that is taken for a body would be seen. */
const BEFORE = get("/before");
const AFTER = get("/smuggled");

interface Seen {
  /** What the server got of the case itself; "" = nothing. */
  readonly server: string;
  /** The client's status line. */
  readonly answer: string;
  /** The connection to the server is kept. */
  readonly isKept: boolean;
}

/** On a kept connection between two good requests; the body is what the head announces. */
function play(one: DesyncCase): Seen {
  const rig = new ProxyRig();
  const client = rig.client();
  client.write(BEFORE);
  const web = rig.server();
  web.write(ok("before"));
  web.took();
  client.took();
  const text = Buffer.from(bytesOf(one)).toString("latin1");
  client.write(text);
  const server = web.took();
  if (server !== "") {
    if (/^transfer-encoding: chunked\r$/m.test(server)) client.write("0\r\n\r\n");
    const length = Number(/^content-length: (\d+)\r$/m.exec(server)?.[1] ?? "0");
    for (let left = length; left > 0; left -= 60_000) {
      client.write("x".repeat(Math.min(left, 60_000)));
    }
    web.took();
    if (web.gone === "") web.write(ok("served"));
  }
  const answer = client.took().split("\r\n", 1)[0]!;
  if (client.gone === "" && !client.hasFin) client.write(AFTER);
  else assert.equal(rig.unanswered, 0, "something came after the refusal");
  return { server, answer, isKept: web.gone === "" };
}

describe("requests of known risk in the engine", () => {
  for (const one of desyncCases()) {
    const { tier, reason } = one.expected;
    it(`${tier}: ${one.name}`, () => {
      const { server, answer, isKept } = play(one);
      if (tier === "Severe") {
        assert.equal(server, "");
        assert.match(answer, /^HTTP\/1\.1 (?:400|501|505|417) /);
      }
      if (tier === "Compliant") assert.match(answer, /^HTTP\/1\.1 (?:200 OK|501 Not Implemented)$/);
      if (tier === "Compliant" && answer.includes("501")) assert.equal(server, "");
      // Served, if at all, but its connection carries nobody else's request.
      if (tier === "Ambiguous" && reason !== "UndefinedContentLengthSemantics" && server !== "") {
        assert.equal(isKept, false);
      }
    });
  }
});
