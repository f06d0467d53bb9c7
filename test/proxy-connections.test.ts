/** Connections of clients and to servers: kept, used again, ended. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { get, head, ok, post, ProxyRig } from "./kit/proxy-rig.ts";
import { retrySettings } from "./kit/proxy-settings.ts";

const REFUSED = "400 Bad Request\n";

describe("connections", () => {
  it("stay open on both sides, and the next request of anybody goes over the one kept", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get("/1"));
    const web = rig.server("web1");
    assert.equal(web.took(), get("/1"));
    web.write(ok("one"));
    assert.equal(client.took(), ok("one"));
    client.write(get("/2"));
    assert.equal(web.took(), get("/2"));
    web.write(ok("two"));
    assert.equal(client.took(), ok("two"));
    const other = rig.client();
    other.write(get("/3"));
    assert.equal(web.took(), get("/3"));
    web.write(ok("three"));
    assert.equal(other.took(), ok("three"));
    assert.equal(rig.unanswered, 0);
    assert.deepEqual(
      rig.told().map(({ ended, isReused }) => [ended, isReused]),
      [
        ["--", false],
        ["--", true],
        ["--", true],
      ],
    );
  });

  it("to servers say when the end of an answer is awaited: not far from it, and not in a tunnel", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get("/1"));
    const web = rig.server("web1");
    assert.ok(web.isAwaited);
    const body = "x".repeat(100_000);
    web.write("HTTP/1.1 200 OK\r\n");
    assert.ok(web.isAwaited, "within a head");
    web.write(`content-length: ${body.length}\r\n\r\n${body.slice(0, 1000)}`);
    assert.ok(!web.isAwaited, "much is on its way");
    web.write(body.slice(1000, 99_000));
    assert.ok(web.isAwaited, "only the last segment is missing");
    web.write(body.slice(99_000));
    assert.ok(!web.isAwaited, "all is there");
    client.write(get("/2", "connection: upgrade", "upgrade: websocket"));
    assert.ok(web.isAwaited, "the body before was longer, and is over");
    web.write(
      head("HTTP/1.1 101 Switching Protocols", "connection: upgrade", "upgrade: websocket"),
    );
    assert.ok(!web.isAwaited, "in a tunnel nobody knows who speaks next");
  });

  it("to servers are not used again when TLS to them has changed, and are when it has not", () => {
    const tls = { verify: true, serverName: "web.example" };
    const rig = new ProxyRig({ pools: { web: { tls } } });
    const client = rig.client();
    client.write(get("/1"));
    const first = rig.server("web1");
    first.write(ok("one"));
    rig.configure({ pools: { web: { tls: { ...tls } } } });
    assert.equal(first.gone, "");
    client.write(get("/2"));
    first.took();
    rig.configure({ pools: { web: { tls: { ...tls, ca: "/etc/ca.pem" } } } });
    first.write(ok("two"));
    assert.equal(first.gone, "closed");
    client.write(get("/3"));
    const second = rig.server("web1");
    second.write(ok("three"));
    rig.configure({ pools: { web: {} } });
    assert.equal(second.gone, "closed");
  });

  it("are not shared by two requests at the same time", () => {
    const rig = new ProxyRig();
    const [one, two] = [rig.client(), rig.client()];
    one.write(get("/1"));
    two.write(get("/2"));
    const [first, second] = [rig.server(), rig.server()];
    second.write(ok("two"));
    assert.equal(two.took(), ok("two"));
    assert.equal(one.took(), "");
    first.write(ok("one"));
    assert.equal(one.took(), ok("one"));
  });

  it("serve requests sent all at once one after the other, answers in their order", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get("/1") + get("/2") + get("/3"));
    const web = rig.server();
    assert.ok(client.isPaused);
    for (const path of ["/1", "/2", "/3"]) {
      assert.equal(web.took(), get(path));
      web.write(ok(path));
      assert.equal(client.took(), ok(path));
    }
    assert.ok(!client.isPaused);
    client.fin();
    assert.ok(client.hasFin);
    client.breakOff("");
    web.fin();
    assert.equal(web.gone, "closed");
    rig.isClean();
  });

  it("to servers end after an answer that says close, or that nobody could delimit", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    const first = rig.server();
    first.write(ok("one", "connection: close"));
    assert.equal(client.took(), ok("one"));
    assert.equal(first.gone, "closed");
    client.write(get());
    const second = rig.server();
    second.write(head("HTTP/1.1 200 OK") + "two");
    second.fin();
    assert.equal(
      client.took(),
      `${head("HTTP/1.1 200 OK", "transfer-encoding: chunked")}3\r\ntwo\r\n0\r\n\r\n`,
    );
    assert.equal(second.gone, "closed");
  });

  it("to servers are not used again when something follows the answer", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    web.write(`${ok("one")}${ok("not asked for")}`);
    assert.equal(client.took(), ok("one"));
    assert.equal(web.gone, "closed");
    client.write(get());
    rig.server().write(ok("two"));
    assert.equal(client.took(), ok("two"));
  });

  it("to servers are closed when they speak without having been asked", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    web.write(ok("one"));
    web.write(ok("poison"));
    assert.equal(web.gone, "closed");
    client.write(get());
    rig.server().write(ok("two"));
    assert.equal(client.took(), ok("one") + ok("two"));
  });

  it("to servers are closed when nobody used them for the pool's time", () => {
    const rig = new ProxyRig();
    rig.client().write(get());
    const web = rig.server();
    web.write(ok("one"));
    rig.wait(3900);
    assert.equal(web.gone, "");
    rig.wait(200);
    assert.equal(web.gone, "closed");
  });

  it("to servers end a second before the time that the server announced", () => {
    const rig = new ProxyRig();
    rig.client().write(get());
    const web = rig.server();
    web.write(ok("one", "keep-alive: timeout=3"));
    rig.wait(1900);
    assert.equal(web.gone, "");
    rig.wait(200);
    assert.equal(web.gone, "closed");
  });

  it("found closed when they are used again are replaced, and the client does not notice", () => {
    const rig = new ProxyRig({ pools: { web: { retry: retrySettings({ attempts: 0 }) } } });
    const client = rig.client();
    client.write(get("/1"));
    const web = rig.server();
    web.write(ok("one"));
    client.write(get("/2"));
    web.fin();
    const fresh = rig.server("web1");
    assert.equal(fresh.took(), get("/2"));
    fresh.write(ok("two"));
    assert.equal(client.took(), ok("one") + ok("two"));
    assert.equal(rig.told()[1]!.retries, 0);
  });

  it("found closed by a POST end it with 502, since it may have been carried out", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    web.write(ok("one"));
    client.write(post("x"));
    assert.equal(web.took().endsWith("x"), true);
    web.fin();
    assert.match(client.took(), /^HTTP\/1\.1 200 .*HTTP\/1\.1 502 Bad Gateway\r\n/s);
    assert.equal(rig.unanswered, 0);
    assert.equal(rig.told()[1]!.ended, "SH");
  });

  it("unused for more than a second are not risked for a POST", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    web.write(ok("one"));
    rig.wait(1100);
    web.took();
    client.write(post("x"));
    assert.equal(web.took(), "");
    assert.equal(rig.server().took(), post("x"));
  });

  it("of clients end after their last request when they say close", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get("/", "connection: close"));
    const web = rig.server();
    assert.equal(web.took(), get("/"));
    web.write(ok("one"));
    assert.equal(client.took(), ok("one").replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"));
    assert.ok(client.hasFin);
    assert.equal(web.gone, "");
    rig.wait(2100);
    assert.equal(client.gone, "closed");
  });

  it("of clients that have ended their half last while they read, however slowly", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    client.fin();
    client.queued = 60_000;
    web.write(ok("x"));
    client.unstick();
    client.queued = 50_000;
    for (let i = 0; i < 60; i++) {
      client.queued -= 100;
      rig.wait(2000);
    }
    assert.equal(client.gone, "");
    client.queued = 0;
    rig.wait(30_100);
    assert.equal(client.gone, "closed");
    assert.equal(rig.ending(), "200 --");
    rig.isClean();
  });

  it("of clients end after so many requests", () => {
    const rig = new ProxyRig({ frontend: { limits: { requestsPerConnection: 2 } } });
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    web.write(ok("one"));
    client.write(get());
    web.write(ok("two"));
    assert.match(client.took(), /one.*connection: close\r\n\r\ntwo$/s);
    assert.ok(client.hasFin);
  });

  it("of clients end silently when nothing is asked for the frontend's time", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    rig.server().write(ok("one"));
    client.took();
    rig.wait(59_900);
    assert.equal(client.gone, "");
    rig.wait(200);
    assert.equal(client.gone, "closed");
    assert.equal(client.took(), "");
    assert.equal(rig.told().length, 1);
  });

  it("of clients may ask as long as ever once they have read what they got, however late", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    client.stick();
    rig.server().write(ok("x".repeat(100)));
    for (let i = 0; i < 50; i++) {
      client.queued -= 1;
      rig.wait(2000);
    }
    client.unstick();
    rig.wait(59_900);
    assert.equal(client.gone, "");
    rig.wait(200);
    assert.equal(client.gone, "closed");
  });

  it("of clients end when they have stopped reading a whole answer", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    client.stick();
    rig.server().write(ok("x"));
    rig.wait(29_900);
    assert.equal(client.gone, "");
    rig.wait(200);
    assert.equal(client.gone, "closed");
    assert.equal(rig.ending(), "200 --");
  });

  it("of clients are ended behind the rest of an answer, not before it", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    client.stick();
    rig.server().write(ok("x".repeat(100)));
    client.unstick();
    client.queued = 50;
    rig.wait(60_100);
    assert.deepEqual([client.gone, client.hasFin], ["", true]);
    rig.wait(20_000);
    assert.equal(client.gone, "");
    client.queued = 0;
    rig.wait(20_000);
    assert.equal(client.gone, "closed");
  });

  it("of HTTP/1.0 end with the answer unless the client asks to go on", () => {
    const rig = new ProxyRig();
    const old = rig.client();
    old.write(head("GET /1 HTTP/1.0"));
    const web = rig.server();
    assert.equal(web.took(), head("GET /1 HTTP/1.1", "host: 10.0.0.100"));
    web.write(ok("one"));
    assert.equal(old.took(), ok("one").replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"));
    assert.ok(old.hasFin);
    const kept = rig.client();
    kept.write(head("GET /2 HTTP/1.0", "host: a.example", "connection: Keep-Alive"));
    assert.equal(web.took(), get("/2"));
    web.write(ok("two"));
    assert.equal(kept.took(), ok("two").replace("\r\n\r\n", "\r\nconnection: keep-alive\r\n\r\n"));
    assert.ok(!kept.hasFin);
  });

  it("of HTTP/1.0 show the end of a chunked answer by ending, and get no interim answer", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(head("GET / HTTP/1.0", "connection: keep-alive"));
    const web = rig.server();
    web.write(head("HTTP/1.1 103 Early Hints", "link: </a.css>"));
    assert.equal(client.took(), "");
    web.write(`${head("HTTP/1.1 200 OK", "transfer-encoding: chunked")}3\r\none\r\n0\r\n\r\n`);
    assert.equal(client.took(), `${head("HTTP/1.1 200 OK", "connection: close")}one`);
    assert.ok(client.hasFin);
  });

  it("of clients whose request cannot be read are answered and ended", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(`GET / HTTP/1.1\r\nhost : a\r\n\r\n${get("/smuggled")}`);
    const own = ["cache-control: no-store", "connection: close"];
    const type = "content-type: text/plain; charset=utf-8";
    assert.equal(
      client.took(),
      head("HTTP/1.1 400 Bad Request", `content-length: ${REFUSED.length}`, type, ...own) + REFUSED,
    );
    assert.ok(client.hasFin);
    client.write(get("/too-late"));
    assert.equal(client.took(), "");
    assert.equal(rig.unanswered, 0);
    assert.match(rig.ending(), /^400 PR a field name is not a token/);
  });

  it("above the frontend's limits are not taken", () => {
    const limits = { connections: 3, connectionsPerSource: 2 };
    const rig = new ProxyRig({ frontend: { limits } });
    const [one, two, three] = [rig.client(), rig.client(), rig.client()];
    assert.deepEqual([one.gone, two.gone, three.gone], ["", "", "reset"]);
    assert.equal(rig.client({ source: "192.0.2.2" }).gone, "");
    assert.equal(rig.client({ source: "192.0.2.3" }).gone, "reset");
    one.breakOff();
    assert.equal(rig.client().gone, "");
  });
});
