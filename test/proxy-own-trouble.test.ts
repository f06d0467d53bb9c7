/** A machine that has run out of ports or descriptors must not take its servers for broken. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readServiceYaml } from "../src/config/service/read-service.ts";
import { Engine } from "../src/core/proxy/engine.ts";
import type { Connector, ServerPeer, Wire } from "../src/core/proxy/wire.ts";
import { Prng } from "../src/lib/prng.ts";
import { utf8Bytes } from "../src/lib/text-bytes.ts";

const YAML = `
frontends: { web: { listen: ":80", pool: web } }
pools: { web: { servers: ["10.0.0.1:80", "10.0.0.2:80"], retry: 1 } }
`;

function settings(): Parameters<Engine["configure"]>[1] {
  const files = { readFile: () => YAML, glob: () => [] };
  return readServiceYaml("nines.yaml", { hostName: "lb" }, files).service!.balance;
}

/** Keeps what was sent to it. */
class Sink implements Wire {
  readonly queued = 0;
  sent = "";
  send(bytes: Uint8Array, from: number, to: number): boolean {
    this.sent += new TextDecoder().decode(bytes.subarray(from, to));
    return true;
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

/** What becomes of requests, and of the servers, when every connect ends with that errno. */
function requestsWhileConnectsEndWith(reason: string): { answers: string[]; states: string[] } {
  const connecting: ServerPeer[] = [];
  const connector: Connector = {
    connect(_target, peer) {
      connecting.push(peer);
      return new Sink();
    },
  };
  const sinks = { access() {}, event() {} };
  const engine = new Engine(0, { connector, sinks, prng: new Prng(1) });
  engine.configure(0, settings());
  const request = utf8Bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const answers: string[] = [];
  for (let now = 1; now <= 30; now++) {
    const wire = new Sink();
    const ends = { source: "10.0.0.9", sourcePort: now, localAddress: "10.0.0.5", localPort: 80 };
    const peer = engine.accept(now, wire, { frontend: "web", ...ends, http2: false });
    peer.received(now, request, 0, request.length);
    for (let failing = connecting.shift(); failing !== undefined; failing = connecting.shift()) {
      failing.closed(now, reason);
    }
    answers.push(wire.sent.slice(9, 12));
  }
  const [dispatcher] = engine.dispatchers;
  const states = dispatcher!.pool.status(31).servers.map((server) => server.state);
  return { answers: [...new Set(answers)], states };
}

for (const reason of ["EADDRNOTAVAIL", "EMFILE", "ENOBUFS"]) {
  test(`${reason} is told as 503 and ejects nobody`, () => {
    const { answers, states } = requestsWhileConnectsEndWith(reason);
    assert.deepEqual(answers, ["503"]);
    assert.deepEqual(states, ["unchecked", "unchecked"]);
  });
}

test("a server that refuses connections is told as 502 and ejected", () => {
  const { answers, states } = requestsWhileConnectsEndWith("ECONNREFUSED");
  assert.ok(answers.includes("502"));
  assert.ok(states.includes("ejected"), states.join(" "));
});
