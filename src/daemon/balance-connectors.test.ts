import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { DISK } from "../config/disk.ts";
import { readServiceYaml } from "../config/service/read-service.ts";
import type { PoolSettings } from "../core/balance/pool-settings.ts";
import type { ServerPeer } from "../core/proxy/wire.ts";
import { StreamLoop } from "../drivers/stream-loop.ts";
import { Connectors } from "./balance-connectors.ts";

const TLS_HANDSHAKE = 22;

function poolsOf(text: string): readonly PoolSettings[] {
  const yaml = `frontends: { web: { listen: 1, pool: app } }\npools: { app: ${text} }\n`;
  const { service } = readServiceYaml("nines.yaml", {}, { ...DISK, readFile: () => yaml });
  return service!.balance.pools;
}

test("a request that outlives its pool is not sent in the clear to a server behind TLS", async () => {
  const loop = new StreamLoop({ afterTurn: () => void setImmediate(() => {}) });
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const connectors = new Connectors(loop);
  const address = `"127.0.0.1:${port}"`;
  const peer: ServerPeer = { connected() {}, received() {}, drained() {}, ended() {}, closed() {} };
  const endpoint = { kind: "ip", address: "127.0.0.1", port } as const;
  const firstByte = async (): Promise<number> => {
    const wire = connectors.connect({ pool: "app", server: "a", endpoint }, peer);
    wire.send(Buffer.from("GET /"), 0, 5);
    const [socket] = (await once(server, "connection")) as [Socket];
    const [bytes] = (await once(socket, "data")) as [Buffer];
    loop.run(() => wire.destroy(true));
    socket.destroy();
    return bytes[0]!;
  };
  try {
    const sealed = poolsOf(`{ servers: [${address}], tls: { verify: false } }`);
    connectors.configure(sealed);
    assert.equal(await firstByte(), TLS_HANDSHAKE);
    connectors.configure([]);
    assert.equal(await firstByte(), TLS_HANDSHAKE);
    connectors.configure([]);
    assert.equal(await firstByte(), TLS_HANDSHAKE);
    connectors.configure(poolsOf(`{ servers: [${address}] }`));
    assert.equal(await firstByte(), "G".charCodeAt(0));
  } finally {
    server.close();
    await new Promise((settled) => setImmediate(settled));
    loop.close();
  }
});
