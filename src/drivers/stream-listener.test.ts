import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { closeFd, isOsFailure } from "./ffi.ts";
import type { InternetAddress } from "./stream-address.ts";
import { IPPROTO_TCP, socketOption, TCP_NODELAY } from "./stream-calls.ts";
import { localAddress, openListener, StreamListener } from "./stream-listener.ts";
import { StreamLoop } from "./stream-loop.ts";

interface Arrived {
  readonly fd: number;
  readonly source: InternetAddress;
  readonly local: InternetAddress;
}

for (const address of ["127.0.0.1", "0.0.0.0"]) {
  test(`who comes to ${address} is given with both addresses, and sends without delay`, async () => {
    const loop = new StreamLoop({ afterTurn: () => void setImmediate(() => {}) });
    const opened = openListener({ kind: "ip", address, port: 0 });
    assert.ok(!isOsFailure(Object(opened)));
    const { promise, resolve } = Promise.withResolvers<Arrived>();
    const accepted = (fd: number, source: InternetAddress, local: InternetAddress): void =>
      resolve({ fd, source, local });
    const listener = new StreamListener(loop, opened as number, accepted);
    const { port } = localAddress(opened as number);
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const arrived = await promise;
    assert.deepEqual(arrived.source, { address: "127.0.0.1", port: socket.localPort });
    assert.deepEqual(arrived.local, { address: "127.0.0.1", port });
    assert.equal(socketOption(arrived.fd, IPPROTO_TCP, TCP_NODELAY), 1);
    closeFd(arrived.fd);
    socket.destroy();
    listener.close();
    await new Promise((done) => setImmediate(done));
    loop.close();
  });
}

test("only a socket that nobody listens on makes room at its path", () => {
  const directory = mkdtempSync(join(tmpdir(), "nines-listener-"));
  try {
    const file = join(directory, "data");
    writeFileSync(file, "of somebody");
    assert.ok(isOsFailure(openListener({ kind: "unix", path: file, mode: 0o600 })));
    assert.equal(readFileSync(file, "utf8"), "of somebody");
    const path = join(directory, "socket");
    const bind = { kind: "unix", path, mode: 0o600 } as const;
    const first = openListener(bind);
    assert.ok(!isOsFailure(first));
    assert.ok(isOsFailure(openListener(bind)), "somebody listens");
    closeFd(first);
    assert.ok(existsSync(path));
    const second = openListener(bind);
    assert.ok(!isOsFailure(second));
    closeFd(second);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
