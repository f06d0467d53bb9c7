/** Who waits in Node's place holds up nothing of Node's. */

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { closeFd, NativeMemory } from "./ffi.ts";
import { leadNode, type NodeLoop } from "./node-loop.ts";
import * as calls from "./stream-calls.ts";

interface Leader {
  readonly node: NodeLoop;
  /** How long each of the waits was to be. */
  readonly waits: number[];
  /** Done in the next one, before it waits. */
  next: (() => void) | undefined;
}

/** Waits as the only descriptor's owner would: until libuv is due. */
async function whileLed(body: (leader: Leader) => Promise<void>): Promise<void> {
  const epoll = calls.epollCreate();
  const events = new NativeMemory(calls.EPOLL_EVENT_SIZE);
  const node = leadNode(() => {
    const { next } = leader;
    leader.next = undefined;
    next?.();
    const patience = node.patience();
    leader.waits.push(patience);
    calls.epollWait(epoll, events.address, 1, patience);
  })!;
  const leader: Leader = { node, waits: [], next: undefined };
  assert.equal(calls.epollAdd(epoll, node.fd, calls.EPOLLIN, 0), 0);
  try {
    await body(leader);
  } finally {
    node.close();
    closeFd(epoll);
  }
}

const soon = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("timers come in time and are waited for", async () => {
  await whileLed(async ({ waits }) => {
    await soon(10);
    waits.length = 0;
    const began = performance.now();
    await soon(100);
    assert.ok(performance.now() - began >= 99);
    assert.ok(
      waits.some((ms) => ms > 50 && ms <= 100),
      waits.join(),
    );
  });
});

test("immediates are not waited for", async () => {
  await whileLed(async ({ waits }) => {
    const timer = setTimeout(() => {}, 60_000);
    waits.length = 0;
    for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
    clearTimeout(timer);
    assert.ok(waits.length >= 99);
    assert.ok(Math.max(...waits) < 1_000, waits.join());
  });
});

test("sockets, also those that are opened within a wait, work as ever", async () => {
  await whileLed(async (leader) => {
    const server = createServer((socket) => socket.pipe(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const echoed = await new Promise<string>((resolve) => {
      leader.next = () => {
        const socket = connect(port, "127.0.0.1", () => socket.write("echo"));
        socket.on("data", (bytes) => {
          resolve(bytes.toString());
          socket.destroy();
        });
      };
    });
    assert.equal(echoed, "echo");
    server.close();
  });
});

test("signals and children are heard while nothing else happens", async () => {
  await whileLed(async () => {
    const signal = once(process, "SIGWINCH");
    const child = spawn("sh", ["-c", `sleep 0.1; kill -WINCH ${process.pid}`]);
    const [[name], [status]] = await Promise.all([signal, once(child, "exit")]);
    assert.equal(name, "SIGWINCH");
    assert.equal(status, 0);
  });
});

test("a second one may not lead; after the first has closed it may", async () => {
  await whileLed(async ({ node }) => {
    assert.throws(() => leadNode(() => {}), /waits in Node's place already/);
    node.close();
    node.close();
    const calledBefore = await new Promise<string>((resolve) => {
      const second = leadNode(() => resolve("second"))!;
      setTimeout(() => resolve("nobody"), 1000).unref();
      setTimeout(() => second.close(), 10);
    });
    assert.equal(calledBefore, "second");
    await soon(20);
  });
});

test("the first that closes late does not take the second's place away", async () => {
  await whileLed(async ({ node }) => {
    node.close();
    let turns = 0;
    const second = leadNode(() => turns++)!;
    node.close();
    await soon(10);
    second.close();
    assert.ok(turns > 0);
  });
});

test("a process whose work is done ends, and what is thrown in a wait ends it", async () => {
  const script = (body: string): string =>
    `import { leadNode } from "${new URL("node-loop.ts", import.meta.url).pathname}";${body}`;
  const run = (body: string): Promise<unknown> =>
    promisify(execFile)(process.execPath, ["--input-type=module", "-e", script(body)]);
  await run("leadNode(() => {});");
  const failing = run(
    `leadNode(() => { throw new Error("planted"); }); setTimeout(() => {}, 60000);`,
  );
  await assert.rejects(failing, /planted/);
});

test("a thread has a loop that cannot be led", async () => {
  const url = new URL("node-loop.ts", import.meta.url).pathname;
  const code = `import("${url}").then(({ leadNode }) =>
    require("node:worker_threads").parentPort.postMessage(String(leadNode(() => {}))));`;
  const worker = new Worker(code, { eval: true });
  const [said] = (await once(worker, "message")) as [string];
  assert.equal(said, "undefined");
  await worker.terminate();
});
