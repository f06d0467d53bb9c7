import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { before, test } from "node:test";
import { connect, type ConnectionOptions } from "node:tls";
import * as fc from "fast-check";
import { ClientHello, parseClientHello } from "./client-hello.ts";

/** What OpenSSL's client says first, with a name and two protocols. */
let real = new Uint8Array(0);
before(async () => {
  real = await helloOf({ servername: "Shop.Example", ALPNProtocols: ["h2", "http/1.1"] });
});

async function helloOf(options: ConnectionOptions): Promise<Uint8Array<ArrayBuffer>> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: "127.0.0.1", ...options });
  client.on("error", () => {});
  const [socket] = (await once(server, "connection")) as [NodeJS.ReadableStream];
  const [bytes] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  server.close();
  return Uint8Array.from(bytes);
}

function parse(bytes: Uint8Array): readonly [string, ClientHello] {
  const hello = new ClientHello();
  return [parseClientHello(hello, bytes, 0, bytes.length), hello];
}

/** The same message in records of `size` bytes. */
function recut(bytes: Uint8Array, size: number): Uint8Array {
  const message = bytes.subarray(5);
  const records: number[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(22, 3, 1, part.length >> 8, part.length & 255, ...part);
  }
  return Uint8Array.from(records);
}

test("a real client's name and protocols are read", () => {
  const [progress, hello] = parse(real);
  assert.equal(progress, "complete");
  assert.equal(hello.serverName, "Shop.Example");
  assert.ok(hello.offersProtocols && hello.offersHttp2 && hello.offersHttp1);
  assert.equal(hello.hasTicket, false);
});

test("a client without name, protocols and TLS 1.3 offers nothing", async () => {
  const [progress, hello] = parse(await helloOf({ maxVersion: "TLSv1.2", servername: "" }));
  assert.equal(progress, "complete");
  assert.equal(hello.serverName, "");
  assert.ok(!hello.offersProtocols && !hello.offersHttp2 && !hello.offersHttp1);
});

test("every beginning of it wants more, also when it is cut into records", () => {
  for (const bytes of [real, recut(real, 100), recut(real, 9)]) {
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(parse(bytes.subarray(0, length))[0], "more", `after ${length} bytes`);
    }
    const [progress, hello] = parse(bytes);
    assert.equal(progress, "complete");
    assert.equal(hello.serverName, "Shop.Example");
  }
});

test("what is not TLS is broken from its first byte on", () => {
  const http = new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n");
  assert.equal(parse(http)[0], "broken");
  assert.equal(parse(http.subarray(0, 1))[0], "broken");
  assert.equal(parse(Uint8Array.of(22, 3, 1, 0, 4, 2, 0, 0, 0))[0], "broken");
  assert.equal(parse(Uint8Array.of(22, 3, 1, 0, 4, 1, 0xff, 0, 0))[0], "broken");
  assert.equal(parse(Uint8Array.of(22, 3, 1, 0, 0))[0], "broken");
});

test("a name that is none of a host counts as absent", () => {
  const at = String.fromCharCode(...real).indexOf("Shop");
  for (const octet of [0, 0x20, 0x2f, 0x80]) {
    const bytes = Uint8Array.from(real);
    bytes[at] = octet;
    const [progress, hello] = parse(bytes);
    assert.equal(progress, "complete");
    assert.equal(hello.serverName, "");
  }
});

test("no bytes make it throw or read beyond them", () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(flips, (changes) => {
      const bytes = Uint8Array.from(real);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const [progress, { serverName }] = parse(bytes);
      assert.ok(["more", "complete", "broken"].includes(progress));
      assert.match(serverName, /^[\w.-]{0,255}$/);
    }),
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parse(bytes)));
});
