/** Connections that change their protocol: WebSocket goes through, HTTP/2 without TLS does not. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { get, head, ok, ProxyRig, type RigServer, type RigWire } from "./kit/proxy-rig.ts";

const ASKED = get("/chat", "connection: Upgrade", "upgrade: websocket", "sec-websocket-key: k");
const FORWARDED = head(
  "GET /chat HTTP/1.1",
  "host: a.example",
  "sec-websocket-key: k",
  "connection: upgrade",
  "upgrade: websocket",
);
const SWITCHING = head(
  "HTTP/1.1 101 Switching Protocols",
  "connection: upgrade",
  "upgrade: websocket",
);

function tunnel(rig: ProxyRig): { client: RigWire; web: RigServer } {
  const client = rig.client();
  client.write(ASKED);
  const web = rig.server();
  assert.equal(web.took(), FORWARDED);
  web.write(SWITCHING);
  assert.equal(client.took(), SWITCHING);
  return { client, web };
}

describe("upgrades", () => {
  it("to WebSocket make a tunnel that passes every byte both ways, unread", () => {
    const rig = new ProxyRig();
    const { client, web } = tunnel(rig);
    client.write("GET / HTTP/1.1\r\n\r\n\x81\x00\xff");
    assert.equal(web.took(), "GET / HTTP/1.1\r\n\r\n\x81\x00\xff");
    web.write("\x81\x05hello");
    assert.equal(client.took(), "\x81\x05hello");
    assert.equal(rig.told().length, 0);
  });

  it("pass on what came in one piece with the heads, on both sides", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(`${ASKED}early`);
    const web = rig.server();
    assert.equal(web.took(), FORWARDED);
    web.write(`${SWITCHING}hello`);
    assert.equal(client.took(), `${SWITCHING}hello`);
    assert.equal(web.took(), "early");
  });

  it("end when both halves have ended, the client's first", () => {
    const rig = new ProxyRig();
    const { client, web } = tunnel(rig);
    client.fin();
    assert.ok(web.hasFin);
    web.write("the rest");
    assert.equal(client.took(), "the rest");
    web.fin();
    assert.ok(client.hasFin);
    assert.equal(web.gone, "closed");
    assert.equal(rig.ending(), "101 --");
    client.breakOff("");
    rig.isClean();
  });

  it("end when both halves have ended, the server's first", () => {
    const rig = new ProxyRig();
    const { client, web } = tunnel(rig);
    web.fin();
    assert.ok(client.hasFin);
    client.write("last words");
    client.fin();
    assert.equal(web.took(), "last words");
    assert.ok(web.hasFin);
    assert.equal(web.gone, "closed");
    assert.equal(rig.ending(), "101 --");
    client.breakOff("");
    rig.isClean();
  });

  it("pass on what waits for a server that reads slowly, also behind its end", () => {
    const rig = new ProxyRig();
    const { client, web } = tunnel(rig);
    web.stick();
    client.write("much");
    client.write("more");
    assert.ok(client.isPaused);
    web.fin();
    assert.equal(web.took(), "much");
    web.unstick();
    assert.equal(web.took(), "more");
    client.fin();
    assert.ok(web.hasFin);
    assert.equal(rig.ending(), "101 --");
    client.breakOff("");
    rig.isClean();
  });

  it("end when a server that reads slowly has all, and not when both halves have ended", () => {
    const rig = new ProxyRig();
    const { client, web } = tunnel(rig);
    web.stick();
    client.write("much");
    web.fin();
    client.fin();
    assert.ok(web.hasFin);
    assert.equal(web.gone, "");
    assert.equal(web.took(), "much");
    web.breakOff("");
    assert.equal(rig.ending(), "101 --");
    client.breakOff("");
    rig.isClean();
  });

  it("end well when the server has said all and does not hear the rest", () => {
    const rig = new ProxyRig();
    const { client, web } = tunnel(rig);
    web.fin();
    client.write("too late");
    web.breakOff();
    assert.equal(rig.ending(), "101 --");
    client.breakOff("");
    rig.isClean();
  });

  it("that the client breaks off are broken off towards the server, too", () => {
    const rig = new ProxyRig();
    const { client, web } = tunnel(rig);
    client.breakOff();
    assert.equal(web.gone, "reset");
    assert.match(rig.ending(), /^101 CD the client left: ECONNRESET/);
    rig.isClean();
  });

  it("of which one half has ended do not wait for the other for ever", () => {
    const rig = new ProxyRig();
    const { client, web } = tunnel(rig);
    client.fin();
    assert.ok(web.hasFin);
    rig.wait(60_100);
    assert.equal(web.gone, "reset");
    assert.notEqual(client.gone, "");
    assert.match(rig.ending(), /^101 sD /);
  });

  it("without a byte for the tunnel's time are ended", () => {
    const rig = new ProxyRig();
    const { client, web } = tunnel(rig);
    rig.wait(3_599_000);
    client.write("x");
    rig.wait(3_599_000);
    assert.equal(web.gone, "");
    rig.wait(2000);
    assert.equal(web.gone, "reset");
    assert.match(rig.ending(), /^101 sD nothing passed the tunnel/);
  });

  it("end when the client does not even read that they began", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.stick();
    client.write(ASKED);
    const web = rig.server();
    web.write(`${SWITCHING}hello`);
    rig.wait(61_000);
    assert.equal(web.gone, "reset");
    assert.notEqual(client.gone, "");
    assert.match(rig.ending(), /^101 cD the client read nothing/);
  });

  it("that the server declines are answered, and its connection is not used again", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(ASKED);
    const web = rig.server();
    web.write(ok("plain"));
    assert.equal(client.took(), ok("plain"));
    assert.equal(web.gone, "closed");
    client.write(get());
    assert.equal(rig.server().took(), get());
  });

  it("to HTTP/2 without TLS are not passed on: the request goes as HTTP/1.1", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    const settings = "http2-settings: AAMAAABkAARAAAAAAAIAAAAA";
    client.write(get("/", "connection: Upgrade, HTTP2-Settings", "upgrade: h2c", settings));
    const web = rig.server();
    assert.equal(web.took(), get("/"));
    web.write(head("HTTP/1.1 101 Switching Protocols", "connection: upgrade", "upgrade: h2c"));
    assert.match(client.took(), /^HTTP\/1\.1 502 /);
    assert.match(rig.ending(), /^502 PH web1: bad answer: an upgrade that was not asked for/);
  });

  it("need HTTP/1.1, a Connection field that names them, and no body", () => {
    for (const request of [
      head("GET /chat HTTP/1.0", "host: a", "connection: upgrade", "upgrade: websocket"),
      get("/chat", "upgrade: websocket"),
      get("/chat", "connection: upgrade", "upgrade: websocket", "content-length: 0").replace(
        "content-length: 0\r\n\r\n",
        "content-length: 1\r\n\r\nx",
      ),
    ]) {
      const rig = new ProxyRig();
      rig.client().write(request);
      assert.doesNotMatch(rig.server().took(), /upgrade/i);
    }
  });

  it("stop the side whose other one does not read", () => {
    const rig = new ProxyRig();
    const { client, web } = tunnel(rig);
    client.stick();
    web.write("x");
    assert.ok(web.isPaused);
    web.stick();
    client.write("y");
    client.write("z");
    assert.ok(client.isPaused);
    client.unstick();
    web.unstick();
    assert.ok(!web.isPaused && !client.isPaused);
    assert.equal(web.took(), "yz");
  });

  it("are cut with their server when it goes down", () => {
    const rig = new ProxyRig();
    const { client, web } = tunnel(rig);
    rig.engine.setHealth(rig.now, "web", "web1", { up: false, reason: "check failed" });
    assert.equal(web.gone, "reset");
    assert.notEqual(client.gone, "");
    assert.match(rig.ending(), /^101 DD /);
    rig.isClean();
  });
});
