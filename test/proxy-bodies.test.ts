/** Bodies on their way through the proxy: lengths, chunks, trailers, and answers that come early. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { get, head, ok, post, ProxyRig } from "./kit/proxy-rig.ts";

const CHUNKED = "transfer-encoding: chunked";
const OWN = ["content-type: text/plain; charset=utf-8", "cache-control: no-store"];

/** An answer of the proxy itself that ends the connection. */
function refusedWith(status: string): string {
  const body = `${status}\n`;
  const length = `content-length: ${body.length}`;
  return head(`HTTP/1.1 ${status}`, length, ...OWN, "connection: close") + body;
}

describe("bodies", () => {
  it("of HEAD, 204 and 304 are none, whatever the head says, and the connections go on", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(head("HEAD / HTTP/1.1", "host: a"));
    const web = rig.server();
    web.write(head("HTTP/1.1 200 OK", "content-length: 500"));
    assert.equal(client.took(), head("HTTP/1.1 200 OK", "content-length: 500"));
    client.write(head("HEAD / HTTP/1.1", "host: a"));
    web.write(head("HTTP/1.1 200 OK", CHUNKED));
    assert.equal(client.took(), head("HTTP/1.1 200 OK"));
    client.write(get());
    web.write(head("HTTP/1.1 204 No Content", "content-length: 0"));
    assert.equal(client.took(), head("HTTP/1.1 204 No Content"));
    client.write(get());
    web.write(head("HTTP/1.1 304 Not Modified", 'etag: "1"', "content-length: 500"));
    assert.equal(
      client.took(),
      head("HTTP/1.1 304 Not Modified", 'etag: "1"', "content-length: 500"),
    );
    client.write(get());
    web.write(ok("one"));
    assert.equal(client.took(), ok("one"));
  });

  it("in chunks are framed anew both ways, without extensions", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(`${head("POST / HTTP/1.1", "host: a", CHUNKED)}5;name=value\r\nhello\r\n`);
    const web = rig.server();
    assert.equal(web.took(), `${head("POST / HTTP/1.1", "host: a", CHUNKED)}5\r\nhello\r\n`);
    client.write("00006\r\n wor");
    assert.equal(web.took(), "4\r\n wor\r\n");
    client.write("ld\r\n0\r\n\r\n");
    assert.equal(web.took(), "2\r\nld\r\n0\r\n\r\n");
    web.write(`${head("HTTP/1.1 200 OK", CHUNKED)}2;x\r\nok\r\n`);
    assert.equal(client.took(), `${head("HTTP/1.1 200 OK", CHUNKED)}2\r\nok\r\n`);
    web.write("0\r\n\r\n");
    assert.equal(client.took(), "0\r\n\r\n");
    client.write(get());
    assert.equal(web.took(), get());
  });

  it("pass their trailers on, both ways", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    const request = head("POST / HTTP/1.1", "host: a", CHUNKED);
    client.write(`${request}1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n`);
    const web = rig.server();
    assert.equal(web.took(), `${request}1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n`);
    const answer = head("HTTP/1.1 200 OK", CHUNKED);
    web.write(`${answer}1\r\ny\r\n0\r\nX-Sum: 2\r\n\r\n`);
    assert.equal(client.took(), `${answer}1\r\ny\r\n0\r\nX-Sum: 2\r\n\r\n`);
  });

  it("with a trailer that would change what was said before end with 400", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(`${head("POST / HTTP/1.1", "host: a", CHUNKED)}0\r\nContent-Length: 3\r\n\r\n`);
    assert.equal(client.took(), refusedWith("400 Bad Request"));
    assert.match(rig.ending(), /^400 PR the trailer section is malformed/);
  });

  it("with bad chunks end with 400, and the server's connection with them", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(`${head("POST / HTTP/1.1", "host: a", CHUNKED)}1\r\nx\r\n`);
    const web = rig.server();
    client.write("1 \r\ny\r\n");
    assert.equal(client.took(), refusedWith("400 Bad Request"));
    assert.equal(web.gone, "closed");
    assert.match(rig.ending(), /^400 PR the chunked coding is malformed/);
  });

  it("wait for 100 Continue when the client does", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    const fields = ["host: a.example", "content-length: 5", "expect: 100-continue"];
    client.write(head("POST / HTTP/1.1", ...fields));
    const web = rig.server();
    assert.equal(web.took(), head("POST / HTTP/1.1", ...fields));
    web.write(head("HTTP/1.1 100 Continue"));
    assert.equal(client.took(), head("HTTP/1.1 100 Continue"));
    client.write("hello");
    assert.equal(web.took(), "hello");
    web.write(ok("got it"));
    assert.equal(client.took(), ok("got it"));
    assert.equal(rig.ending(), "200 --");
  });

  it("are not asked for when the server refuses instead, and both connections end", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    const fields = ["host: a", "content-length: 5", "expect: 100-continue"];
    client.write(head("POST / HTTP/1.1", ...fields));
    const web = rig.server();
    web.write(head("HTTP/1.1 403 Forbidden", "content-length: 2") + "no");
    const close = "connection: close";
    const said = head("HTTP/1.1 403 Forbidden", "content-length: 2", close);
    assert.equal(client.took(), `${said}no`);
    assert.ok(client.hasFin);
    assert.equal(web.gone, "closed");
  });

  it("that are expected by any other name are refused with 417", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(post("x", "expect: a-miracle"));
    assert.equal(client.took(), refusedWith("417 Expectation Failed"));
    assert.equal(rig.unanswered, 0);
  });

  it("that the server does not wait for are read no further, and their bytes are no request", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(`${head("POST / HTTP/1.1", "host: a", "content-length: 100")}begin`);
    const web = rig.server();
    web.write(ok("enough"));
    assert.match(client.took(), /connection: close\r\n\r\nenough$/);
    assert.equal(web.gone, "closed");
    client.write(get("/smuggled"));
    assert.equal(client.took(), "");
    assert.equal(rig.unanswered, 0);
  });

  it("longer than the limit are refused with 413 before anybody is asked", () => {
    const rig = new ProxyRig({ frontend: { limits: { bodyBytes: 10 } } });
    const client = rig.client();
    client.write(post("0123456789x"));
    assert.equal(client.took(), refusedWith("413 Content Too Large"));
    assert.equal(rig.unanswered, 0);
    assert.match(rig.ending(), /^413 PR the body is larger/);
    const other = rig.client();
    other.write(post("0123456789"));
    rig.server().write(ok("fits"));
    assert.equal(other.took(), ok("fits"));
  });

  it("in chunks are refused with 413 when the limit is passed", () => {
    const rig = new ProxyRig({ frontend: { limits: { bodyBytes: 10 } } });
    const client = rig.client();
    client.write(`${head("POST / HTTP/1.1", "host: a", CHUNKED)}6\r\n012345\r\n`);
    const web = rig.server();
    client.write("6\r\n012345\r\n");
    assert.equal(client.took(), refusedWith("413 Content Too Large"));
    assert.equal(web.gone, "closed");
    assert.match(rig.ending(), /^413 PR/);
  });

  it("stop when the server does not read, and go on when it does", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(head("PUT / HTTP/1.1", "host: a", "content-length: 300000"));
    const web = rig.server();
    web.stick();
    client.write("x".repeat(150_000));
    assert.ok(client.isPaused);
    web.unstick();
    assert.ok(!client.isPaused);
    client.write("z".repeat(150_000));
    assert.equal(
      web.took().length,
      head("PUT / HTTP/1.1", "host: a", "content-length: 300000").length + 300_000,
    );
    web.write(ok("all"));
    assert.equal(client.took(), ok("all"));
  });

  it("of answers stop when the client does not read, and go on when it does", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    client.stick();
    web.write(`${head("HTTP/1.1 200 OK", "content-length: 200000")}${"x".repeat(100_000)}`);
    assert.ok(web.isPaused);
    client.unstick();
    assert.ok(!web.isPaused);
    web.write("y".repeat(100_000));
    assert.ok(client.took().endsWith("y"));
    assert.equal(rig.ending(), "200 --");
  });

  it("of answers with both lengths, or two, are not passed on", () => {
    for (const fields of [
      ["content-length: 3", CHUNKED],
      ["content-length: 3", "content-length: 3"],
      ["content-length: 3, 3"],
      ["transfer-encoding: gzip, chunked"],
      ["content-length: +3"],
    ]) {
      const rig = new ProxyRig();
      const client = rig.client();
      client.write(get());
      rig.server().write(`${head("HTTP/1.1 200 OK", ...fields)}3\r\none\r\n0\r\n\r\n`);
      assert.match(client.took(), /^HTTP\/1\.1 502 Bad Gateway\r\n/);
      assert.match(rig.ending(), /^502 PH web1: bad answer: /);
    }
  });

  it("of answers in chunks that break off leave the client without the last chunk", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    web.write(`${head("HTTP/1.1 200 OK", CHUNKED)}5\r\nhel`);
    web.fin();
    assert.equal(client.took(), `${head("HTTP/1.1 200 OK", CHUNKED)}3\r\nhel\r\n`);
    assert.equal(client.gone, "closed");
    assert.equal(rig.ending(), "200 SD web1: ended after 3 bytes");
  });

  it("are cut for nobody who is slow and reads all the same", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    client.stick();
    client.inKernel = 4000;
    web.write(head("HTTP/1.1 200 OK", "content-length: 100000") + "x".repeat(60_000));
    for (let i = 0; i < 4; i++) {
      rig.wait(29_000);
      client.inKernel -= 1000;
    }
    assert.equal(client.gone, "");
    rig.wait(61_000);
    assert.equal(rig.ending(), "200 cD the client read nothing for 30000 ms");
  });
});
