import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { BalanceControl } from "./balance-control.ts";
import type { Reloaded } from "./control-api.ts";
import { EventLog } from "./event-log.ts";
import { loadConfiguration } from "./load-configuration.ts";
import { runDirectory } from "./run-directory.ts";

const TEXT = 'console: { listen: "127.0.0.1:7600" }\n';
const folder = mkdtempSync(join(tmpdir(), "nines-control-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "nines.yaml");
writeFileSync(file, TEXT);

function control(
  named: string,
  isOnDisk: boolean,
  reload: () => Promise<Reloaded> = async () => ({ reloaded: true, diagnostics: [] }),
): BalanceControl {
  return new BalanceControl({
    file: named,
    isOnDisk,
    directory: runDirectory(folder),
    stateDirectory: folder,
    log: new EventLog(
      () => {},
      () => 0,
    ),
    command: { role: "balance", runDirectory: folder, stateDirectory: folder },
    reload,
    load: (path) => loadConfiguration(path, { permissive: false, inPlaceOf: named }),
  });
}

const { service, texts } = loadConfiguration(file, { permissive: false });

test("a node that starts does not say that it balances nothing", async () => {
  const balance = control(file, true);
  assert.match(balance.absence, /just started/);
  assert.match(String((balance.plan(file) as { error?: string }).error), /just started/);
  assert.equal(await balance.configure(service!, texts), undefined);
  assert.match(balance.absence, /no frontends/);
});

test("a balancer that could not begin says why, and not that it is about to", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const named = join(folder, "taken.yaml");
  const text = `frontends: { web: { listen: "127.0.0.1:${port}", pool: web } }`;
  writeFileSync(named, `${text}\npools: { web: { servers: ["127.0.0.1:9"] } }\n`);
  const balance = control(named, true);
  const loaded = loadConfiguration(named, { permissive: false });
  const trouble = await balance.configure(loaded.service!, loaded.texts);
  const answers = [balance.plan(named), await balance.apply(named, 1000), await balance.confirm()];
  taken.close();
  await balance.stop("the test ends", 0);
  assert.match(trouble ?? "", /EADDRINUSE/);
  for (const answer of answers) {
    assert.match(
      "error" in answer ? answer.error : "",
      /^the balancer could not begin: .*EADDRINUSE/,
    );
  }
});

test("what came from the command line is not replaced by a file, and that is said", async () => {
  const named = join(folder, "command-line.yaml");
  const balance = control(named, false);
  await balance.configure(service!, texts);
  const outcome = await balance.apply(file, undefined);
  assert.match("error" in outcome ? outcome.error : "applied", /given on the command line/);
  assert.equal(existsSync(named), false);
});

test("a configuration in another language cannot take the place of the running one", async () => {
  const balance = control(file, true);
  await balance.configure(service!, texts);
  const other = join(folder, "keepalived.conf");
  writeFileSync(other, "global_defs {\n  router_id LB1\n}\n");
  const outcome = await balance.apply(other, undefined);
  assert.match("error" in outcome ? outcome.error : "applied", /another language .*nines run -f/);
  assert.equal(readFileSync(file, "utf8"), TEXT);
});

test("of two operators at once the second is told what it changes of the first one's", async () => {
  const named = join(folder, "both.yaml");
  const balance: BalanceControl = control(named, true, async () => {
    const loaded = loadConfiguration(named, { permissive: false });
    await balance.configure(loaded.service!, loaded.texts);
    return { reloaded: true, diagnostics: [] };
  });
  const asked = [7601, 7602, 7603].map((port) => {
    const path = join(folder, `${port}.yaml`);
    writeFileSync(path, `console: { listen: "127.0.0.1:${port}" }\n`);
    return path;
  });
  writeFileSync(named, TEXT);
  await balance.configure(service!, texts);
  const outcomes = await Promise.all(asked.map((path) => balance.apply(path, undefined)));
  const changes = outcomes.map((one) => ("error" in one ? one.error : one.changes[0]?.text));
  assert.deepEqual(
    changes,
    [7601, 7602, 7603].map((port) => `listen [127.0.0.1:${port - 1}] -> [127.0.0.1:${port}]`),
  );
});
