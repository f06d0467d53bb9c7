/** Connections that are carried as bytes: picked, tried again, passed on both ways, ended, counted. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProxyRig, type RigServer, type RigWire } from "./kit/proxy-rig.ts";
import {
  NO_EJECTION,
  type PoolsDraft,
  retrySettings,
  timeoutSettings,
} from "./kit/proxy-settings.ts";

const PAIR: PoolsDraft = { web: { servers: [{}, {}], outlier: NO_EJECTION } };

function rigOf(pools: PoolsDraft = PAIR): ProxyRig {
  return new ProxyRig({ frontend: { mode: "tcp" }, pools });
}

/** Both ends of one connection that stands. */
function joined(rig: ProxyRig, source = "192.0.2.1"): { client: RigWire; server: RigServer } {
  const client = rig.client({ source });
  return { client, server: rig.server() };
}

/** What the transport says of a wire whose both halves have ended. */
function over(...wires: readonly RigWire[]): void {
  for (const wire of wires) wire.breakOff("");
}

describe("a TCP connection", () => {
  it("goes to a server before the client has said anything, and bytes pass both ways", () => {
    const rig = rigOf();
    const { client, server } = joined(rig);
    server.write("220 hello\r\n");
    assert.equal(client.took(), "220 hello\r\n");
    client.write("EHLO me\r\n");
    assert.equal(server.took(), "EHLO me\r\n");
    server.fin();
    assert.ok(client.hasFin);
    client.write("QUIT\r\n");
    assert.equal(server.took(), "QUIT\r\n");
    client.fin();
    assert.ok(server.hasFin);
    assert.equal(rig.ending(), "0 --");
    over(client, server);
    rig.isClean();
  });

  it("keeps what the client says too early, and reads not much more until there is a server", () => {
    const rig = rigOf();
    const client = rig.client();
    client.write("first");
    assert.ok(!client.isPaused);
    const much = "x".repeat(20_000);
    client.write(much);
    assert.ok(client.isPaused);
    const server = rig.server();
    assert.equal(server.took(), `first${much}`);
    assert.ok(!client.isPaused);
    client.fin();
    server.fin();
    over(client, server);
    rig.isClean();
  });

  it("holds back whoever is faster than the other side", () => {
    const rig = rigOf();
    const { client, server } = joined(rig);
    client.stick();
    server.write("a lot");
    assert.ok(server.isPaused);
    client.unstick();
    assert.ok(!server.isPaused);
    server.stick();
    client.write("much");
    assert.ok(client.isPaused);
    server.unstick();
    assert.ok(!client.isPaused);
    client.breakOff();
    rig.isClean();
  });

  it("is tried at another server while none has accepted, and nothing is sent twice", () => {
    const rig = rigOf();
    const client = rig.client();
    client.write("once");
    rig.asked("web1").breakOff("ECONNREFUSED");
    const second = rig.server("web2");
    assert.equal(second.took(), "once");
    second.breakOff();
    assert.equal(client.gone, "reset");
    const [line] = rig.told();
    assert.equal(`${line?.ended} ${line?.server} ${line?.retries}`, "SD web2 1");
    rig.isClean();
  });

  it("is refused by a reset when nobody accepts in time or nobody is there", () => {
    const retry = retrySettings({ attempts: 0 });
    const timeouts = timeoutSettings({ connectMs: 1000 });
    const rig = rigOf({ web: { servers: [{}], retry, timeouts, outlier: NO_EJECTION } });
    const client = rig.client();
    const server = rig.asked();
    rig.wait(1100);
    assert.equal(server.gone, "closed");
    assert.equal(client.gone, "reset");
    assert.equal(rig.ending(), "0 sC web1: no connection within 1000 ms");
    rig.engine.setHealth(rig.now, "web", "web1", { up: false, reason: "check failed" });
    const other = rig.client();
    assert.equal(other.gone, "reset");
    assert.match(rig.ending(), /^0 SC no server is usable: web1 down/);
    rig.isClean();
  });

  it("may be silent for the tunnel's time, and half ended for the idle time", () => {
    const timeouts = timeoutSettings({ tunnelMs: 10_000, idleMs: 2000 });
    const rig = rigOf({ web: { servers: [{}], timeouts } });
    const first = joined(rig);
    rig.wait(9000);
    first.server.write("still here");
    rig.wait(9000);
    assert.equal(first.client.gone, "");
    rig.wait(2000);
    assert.equal(rig.ending(), "0 sD nothing passed for 10000 ms");
    const second = joined(rig);
    second.client.fin();
    rig.wait(2100);
    assert.equal(rig.ending(), "0 sD nothing passed for 2000 ms");
    assert.equal(second.server.gone, "reset");
    rig.isClean();
  });

  it("that is over waits for a slow reader as long as he reads, and then breaks", () => {
    const timeouts = timeoutSettings({ idleMs: 2000 });
    const rig = rigOf({ web: { servers: [{}], timeouts } });
    const { client, server } = joined(rig);
    client.stick();
    server.write("the last words");
    client.fin();
    server.fin();
    server.breakOff("");
    for (let i = 0; i < 3; i++) {
      client.queued--;
      rig.wait(1900);
      assert.equal(client.gone, "");
    }
    rig.wait(2100);
    // A regular end here would say that this was all.
    assert.equal(client.gone, "reset");
    rig.isClean();
  });

  it("is cut with its server when that goes down, and one that is being made goes elsewhere", () => {
    const rig = rigOf();
    const { client } = joined(rig);
    const early = rig.client({ source: "192.0.2.2" });
    const asked = rig.asked("web1");
    rig.engine.setHealth(rig.now, "web", "web1", { up: false, reason: "check failed" });
    assert.equal(client.gone, "reset");
    assert.equal(asked.gone, "closed");
    rig.server("web2").write("hello");
    assert.equal(early.took(), "hello");
    assert.equal(rig.ending(), "0 DD web1: it is down");
    early.breakOff();
    rig.isClean();
  });

  it("lasts while its server drains, until the deadline", () => {
    const rig = rigOf();
    const { client, server } = joined(rig);
    const drain = { state: "drain", reason: "update", deadlineMs: 5000 } as const;
    rig.engine.setAdmin(rig.now, "web", "web1", drain);
    server.write("on");
    assert.equal(client.took(), "on");
    rig.wait(5100);
    assert.equal(rig.ending(), "0 DD web1: its time to drain is over");
    const next = rig.client();
    assert.equal(rig.server().target.server, "web2");
    next.breakOff();
    rig.isClean();
  });
});

