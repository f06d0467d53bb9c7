import assert from "node:assert/strict";
import { test } from "node:test";
import { keepalivedConf } from "../../src/lab/peers/keepalived.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { withWorld } from "../../src/lab/world.ts";

const RUN = "/run/small";
/** More than a page of the record, so that the last page of the full disk cannot hold it. */
const ADDRESSES = Array.from({ length: 60 }, (_, i) => `10.78.1.${i + 1}/16`);

test("a node that has no room to record its addresses says so and is not master of nothing", async () => {
  const lan = { segment: "lan", address: "10.78.0.1/16" };
  const plan = { name: "full", segments: ["lan"], hosts: { lb1: { eth0: lan } } };
  await withWorld(plan, async (world) => {
    const host = world.host("lb1");
    const instance = { state: "BACKUP", virtualRouterId: 1, priority: 150 } as const;
    host.write("/run/keepalived.conf", keepalivedConf([{ ...instance, addresses: ADDRESSES }]));
    const mount = `mkdir ${RUN} && mount -t tmpfs -o size=64k,mode=750 small ${RUN}`;
    await host.run(["sh", "-c", mount]);
    const bin = new URL("../../bin/nines", import.meta.url).pathname;
    const directories = ["--run-dir", RUN, "--state-dir", "/run/state"];
    const nines = await host.start([bin, "run", "-f", "/run/keepalived.conf", ...directories], {
      name: "nines",
    });
    await waitFor(() => nines.log.includes('"to":"BACKUP"'), 15_000, "a backup");
    await host.run(["sh", "-c", `dd if=/dev/zero of=${RUN}/fill 2>/dev/null || true`]);
    await waitFor(() => nines.log.includes("cannot be recorded"), 15_000, "the refusal");
    assert.match(
      nines.log,
      /refused our addresses: add address .* ENOSPC, no space left on device/,
    );
    assert.equal(await host.holds("10.78.1.1"), false);
    await host.run(["rm", `${RUN}/fill`]);
    await waitFor(() => host.holds("10.78.1.60"), 15_000, "the addresses when there is room");
  });
});

test("a disk that went read-only costs the journal, not the addresses", async () => {
  const lan = { segment: "lan", address: "10.78.0.1/16" };
  const plan = { name: "read-only", segments: ["lan"], hosts: { lb1: { eth0: lan } } };
  await withWorld(plan, async (world) => {
    const host = world.host("lb1");
    const instance = { state: "BACKUP", virtualRouterId: 1, priority: 150 } as const;
    const file = "/run/keepalived.conf";
    host.write(file, keepalivedConf([{ ...instance, addresses: ["10.78.1.1/16"] }]));
    await host.run(["sh", "-c", "mkdir /run/state && mount -t tmpfs -o ro state /run/state"]);
    const bin = new URL("../../bin/nines", import.meta.url).pathname;
    const argv = [bin, "run", "-f", file, "--run-dir", "/run/nines", "--state-dir", "/run/state"];
    const nines = await host.start(argv, { name: "nines" });
    await waitFor(() => host.holds("10.78.1.1"), 15_000, "the address");
    const isTold = (): boolean => /journal\.db cannot be written/.test(nines.log);
    await waitFor(isTold, 15_000, "a word about the journal");
  });
});
