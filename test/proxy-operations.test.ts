/** What operators do while requests run: drain, take away, reload, stop. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { get, ok, ProxyRig, type RigServer } from "./kit/proxy-rig.ts";
import { balanceSettings } from "./kit/proxy-settings.ts";

const TWO = { web: { servers: [{}, {}] } };
const CLOSE = "\r\nconnection: close\r\n\r\n";

describe("liveness and readiness", () => {
  it("are answered here, to whom no server answers", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    const own = "content-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\n\r\n";
    client.write(get("/healthz?x"));
    assert.equal(client.took(), `HTTP/1.1 200 OK\r\ncontent-length: 6\r\n${own}alive\n`);
    client.write(get("/readyz"));
    assert.equal(client.took(), `HTTP/1.1 200 OK\r\ncontent-length: 6\r\n${own}ready\n`);
    assert.equal(rig.unanswered, 0);
  });

  it("say no to new work as soon as it is to end, and stay alive", () => {
    const rig = new ProxyRig();
    rig.engine.isReady = false;
    const client = rig.client();
    client.write(get("/readyz"));
    assert.match(client.took(), /^HTTP\/1\.1 503 .*draining\n$/s);
    client.write(get("/healthz"));
    assert.match(client.took(), /^HTTP\/1\.1 200 .*alive\n$/s);
  });

  it("are the application's where they are switched off", () => {
    const rig = new ProxyRig({ frontend: { healthPath: "", readyPath: "" } });
    rig.client().write(get("/healthz"));
    assert.equal(rig.server().took(), get("/healthz"));
  });
});

describe("a worker that drains", () => {
  it("finishes what was begun, and each answer is the last of its connection", () => {
    const rig = new ProxyRig();
    const [busy, idle, kept] = [rig.client(), rig.client(), rig.client()];
    kept.write(get("/kept"));
    const web = rig.server();
    web.write(ok("x"));
    kept.took();
    busy.write(get("/busy"));
    rig.wait(500);
    rig.engine.drain(rig.now, 400);
    assert.equal(idle.gone, "closed");
    assert.equal(kept.gone, "closed");
    web.write(ok("done"));
    assert.equal(busy.took(), ok("done").replace("\r\n\r\n", CLOSE));
    assert.ok(busy.hasFin);
    busy.breakOff("");
    rig.isClean();
  });

  it("serves whom it has just answered, in case his next request is on its way", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    web.write(ok("x"));
    client.took();
    rig.engine.drain(rig.now, 1000);
    assert.equal(client.gone, "");
    client.write(get());
    web.write(ok("y"));
    assert.equal(client.took(), ok("y").replace("\r\n\r\n", CLOSE));
  });

  it("lets a whole answer be read to its end, and serves what was asked meanwhile", () => {
    const rig = new ProxyRig();
    const [reader, asker] = [rig.client(), rig.client()];
    for (const client of [reader, asker]) {
      client.write(get());
      client.stick();
    }
    const [web, other] = [rig.server(), rig.server()];
    web.write(ok("x"));
    other.write(ok("x"));
    asker.took();
    asker.write(get());
    rig.wait(1100);
    rig.engine.drain(rig.now, 1000);
    assert.deepEqual([reader.gone, asker.gone], ["", ""]);
    reader.unstick();
    asker.unstick();
    other.write(ok("y"));
    assert.equal(asker.took(), ok("y").replace("\r\n\r\n", CLOSE));
    rig.wait(1100);
    rig.engine.drain(rig.now, 1000);
    assert.equal(reader.gone, "closed");
  });

  it("cuts what is left when its time is over", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    rig.engine.drain(rig.now);
    rig.engine.cut(rig.now, "30 s are over");
    assert.deepEqual([client.gone, web.gone], ["closed", "closed"]);
    assert.equal(rig.ending(), "0 KH 30 s are over");
    rig.isClean();
  });
});

describe("a server", () => {
  it("that drains gets no new requests, finishes its own, and says when it is empty", () => {
    const rig = new ProxyRig({ pools: TWO });
    const client = rig.client();
    client.write(get("/1"));
    const first = rig.server("web1");
    rig.engine.setAdmin(rig.now, "web", "web1", { state: "drain", reason: "new kernel" });
    rig.client().write(get("/2"));
    rig.server("web2");
    assert.deepEqual(rig.events(), ["web/web1 drain-started"]);
    first.write(ok("one"));
    assert.equal(client.took(), ok("one"));
    assert.deepEqual(rig.events(), ["web/web1 drained"]);
    rig.engine.setAdmin(rig.now, "web", "web1", undefined);
    client.write(get("/3"));
    assert.match(first.took(), /\/3/);
  });

  it("that drains loses what still runs at the deadline", () => {
    const rig = new ProxyRig({ pools: TWO });
    const client = rig.client();
    client.write(get());
    const web = rig.server("web1");
    web.write(ok("hello").slice(0, -2));
    const deadlineMs = 5000;
    rig.engine.setAdmin(rig.now, "web", "web1", { state: "drain", reason: "x", deadlineMs });
    rig.wait(4900);
    assert.equal(web.gone, "");
    rig.wait(200);
    assert.equal(web.gone, "closed");
    assert.match(rig.ending(), /^200 DD /);
    assert.ok(rig.events().includes("web/web1 drain-deadline"));
  });

  it("that drains goes on so when the configuration is told again, with its orders", () => {
    const stickiness = { kind: "table", key: { of: "source" }, size: 9, ttlMs: 90_000 } as const;
    const pools = { web: { ...TWO.web, stickiness } };
    const rig = new ProxyRig({ pools });
    const client = rig.client();
    client.write(get());
    rig.server("web1").write(ok("x"));
    const order = (deadlineMs: number): void => {
      const admin = { state: "drain", reason: "x", deadlineMs } as const;
      rig.configure({ pools });
      rig.engine.applyOverrides(rig.now, [{ pool: "web", servers: [{ server: "web1", admin }] }]);
    };
    order(5000);
    rig.wait(3000);
    order(5000);
    rig.wait(2100);
    const ended = ["web/web1 drain-started", "web/web1 drained", "web/web1 drain-deadline"];
    assert.deepEqual(rig.events(), ended);
    order(5000);
    assert.deepEqual(rig.events(), []);
    rig.client().write(get());
    rig.server("web2");
    order(9000);
    assert.deepEqual(rig.events(), ["web/web1 drained"], "another order is another drain");
  });

  it("in maintenance gets nothing, not even from clients bound to it", () => {
    const stickiness = { kind: "table", key: { of: "source" }, size: 9, ttlMs: 9000 } as const;
    const rig = new ProxyRig({ pools: { web: { ...TWO.web, stickiness } } });
    rig.client().write(get());
    rig.server("web1").write(ok("x"));
    rig.engine.setAdmin(rig.now, "web", "web1", { state: "maint", reason: "disk" });
    rig.client().write(get());
    rig.server("web2");
  });

  it("that goes down loses its connections; unanswered requests go to another one", () => {
    const rig = new ProxyRig({ pools: TWO });
    const [one, two] = [rig.client(), rig.client()];
    one.write(get("/1"));
    two.write(get("/2"));
    const [first, second] = [rig.server("web1"), rig.server("web1")];
    first.write(ok("hello").slice(0, -2));
    rig.engine.setHealth(rig.now, "web", "web1", { up: false, reason: "check failed" });
    assert.deepEqual([first.gone, second.gone, one.gone], ["closed", "closed", "closed"]);
    const other = rig.server("web2");
    assert.equal(other.took(), get("/2"));
    other.write(ok("two"));
    assert.equal(two.took(), ok("two"));
  });

  it("that goes down finishes what runs where the pool wants that", () => {
    const rig = new ProxyRig({ pools: { web: { ...TWO.web, killOnDown: false } } });
    const client = rig.client();
    client.write(get());
    const web = rig.server("web1");
    rig.engine.setHealth(rig.now, "web", "web1", { up: false, reason: "check failed" });
    web.write(ok("x"));
    assert.equal(client.took(), ok("x"));
    client.write(get());
    rig.server("web2");
  });

  it("that fails five times in a row is left alone for a while", () => {
    const rig = new ProxyRig({ pools: TWO });
    let web: RigServer | undefined;
    for (let i = 0; i < 5; i++) {
      const client = rig.client();
      client.write(get());
      rig.asked("web1").breakOff("ECONNREFUSED");
      web ??= rig.server("web2");
      web.write(ok("x"));
      assert.equal(client.took(), ok("x"));
    }
    assert.deepEqual(rig.events(), ["web/web1 ejected"]);
    const client = rig.client();
    client.write(get());
    assert.equal(rig.unanswered, 0);
    rig.wait(31_000);
    rig.client().write(get());
    rig.asked("web1");
  });
});

describe("a reload", () => {
  it("leaves running requests alone, and counts for the next ones", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get("/1"));
    const web = rig.server();
    rig.configure({ frontend: { forwarded: "x-forwarded" }, pools: { web: {} } });
    web.write(ok("one"));
    assert.equal(client.took(), ok("one"));
    client.write(get("/2"));
    assert.match(web.took(), /x-forwarded-for: 192\.0\.2\.1\r\n/);
  });

  it("that removes a server lets it finish, and keeps no connection to it", () => {
    const rig = new ProxyRig({ pools: TWO });
    const [client, other] = [rig.client(), rig.client()];
    client.write(get());
    other.write(get());
    const [busy, kept] = [rig.server("web1"), rig.server("web1")];
    kept.write(ok("x"));
    rig.configure({ pools: { web: { servers: [{ name: "web2" }] } } });
    assert.equal(kept.gone, "closed");
    busy.write(ok("one"));
    assert.equal(client.took(), ok("one"));
    assert.equal(busy.gone, "closed");
    client.write(get());
    rig.server("web2");
  });

  it("that moves a server to another address uses no connection to the old one", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    web.write(ok("x"));
    const endpoint = { kind: "ip", address: "192.0.2.99", port: 8080 } as const;
    rig.configure({ pools: { web: { servers: [{ endpoint }] } } });
    assert.equal(web.gone, "closed");
    client.write(get());
    assert.deepEqual(rig.server("web1").target.endpoint, endpoint);
  });

  it("that removes a frontend ends idle clients and lets the others finish", () => {
    const rig = new ProxyRig();
    const [busy, idle] = [rig.client(), rig.client()];
    busy.write(get());
    rig.configure({ ...balanceSettings({}), frontends: [] });
    assert.equal(idle.gone, "closed");
    rig.server().write(ok("x"));
    assert.equal(busy.took(), ok("x").replace("\r\n\r\n", CLOSE));
    assert.ok(busy.hasFin);
    assert.equal(rig.client().gone, "reset");
  });

  it("that removes a frontend lets whole answers be read to their end", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    client.stick();
    rig.server().write(ok("x"));
    rig.configure({ ...balanceSettings({}), frontends: [] });
    assert.deepEqual([client.gone, client.hasFin], ["", true]);
    client.queued = 0;
    rig.wait(2100);
    assert.equal(client.gone, "closed");
  });

  it("that removes a pool lets it finish, and answers 404 from then on", () => {
    const rig = new ProxyRig({ pools: { web: { servers: [{ maxConnections: 1 }] } } });
    const [client, queued] = [rig.client(), rig.client()];
    client.write(get());
    queued.write(get("/queued"));
    const web = rig.server();
    web.took();
    rig.configure({ pools: { other: {} } });
    web.write(ok("x"));
    assert.equal(client.took(), ok("x"));
    const next = web.gone === "" ? web : rig.server("web1");
    assert.equal(next.took(), get("/queued"));
    next.write(ok("y"));
    assert.equal(queued.took(), ok("y"));
    assert.equal(next.gone, "closed");
    client.write(get());
    assert.match(client.took(), /^HTTP\/1\.1 404 /);
    client.breakOff();
    queued.breakOff();
    rig.wait(10);
    rig.isClean();
  });

  it("that carries connections instead of requests, or the reverse, knows what checks said", () => {
    const rig = new ProxyRig({ pools: TWO });
    rig.engine.setHealth(rig.now, "web", "web1", { up: false, reason: "check failed" });
    rig.events();
    rig.configure({ frontend: { mode: "tcp" }, pools: TWO });
    rig.client();
    rig.server("web2");
    rig.configure({ pools: TWO });
    rig.client().write(get());
    rig.server("web2");
    rig.engine.setHealth(rig.now, "web", "web1", { up: true, reason: "status 200" });
    assert.deepEqual(rig.events(), ["web/web1 up"]);
  });

  it("a hundred times in a row loses nothing of what runs", () => {
    const rig = new ProxyRig({ pools: TWO });
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    const body = "x".repeat(100);
    const text = ok(body);
    for (let i = 0; i < text.length; i++) {
      rig.configure({ frontend: { limits: { headers: 50 + (i % 2) } }, pools: TWO });
      web.write(text[i]!);
    }
    assert.equal(client.took(), text);
  });
});
