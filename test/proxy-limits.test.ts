/** What a route lets through in a time. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { get, ok, ProxyRig } from "./kit/proxy-rig.ts";
import type { RouteDraft } from "./kit/proxy-settings.ts";

function withRoute(route: RouteDraft): ProxyRig {
  return new ProxyRig({ frontend: { routes: [route] } });
}

describe("limits of a route", () => {
  const rateLimit = { per: "source", perSecond: 0.5, burst: 2, size: 100 } as const;

  it("refuse with 429 and say when to come back", () => {
    const rig = withRoute({ rateLimit });
    const client = rig.client();
    for (let i = 0; i < 2; i++) {
      client.write(get());
      if (i === 0) rig.server().write(ok("x"));
    }
    const other = rig.client();
    other.write(get());
    assert.match(other.took(), /^HTTP\/1\.1 429 Too Many Requests\r\n.*retry-after: 2\r\n/s);
    assert.match(rig.told().at(-1)!.reason, /more than 0\.5 requests a second/);
    rig.wait(2000);
    other.write(get());
    assert.equal(other.took(), "");
    const stranger = rig.client({ source: "198.51.100.1" });
    stranger.write(get());
    assert.equal(stranger.took(), "");
  });

  it("are one for a network where that is said, and explained so", () => {
    const rig = withRoute({ rateLimit: { ...rateLimit, per: { prefix: 64 }, burst: 1 } });
    const status = (source: string): number => {
      rig.client({ source }).write(get());
      return rig.told()[0]?.status ?? 200;
    };
    assert.equal(status("2001:db8::1"), 200);
    assert.equal(status("2001:db8::ffff"), 429, "of the same /64");
    assert.equal(status("2001:db8:0:1::1"), 200);
    assert.equal(status("192.0.2.1"), 200);
    assert.equal(status("192.0.2.2"), 200, "IPv4 as a whole");
    assert.equal(status("192.0.2.1"), 429);
    const asked = { method: "GET", url: "http://a.example/", headers: [], source: "192.0.2.1" };
    const { lines } = rig.engine.explain(rig.now, asked);
    assert.match(lines.join("\n"), /a second per network of the source \(\/64\); else 429/u);
  });

  it("go on counting over a reload", () => {
    const frontend = { routes: [{ rateLimit }] };
    const rig = new ProxyRig({ frontend });
    for (let i = 0; i < 2; i++) rig.client().write(get());
    rig.configure({ frontend: { ...frontend, timeouts: { headMs: 1000 } } });
    const client = rig.client();
    client.write(get());
    assert.match(client.took(), /^HTTP\/1\.1 429 /);
  });
});
