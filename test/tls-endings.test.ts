/**
 * Whoever cannot tell by a length whether he has got everything goes by how the connection ends. Through the
 * balancer a cut of TLS stays a cut, and an end an end: real sockets, real TLS, Node's at both far ends.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect as connectTls, TLSSocket } from "node:tls";
import { freshCertificate } from "./kit/fresh-certificate.ts";
import { DISK } from "../src/config/disk.ts";
import { readServiceYaml } from "../src/config/service/read-service.ts";
import { Engine } from "../src/core/proxy/engine.ts";
import { Connectors } from "../src/daemon/balance-connectors.ts";
import { Fronts } from "../src/daemon/balance-fronts.ts";
import { monotonicMs } from "../src/drivers/clock.ts";
import { bindName, localAddress, openListener } from "../src/drivers/stream-listener.ts";
import { StreamLoop } from "../src/drivers/stream-loop.ts";
import { Prng } from "../src/lib/prng.ts";

const directory = mkdtempSync(join(tmpdir(), "nines-endings-"));
const file = join(directory, "one.pem");
before(() => freshCertificate(file, "one"));
after(() => rmSync(directory, { recursive: true }));

const ANSWER = "HTTP/1.1 200 OK\r\n\r\nwhat there is";
const DOORS = ["http", "sealed", "tcp", "carried"] as const;
type Door = (typeof DOORS)[number];

interface Running {
  readonly ports: Readonly<Record<Door, number>>;
  /** How the server's connections ended: `end`, or an errno. */
  readonly ends: string[];
}

function yaml(port: number): string {
  const door = (name: Door, i: number): string => {
    const mode = name === "tcp" || name === "carried" ? "tcp" : "http";
    const tls = name === "sealed" || name === "carried" ? `, tls: ${file}` : "";
    return `${name}: { mode: ${mode}, listen: "127.0.0.1:${i + 1}", pool: ${mode}${tls} }`;
  };
  const pool = `{ servers: ["127.0.0.1:${port}"], tls: { verify: false } }`;
  return `frontends: { ${DOORS.map(door).join(", ")} }\npools: { http: ${pool}, tcp: ${pool} }\n`;
}

/** A server behind TLS that answers and then ends well, is cut off, or waits for the client's end. */
function serve(raw: Socket, ends: string[]): void {
  const [cert, key] = [readFileSync(file), readFileSync(file)];
  const socket = new TLSSocket(raw, { isServer: true, cert, key });
  raw.on("error", () => {});
  socket.on("error", (error: NodeJS.ErrnoException) => ends.push(error.code ?? error.message));
  socket.on("end", () => ends.push("end"));
  socket.once("data", (words: Buffer) => {
    const word = /well|cut|hold/u.exec(words.toString())?.[0];
    if (word === "well") socket.end(ANSWER);
    else socket.write(ANSWER, () => word === "cut" && raw.end());
  });
}

async function withBalancer(body: (running: Running) => Promise<void>): Promise<void> {
  const ends: string[] = [];
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (raw) => {
    open.add(raw);
    serve(raw, ends);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const text = yaml((server.address() as AddressInfo).port);
  const { service } = readServiceYaml("nines.yaml", {}, { ...DISK, readFile: () => text });
  const { balance } = service!;
  const loop = new StreamLoop({ afterTurn: () => void setImmediate(() => {}) });
  const connector = new Connectors(loop);
  const sinks = { access: (): void => {}, event: (): void => {} };
  const engine = new Engine(monotonicMs(), { connector, sinks, prng: new Prng(1) });
  const fronts = new Fronts({ loop, acceptor: engine, refused: () => {} });
  connector.configure(balance.pools);
  engine.configure(monotonicMs(), balance);
  fronts.configure(balance.frontends, { ticketKeys: new Uint8Array(48) });
  // Listened on elsewhere: any free port.
  const fds = DOORS.map(
    () => openListener({ kind: "ip", address: "127.0.0.1", port: 0 }) as number,
  );
  const names = balance.frontends.map(({ binds }) => bindName(binds[0]!));
  const ports = DOORS.map((door, i) => [door, localAddress(fds[i]!).port]);
  fronts.take(names, fds);
  try {
    await body({ ports: Object.fromEntries(ports) as Running["ports"], ends });
  } finally {
    fronts.close();
    loop.run((now) => engine.cut(now, "over"));
    connector.configure([]);
    for (const one of open) one.destroy();
    server.close();
    await new Promise((resolve) => setImmediate(resolve));
    loop.close();
  }
}

interface Heard {
  readonly text: string;
  readonly how: string;
}

async function ask(port: number, words: string, isSealed: boolean): Promise<Heard> {
  const place = { port, host: "127.0.0.1" };
  const socket = isSealed ? connectTls({ ...place, rejectUnauthorized: false }) : connect(place);
  let [text, how] = ["", ""];
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.on("end", () => (how ||= "end"));
  socket.on("error", (error: NodeJS.ErrnoException) => (how ||= error.code ?? error.message));
  socket.write(words);
  await new Promise((resolve) => socket.on("close", resolve));
  return { text: text.slice(text.indexOf("\r\n\r\n") + 4), how };
}

const asked = (path: string, version: string): string =>
  `GET /${path} HTTP/${version}\r\nHost: a\r\n\r\n`;

test("an answer that ends with its server's connection ends for the client, or is cut, as it was", async () => {
  await withBalancer(async ({ ports }) => {
    for (const [door, isSealed] of [
      ["http", false],
      ["sealed", true],
    ] as const) {
      const well = await ask(ports[door], asked("well", "1.0"), isSealed);
      assert.deepEqual(well, { text: "what there is", how: "end" }, door);
      assert.equal((await ask(ports[door], asked("cut", "1.0"), isSealed)).how, "ECONNRESET", door);
      const chunks = await ask(ports[door], asked("cut", "1.1"), isSealed);
      assert.doesNotMatch(chunks.text, /\r\n0\r\n/u, "the last chunk is the end of an answer");
    }
  });
});

test("a carried connection ends for the client, or is cut, as its server's did", async () => {
  await withBalancer(async ({ ports }) => {
    for (const [door, isSealed] of [
      ["tcp", false],
      ["carried", true],
    ] as const) {
      const well = await ask(ports[door], "well\n", isSealed);
      assert.deepEqual(well, { text: "what there is", how: "end" }, door);
      assert.equal((await ask(ports[door], "cut\n", isSealed)).how, "ECONNRESET", door);
    }
  });
});

test("a carried connection ends for the server, or is cut, as its client's did", async () => {
  await withBalancer(async ({ ports, ends }) => {
    const visit = async (leave: (raw: Socket, socket: TLSSocket) => void): Promise<void> => {
      const raw = connect({ port: ports.carried, host: "127.0.0.1", allowHalfOpen: true });
      const socket = connectTls({ socket: raw, rejectUnauthorized: false });
      for (const one of [raw, socket]) one.on("error", () => {});
      socket.write("hold\n");
      await once(socket, "data");
      leave(raw, socket);
      const before = ends.length;
      for (let i = 0; i < 400 && ends.length === before; i++) {
        await new Promise((go) => setTimeout(go, 5));
      }
      socket.destroy();
    };
    await visit((_raw, socket) => void socket.end());
    await visit((raw) => void raw.end());
    assert.deepEqual(ends, ["end", "ECONNRESET"]);
  });
});
