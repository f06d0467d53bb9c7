import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Life, WorkerLink } from "./balance-hub.ts";
import { BALANCE_PROTOCOL } from "./balance-protocol.ts";
import { BalanceWorkers } from "./balance-workers.ts";
import { EventLog } from "./event-log.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-workers-"));
after(() => rmSync(folder, { recursive: true }));

test("a worker that lives on is expected until it has come, and gone when its process and its line have ended", async () => {
  // Looks like a worker, and ends when its input does.
  const child = spawn("sh", ["-c", "read line", "balance", folder], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  after(() => child.kill());
  await once(child, "spawn");
  const { pid } = child;
  assert.ok(pid !== undefined);
  const gone: Life[] = [];
  const workers = new BalanceWorkers({
    command: { role: "balance", runDirectory: folder, stateDirectory: folder },
    log: new EventLog(
      () => {},
      () => 0,
    ),
    joined: async () => {},
    gone: (worker) => gone.push(worker),
  });
  assert.equal(workers.isExpecting, false, "of a node that begins");
  writeFileSync(join(folder, "balance-3.pid"), `${pid}\n`);
  assert.equal(workers.isExpecting, true);
  const hello = { serial: 3, pid, protocol: BALANCE_PROTOCOL, version: "1", isDraining: true };
  const link = { hello } as unknown as WorkerLink;
  workers.joined(link);
  await workers.adopt();
  assert.equal(workers.isExpecting, false);
  assert.deepEqual(workers.unlinked, []);
  workers.left(link);
  assert.deepEqual(
    [workers.unlinked.map(({ serial }) => serial), gone],
    [[3], []],
    "it may come again",
  );
  workers.joined(link);
  child.stdin.end();
  await once(child, "exit");
  while (workers.links.length > 0) await new Promise(setImmediate);
  assert.deepEqual(gone, [], "it may have said more");
  workers.left(link);
  assert.deepEqual(gone, [hello]);
});
