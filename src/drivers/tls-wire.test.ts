/** What only our own TLS owes: resumption at any worker, broken and hostile peers, ends. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { after, before, test } from "node:test";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { freshCertificate } from "../../test/kit/fresh-certificate.ts";
import type { FrontendTls } from "../core/proxy/frontend-settings.ts";
import { Prng } from "../lib/prng.ts";
import { isOsFailure } from "./ffi.ts";
import { localAddress, openListener, StreamListener } from "./stream-listener.ts";
import { StreamLoop } from "./stream-loop.ts";
import { TlsFront, type TlsFrontOptions } from "./tls-front.ts";
import { tlsLibraryTrouble } from "./tls-library.ts";

const directory = mkdtempSync(join(tmpdir(), "nines-test-"));
const file = (name: string): string => join(directory, `${name}.pem`);
before(() => {
  for (const name of ["one", "two"]) freshCertificate(file(name), name);
});
after(() => rmSync(directory, { recursive: true }));

function settings(name: string, more: Partial<FrontendTls> = {}): FrontendTls {
  const certificates = [{ certificate: file(name), key: file(name) }];
  const base = { certificates, minimumVersion: "1.2", http2: false } as const;
  return { ...base, clientCertificate: "off", ...more };
}

interface Running {
  readonly port: number;
  readonly front: TlsFront;
  readonly loop: StreamLoop;
  readonly refused: string[];
  /** `ended` and `closed …` of connections that were secured. */
  readonly ends: string[];
}

/** Echoes. */
async function withFront(
  more: Partial<TlsFrontOptions>,
  body: (running: Running) => Promise<void>,
): Promise<void> {
  const loop = new StreamLoop({ afterTurn: () => void setImmediate(() => {}) });
  const options = { tls: settings("one"), handshakeMs: 2000, maxHandshakes: 50, ...more };
  const front = new TlsFront(loop, options);
  const refused: string[] = [];
  const ends: string[] = [];
  const fd = openListener({ kind: "ip", address: "127.0.0.1", port: 0 });
  assert.ok(!isOsFailure(Object(fd)));
  const listener = new StreamListener(loop, fd as number, (client) =>
    front.accept(client, {
      secured(wire) {
        wire.peer = {
          received: (_now, bytes, from, to) => void wire.send(bytes, from, to),
          drained() {},
          ended() {
            ends.push("ended");
            wire.end();
          },
          closed: (_now, reason) => void ends.push(`closed ${reason}`),
        };
      },
      securedHttp2: () => assert.fail("HTTP/2 is not offered"),
      refused: (reason) => void refused.push(reason),
    }),
  );
  try {
    await body({ port: localAddress(fd as number).port, front, loop, refused, ends });
  } finally {
    listener.close();
    front.close();
    await new Promise((resolve) => setImmediate(resolve));
    loop.close();
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !holds(); i++) await new Promise((go) => setTimeout(go, 5));
  assert.ok(holds());
}

/** Says hello; the session that the server gave, and whether it took `session`. */
async function visit(
  port: number,
  options: ConnectionOptions = {},
): Promise<{ session: Buffer; resumed: boolean }> {
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  let session: Buffer = Buffer.alloc(0);
  socket.on("session", (fresh: Buffer) => (session = fresh));
  await once(socket, "secureConnect");
  const resumed = socket.isSessionReused();
  assert.equal(await echoOf(socket, "hello"), "hello");
  return { session, resumed };
}

async function echoOf(socket: TLSSocket, words: string): Promise<string> {
  socket.end(words);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

test("this node exports what TLS needs", () => {
  assert.equal(tlsLibraryTrouble(), undefined);
});

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`${maxVersion}: a session is resumed where keys and certificate are the same`, async () => {
    const ticketKeys = new Uint8Array(48).fill(7);
    await withFront({ ticketKeys }, async (first) => {
      const { session, resumed } = await visit(first.port, { maxVersion });
      assert.equal(resumed, false);
      const again = { maxVersion, session };
      assert.equal((await visit(first.port, again)).resumed, true, "at the same worker");
      await withFront({ ticketKeys }, async (other) => {
        assert.equal((await visit(other.port, again)).resumed, true, "at another worker");
      });
      const strange: readonly Partial<TlsFrontOptions>[] = [
        { ticketKeys: new Uint8Array(48).fill(8) },
        { ticketKeys, tls: settings("two") },
        {
          ticketKeys,
          tls: settings("one", { clientCa: file("two"), clientCertificate: "optional" }),
        },
      ];
      for (const options of strange) {
        await withFront(options, async (other) => {
          assert.equal((await visit(other.port, again)).resumed, false);
        });
      }
    });
  });
}