describe("TCP clients", () => {
  it("stick to their server by address, or by the network they come from", () => {
    const key = { of: "source", prefix: 24 } as const;
    const stickiness = { kind: "table", key, size: 10, ttlMs: 60_000 } as const;
    const algorithm = { kind: "round-robin" } as const;
    const rig = rigOf({ web: { servers: [{}, {}], stickiness, algorithm } });
    const servers = ["192.0.2.1", "192.0.2.200", "198.51.100.1", "192.0.2.7"].map((source) => {
      const { client, server } = joined(rig, source);
      client.breakOff();
      return server.target.server;
    });
    assert.deepEqual(servers, ["web1", "web1", "web2", "web1"]);
  });

  it("wait in line when all servers are full, and hang up or give up", () => {
    const queue = { limit: 10, timeoutMs: 3000 };
    const rig = rigOf({ web: { servers: [{ maxConnections: 1 }], queue } });
    const first = joined(rig);
    const [second, third, fourth] = [rig.client(), rig.client(), rig.client()];
    third.fin();
    assert.equal(third.gone, "closed");
    assert.match(rig.ending(), /^0 CQ the client left the line/);
    rig.wait(1000);
    first.client.breakOff();
    rig.told();
    rig.server().write("yours");
    assert.equal(second.took(), "yours");
    rig.wait(2100);
    assert.equal(fourth.gone, "reset");
    assert.match(rig.ending(), /^0 sQ waited 30\d\d ms in line/);
    second.breakOff();
    rig.isClean();
  });

  it("leave the line when they hang up, also after a first word", () => {
    const queue = { limit: 10, timeoutMs: 3000 };
    const rig = rigOf({ web: { servers: [{ maxConnections: 1 }], queue } });
    joined(rig);
    for (const hangUp of [
      (client: RigWire) => client.fin(),
      (client: RigWire) => client.breakOff(),
    ]) {
      const client = rig.client();
      client.write("hello");
      assert.ok(!client.isPaused);
      hangUp(client);
      assert.match(rig.ending(), /^0 CQ the client left/);
    }
  });

  it("wait their whole time in line, also after a server that refused them", () => {
    const queue = { limit: 10, timeoutMs: 20_000 };
    const servers = [{}, { maxConnections: 1 }];
    const rig = rigOf({ web: { servers, queue, outlier: NO_EJECTION } });
    const [first, second] = [rig.client(), rig.client()];
    rig.asked("web1").breakOff("ECONNREFUSED");
    rig.asked("web1").breakOff("ECONNREFUSED");
    const busy = rig.server("web2");
    rig.wait(19_900);
    assert.deepEqual([first.gone, second.gone], ["", ""]);
    busy.breakOff();
    assert.equal(first.gone, "reset");
    rig.server("web2").write("yours");
    assert.equal(second.took(), "yours");
  });

  it("are told to the server in a PROXY header, and counted", () => {
    const rig = rigOf({ web: { servers: [{}], sendProxy: "v1" } });
    const { client, server } = joined(rig);
    const told = Buffer.from(server.target.head ?? []).toString();
    assert.equal(told, "PROXY TCP4 192.0.2.1 10.0.0.100 40000 80\r\n");
    client.write("12345");
    server.write("123");
    const [frontend] = rig.engine.frontends;
    const [pool] = rig.engine.dispatchers;
    const [group] = pool!.groups;
    for (const traffic of [frontend!.traffic, group!.traffic]) {
      const { connections, openConnections, inFlight, bytesIn, bytesOut } = traffic.toRecord();
      assert.deepEqual(
        [connections, openConnections, inFlight, bytesIn, bytesOut],
        [1, 1, 1, 5, 3],
      );
    }
    client.breakOff();
    assert.equal(rig.ending(), "0 CD the client left: ECONNRESET");
    assert.equal(group!.traffic.get("openConnections"), 0);
    rig.isClean();
  });

  it("are not noticed by a reload, and those of a pool that is gone finish", () => {
    const rig = rigOf();
    const { client, server } = joined(rig);
    rig.configure({ frontend: { mode: "tcp" }, pools: { web: { servers: [{ weight: 2 }, {}] } } });
    server.write("one");
    rig.configure({ frontend: { mode: "http" }, pools: PAIR });
    server.write("two");
    assert.equal(client.took(), "onetwo");
    rig.engine.cut(rig.now, "the operator said so");
    assert.equal(rig.ending(), "0 KD the operator said so");
    rig.isClean();
  });

  it("are explained without looking at the request", () => {
    const rig = rigOf();
    const asked = { method: "GET", url: "http://a.example/", headers: [], source: "192.0.2.1" };
    assert.deepEqual(rig.engine.explain(rig.now, asked).lines.slice(0, 2), [
      "frontend www: TCP, carried as it comes; client 192.0.2.1",
      "pool web: of the frontend",
    ]);
  });
});
