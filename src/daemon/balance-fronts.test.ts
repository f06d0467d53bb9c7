/** What lies between an accepted client and the engine, when other things happen at the same time. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { closeSync, mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { freshCertificate } from "../../test/kit/fresh-certificate.ts";
import { FRONTEND_DEFAULTS } from "../core/proxy/frontend-defaults.ts";
import type { FrontendSettings } from "../core/proxy/frontend-settings.ts";
import { IPPROTO_TCP, socketOption, TCP_DEFER_ACCEPT } from "../drivers/stream-calls.ts";
import { localAddress, openListener } from "../drivers/stream-listener.ts";
import { StreamLoop } from "../drivers/stream-loop.ts";
import { Fronts } from "./balance-fronts.ts";

const directory = mkdtempSync(join(tmpdir(), "nines-fronts-"));
const file = join(directory, "one.pem");
before(() => freshCertificate(file, "one"));
after(() => rmSync(directory, { recursive: true }));

const NAME = "127.0.0.1:1";
const TICKETS = { ticketKeys: new Uint8Array(48) };

function sealed(more: Partial<FrontendSettings> = {}): FrontendSettings {
  return {
    ...FRONTEND_DEFAULTS,
    name: "web",
    binds: [{ kind: "ip", address: "127.0.0.1", port: 1 }],
    tls: {
      certificates: [{ certificate: file, key: file }],
      minimumVersion: "1.2",
      http2: true,
      clientCertificate: "off",
    },
    ...more,
  };
}

interface Running {
  readonly fronts: Fronts;
  readonly port: number;
  readonly accepted: string[];
  readonly refused: string[];
}

async function withFronts(
  settings: FrontendSettings,
  body: (running: Running) => Promise<void>,
): Promise<void> {
  const loop = new StreamLoop({ afterTurn: () => void setImmediate(() => {}) });
  const accepted: string[] = [];
  const refused: string[] = [];
  const fronts = new Fronts({
    loop,
    acceptor: {
      accept(_now, wire, { source }) {
        accepted.push(source);
        wire.destroy(false);
        return { received() {}, drained() {}, ended() {}, closed() {} };
      },
    },
    refused: (_frontend, reason) => void refused.push(reason),
  });
  fronts.configure([settings], TICKETS);
  const fd = openListener({ kind: "ip", address: "127.0.0.1", port: 0 }) as number;
  const { port } = localAddress(fd);
  fronts.take([NAME], [fd]);
  try {
    await body({ fronts, port, accepted, refused });
  } finally {
    fronts.close();
    await new Promise((resolve) => setImmediate(resolve));
    loop.close();
  }
}

const soon = (): Promise<void> => new Promise((go) => setImmediate(go));
const PROXY = "PROXY TCP4 192.0.2.7 192.0.2.1 1000 443\r\n";

async function closeOf(socket: Socket): Promise<void> {
  await new Promise((gone) => socket.once("close", gone));
}

test("a reload between a connection and its PROXY header changes nothing for its client", async () => {
  const settings = sealed({ acceptProxyFrom: ["127.0.0.0/8"] });
  await withFronts(settings, async ({ fronts, port, accepted, refused }) => {
    const raw = connect(port, "127.0.0.1");
    raw.write(PROXY.slice(0, 5));
    while (fronts.connections === 0) await soon();
    fronts.configure([settings], TICKETS);
    raw.write(PROXY.slice(5));
    const socket = connectTls({ socket: raw, rejectUnauthorized: false });
    socket.on("error", () => {}).resume();
    await closeOf(socket);
    assert.deepEqual(refused, []);
    assert.deepEqual(accepted, ["192.0.2.7"]);
  });
});

test("clients of HTTP are accepted with their first bytes, and those that say nothing later; those that are carried at once", async () => {
  const { tls: _tls, ...plain } = sealed();
  await withFronts(plain, async ({ fronts, port, accepted }) => {
    const silent = connect(port, "127.0.0.1");
    await once(silent, "connect");
    const first = connect(port, "127.0.0.1");
    first.on("error", () => {}).write("GET");
    const waits = (): number =>
      socketOption(fronts.sockets.get(NAME)!, IPPROTO_TCP, TCP_DEFER_ACCEPT);
    assert.ok(waits() > 0);
    while (accepted.length < 2) await soon();
    fronts.configure([{ ...plain, mode: "tcp" }], TICKETS);
    assert.equal(waits(), 0);
    for (const socket of [silent, first]) socket.destroy();
  });
});

test("a client that came before its listen changes to all addresses of the port is served all the same", async () => {
  const { tls: _tls, ...plain } = sealed();
  await withFronts(plain, async ({ fronts, port, accepted }) => {
    const at = (address: string): FrontendSettings => {
      return { ...plain, binds: [{ kind: "ip", address, port }] };
    };
    const first = openListener({ kind: "ip", address: "127.0.0.2", port }) as number;
    fronts.configure([at("127.0.0.2")], TICKETS);
    fronts.take([`127.0.0.2:${port}`], [first]);
    const client = connect(port, "127.0.0.2");
    await once(client, "connect");
    // Deferred: it has said nothing.
    fronts.configure([at("0.0.0.0")], TICKETS);
    const gone = closeOf(client);
    client.on("error", () => {}).write("GET");
    await gone;
    assert.equal(accepted.length, 1);
    // Without an heir nobody is accepted any more.
    fronts.configure([], TICKETS);
    fronts.close();
  });
});

test("an address that goes beside another one of its port is free at once", async () => {
  const { tls: _tls, ...plain } = sealed();
  await withFronts(plain, async ({ fronts, port }) => {
    const at = (...addresses: readonly string[]): FrontendSettings => {
      return { ...plain, binds: addresses.map((address) => ({ kind: "ip", address, port })) };
    };
    const open = (address: string): unknown => openListener({ kind: "ip", address, port });
    fronts.configure([at("127.0.0.2", "127.0.0.3")], TICKETS);
    const names = ["127.0.0.2", "127.0.0.3"].map((address) => `${address}:${port}`);
    fronts.take(names, [open("127.0.0.2") as number, open("127.0.0.3") as number]);
    fronts.configure([at("127.0.0.3")], TICKETS);
    await soon();
    const again = open("127.0.0.2");
    assert.equal(typeof again, "number", JSON.stringify(again));
    closeSync(again as number);
    fronts.close();
  });
});

test("a client whose frontend goes before its PROXY header comes is refused", async () => {
  const settings = sealed({ acceptProxyFrom: ["127.0.0.0/8"] });
  await withFronts(settings, async ({ fronts, port, refused }) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}).resume();
    socket.write(PROXY.slice(0, 5));
    while (fronts.connections === 0) await soon();
    fronts.configure([], TICKETS);
    socket.write(PROXY.slice(5));
    await closeOf(socket);
    assert.deepEqual(refused, ["its frontend is gone"]);
    assert.equal(fronts.connections, 0);
  });
});

test("clients of HTTP/2 that ask for nothing are connections of their address, too", async () => {
  const settings = sealed({ limits: { ...FRONTEND_DEFAULTS.limits, connectionsPerSource: 2 } });
  await withFronts(settings, async ({ fronts, port, refused }) => {
    const options = { port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] };
    const sockets = [];
    for (let i = 0; i < 3; i++) {
      const socket = connectTls(options);
      socket.on("error", () => {}).resume();
      await once(socket, "secureConnect");
      sockets.push(socket);
    }
    await closeOf(sockets[2]!);
    assert.deepEqual(refused, ["too many HTTP/2 connections"]);
    sockets[0]!.destroy();
    while (fronts.connections > 1) await soon();
    for (const socket of sockets) socket.destroy();
    while (fronts.connections > 0) await soon();
  });
});

test("a client of HTTP/2 is told how many streams its address may have, and may ask again what was refused", async () => {
  const settings = sealed({ limits: { ...FRONTEND_DEFAULTS.limits, connectionsPerSource: 2 } });
  await withFronts(settings, async ({ fronts, port }) => {
    const client = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    const [told] = (await once(client, "remoteSettings")) as [{ maxConcurrentStreams: number }];
    assert.equal(told.maxConcurrentStreams, 2);
    const stream = client.request({ ":path": "/", ":method": "POST" });
    stream.on("error", () => {});
    await new Promise((gone) => stream.once("close", gone));
    assert.equal(stream.rstCode, constants.NGHTTP2_REFUSED_STREAM);
    client.close();
    while (fronts.connections > 0) await soon();
  });
});

test("a client of HTTP/2 that is told to go and stays is cut with all others", async () => {
  await withFronts(sealed(), async ({ fronts, port }) => {
    const options = {
      port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
      // Not in the types of Node, which passes it on.
      allowHalfOpen: true,
    };
    const socket = connectTls(options);
    socket.on("error", () => {}).resume();
    await once(socket, "secureConnect");
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    socket.write(Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings]));
    const leaving = setInterval(() => fronts.closeSessions(0, 0), 5);
    await once(socket, "end");
    clearInterval(leaving);
    fronts.cut();
    while (fronts.connections > 0) await soon();
    socket.destroy();
  });
});