test("a session outlives one change of the secret, and not two", async () => {
  const [first, second, third] = [1, 2, 3].map((octet) => new Uint8Array(48).fill(octet));
  await withFront({ ticketKeys: first! }, async ({ port, front }) => {
    const { session } = await visit(port);
    front.sealTickets({ ticketKeys: second!, formerTicketKeys: first! });
    assert.equal((await visit(port, { session })).resumed, true);
    const { session: fresh } = await visit(port);
    front.sealTickets({ ticketKeys: third!, formerTicketKeys: second! });
    assert.equal((await visit(port, { session })).resumed, false);
    assert.equal((await visit(port, { session: fresh })).resumed, true);
  });
});

test("a client's subject is known in a resumed session too", async () => {
  const { readFileSync } = await import("node:fs");
  const tls = settings("one", { clientCa: file("two"), clientCertificate: "required" });
  const own = { cert: readFileSync(file("two")), key: readFileSync(file("two")) };
  await withFront({ tls, ticketKeys: new Uint8Array(48) }, async ({ port, refused }) => {
    const { session } = await visit(port, own);
    assert.equal((await visit(port, { ...own, session })).resumed, true);
    await assert.rejects(visit(port));
    await until(() => refused.length === 1);
    assert.equal(refused[0], "client certificate: none was given");
  });
});

test("a FIN without close_notify is the end of a client", async () => {
  await withFront({}, async ({ port, ends }) => {
    const raw = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const socket = connectTls({ socket: raw, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    socket.write("hello");
    await once(socket, "data");
    raw.end();
    await until(() => ends.length === 2);
    assert.deepEqual(ends, ["ended", "closed "]);
    socket.destroy();
  });
});

test("the same is a cut of a client that is carried as bytes, and close_notify is its end", async () => {
  await withFront({ isCarried: true }, async ({ port, ends }) => {
    const raw = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const socket = connectTls({ socket: raw, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    socket.write("hello");
    await once(socket, "data");
    raw.end();
    await until(() => ends.length === 1);
    assert.deepEqual(ends, ["closed TLS cut without close_notify"]);
    socket.destroy();
    await visit(port);
    await until(() => ends.length === 3);
    assert.deepEqual(ends.slice(1), ["ended", "closed "]);
  });
});

for (const through of [{}, { through: "node" } as const]) {
  const by = "through" in through ? "Node" : "OpenSSL";
  test(`${by}: whoever is carried as bytes may offer what nobody here knows`, async () => {
    const ALPNProtocols = ["dot"];
    await withFront({ isCarried: true, ...through }, async ({ port }) => {
      await visit(port, { ALPNProtocols });
    });
    await withFront(through, async ({ port, refused }) => {
      await assert.rejects(visit(port, { ALPNProtocols }), /no application protocol/u);
      await until(() => refused.length === 1);
    });
  });
}

test("silence, plain HTTP, too many at once and an early end are refused with a reason", async () => {
  await withFront({ handshakeMs: 100, maxHandshakes: 1 }, async ({ port, refused, front }) => {
    const silent = connect(port, "127.0.0.1");
    await until(() => front.handshakes === 1);
    connect(port, "127.0.0.1").on("error", () => {});
    await until(() => refused.length === 2);
    assert.equal(refused[0], "too many handshakes at once");
    assert.equal(refused[1], "no TLS handshake within 100 ms");
    silent.destroy();
    const http = connect(port, "127.0.0.1");
    http.end("GET / HTTP/1.1\r\nHost: a\r\n\r\n").on("error", () => {});
    await until(() => refused.length === 3);
    assert.equal(refused[2], "TLS: http request");
    connect(port, "127.0.0.1").end();
    await until(() => refused.length === 4);
    assert.equal(refused[3], "closed before the TLS handshake");
    assert.equal(front.handshakes, 0);
  });
});

/** The first flight of a client of HTTP/2. */
function firstFlight(): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({ read() {}, write: resolve });
    connectTls({ socket, ALPNProtocols: ["h2"], rejectUnauthorized: false });
  });
}

for (const way of [{}, { through: "node" }] as const) {
  test(`who says no more within a handshake of HTTP/2 is closed: ${way.through ?? "OpenSSL"}`, async () => {
    const tls = settings("one", { http2: true });
    const hello = await firstFlight();
    await withFront({ tls, handshakeMs: 100, ...way }, async ({ port, refused }) => {
      for (const leaves of [true, false]) {
        const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true }).resume();
        client.write(hello);
        if (leaves) client.end();
        await once(client, "end", { signal: AbortSignal.timeout(5000) });
        client.destroy();
      }
      assert.equal(refused.length, 2);
    });
  });
}

