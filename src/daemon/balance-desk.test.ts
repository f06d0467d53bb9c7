import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { DescriptorBox } from "../drivers/fd-passing.ts";
import { closeFd } from "../drivers/ffi.ts";
import { attachFilter, detachFilter, NO_NEWCOMERS } from "../drivers/packet-filter.ts";
import { localAddress, openListener } from "../drivers/stream-listener.ts";
import { BalanceDesk } from "./balance-desk.ts";
import { BALANCE_PROTOCOL } from "./balance-protocol.ts";
import { ControlLink } from "./balance-worker-link.ts";
import { EventLog } from "./event-log.ts";
import { loadConfiguration } from "./load-configuration.ts";
import { runDirectory } from "./run-directory.ts";
import { version } from "./version.ts";

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

test("a worker whose control process died within a handover serves as usual with the next one", async () => {
  const place = mkdtempSync(join(folder, "handover-"));
  const socket = openListener({ kind: "ip", address: "127.0.0.1", port: 0 }) as number;
  const name = `127.0.0.1:${localAddress(socket).port}`;
  assert.equal(attachFilter(socket, NO_NEWCOMERS), 0);
  const child = spawn("sh", ["-c", "read line", "balance", place], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  await once(child, "spawn");
  const pid = child.pid!;
  writeFileSync(join(place, "balance-1.pid"), `${pid}\n`);
  const directory = runDirectory(place);
  const log = new EventLog(
    () => {},
    () => 0,
  );
  const command = { role: "balance", runDirectory: place, stateDirectory: place } as const;
  const desk = new BalanceDesk({ directory, stateDirectory: place, log, command });
  const heard: string[] = [];
  const box = DescriptorBox.open(join(place, "balance-1.box"), () => {});
  assert.ok(box instanceof DescriptorBox);
  const link = new ControlLink(directory.balanceSocket, {
    hello: () => ({
      type: "hello",
      protocol: BALANCE_PROTOCOL,
      pid,
      serial: 1,
      version: version(),
      listening: [name],
      isDraining: false,
    }),
    message(message) {
      heard.push(message.type);
      if (message.type === "send-listeners") void box.sendAll(message.box, [name], () => socket);
      if ("id" in message) link.send({ type: "reply", id: message.id });
    },
    connected() {},
  });
  await link.connect();
  const file = join(place, "nines.yaml");
  writeFileSync(
    file,
    `frontends: { web: { listen: ${name}, pool: app } }\npools: { app: { servers: ["127.0.0.1:9"] } }\nworkers: 1\n`,
  );
  const { service } = loadConfiguration(file, { permissive: false });
  assert.equal(await desk.start(service!), undefined);
  assert.ok(heard.includes("as-usual"));
  assert.notEqual(detachFilter(socket), 0, "nothing holds newcomers back any more");
  child.stdin.end();
  link.close();
  box.close();
  closeFd(socket);
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
