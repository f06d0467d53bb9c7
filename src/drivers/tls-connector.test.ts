/** Our own TLS towards servers; the servers are Node's. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { TLSSocket, type TLSSocketOptions } from "node:tls";
import { freshCertificate } from "../../test/kit/fresh-certificate.ts";
import type { PoolSettings } from "../core/balance/pool-settings.ts";
import type { ServerPeer, Wire } from "../core/proxy/wire.ts";
import { StreamLoop } from "./stream-loop.ts";
import { tlsConnector, type TlsConnector } from "./tls-connector.ts";

const directory = mkdtempSync(join(tmpdir(), "nines-test-"));
const file = join(directory, "one.pem");
before(() => {
  freshCertificate(file, "one.example", "DNS:one.example,IP:127.0.0.1");
});
after(() => rmSync(directory, { recursive: true }));

interface Bench {
  readonly connector: TlsConnector;
  /** Sends `hello` and notes what is told until the wire is gone or has ended. */
  readonly ask: (head?: Uint8Array) => Promise<readonly string[]>;
}

type Serve = (socket: TLSSocket, raw: Socket) => void;

interface BenchOptions {
  readonly tls: NonNullable<PoolSettings["tls"]>;
  readonly server?: TLSSocketOptions;
  /** Bytes that come before TLS. */
  readonly head?: string;
}

async function withServer(
  { tls, server: more = {}, head = "" }: BenchOptions,
  serve: Serve,
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  const [cert, key] = [readFileSync(file), readFileSync(file)];
  const open = new Set<Socket>();
  const secure = (raw: Socket): void => {
    const socket = new TLSSocket(raw, { isServer: true, cert, key, ...more });
    for (const one of [raw, socket]) one.on("error", () => {});
    socket.once("data", () => serve(socket, raw));
  };
  const server = createServer((raw) => {
    open.add(raw);
    if (head === "") return secure(raw);
    raw.once("readable", () => {
      assert.equal(String(raw.read(head.length)), head);
      secure(raw);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const loop = new StreamLoop({ afterTurn: () => void setImmediate(() => {}) });
  const connector = tlsConnector(loop, tls);
  const { port } = server.address() as AddressInfo;
  const endpoint = { kind: "ip", address: "127.0.0.1", port } as const;
  const ask: Bench["ask"] = async (first) => {
    const told: string[] = [];
    const over = Promise.withResolvers<void>();
    const peer: ServerPeer = {
      connected: () => void told.push("connected"),
      received: (_now, bytes, from, to) =>
        void told.push(Buffer.from(bytes.subarray(from, to)).toString()),
      drained() {},
      ended() {
        told.push("ended");
        wire.destroy(false);
        over.resolve();
      },
      closed(_now, reason) {
        told.push(`closed ${reason}`);
        over.resolve();
      },
    };
    const target = { pool: "p", server: "s", endpoint, ...(first ? { head: first } : {}) };
    const wire: Wire = connector.connect(target, peer);
    // Before there is a connection: kept until the handshake is over.
    wire.send(Buffer.from("hello"), 0, 5);
    await over.promise;
    return told;
  };
  try {
    await body({ connector, ask });
  } finally {
    connector.close();
    for (const one of open) one.destroy();
    server.close();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(loop.size, 0);
    loop.close();
  }
}

const trusting = (): BenchOptions => ({ tls: { verify: true, ca: file } });

test("an answer that ends with close_notify has ended; one that is only cut was cut", async () => {
  const well: Serve = (socket) => void socket.end("answer");
  await withServer(trusting(), well, async ({ ask }) => {
    assert.deepEqual(await ask(), ["connected", "answer", "ended"]);
  });
  const cut: Serve = (socket, raw) => void socket.write("answer", () => raw.end());
  await withServer(trusting(), cut, async ({ ask }) => {
    const told = await ask();
    assert.deepEqual(told, [
      "connected",
      "answer",
      "closed the server cut TLS without close_notify",
    ]);
  });
});

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`${maxVersion}: the second connection to a server resumes the first one's session`, async () => {
    // What the servers of one host share.
    const { createSecureContext } = await import("node:tls");
    const own = { cert: readFileSync(file), key: readFileSync(file) };
    const secureContext = createSecureContext({ ...own, maxVersion, ticketKeys: Buffer.alloc(48) });
    const serve: Serve = (socket) => void socket.end(String(socket.isSessionReused()));
    await withServer({ ...trusting(), server: { secureContext } }, serve, async ({ ask }) => {
      assert.deepEqual(await ask(), ["connected", "false", "ended"]);
      assert.deepEqual(await ask(), ["connected", "true", "ended"]);
    });
  });
}

test("the name is asked for and must be the certificate's; a certificate of our own is shown", async () => {
  const serve: Serve = (socket) => {
    const { subject } = socket.getPeerCertificate();
    socket.end(`${String(socket.servername)} ${String(subject?.CN ?? "-")}`);
  };
  const server = { requestCert: true, rejectUnauthorized: false };
  const named = { verify: true, ca: file, serverName: "one.example", certificate: file, key: file };
  await withServer({ tls: named, server }, serve, async ({ ask }) => {
    assert.deepEqual(await ask(), ["connected", "one.example one.example", "ended"]);
  });
  const wrong = { verify: true, ca: file, serverName: "two.example" };
  await withServer({ tls: wrong, server }, serve, async ({ ask }) => {
    assert.deepEqual(await ask(), ["closed server certificate: hostname mismatch"]);
  });
  await withServer({ tls: { ...wrong, verify: false }, server }, serve, async ({ ask }) => {
    assert.deepEqual(await ask(), ["connected", "two.example -", "ended"]);
  });
});

test("an address is verified and not asked for by name", async () => {
  const serve: Serve = (socket) => void socket.end(String(socket.servername));
  const tls = { verify: true, ca: file, serverName: "127.0.0.1" };
  await withServer({ tls }, serve, async ({ ask }) => {
    assert.deepEqual(await ask(), ["connected", "false", "ended"]);
  });
});

test("a server that refuses us is not said to have a bad certificate where none is verified", async () => {
  const server = { requestCert: true, rejectUnauthorized: true, ca: readFileSync(file) };
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const { createSecureContext } = await import("node:tls");
    const own = { cert: readFileSync(file), key: readFileSync(file), ca: readFileSync(file) };
    const secureContext = createSecureContext({ ...own, maxVersion });
    const options = { tls: { verify: false }, server: { ...server, secureContext } };
    await withServer(
      options,
      () => {},
      async ({ ask }) => {
        const told = await ask();
        assert.match(told.at(-1)!, /^closed /u);
        assert.doesNotMatch(told.at(-1)!, /server certificate/u);
      },
    );
  }
});

test("a PROXY header goes in front of TLS, in the clear", async () => {
  const head = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
  const serve: Serve = (socket) => void socket.end("seen");
  await withServer({ ...trusting(), head }, serve, async ({ ask }) => {
    assert.deepEqual(await ask(Buffer.from(head)), ["connected", "seen", "ended"]);
  });
});
