/** A drill on a node as its operator types it, and what is left when its conductor dies in the middle. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { DrillLine } from "../../src/drivers/drill-files.ts";
import { buildDrillWorld, type DrillWorld } from "../../src/lab/drill-world.ts";
import type { Host } from "../../src/lab/host.ts";
import { BIN, RUN_DIRECTORY, STATE_DIRECTORY } from "../../src/lab/peers/nines.ts";
import { canBuildWorlds } from "../../src/lab/privileges.ts";
import type { LabProcess } from "../../src/lab/process.ts";
import { waitFor } from "../../src/lab/wait.ts";

const permission = canBuildWorlds();
const skip = permission.by === "root" ? false : `needs root: ${permission.reason}`;
const DIRECTORIES = ["--run-dir", RUN_DIRECTORY, "--state-dir", STATE_DIRECTORY];
const TIMEOUT_MS = 20_000;

let world: DrillWorld;
let lb1: Host;

before(async () => {
  if (skip !== false) return;
  world = await buildDrillWorld();
  lb1 = world.farm.world.host("lb1");
});

after(() => {
  if (skip === false) world.farm.destroy();
});

const sh = (line: string): Promise<string> => lb1.run(["sh", "-c", line], { timeoutMs: 30_000 });

async function lines(): Promise<readonly DrillLine[]> {
  const text = await sh(`cat ${STATE_DIRECTORY}/drills.jsonl 2>/dev/null; true`);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as DrillLine);
}

/** Enough to find the fault and to do something while it lasts, however slow the machine is. */
const LONG = ["--for", "30s"];

/** On the node itself: its own client asks, and nobody else is known. */
function drill(name: string, ...more: readonly string[]): Promise<LabProcess> {
  const words = ["drill", "run", name, ...more, "--allow-outage", "--allow-danger", ...DIRECTORIES];
  return lb1.start([BIN, ...words], { name: `drill-${name}` });
}

/** What the fault looks like while it lasts. */
const FAULTS: Readonly<Record<string, string>> = {
  "disk-full": `test -f ${STATE_DIRECTORY}/drill.fill`,
  "arp-lost": "nft list tables | grep -q nines_drill",
  "cpu-starvation": `test -f ${RUN_DIRECTORY}/drill-starve.pid`,
  "hang-check": `grep -q '^State:.T' /proc/$(cat ${RUN_DIRECTORY}/check.pid)/status`,
};

const NARROW = "tc qdisc show dev eth0 | grep -q tbf";

const isThere = (line: string): Promise<boolean> =>
  sh(line).then(
    () => true,
    () => false,
  );

test(
  "kill -9 to the conductor in the middle of a fault: the guard takes it back",
  { skip },
  async () => {
    for (const [name, sign] of Object.entries(FAULTS)) {
      const undone = (await lines()).length;
      const conductor = await drill(name, ...LONG);
      await waitFor(() => isThere(sign), TIMEOUT_MS, `${name} to be in force`);
      conductor.signal("SIGKILL");
      await waitFor(async () => !(await isThere(sign)), TIMEOUT_MS, `${name} to be taken back`);
      const told = async (): Promise<DrillLine | undefined> =>
        (await lines()).slice(undone).find(({ kind }) => kind === "drill-undone");
      const { reason } = await waitFor(told, TIMEOUT_MS, `the guard of ${name} to tell`);
      assert.match(reason, /^the conductor is gone: undone by \d/);
      // Who has told its last word may still be ending.
      const isTidy = async (): Promise<boolean> =>
        (await sh(`ls ${STATE_DIRECTORY}/drills; pgrep -f 'drill-(guard|probe)'; true`)).trim() ===
        "";
      await waitFor(isTidy, TIMEOUT_MS, `nothing of ${name} to be left`);
    }
  },
);

