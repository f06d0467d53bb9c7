import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { BalanceDesk } from "./balance-desk.ts";
import { EventLog } from "./event-log.ts";
import { loadConfiguration } from "./load-configuration.ts";
import { runDirectory } from "./run-directory.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-desk-"));
after(() => rmSync(folder, { recursive: true }));

test("nothing is said of traffic while workers live that have not come back: it would count anew", async () => {
  const desk = new BalanceDesk({
    directory: runDirectory(folder),
    stateDirectory: folder,
    log: new EventLog(
      () => {},
      () => 0,
    ),
    command: { role: "balance", runDirectory: folder, stateDirectory: folder },
  });
  assert.deepEqual(await desk.traffic("services"), [], "of a node that begins");
  // Looks like a worker, and ends when its input does.
  const child = spawn("sh", ["-c", "read line", "balance", folder], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  after(() => child.kill());
  await once(child, "spawn");
  writeFileSync(join(folder, "balance-1.pid"), `${child.pid}\n`);
  await assert.rejects(desk.traffic("services"), /still being taken over/u);
  child.stdin.end();
  await once(child, "exit");
  assert.deepEqual(await desk.traffic("services"), [], "none lives any more");
  await desk.stop("the test ends", 0);
});

test("an order that cannot be kept is done, and its answer says that it will be forgotten", async () => {
  const file = join(folder, "nines.yaml");
  writeFileSync(file, 'pools: { shop: { servers: ["127.0.0.1:9"] } }\n');
  const { service } = loadConfiguration(file, { permissive: false });
  const desk = new BalanceDesk({
    directory: runDirectory(folder),
    stateDirectory: join(folder, "gone"),
    log: new EventLog(
      () => {},
      () => 0,
    ),
    command: { role: "balance", runDirectory: folder, stateDirectory: folder },
  });
  assert.equal(await desk.configure(service!), undefined);
  for (const outcome of [
    await desk.setWeight("shop/127.0.0.1:9", 3),
    await desk.setAdmin("shop/127.0.0.1:9", { state: "drain", reason: "" }),
  ]) {
    assert.match(("unkept" in outcome && outcome.unkept) || "", /cannot be kept in .* \(ENOENT\)/);
  }
  await desk.stop("the test ends", 0);
});
