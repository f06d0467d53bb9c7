import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Bind } from "../core/proxy/frontend-settings.ts";
import { DescriptorBox, MAX_PASSED } from "../drivers/fd-passing.ts";
import { closeFd, isOsFailure } from "../drivers/ffi.ts";
import { bindName, localAddress, openListener } from "../drivers/stream-listener.ts";
import type { WorkerLink } from "./balance-hub.ts";
import { ListeningSockets } from "./balance-listeners.ts";
import { WORKER_MEMORY } from "./balance-protocol.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-listeners-"));
after(() => rmSync(folder, { recursive: true }));
const controlBox = join(folder, "control.box");

/** Socket files: no port of this host is needed. */
function binds(count: number): Bind[] {
  return Array.from({ length: count }, (_, i) => ({
    kind: "unix" as const,
    path: join(folder, `${i}`),
    mode: 0o600,
  }));
}

/** A worker's end: keeps what it is given, and sends it back when asked. */
class Holder {
  readonly path: string;
  readonly held = new Map<string, number>();
  asked = 0;
  readonly #box: DescriptorBox;
  readonly #whole = Promise.withResolvers<void>();

  constructor(name: string, count: number) {
    this.path = join(folder, name);
    const box = DescriptorBox.open(this.path, ({ text, fds }) => {
      for (const [i, one] of (JSON.parse(text) as string[]).entries()) this.held.set(one, fds[i]!);
      if (this.held.size === count) this.#whole.resolve();
    });
    assert.ok(box instanceof DescriptorBox);
    this.#box = box;
  }

  get isWhole(): Promise<void> {
    return this.#whole.promise;
  }

  get link(): WorkerLink {
    const names = [...this.held.keys()];
    const send = ({ box }: { box: string }): void => {
      this.asked++;
      void this.#box.sendAll(box, names, (name) => this.held.get(name));
    };
    return { hello: { listening: names }, send } as unknown as WorkerLink;
  }

  /** As a worker that drains: what it counts goes on. */
  closeSockets(): void {
    for (const [name, fd] of this.held) {
      if (name === WORKER_MEMORY) continue;
      closeFd(fd);
      this.held.delete(name);
    }
  }

  close(): void {
    for (const fd of this.held.values()) closeFd(fd);
    this.#box.close();
  }
}

/** A control process that dies, and what the next one has of its sockets. */
async function takeOver(
  count: number,
  prepare: (draining: Holder) => void,
): Promise<{ names: readonly string[]; asked: number[] }> {
  const first = new ListeningSockets(controlBox, () => {});
  assert.equal(first.open(binds(count)), undefined);
  assert.equal(first.openMemory(), undefined);
  const workers = ["1.box", "2.box", "3.box"].map((name) => new Holder(name, count + 1));
  for (const worker of workers) {
    assert.equal(await first.giveTo(worker.path, new Set()), undefined);
    await worker.isWhole;
  }
  first.close(false);
  prepare(workers[0]!);
  const next = new ListeningSockets(controlBox, () => {});
  await next.takeBack(workers.map(({ link }) => link));
  const { names } = next;
  for (const worker of workers) worker.close();
  next.close(true);
  return { names, asked: workers.map(({ asked }) => asked) };
}

test("a worker that drains holds no sockets any more: the next one is asked", async () => {
  const { names, asked } = await takeOver(2, (draining) => draining.closeSockets());
  assert.deepEqual(names.toSorted(), binds(2).map(bindName).toSorted());
  assert.deepEqual(asked, [1, 1, 0], "nobody for what is here already");
});

test("more sockets than fit into one message come back all, from one worker", async () => {
  const { names, asked } = await takeOver(MAX_PASSED * 2, () => {});
  assert.equal(names.length, MAX_PASSED * 2);
  assert.deepEqual(asked, [1, 0, 0]);
});

test("a listen changes from all addresses of a port to one of them and back, and nobody else gets the port", async () => {
  const probe = openListener({ kind: "ip", address: "127.0.0.1", port: 0 }) as number;
  const { port } = localAddress(probe);
  closeFd(probe);
  const sockets = new ListeningSockets(controlBox, () => {});
  const at = (address: string): Bind => ({ kind: "ip", address, port });
  const client = async (): Promise<void> => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.destroy();
  };
  for (const address of ["::", "127.0.0.1", "::", "0.0.0.0", "127.0.0.1"]) {
    assert.equal(sockets.open([at(address)]), undefined, address);
    await client();
    sockets.keepOnly([at(address)]);
    assert.deepEqual(sockets.names, [bindName(at(address))]);
    await client();
    const stranger = openListener(at("127.0.0.1"));
    assert.match(isOsFailure(stranger) ? stranger.message : "", /EADDRINUSE/);
  }
  const others = openListener({ kind: "ip", address: "127.0.0.1", port: 0 }) as number;
  const taken: Bind = { kind: "ip", address: "127.0.0.1", port: localAddress(others).port };
  assert.match(sockets.open([at("::"), taken]) ?? "", /EADDRINUSE/);
  assert.deepEqual(sockets.names, [bindName(at("127.0.0.1"))]);
  closeFd(others);
  sockets.close(true);
});

test("other access rights of a socket file hold from the reload on", () => {
  const sockets = new ListeningSockets(controlBox, () => {});
  const [before] = binds(1) as [Extract<Bind, { kind: "unix" }>];
  assert.equal(sockets.open([before]), undefined);
  const after: Bind = { ...before, mode: 0o660 };
  assert.equal(sockets.open([after]), undefined);
  sockets.keepOnly([after]);
  assert.equal(statSync(before.path).mode & 0o777, 0o660);
  sockets.close(true);
});
