import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BodyReader } from "./body-reader.ts";
import { HeadWriter } from "./head-writer.ts";
import { RequestHead } from "./request-head.ts";
import { ResponseHead } from "./response-head.ts";

const LIMITS = { bytes: 16_384, fields: 100 };
const octets = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

function read(text: string): RequestHead {
  const head = new RequestHead();
  head.clear();
  const bytes = octets(text);
  const after = head.parse(bytes, 0, bytes.length, LIMITS);
  if (head.refused === undefined) assert.equal(after, bytes.length, "the whole head was taken");
  return head;
}

const refusalOf = (text: string): string | undefined => read(text).refused;
const get = (fields: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

describe("a request head", () => {
  it("gives method, path, query, host and fields without copying them", () => {
    const head = read(
      "POST /a/b?c=d HTTP/1.1\r\nHost: x:81\r\nContent-Length: 12\r\nA:  b \r\n\r\n",
    );
    assert.equal(head.refused, undefined);
    assert.deepEqual(
      [head.methodText(), head.pathText(), head.queryText(), head.hostText(), head.length],
      ["POST", "/a/b", "c=d", "x:81", 12],
    );
    assert.equal(head.text("a"), "b");
    assert.equal(head.framing, "length");
  });

  it("RFC 9112 2.2: forgives one empty line before it and refuses bare line feeds", () => {
    assert.equal(read(`\r\n${get("")}`).pathText(), "/");
    assert.equal(refusalOf(get("A: b\n")), "bad-line-end");
    assert.equal(refusalOf("GET / HTTP/1.1\nHost: a\r\n\r\n"), "bad-line-end");
    assert.equal(refusalOf(get("A: b\rc\r\n")), "bad-line-end");
  });

  it("RFC 9112 3: refuses what is not a request line", () => {
    assert.equal(refusalOf("G(T / HTTP/1.1\r\n\r\n"), "bad-method");
    assert.equal(refusalOf("GET  / HTTP/1.1\r\n\r\n"), "bad-target");
    assert.equal(refusalOf("GET / HTTP/2.0\r\n\r\n"), "bad-version");
    assert.equal(refusalOf("GET  HTTP/1.1\r\n\r\n"), "bad-target");
    assert.equal(refusalOf("GET /%00 HTTP/1.1\r\n\r\n"), "bad-target");
    for (const path of ["/x/..%2fadmin", "/a%2F.%2e/b", "/a%2F..", "/%2E%2e%2fb", "/.%2fb"]) {
      assert.equal(refusalOf(`GET ${path} HTTP/1.1\r\n\r\n`), "hidden-dots", path);
    }
    assert.equal(refusalOf("CONNECT a:1 HTTP/1.1\r\n\r\n"), "method-not-implemented");
  });

  it("RFC 9110 7.1: sends no fragment further", () => {
    const head = read("GET /a?b#c?d HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.deepEqual([head.pathText(), head.queryText()], ["/a", "b"]);
  });

  it("RFC 9112 3.2: wants exactly one Host that agrees with the target", () => {
    assert.equal(refusalOf("GET / HTTP/1.1\r\n\r\n"), "bad-host");
    assert.equal(refusalOf(get("Host: a\r\n")), "bad-host");
    assert.equal(refusalOf("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), "bad-host");
    assert.equal(refusalOf("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"), "host-mismatch");
    assert.equal(read("GET http://A/x HTTP/1.1\r\nHost: a\r\n\r\n").pathText(), "/x");
    assert.equal(read("GET / HTTP/1.0\r\n\r\n").keepAlive, false);
  });

  it("RFC 9112 5.1 and 5.2: refuses spaces before colons, folds, empty names, controls", () => {
    assert.equal(refusalOf(get("A : b\r\n")), "bad-header-name");
    assert.equal(refusalOf(get("A: b\r\n c\r\n")), "folded-header");
    assert.equal(refusalOf(get(": b\r\n")), "bad-header-name");
    assert.equal(refusalOf(get("A: \0\r\n")), "bad-header-value");
  });

  it("RFC 9112 6: believes one length only", () => {
    for (const bad of ["+1", "-1", "1,1", "0x1", "", "1 1", "1234567890123456"]) {
      assert.equal(refusalOf(get(`Content-Length: ${bad}\r\n`)), "bad-content-length", bad);
    }
    const twice = "Content-Length: 1\r\nContent-Length: 1\r\n";
    assert.equal(refusalOf(get(twice)), "bad-content-length");
    const both = "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n";
    assert.equal(refusalOf(get(both)), "both-lengths");
    assert.equal(refusalOf(get("Transfer-Encoding: xchunked\r\n")), "bad-transfer-encoding");
    assert.equal(
      refusalOf(get("Transfer-Encoding: chunked, chunked\r\n")),
      "bad-transfer-encoding",
    );
    assert.equal(
      refusalOf(get("Transfer-Encoding: gzip, chunked\r\n")),
      "transfer-coding-not-implemented",
    );
    assert.equal(refusalOf(get("Transfer_Encoding: chunked\r\n")), "disguised-framing");
  });

  it("marks a body where servers may not read one", () => {
    assert.equal(read(get("Content-Length: 3\r\n")).ambiguous, true);
    assert.equal(read(get("Content-Length: 0\r\n")).ambiguous, false);
  });

  it("RFC 9110 7.6.1: marks what Connection names, but never Host or Cookie", () => {
    const head = read(get("Connection: close, X-A, cookie\r\nX-A: 1\r\nCookie: c\r\n"));
    const hop = Array.from({ length: head.count }, (_, i) => [head.nameText(i), head.hop[i]]);
    assert.deepEqual(hop, [
      ["Host", 0],
      ["Connection", 1],
      ["X-A", 1],
      ["Cookie", 0],
    ]);
    assert.equal(head.keepAlive, false);
  });

  it("is the same however its octets are cut", () => {
    const text = "POST /a?b HTTP/1.1\r\nHost: abc\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n";
    const bytes = octets(text);
    for (let cut = 0; cut < bytes.length; cut++) {
      const head = new RequestHead();
      head.clear();
      assert.equal(head.parse(bytes, 0, cut, LIMITS), 0, `incomplete at ${cut}`);
      // It may have moved in the meantime.
      const moved = new Uint8Array(bytes.length + 5);
      moved.set(bytes, 5);
      assert.equal(head.parse(moved, 5, moved.length, LIMITS), moved.length);
      assert.deepEqual([head.pathText(), head.text("x"), head.framing], ["/a", "y", "chunked"]);
    }
  });

  it("refuses too much, whole or in pieces", () => {
    const small = { bytes: 40, fields: 2 };
    const head = new RequestHead();
    head.clear();
    const long = octets(`GET /${"a".repeat(60)}`);
    assert.equal(head.parse(long, 0, long.length, small), -1);
    assert.equal(head.refused, "head-too-large");
    head.clear();
    const many = octets("GET / HTTP/1.1\r\nA:1\r\nB:1\r\nC:1\r\n\r\n");
    assert.equal(head.parse(many, 0, many.length, small), -1);
    assert.equal(head.refused, "too-many-headers");
  });

  it("never throws and never believes two ways on mutated octets", () => {
    const seedText = get("Content-Length: 5\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n");
    const edits = fc.array(fc.tuple(fc.nat(seedText.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(edits, (changes) => {
        const bytes = octets(seedText);
        for (const [at, octet] of changes) bytes[at] = octet;
        const head = new RequestHead();
        head.clear();
        const whole = head.parse(bytes, 0, bytes.length, LIMITS);
        const piecewise = new RequestHead();
        piecewise.clear();
        let result = 0;
        for (let to = 1; to <= bytes.length && result === 0; to++) {
          result = piecewise.parse(bytes, 0, to, LIMITS);
        }
        assert.equal(result, whole);
        assert.equal(piecewise.refused, head.refused);
      }),
    );
  });
});

describe("a request head that is used again", () => {
  /** Alike at the beginning, at the end, in their length, but for their case or one letter. */
  const NAMES = [
    "Host",
    "Hosu",
    "host",
    "Te",
    "DNT",
    "Via",
    "Age",
    "Accept",
    "Accepu",
    "Accept-Encoding",
    "Accept-Language",
    "Accept-Languagf",
    "accept-language",
    "Bccept-Language",
    "Connection",
    "Content-Length",
    "Content-Lengthy",
    "Transfer-Encoding",
    "X-12345678901234567890123456789",
    "X-123456789012345678901234567890",
    "X-1234567890123456789012345678901",
    "Host ",
    "Ho\0t",
    " Host",
    "",
  ];
  const field = fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom("7", "accept", "close", ""));
  const message = fc.record({ fields: fc.array(field, { maxLength: 5 }), cut: fc.nat(120) });
  const room = { bytes: 16_384, fields: 4 };

  /** Everything that is found out about the fields, whatever was there before. */
  function facts(head: RequestHead, result: number): unknown {
    const { count, spans, numbers, hop, hashes, first, repeats, refused } = head;
    const perField = [numbers, hop, hashes].map((of) => [...of.subarray(0, count)]);
    const places = [...spans.subarray(0, count * 4)];
    return { result, count, places, perField, first: [...first], repeats: [...repeats], refused };
  }

  it("finds what a new one does, whatever it has read before", () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 2, maxLength: 6 }), (messages) => {
        const used = new RequestHead(1);
        for (const { fields, cut } of messages) {
          const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
          const bytes = octets(`GET / HTTP/1.1\r\nHost: a\r\n${lines.join("")}\r\n`);
          const fresh = new RequestHead();
          used.clear();
          fresh.clear();
          for (const end of [Math.min(cut, bytes.length), bytes.length]) {
            const result = used.parse(bytes, 0, end, room);
            assert.deepEqual(facts(used, result), facts(fresh, fresh.parse(bytes, 0, end, room)));
            if (result !== 0) break;
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a written head", () => {
  it("holds what was understood, without hop-by-hop fields", () => {
    const head = read(get("Connection: X-A\r\nX-A: 1\r\nX-B:\t2\r\nKeep-Alive: 5\r\n"));
    const writer = new HeadWriter();
    writer.begin(new Uint8Array(512), 0);
    writer.requestLine(head);
    writer.field("host", head.hostText());
    writer.fields(head);
    writer.end();
    const text = textOf(writer.bytes.subarray(0, writer.at));
    assert.equal(text, "GET / HTTP/1.1\r\nhost: a\r\nX-B: 2\r\n\r\n");
  });

  it("tells when the room was too little and writes nothing beyond it", () => {
    const writer = new HeadWriter();
    writer.begin(new Uint8Array(10), 0);
    writer.text("12345678901234567890");
    assert.equal(writer.overflow, true);
    assert.equal(writer.at, 0);
  });
});

describe("a response head", () => {
  const answer = (text: string, isHead = false): ResponseHead => {
    const head = new ResponseHead();
    head.clear();
    const bytes = octets(text);
    head.parse(bytes, 0, bytes.length, LIMITS);
    if (head.refused === undefined) head.frame(isHead);
    return head;
  };

  it("RFC 9112 6.3: finds the end of the body", () => {
    const framing = (text: string, isHead = false): string => answer(text, isHead).framing;
    assert.equal(framing("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"), "length");
    assert.equal(framing("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n"), "chunked");
    assert.equal(framing("HTTP/1.1 200 OK\r\n\r\n"), "close");
    assert.equal(framing("HTTP/1.1 204 No\r\n\r\n"), "none");
    assert.equal(framing("HTTP/1.1 304 No\r\nContent-Length: 3\r\n\r\n"), "none");
    assert.equal(framing("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true), "none");
    const both = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert.equal(answer(both).refused, "both-lengths");
  });

  it("learns how long the server keeps the connection", () => {
    const head = answer("HTTP/1.1 200 OK\r\nKeep-Alive: max=3, timeout=7\r\n\r\n");
    assert.equal(head.keepAliveMs(), 7000);
  });
});

describe("a body", () => {
  const CHUNKED = "5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\nGET";

  it("RFC 9112 7.1: is found in chunks however they are cut", () => {
    const bytes = octets(CHUNKED);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new BodyReader();
      reader.begin("chunked", 0);
      let payload = "";
      let at = 0;
      for (const end of [cut, bytes.length]) {
        while (at < end && !reader.done) {
          at = reader.consume(bytes, at, end);
          payload += textOf(bytes.subarray(reader.from, reader.to));
        }
      }
      assert.equal(payload, "hello world");
      assert.equal(reader.done, true);
      assert.equal(textOf(bytes.subarray(at)), "GET", "nothing of the next request is taken");
      assert.equal(reader.trailers?.text("x-sum"), "1");
    }
  });

  it("refuses loose grammar and framing in trailers", () => {
    const bad = ["5\nhello", "\r\n", "g\r\n", "5\r\nhelloX\r\n", "1 \r\na\r\n", "-1\r\n"];
    bad.push("0\r\nContent-Length: 4\r\n\r\n", "0\r\n folded\r\n\r\n", "fffffffffffffff\r\n");
    for (const text of bad) {
      const bytes = octets(text);
      const reader = new BodyReader();
      reader.begin("chunked", 0);
      let at = 0;
      while (at < bytes.length && !reader.done && reader.refused === undefined) {
        at = reader.consume(bytes, at, bytes.length);
      }
      assert.notEqual(reader.refused, undefined, JSON.stringify(text));
    }
  });

  it("of a length ends there; one until close ends with the connection", () => {
    const bytes = octets("hello world");
    const reader = new BodyReader();
    reader.begin("length", 5);
    assert.equal(reader.consume(bytes, 0, bytes.length), 5);
    assert.equal(reader.done, true);
    reader.begin("length", 20);
    reader.consume(bytes, 0, bytes.length);
    assert.equal(reader.end(), false);
    reader.begin("close", 0);
    reader.consume(bytes, 0, bytes.length);
    assert.equal(reader.done, false);
    assert.equal(reader.end(), true);
  });
});