test("openssl's client is served, and may not negotiate anew", async () => {
  await withFront({}, async ({ port, ends }) => {
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const words = ["s_client", "-connect", `127.0.0.1:${port}`, version, "-quiet", "-no_ign_eof"];
      const client = spawn("openssl", words, { stdio: ["pipe", "pipe", "ignore"] });
      client.stdin.write("over openssl\n");
      const [chunk] = (await once(client.stdout, "data")) as [Buffer];
      assert.equal(String(chunk), "over openssl\n");
      client.stdin.end();
      await once(client, "exit");
    }
    await until(() => ends.filter((one) => one === "ended").length === 2);
    const words = ["s_client", "-connect", `127.0.0.1:${port}`, "-tls1_2"];
    const client = spawn("openssl", words, { stdio: ["pipe", "pipe", "pipe"] });
    let told = "";
    client.stderr.on("data", (chunk: Buffer) => (told += String(chunk)));
    client.stdout.on("data", () => {});
    client.stdin.write("R\n");
    await once(client, "exit");
    assert.match(told, /no renegotiation/);
  });
});

// ---- hostile bytes ----

/** Passes bytes on to `port`, those of the client through `spoil`. */
async function withSpoiler(
  port: number,
  spoil: (chunk: Buffer, at: number) => Buffer,
  body: (port: number) => Promise<void>,
): Promise<void> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const inner = connect(port, "127.0.0.1");
    let at = 0;
    for (const one of [client, inner]) open.add(one.on("error", () => {}));
    client.on("data", (chunk: Buffer) => {
      inner.write(spoil(chunk, at));
      at += chunk.length;
    });
    inner.pipe(client);
    client.on("close", () => inner.destroy());
    inner.on("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await body((server.address() as AddressInfo).port);
  } finally {
    server.close();
    for (const one of open) one.destroy();
  }
}

test("whatever is flipped, cut or put in: nothing wrong comes back, and others are served", async () => {
  const prng = new Prng(20261121);
  await withFront({ handshakeMs: 150 }, async (running) => {
    const { port, front } = running;
    const words = "0123456789".repeat(3000);
    for (let i = 0; i < 60; i++) {
      // Within the ClientHello, the rest of the handshake, or the records after it.
      const target = prng.between(0, [300, 700, 20_000][i % 3]!);
      const kind = prng.between(0, 2);
      const value = prng.between(1, 255);
      const spoil = (chunk: Buffer, at: number): Buffer => {
        const offset = target - at;
        if (offset < 0 || offset >= chunk.length) return chunk;
        if (kind === 0) chunk[offset]! ^= value;
        const [head, tail] = [chunk.subarray(0, offset), chunk.subarray(offset)];
        if (kind === 1) return Buffer.concat([head, Buffer.alloc(value, value), tail]);
        return kind === 2 ? Buffer.concat([head, tail.subarray(value)]) : chunk;
      };
      await withSpoiler(port, spoil, async (spoiled) => {
        const socket = connectTls({ port: spoiled, host: "127.0.0.1", rejectUnauthorized: false });
        let text = "";
        socket.on("data", (chunk: Buffer) => (text += String(chunk)));
        socket.on("error", () => {});
        socket.end(words);
        setTimeout(() => socket.destroy(), 200).unref();
        await new Promise((resolve) => socket.on("close", resolve));
        assert.ok(words.startsWith(text), "what came back is a beginning of what was sent");
      });
      if (i % 10 === 0) await visit(port);
    }
    await until(() => front.handshakes === 0);
    await visit(port);
  });
});
