import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { plainTiming } from "../../test/kit/plain-timing.ts";
import type { CheckTarget } from "../core/check/check-settings.ts";
import { TrackedChecks } from "./check-role-checks.ts";
import type { FromCheck, RoleModel } from "./role-protocol.ts";

interface Stage {
  readonly checks: TrackedChecks;
  /** What the vrrp process was told since it was looked at last. */
  readonly heard: () => string[];
  /** The same, as soon as it was told something. */
  readonly next: () => Promise<string[]>;
  /** One check `alive` of each. */
  readonly configure: (...servers: readonly Server[]) => void;
}

function stage(t: TestContext): Stage {
  const told: string[] = [];
  const send = (message: FromCheck): boolean => {
    if (message.type === "track-changed") told.push(`${message.name} ${message.ok}`);
    return true;
  };
  const checks = new TrackedChecks({ send } as never, 1);
  t.after(() => checks.close());
  const configure = (...servers: readonly Server[]): void => {
    const model = { trackedChecks: servers.map(target), scripts: { enforce: false } };
    checks.configure(model as unknown as RoleModel, []);
  };
  const heard = (): string[] => told.splice(0);
  const next = async (): Promise<string[]> => {
    for (let waits = 0; told.length === 0 && waits < 1000; waits++) await sleep(5);
    return heard();
  };
  return { checks, heard, next, configure };
}

function target(server: Server): CheckTarget {
  const { port } = server.address() as AddressInfo;
  return {
    subject: "alive",
    check: { name: "alive", protocol: { kind: "tcp" }, timing: plainTiming(20, 10_000) },
    endpoint: { kind: "ip", address: "127.0.0.1", port },
  } as unknown as CheckTarget;
}

async function listening(t: TestContext): Promise<Server> {
  const server = createServer((socket) => socket.on("error", () => {}).resume());
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}

test("a check that comes back is told, though its verdict is that of before it was taken away", async (t) => {
  const { next, configure } = stage(t);
  // Another one afterwards, so that an answer of before is not taken for one of the new check.
  const [server, later] = [await listening(t), await listening(t)];
  configure(server);
  assert.deepEqual(await next(), ["alive true"]);
  configure();
  configure(later);
  assert.deepEqual(await next(), ["alive true"]);
});

test("a new vrrp process hears of a check that was judged anew only after it had come", async (t) => {
  const { checks, heard, next, configure } = stage(t);
  const [server, elsewhere] = [await listening(t), await listening(t)];
  configure(server);
  assert.deepEqual(await next(), ["alive true"]);
  configure(elsewhere);
  checks.reportAll();
  assert.deepEqual(heard(), []);
  assert.deepEqual(await next(), ["alive true"]);
});
