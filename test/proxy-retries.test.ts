/** What is sent once more, to whom, and what never is. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { get, head, ok, post, ProxyRig } from "./kit/proxy-rig.ts";
import { NO_EJECTION, retrySettings } from "./kit/proxy-settings.ts";

const TWO = { servers: [{}, {}] };

const REFUSAL = head("HTTP/1.1 503 Service Unavailable", "content-length: 2") + "no";

describe("a request is sent once more", () => {
  it("to another server when the first cannot be connected to, whatever its method", () => {
    const rig = new ProxyRig({ pools: { web: TWO } });
    const client = rig.client();
    client.write(post("x"));
    rig.asked("web1").breakOff("ECONNREFUSED");
    const web = rig.server("web2");
    assert.equal(web.took(), post("x"));
    web.write(ok("done"));
    assert.equal(client.took(), ok("done"));
    assert.deepEqual(
      rig.told().map(({ server, retries, ended }) => [server, retries, ended]),
      [["web2", 1, "--"]],
    );
  });

  it("and its time to connect is the last attempt's", () => {
    const rig = new ProxyRig({ pools: { web: TWO } });
    rig.client().write(get());
    const first = rig.server("web1");
    rig.wait(500);
    first.breakOff();
    rig.wait(100);
    rig.asked("web2").breakOff("ECONNREFUSED");
    assert.deepEqual(
      rig.told().map(({ server, connectMs }) => [server, connectMs]),
      [["web2", -1]],
    );
  });

  it("to another server when the first does not connect in time", () => {
    const rig = new ProxyRig({ pools: { web: TWO } });
    const client = rig.client();
    client.write(post("x"));
    const first = rig.asked("web1");
    rig.wait(3100);
    assert.equal(first.gone, "closed");
    rig.server("web2").write(ok("done"));
    assert.equal(client.took(), ok("done"));
  });

  it("when the server breaks off before an answer and the method may be repeated", () => {
    for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
      const rig = new ProxyRig({ pools: { web: TWO } });
      const client = rig.client();
      client.write(head(`${method} / HTTP/1.1`, "host: a"));
      rig.server("web1").breakOff();
      const web = rig.server("web2");
      assert.equal(web.took(), head(`${method} / HTTP/1.1`, "host: a"));
      web.write(ok("done"));
      assert.equal(client.took(), ok("done"));
    }
  });

  it("never when it was a POST and any byte of it may have come", () => {
    for (const method of ["POST", "PATCH", "BREW"]) {
      const rig = new ProxyRig({ pools: { web: TWO } });
      const client = rig.client();
      client.write(head(`${method} / HTTP/1.1`, "host: a", "content-length: 1") + "x");
      rig.server("web1").breakOff();
      assert.match(client.took(), /^HTTP\/1\.1 502 Bad Gateway\r\n/);
      assert.equal(rig.unanswered, 0);
      assert.equal(rig.ending(), "502 SH web1: ECONNRESET before an answer");
    }
  });

  it("when it is a POST with an Idempotency-Key", () => {
    const rig = new ProxyRig({ pools: { web: TWO } });
    const client = rig.client();
    client.write(post("x", "idempotency-key: 7"));
    rig.server("web1").breakOff();
    const web = rig.server("web2");
    assert.equal(web.took(), post("x", "idempotency-key: 7"));
    web.write(ok("done"));
    assert.equal(client.took(), ok("done"));
  });

  it("when the answer is 503 and the method may be repeated; the client never sees it", () => {
    const rig = new ProxyRig({ pools: { web: TWO } });
    const client = rig.client();
    client.write(get());
    const first = rig.server("web1");
    first.write(REFUSAL);
    assert.equal(first.gone, "closed");
    rig.server("web2").write(ok("done"));
    assert.equal(client.took(), ok("done"));
  });

  it("not for a 503 to a POST, nor for another status, nor when nobody else is there", () => {
    const busy = new ProxyRig({ pools: { web: TWO } });
    const client = busy.client();
    client.write(post("x"));
    const web = busy.server("web1");
    web.write(REFUSAL);
    assert.equal(client.took(), REFUSAL);
    client.write(get());
    const wrong = head("HTTP/1.1 500 Internal Server Error", "content-length: 2") + "no";
    web.write(wrong);
    assert.equal(client.took(), wrong);
    const alone = new ProxyRig();
    const other = alone.client();
    other.write(get());
    alone.server().write(REFUSAL);
    assert.equal(other.took(), REFUSAL);
    assert.equal(alone.ending(), "503 --");
  });

  it("with its body, as long as that was kept", () => {
    const rig = new ProxyRig({
      pools: { web: { ...TWO, retry: retrySettings({ bufferBytes: 100 }) } },
    });
    const client = rig.client();
    const request = head("PUT / HTTP/1.1", "host: a", "content-length: 50") + "x".repeat(50);
    client.write(request);
    rig.server("web1").breakOff();
    const web = rig.server("web2");
    assert.equal(web.took(), request);
    web.write(ok("done"));
    assert.equal(client.took(), ok("done"));
    client.write(head("PUT / HTTP/1.1", "host: a", "content-length: 500") + "x".repeat(500));
    rig.server("web1").breakOff();
    assert.match(client.took(), /^HTTP\/1\.1 502 /);
  });

  it("in the middle of its body, which then goes on to the other server", () => {
    const rig = new ProxyRig({ pools: { web: TWO } });
    const client = rig.client();
    const request = head("PUT / HTTP/1.1", "host: a", "content-length: 10");
    client.write(`${request}01234`);
    rig.server("web1").breakOff();
    const web = rig.server("web2");
    client.write("56789");
    assert.equal(web.took(), `${request}0123456789`);
  });

  it("not after an interim answer, which cannot be taken back", () => {
    const rig = new ProxyRig({ pools: { web: TWO } });
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    web.write(head("HTTP/1.1 103 Early Hints", "link: </a.css>"));
    web.breakOff();
    assert.match(client.took(), /^HTTP\/1\.1 103 .*HTTP\/1\.1 502 /s);
    assert.equal(rig.unanswered, 0);
  });

  it("not when an answer has begun: the client sees that it is cut", () => {
    const rig = new ProxyRig({ pools: { web: TWO } });
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    web.write(ok("hello").slice(0, -2));
    web.breakOff();
    assert.equal(client.took(), ok("hello").slice(0, -2));
    assert.equal(client.gone, "closed");
    assert.equal(rig.ending(), "200 SD web1: ECONNRESET after 3 bytes");
  });

  it("at most as often as the pool says, each time to a server not yet tried", () => {
    const pool = { servers: [{}, {}, {}, {}], retry: retrySettings({ attempts: 2 }) };
    const rig = new ProxyRig({ pools: { web: pool } });
    const client = rig.client();
    client.write(get());
    for (const name of ["web1", "web2", "web3"]) rig.server(name).breakOff();
    assert.equal(rig.unanswered, 0);
    assert.match(client.took(), /^HTTP\/1\.1 502 /);
    assert.equal(rig.told()[0]!.retries, 2);
  });

  it("until all servers were tried; then the last failure is told", () => {
    const rig = new ProxyRig({ pools: { web: TWO } });
    const client = rig.client();
    client.write(get());
    rig.asked("web1").breakOff("ECONNREFUSED");
    rig.asked("web2").breakOff("EHOSTUNREACH");
    assert.match(client.took(), /^HTTP\/1\.1 502 /);
    assert.equal(rig.ending(), "502 SC web2: connect: EHOSTUNREACH");
  });

  it("only inside the budget: when everything fails, few are repeated", () => {
    const budget = { budgetPercent: 20, budgetMinimumPerSecond: 0, attempts: 1 };
    const pool = { ...TWO, retry: retrySettings(budget), outlier: NO_EJECTION };
    const rig = new ProxyRig({ pools: { web: pool } });
    for (let i = 0; i < 100; i++) {
      const client = rig.client();
      client.write(get());
      while (rig.unanswered > 0) rig.asked().breakOff("ECONNREFUSED");
      assert.match(client.took(), /^HTTP\/1\.1 502 /);
    }
    const repeated = rig.told().filter(({ retries }) => retries > 0).length;
    assert.equal(repeated, 20);
    const [dispatcher] = [...rig.engine.dispatchers];
    assert.equal(dispatcher!.traffic.get("retries"), 20);
    assert.equal(dispatcher!.traffic.get("retriesDenied"), 80);
  });

  it("not at all when the pool says so", () => {
    const pool = { servers: [{}, {}], retry: retrySettings({ attempts: 0 }) };
    const rig = new ProxyRig({ pools: { web: pool } });
    const client = rig.client();
    client.write(get());
    rig.server("web1").breakOff();
    assert.match(client.took(), /^HTTP\/1\.1 502 /);
    assert.equal(rig.unanswered, 0);
  });
});

describe("the sorry page", () => {
  const sorry = { status: 503, body: "later", contentType: "text/plain" };

  it("is shown when no server can be used, and when none can be connected to", () => {
    const rig = new ProxyRig({ pools: { web: { ...TWO, sorry } } });
    const client = rig.client();
    client.write(get());
    rig.asked("web1").breakOff("ECONNREFUSED");
    rig.asked("web2").breakOff("ECONNREFUSED");
    assert.match(client.took(), /^HTTP\/1\.1 503 .*\r\n\r\nlater$/s);
    assert.equal(rig.ending(), "503 SC web2: connect: ECONNREFUSED");
    for (const name of ["web1", "web2"]) {
      rig.engine.setHealth(rig.now, "web", name, { up: false, reason: "check failed" });
    }
    client.write(get());
    assert.match(client.took(), /^HTTP\/1\.1 503 .*\r\n\r\nlater$/s);
  });

  it("is not shown when a server has had the request and broke off", () => {
    const rig = new ProxyRig({ pools: { web: { sorry } } });
    const client = rig.client();
    client.write(post("x"));
    rig.server().breakOff();
    assert.match(client.took(), /^HTTP\/1\.1 502 /);
  });
});
