import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { freshCertificate } from "../../test/kit/fresh-certificate.ts";
import type { ServerPeer, Wire } from "../core/proxy/wire.ts";
import { isOsFailure } from "./ffi.ts";
import { StreamConnector } from "./stream-connector.ts";
import { bindName, localAddress, openListener, StreamListener } from "./stream-listener.ts";
import { StreamLoop } from "./stream-loop.ts";
import { StreamWire, WIRE_EVENTS } from "./stream-wire.ts";
import { TlsFront, type SecuredWire } from "./tls-front.ts";

/** A turn is entered from C: promises that it settled are looked at in the next one of Node's own. */
const settling = { afterTurn: (): void => void setImmediate(() => {}) };

/** Notes what it is told; does with it what the test says. */
class Probe implements ServerPeer {
  readonly log: string[] = [];
  readonly chunks: Buffer[] = [];
  wire!: Wire;
  onReceived: (bytes: Uint8Array, from: number, to: number) => void = () => {};
  onEnded: () => void = () => {};
  onDrained: () => void = () => {};
  onConnected: () => void = () => {};
  readonly gone: PromiseWithResolvers<string> = Promise.withResolvers<string>();

  connected(): void {
    this.log.push("connected");
    this.onConnected();
  }
  received(_now: number, bytes: Uint8Array, from: number, to: number): void {
    this.chunks.push(Buffer.from(bytes.subarray(from, to)));
    this.onReceived(bytes, from, to);
  }
  drained(): void {
    this.log.push("drained");
    this.onDrained();
  }
  ended(): void {
    this.log.push("ended");
    this.onEnded();
  }
  closed(_now: number, reason: string): void {
    this.log.push(`closed ${reason}`);
    this.gone.resolve(reason);
  }
  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

/** What a wire promises, it promises in the clear and over TLS. */
interface Transport {
  readonly name: string;
  /** Gives the wire to `arrived` when its first byte may come. */
  readonly accepting: (
    loop: StreamLoop,
    arrived: (wire: SecuredWire) => void,
  ) => (fd: number) => void;
  readonly connect: (port: number) => Socket;
}

const directory = mkdtempSync(join(tmpdir(), "nines-test-"));
const certificate = join(directory, "one.pem");
before(() => {
  freshCertificate(certificate, "one");
});
after(() => rmSync(directory, { recursive: true }));

const plain: Transport = {
  name: "plain",
  accepting: (loop, arrived) => (fd) => {
    const wire = new StreamWire(loop, fd);
    arrived(wire);
    wire.arrive();
  },
  connect: (port) => connect({ port, host: "127.0.0.1", allowHalfOpen: true }),
};

const tls: Transport = {
  name: "TLS",
  accepting: (loop, arrived) => {
    const front = new TlsFront(loop, {
      tls: {
        certificates: [{ certificate, key: certificate }],
        minimumVersion: "1.2",
        http2: false,
        clientCertificate: "off",
      },
      handshakeMs: 5000,
      maxHandshakes: 10,
    });
    return (fd) =>
      front.accept(fd, {
        secured: (wire) => arrived(wire),
        securedHttp2: () => assert.fail("HTTP/2 was not offered"),
        refused: (reason) => assert.fail(reason),
      });
  },
  connect(port) {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    return connectTls({ socket, rejectUnauthorized: false });
  },
};

interface Bench {
  readonly loop: StreamLoop;
  readonly port: number;
  readonly accepted: Probe[];
  readonly next: () => Promise<Probe>;
}

/** A listener whose connections are given to `prepare`. */
async function withListener(
  prepare: (probe: Probe) => void,
  body: (bench: Bench) => Promise<void>,
  transport: Transport = plain,
): Promise<void> {
  const loop = new StreamLoop(settling);
  const accepted: Probe[] = [];
  let arrival = Promise.withResolvers<Probe>();
  const fd = openListener({ kind: "ip", address: "127.0.0.1", port: 0 });
  assert.ok(!isOsFailure(Object(fd)));
  const accept = transport.accepting(loop, (wire) => {
    const probe = new Probe();
    probe.wire = wire;
    wire.peer = probe;
    prepare(probe);
    accepted.push(probe);
    arrival.resolve(probe);
  });
  const listener = new StreamListener(loop, fd as number, accept);
  const next = async (): Promise<Probe> => {
    const probe = await arrival.promise;
    arrival = Promise.withResolvers<Probe>();
    return probe;
  };
  try {
    await body({ loop, port: localAddress(fd as number).port, accepted, next });
  } finally {
    for (const probe of accepted) probe.wire.destroy(false);
    listener.close();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(loop.size, 0);
    loop.close();
  }
}

function echo(probe: Probe): void {
  probe.onReceived = (bytes, from, to) => probe.wire.send(bytes, from, to);
  probe.onEnded = () => probe.wire.end();
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test("what has come is heard before somebody who judges by silence acts", async () => {
  await withListener(
    () => {},
    async ({ loop, port, next }) => {
      const client = plain.connect(port);
      client.write("first");
      const probe = await next();
      while (probe.text !== "first") await new Promise((resolve) => setImmediate(resolve));
      client.write(" second");
      let heard = "";
      loop.run(() => (heard = probe.text));
      assert.equal(heard, "first", "it is with the kernel, and nobody has looked");
      loop.runAfterInput(() => (heard = probe.text));
      assert.equal(heard, "first second");
      client.destroy();
    },
  );
});

for (const transport of [plain, tls]) {
  const { name } = transport;
  test(`${name}: bytes come back in order, and both ends of a connection that is over are told`, async () => {
    await withListener(
      echo,
      async ({ port, next }) => {
        const client = transport.connect(port);
        client.end("hello");
        assert.equal((await readAll(client)).toString(), "hello");
        const probe = await next();
        assert.equal(await probe.gone.promise, "");
        assert.deepEqual(probe.log, ["ended", "closed "]);
      },
      transport,
    );
  });

  test(`${name}: a megabyte through a reader that stops is queued to the mark, refused, and drained`, async () => {
    const size = 8 * 1024 * 1024;
    const source = Buffer.alloc(size, "0123456789abcdef");
    let sent = 0;
    const push = (probe: Probe): void => {
      while (sent < size) {
        const to = Math.min(size, sent + 50_000);
        const more = probe.wire.send(source, sent, to);
        sent = to;
        if (!more) return;
      }
      probe.wire.end();
    };
    const prepare = (probe: Probe): void => {
      probe.onReceived = () => push(probe);
      probe.onDrained = () => push(probe);
    };
    await withListener(
      prepare,
      async ({ port, next }) => {
        const client = transport.connect(port);
        client.write("go");
        client.pause();
        const probe = await next();
        while (probe.chunks.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        await new Promise((resolve) => setTimeout(resolve, 20));
        assert.ok(sent < size, "the kernel took all of it: nothing was held back");
        assert.ok(probe.wire.queued > 0 && probe.wire.queued < 1024 * 1024);
        assert.ok(probe.wire.untaken! > probe.wire.queued, "what lies in the kernel is known");
        const all = await readAll(client);
        assert.ok(all.equals(source));
        assert.ok(probe.log.includes("drained"));
        client.end();
        await probe.gone.promise;
      },
      transport,
    );
  });

  test(`${name}: a paused wire receives nothing, and everything once it is resumed`, async () => {
    await withListener(
      (probe) => probe.wire.pause(),
      async ({ port, next }) => {
        const client = transport.connect(port);
        client.end(Buffer.alloc(300_000, "x"));
        const probe = await next();
        await new Promise((resolve) => setTimeout(resolve, 30));
        assert.equal(probe.chunks.length, 0);
        const over = Promise.withResolvers<void>();
        probe.onEnded = () => over.resolve();
        probe.wire.resume();
        await over.promise;
        assert.equal(probe.text.length, 300_000);
        client.destroy();
      },
      transport,
    );
  });

  test(`${name}: destroy with reset is seen as RST, without it as an end`, async () => {
    await withListener(
      (probe) => {
        probe.onReceived = (bytes, from) => probe.wire.destroy(bytes[from] === 0x72);
      },
      async ({ port }) => {
        const reset = transport.connect(port);
        reset.write("r");
        const [error] = (await once(reset, "error")) as [NodeJS.ErrnoException];
        assert.equal(error.code, "ECONNRESET");
        const closed = transport.connect(port);
        closed.write("c");
        assert.equal((await readAll(closed)).length, 0);
        closed.destroy();
      },
      transport,
    );
  });
}

test("a last end closes when all is out, and does not wait for the other side's", async () => {
  const answer = Buffer.alloc(3_000_000, "0123456789abcdef");
  const prepare = (probe: Probe): void => {
    probe.onReceived = () => {
      probe.wire.send(answer, 0, answer.length);
      probe.wire.end(true);
    };
  };
  await withListener(prepare, async ({ port, next }) => {
    const client = plain.connect(port);
    client.write("a request");
    const probe = await next();
    const all = await readAll(client);
    assert.ok(all.equals(answer));
    assert.equal(await probe.gone.promise, "");
    assert.deepEqual(probe.log, ["closed "], "without an end of the client");
    client.destroy();
  });
});

test("a connect is told as connected, or as closed with the errno's name", async () => {
  await withListener(echo, async ({ loop, port }) => {
    const connector = new StreamConnector(loop);
    const to = (number: number): Probe => {
      const probe = new Probe();
      const endpoint = { kind: "ip", address: "127.0.0.1", port: number } as const;
      probe.wire = connector.connect({ pool: "p", server: "s", endpoint }, probe);
      return probe;
    };
    const good = to(port);
    good.onConnected = () => good.wire.send(Buffer.from("hi"), 0, 2);
    good.onReceived = () => good.wire.end();
    const bad = to(1);
    assert.equal(await bad.gone.promise, "ECONNREFUSED");
    assert.deepEqual(bad.log, ["closed ECONNREFUSED"]);
    assert.equal(await good.gone.promise, "");
    assert.equal(good.text, "hi");
    const nowhere = new Probe();
    const endpoint = { kind: "unix", path: "/nonexistent/socket" } as const;
    connector.connect({ pool: "p", server: "s", endpoint }, nowhere);
    assert.deepEqual(nowhere.log, [], "a peer is never told from inside its own call");
    assert.equal(await nowhere.gone.promise, "ENOENT");
  });
});

test("what a server said before it reset the connection is received first", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.pause();
      socket.write("early answer", () => socket.resetAndDestroy());
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const loop = new StreamLoop(settling);
  const probe = new Probe();
  const { port } = server.address() as AddressInfo;
  const endpoint = { kind: "ip", address: "127.0.0.1", port } as const;
  const wire = new StreamConnector(loop).connect({ pool: "p", server: "s", endpoint }, probe);
  const body = Buffer.alloc(60_000);
  probe.onConnected = () => wire.send(body, 0, body.length);
  await probe.gone.promise;
  assert.equal(probe.text, "early answer");
  loop.close();
  server.close();
});

test("a unix socket has the mode it was asked for and replaces a dead one only", async () => {
  const directory = mkdtempSync(join(tmpdir(), "nines-test-"));
  try {
    const bind = { kind: "unix", path: join(directory, "web.sock"), mode: 0o660 } as const;
    const loop = new StreamLoop(settling);
    const fd = openListener(bind);
    assert.equal(typeof fd, "number");
    assert.equal(statSync(bind.path).mode & 0o777, 0o660);
    const second = openListener(bind);
    assert.match(typeof second === "number" ? "" : second.message, /EADDRINUSE/);
    const listener = new StreamListener(loop, fd as number, (client, source) => {
      assert.equal(source.address, "");
      const wire = new StreamWire(loop, client);
      const probe = new Probe();
      probe.wire = wire;
      wire.peer = probe;
      echo(probe);
      loop.add(wire, WIRE_EVENTS);
    });
    const client = connect(bind.path);
    client.end("over unix");
    assert.equal((await readAll(client)).toString(), "over unix");
    listener.close();
    await new Promise((resolve) => setImmediate(resolve));
    const third = openListener(bind);
    assert.equal(typeof third, "number", "the socket file of a dead listener is replaced");
    const again = new StreamListener(loop, third as number, () => {});
    again.close();
    await new Promise((resolve) => setImmediate(resolve));
    loop.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("binds are named as they are written", () => {
  assert.equal(bindName({ kind: "ip", address: "::", port: 80 }), "[::]:80");
  assert.equal(bindName({ kind: "ip", address: "0.0.0.0", port: 80 }), "0.0.0.0:80");
  assert.equal(bindName({ kind: "unix", path: "/run/x", mode: 0o600 }), "/run/x");
});
