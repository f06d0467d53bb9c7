/** Places at servers, and the line of those who wait for one. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Priority } from "../src/core/route/route-settings.ts";
import { get, ok, ProxyRig, type RigWire } from "./kit/proxy-rig.ts";
import type { RouteDraft } from "./kit/proxy-settings.ts";

const ONE_PLACE = [{ maxConnections: 1 }];

function classRoutes(): RouteDraft[] {
  return (["critical", "high", "normal", "low"] as const).map((priority: Priority) => ({
    name: priority,
    when: { paths: [{ kind: "exact", value: `/${priority}` }] },
    priority,
  }));
}

function ask(rig: ProxyRig, path: string): RigWire {
  const client = rig.client();
  client.write(get(path));
  return client;
}

describe("the line of a pool", () => {
  it("holds what a server's maxconn does not let through, in order of arrival", () => {
    const rig = new ProxyRig({ pools: { web: { servers: ONE_PLACE } } });
    const clients = ["/1", "/2", "/3"].map((path) => ask(rig, path));
    const web = rig.server();
    assert.equal(rig.unanswered, 0);
    for (const [i, client] of clients.entries()) {
      assert.equal(web.took(), get(`/${i + 1}`));
      web.write(ok("x"));
      assert.equal(client.took(), ok("x"));
    }
    assert.equal(rig.unanswered, 0);
  });

  it("serves higher classes first", () => {
    const rig = new ProxyRig({
      frontend: { routes: classRoutes() },
      pools: { web: { servers: ONE_PLACE } },
    });
    ask(rig, "/first");
    const web = rig.server();
    for (const path of ["/low", "/normal", "/high", "/critical"]) ask(rig, path);
    const order = [];
    for (let i = 0; i < 5; i++) {
      order.push(/GET \/(\w+)/.exec(web.took())?.[1]);
      web.write(ok("x"));
    }
    assert.deepEqual(order, ["first", "critical", "high", "normal", "low"]);
  });

  it("refuses with 503 who has waited too long", () => {
    const rig = new ProxyRig({
      pools: { web: { servers: ONE_PLACE, queue: { limit: 10, timeoutMs: 1000 } } },
    });
    ask(rig, "/1");
    const late = ask(rig, "/2");
    rig.wait(999);
    assert.equal(late.took(), "");
    rig.wait(2);
    assert.match(late.took(), /^HTTP\/1\.1 503 Service Unavailable\r\n.*retry-after: 1\r\n/s);
    assert.equal(rig.ending(), "503 sQ waited 1000 ms in line");
    assert.ok(!late.hasFin);
  });

  it("refuses at once when it is full, or when there is none", () => {
    for (const limit of [1, 0]) {
      const rig = new ProxyRig({
        pools: { web: { servers: ONE_PLACE, queue: { limit, timeoutMs: 1000 } } },
      });
      ask(rig, "/1");
      if (limit === 1) ask(rig, "/2");
      assert.match(ask(rig, "/3").took(), /^HTTP\/1\.1 503 /);
      assert.equal(rig.ending(), "503 RQ the line is full");
      const [frontend] = rig.engine.frontends;
      assert.equal(frontend!.traffic.get("queueRefused"), 1);
    }
  });

  it("gives the place of the lowest class to a higher one when it is full", () => {
    const rig = new ProxyRig({
      frontend: { routes: classRoutes() },
      pools: { web: { servers: ONE_PLACE, queue: { limit: 1, timeoutMs: 1000 } } },
    });
    ask(rig, "/first");
    const low = ask(rig, "/low");
    rig.wait(10);
    const high = ask(rig, "/high");
    assert.match(low.took(), /^HTTP\/1\.1 503 /);
    assert.equal(rig.ending(), "503 RQ gave way to a higher class after 10 ms in line");
    const web = rig.server();
    web.took();
    web.write(ok("x"));
    assert.equal(web.took(), get("/high"));
    web.write(ok("y"));
    assert.equal(high.took(), ok("y"));
  });

  it("is left by clients that hang up, and their requests go to nobody", () => {
    const rig = new ProxyRig({ pools: { web: { servers: ONE_PLACE } } });
    ask(rig, "/1");
    const [gone, ended] = [ask(rig, "/2"), ask(rig, "/3")];
    const last = ask(rig, "/4");
    gone.breakOff();
    ended.fin();
    assert.deepEqual(
      rig.told().map((one) => one.ended),
      ["CQ", "CQ"],
    );
    const web = rig.server();
    web.took();
    web.write(ok("x"));
    assert.equal(web.took(), get("/4"));
    web.write(ok("y"));
    assert.equal(last.took(), ok("y"));
  });

  it("moves on when the server that has the place fails", () => {
    const rig = new ProxyRig({ pools: { web: { servers: ONE_PLACE } } });
    const first = ask(rig, "/1");
    const second = ask(rig, "/2");
    rig.server().breakOff();
    assert.match(first.took(), /^HTTP\/1\.1 502 /);
    const web = rig.server();
    assert.equal(web.took(), get("/2"));
    web.write(ok("x"));
    assert.equal(second.took(), ok("x"));
  });

  it("moves on when the operator gives a server more places", () => {
    const rig = new ProxyRig({ pools: { web: { servers: ONE_PLACE } } });
    ask(rig, "/1");
    ask(rig, "/2");
    rig.server();
    assert.equal(rig.unanswered, 0);
    rig.configure({ pools: { web: { servers: [{ maxConnections: 2 }] } } });
    assert.equal(rig.server().took(), get("/2"));
  });

  it("is emptied with 503 when the last server goes down and nothing can come", () => {
    const rig = new ProxyRig({ pools: { web: { servers: ONE_PLACE } } });
    const first = ask(rig, "/1");
    const second = ask(rig, "/2");
    const web = rig.server();
    rig.engine.setHealth(rig.now, "web", "web1", { up: false, reason: "check failed" });
    assert.equal(web.gone, "closed");
    assert.match(first.took(), /^HTTP\/1\.1 50[23] /);
    rig.wait(5100);
    assert.match(second.took(), /^HTTP\/1\.1 503 /);
    first.breakOff();
    second.breakOff();
    rig.isClean();
  });
});