test("a guard that finds its conductor hung takes the fault back as well", { skip }, async () => {
  const conductor = await drill("disk-full", ...LONG);
  await waitFor(() => isThere(FAULTS["disk-full"]!), TIMEOUT_MS, "the fault");
  conductor.signal("SIGSTOP");
  const isUndone = async (): Promise<boolean> =>
    (await lines()).at(-1)?.reason.startsWith("the conductor has fallen silent") === true;
  try {
    await waitFor(isUndone, TIMEOUT_MS, "the guard to act");
  } finally {
    conductor.resume();
  }
  await conductor.ended;
  assert.equal((await lines()).at(-1)?.result?.verdict, "aborted");
});

test("drill stop ends a drill and mends what it broke", { skip }, async () => {
  const conductor = await drill("bandwidth", ...LONG);
  await waitFor(() => isThere(NARROW), TIMEOUT_MS, "the fault");
  await lb1.run([BIN, "drill", "stop", "--run-dir", RUN_DIRECTORY]);
  await conductor.ended;
  const last = (await lines()).at(-1);
  assert.equal(last?.result?.verdict, "aborted");
  assert.match(last.reason, /stopped by hand/);
  assert.equal(await isThere(NARROW), false);
});

test("the console takes a drill into the journal and shows it", { skip }, async () => {
  const socket = `${RUN_DIRECTORY}/console.sock`;
  const get = async (path: string): Promise<unknown> =>
    JSON.parse(await sh(`curl -sS --unix-socket ${socket} http://localhost/api/v1/${path}`));
  const conductor = await drill("kill-check");
  await conductor.ended;
  const last = (await lines()).at(-1);
  assert.equal(last?.result?.verdict, "passed", last?.reason ?? "");
  const isRecorded = async (): Promise<boolean> => {
    const { records } = (await get("records?kind=drill-finished&limit=5")) as {
      readonly records: readonly { readonly subject: string }[];
    };
    return records[0]?.subject === "kill-check";
  };
  await waitFor(isRecorded, TIMEOUT_MS, "the journal to have it");
  const { runs } = (await get("drills/history")) as { readonly runs: readonly { name: string }[] };
  assert.equal(runs[0]?.name, "kill-check");
  const { drills } = (await get("drills")) as { readonly drills: readonly { refused?: string }[] };
  assert.ok(drills.length >= 30);
  assert.ok(drills.some(({ refused }) => refused === undefined));
});

test(
  "on a node nobody vouches for a second copy, so the address is not taken",
  { skip },
  async () => {
    const words = ["drill", "run", "kill-all", ...DIRECTORIES];
    await assert.rejects(lb1.run([BIN, ...words]), /nobody vouches for a second copy of site/);
    const vouch = `echo '${JSON.stringify(await statusOf("lb2"))}'`;
    const plan = await lb1.run([BIN, "drill", "plan", "kill-all", "--peer", vouch, ...DIRECTORIES]);
    assert.match(plan, /do +kill -KILL \d+/);
    assert.doesNotMatch(plan, /refused/);
  },
);

test("what a reboot kept from being mended is mended when Nines starts", { skip }, async () => {
  const file = `${STATE_DIRECTORY}/drills/left.json`;
  const undo = {
    id: "left",
    drill: "disk-full",
    undo: [["rm", "-f", "/run/left-behind"]],
    withinMs: 1000,
    silenceMs: 1000,
    stateDirectory: STATE_DIRECTORY,
  };
  await sh(`touch /run/left-behind; mkdir -p ${STATE_DIRECTORY}/drills`);
  lb1.write("/run/left.json", JSON.stringify(undo));
  await sh(`mv /run/left.json ${file}`);
  const old = world.farm.nines("lb1");
  await old.supervisor.terminate();
  const again = [BIN, "run", "-f", "/run/nines.yaml", "--node", "lb1", ...DIRECTORIES];
  const started = await lb1.start(again, { name: "again" });
  await waitFor(() => started.log.includes("had not ended: taken back"), TIMEOUT_MS, "the word");
  assert.equal(await isThere(`test -e /run/left-behind || test -e ${file}`), false);
});

async function statusOf(name: "lb2"): Promise<object> {
  const status = (await world.farm.nines(name).get("/v1/status")) as Record<string, unknown>;
  // Only what a drill looks at: a command line is short.
  const { pid, configuration, roles, router } = status;
  return { pid, configuration, roles, router };
}
