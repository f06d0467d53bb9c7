/** Clients that are bound to a server: by cookie, in its three modes, and by table. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CookieSettings } from "../src/core/balance/sticky-cookie.ts";
import { StickyCookie } from "../src/core/balance/sticky-cookie.ts";
import { get, head, ok, ProxyRig } from "./kit/proxy-rig.ts";
import { retrySettings } from "./kit/proxy-settings.ts";

const SECRET = new Uint8Array(32).fill(7);
const WALL_MS = 1_700_000_000_000;
const SERVERS = ["web1", "web2", "web3"];

function cookie(draft: Partial<CookieSettings> = {}): CookieSettings {
  const ages = { maxAgeMs: 0, maxIdleMs: 0 };
  const mode = "insert";
  return {
    kind: "cookie",
    name: "srv",
    mode,
    secret: SECRET,
    ...ages,
    secure: false,
    sameSite: "lax",
    ...draft,
  };
}

function token(server: string, settings: CookieSettings, ageMs = 0): string {
  return new StickyCookie(settings, "web", SERVERS).value(server, WALL_MS - ageMs);
}

function rigOf(stickiness: CookieSettings): ProxyRig {
  return new ProxyRig({ pools: { web: { servers: [{}, {}, {}], stickiness } } });
}

describe("a cookie", () => {
  it("of our own is inserted once, brings the client back, and the server never sees it", () => {
    const settings = cookie();
    const rig = rigOf(settings);
    const client = rig.client();
    client.write(get());
    rig.server("web1").write(ok("one"));
    const value = token("web1", settings);
    const set = `set-cookie: srv=${value}; Path=/; HttpOnly; SameSite=Lax`;
    assert.equal(client.took(), head("HTTP/1.1 200 OK", set, "content-length: 3") + "one");
    const other = rig.client();
    other.write(get("/", `cookie: a=1; srv=${token("web3", settings)}; b=2`));
    const web = rig.server("web3");
    assert.equal(web.took(), head("GET / HTTP/1.1", "host: a.example", "cookie: a=1; b=2"));
    web.write(ok("three"));
    assert.equal(other.took(), ok("three"));
  });

  it("is found in whichever field of several it stands", () => {
    const settings = cookie();
    const rig = rigOf(settings);
    rig.client().write(get("/", "cookie: a=1", `cookie: srv=${token("web3", settings)}`));
    assert.equal(rig.server("web3").took(), get("/", "cookie: a=1"));
  });

  it("is removed even when it is all that the client sends", () => {
    const settings = cookie();
    const rig = rigOf(settings);
    rig.client().write(get("/", `cookie: srv=${token("web2", settings)}`));
    assert.equal(rig.server("web2").took(), get());
  });

  it("carries its age and flags", () => {
    const settings = cookie({ maxAgeMs: 3_600_000, secure: true, sameSite: "strict" });
    const rig = rigOf(settings);
    const client = rig.client();
    client.write(get());
    rig.server().write(ok("x"));
    assert.match(
      client.took(),
      /set-cookie: srv=[\w-]{47}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Strict; Secure\r\n/,
    );
  });

  it("that is forged, or too old, binds to nobody and is issued anew", () => {
    const settings = cookie({ maxAgeMs: 60_000 });
    const value = token("web2", settings);
    const forged = (value.startsWith("A") ? "B" : "A") + value.slice(1);
    const last = value.slice(0, -1) + (value.endsWith("A") ? "E" : "A");
    for (const bad of [forged, last, token("web2", settings, 61_000), "web2", ""]) {
      const rig = rigOf(settings);
      const client = rig.client();
      client.write(get("/", `cookie: srv=${bad}`));
      rig.server("web1").write(ok("x"));
      assert.match(client.took(), /set-cookie: srv=/);
    }
  });

  it("whose server is down leads to another one, and is issued again", () => {
    const settings = cookie();
    const rig = rigOf(settings);
    rig.engine.setHealth(rig.now, "web", "web2", { up: false, reason: "check failed" });
    const client = rig.client();
    client.write(get("/", `cookie: srv=${token("web2", settings)}`));
    rig.server("web1").write(ok("x"));
    assert.ok(client.took().includes(`set-cookie: srv=${token("web1", settings)};`));
  });

  it("whose server fails at the very moment leads to another one, and is issued again", () => {
    const settings = cookie();
    const rig = rigOf(settings);
    const client = rig.client();
    client.write(get("/", `cookie: srv=${token("web2", settings)}`));
    rig.asked("web2").breakOff("ECONNREFUSED");
    rig.server("web1").write(ok("x"));
    assert.ok(client.took().includes(`set-cookie: srv=${token("web1", settings)};`));
  });

  it("whose server answers 503 leads to another one, and is issued again", () => {
    const settings = cookie();
    const rig = rigOf(settings);
    const client = rig.client();
    client.write(get("/", `cookie: srv=${token("web2", settings)}`));
    rig.server("web2").write(head("HTTP/1.1 503 Service Unavailable", "content-length: 0"));
    rig.server("web1").write(ok("x"));
    assert.ok(client.took().includes(`set-cookie: srv=${token("web1", settings)};`));
  });

  it("still leads to a server that is being drained", () => {
    const settings = cookie();
    const rig = rigOf(settings);
    rig.engine.setAdmin(rig.now, "web", "web2", { state: "drain", reason: "new kernel" });
    rig.client().write(get("/", `cookie: srv=${token("web2", settings)}`));
    rig.server("web2");
  });

  it("waits for a place at its server when that is full", () => {
    const settings = cookie();
    const servers = [{}, { maxConnections: 1 }, {}];
    const rig = new ProxyRig({ pools: { web: { servers, stickiness: settings } } });
    const bound = get("/", `cookie: srv=${token("web2", settings)}`);
    rig.client().write(bound);
    const web = rig.server("web2");
    rig.client().write(bound);
    assert.equal(rig.unanswered, 0);
    web.took();
    web.write(ok("x"));
    assert.equal(web.took(), get());
  });

  it("whose server goes down while its client waits in line is issued again", () => {
    const settings = cookie();
    const servers = [{ maxConnections: 1 }, { maxConnections: 1 }];
    const rig = new ProxyRig({
      pools: { web: { servers, stickiness: settings, retry: retrySettings({ attempts: 0 }) } },
    });
    rig.client().write(get());
    const web = rig.server("web1");
    const bound = get("/", `cookie: srv=${token("web2", settings)}`);
    rig.client().write(bound);
    rig.server("web2");
    const client = rig.client();
    client.write(bound);
    rig.engine.setHealth(rig.now, "web", "web2", { up: false, reason: "check failed" });
    web.took();
    web.write(ok("x"));
    assert.equal(web.took(), get());
    web.write(ok("y"));
    assert.ok(client.took().includes(`set-cookie: srv=${token("web1", settings)};`));
  });

  it("of the application gets the server's mark in front, which the application never sees", () => {
    const settings = cookie({ name: "sid", mode: "prefix" });
    const rig = rigOf(settings);
    const client = rig.client();
    client.write(get());
    rig.server("web1").write(ok("x", "set-cookie: sid=abc; Path=/", "set-cookie: other=1"));
    const mark = token("web1", settings);
    const lines = [`set-cookie: sid=${mark}~abc; Path=/`, "set-cookie: other=1"];
    assert.equal(client.took(), head("HTTP/1.1 200 OK", ...lines, "content-length: 1") + "x");
    const back = rig.client();
    back.write(get("/", `cookie: sid=${token("web3", settings)}~abc; x=y`));
    const web = rig.server("web3");
    assert.equal(web.took(), get("/", "cookie: sid=abc; x=y"));
    web.write(ok("y"));
    assert.equal(back.took(), ok("y"));
  });

  it("of the application is overwritten with the server's mark", () => {
    const settings = cookie({ name: "route", mode: "rewrite" });
    const rig = rigOf(settings);
    const client = rig.client();
    client.write(get());
    rig.server("web1").write(ok("x", "set-cookie: route=here; Path=/"));
    const line = `set-cookie: route=${token("web1", settings)}; Path=/`;
    assert.equal(client.took(), head("HTTP/1.1 200 OK", line, "content-length: 1") + "x");
    const mark = `cookie: route=${token("web3", settings)}`;
    rig.client().write(get("/", mark));
    assert.equal(rig.server("web3").took(), get("/", mark));
  });
});

describe("a table", () => {
  const stickiness = { kind: "table", key: { of: "source" }, size: 2, ttlMs: 60_000 } as const;
  const pool = { servers: [{}, {}], stickiness };

  it("brings a client back to its server, as long as it comes in time", () => {
    const rig = new ProxyRig({ pools: { web: pool } });
    rig.engine.setAdmin(rig.now, "web", "web1", { state: "maint", reason: "x" });
    rig.client().write(get());
    rig.server("web2").write(ok("x"));
    rig.engine.setAdmin(rig.now, "web", "web1", undefined);
    rig.wait(59_000);
    rig.client().write(get());
    rig.server("web2").write(ok("x"));
    rig.wait(61_000);
    rig.client().write(get());
    rig.server("web1");
  });

  it("survives a reload, and a server that is gone is replaced", () => {
    const rig = new ProxyRig({ pools: { web: pool } });
    rig.engine.setAdmin(rig.now, "web", "web1", { state: "maint", reason: "x" });
    rig.client().write(get());
    rig.server("web2").write(ok("x"));
    rig.engine.setAdmin(rig.now, "web", "web1", undefined);
    rig.configure({ pools: { web: { ...pool, queue: { limit: 7, timeoutMs: 1 } } } });
    rig.wait(5000);
    rig.client().write(get());
    rig.server("web2").write(ok("x"));
    rig.configure({ pools: { web: { ...pool, servers: [{}] } } });
    rig.client().write(get());
    rig.server("web1").write(ok("x"));
    assert.deepEqual(
      rig.engine.exportSticks(rig.now, false)[0]!.entries.map((entry) => entry.server),
      ["web1"],
    );
  });
});

describe("an explained request", () => {
  const asked = (...cookies: string[]) => ({
    method: "GET",
    url: "http://a.example/",
    headers: cookies.map((value) => ["Cookie", value] as const),
    source: "192.0.2.1",
  });

  it("goes where its cookie binds it, and says so instead of what the algorithm goes by", () => {
    const settings = cookie();
    const rig = rigOf(settings);
    const { server, lines } = rig.engine.explain(rig.now, asked(`srv=${token("web3", settings)}`));
    assert.equal(server, "web3");
    assert.deepEqual(lines.slice(-2), [
      "sticky cookie srv: bound to web3",
      "server web3: the client is bound to it",
    ]);
  });

  it("tells why a cookie does not count", () => {
    const settings = cookie({ maxAgeMs: 60_000 });
    const rig = rigOf(settings);
    const why = (...cookies: string[]): string | undefined =>
      rig.engine
        .explain(rig.now, asked(...cookies))
        .lines.find((line) => line.startsWith("sticky cookie srv: "))
        ?.slice("sticky cookie srv: ".length);
    assert.equal(why(), "the request has none, the answer brings one");
    assert.equal(why("srv=x"), "it is not one of ours");
    const other = token("web1", cookie({ secret: new Uint8Array(32).fill(8) }));
    assert.equal(why(`srv=${other}`), "its signature is wrong");
    assert.equal(why(`srv=${token("web1", settings, 61_000)}`), "older than max_age");
    assert.equal(why(`srv=${token("web9", settings)}`), "its server is gone");
  });

  it("goes where a table binds its client, and being explained is not being used", () => {
    const table = { kind: "table", key: { of: "source" }, size: 100, ttlMs: 60_000 } as const;
    const rig = new ProxyRig({ pools: { web: { servers: [{}, {}], stickiness: table } } });
    const told = (): readonly string[] => rig.engine.explain(rig.now, asked()).lines.slice(-3);
    assert.equal(told()[0], 'sticky table: "192.0.2.1" is not bound yet');
    rig.client({ source: "192.0.2.1" }).write(get());
    const server = rig.server();
    const bound = server.target.server;
    server.write(ok("one"));
    assert.deepEqual(told().slice(-2), [
      `sticky table: "192.0.2.1" is bound to ${bound}`,
      `server ${bound}: the client is bound to it`,
    ]);
    rig.wait(40_000);
    told();
    rig.wait(21_000);
    assert.equal(told()[0], 'sticky table: "192.0.2.1" is not bound yet');
  });
});
