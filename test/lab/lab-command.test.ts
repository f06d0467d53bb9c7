/** Worlds that live on between commands, and worlds of users who are not root. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { after, before, test } from "node:test";
import { lab } from "../../src/cli/lab.ts";
import { CommandFailed, run } from "../../src/lab/command.ts";
import {
  LabTrouble,
  labDown,
  labExec,
  labFault,
  labHeal,
  labList,
  labUp,
} from "../../src/lab/lab-command.ts";
import { BIN } from "../../src/lab/peers/nines.ts";
import { canBuildWorlds } from "../../src/lab/privileges.ts";

const permission = canBuildWorlds();
const skip = permission.by === "root" ? false : `needs root: ${permission.reason}`;

const directory = mkdtempSync(`${tmpdir()}/nines-test-`);
const name = `test-${process.pid}`;
const file = `${directory}/world.json`;

before(() => {
  const link = (address: string): object => ({ eth0: { segment: "lan", address } });
  const hosts = { a: link("192.0.2.1/24"), b: link("192.0.2.2/24") };
  writeFileSync(file, JSON.stringify({ segments: ["lan"], hosts }));
});

after(() => {
  if (labList().some((world) => world.name === name)) labDown(name);
  rmSync(directory, { recursive: true });
});

/** As a command of its own: nothing but the state file knows the world. */
async function command(code: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const module = new URL("../../src/lab/lab-command.ts", import.meta.url).href;
  const program = `const lab = await import(${JSON.stringify(module)}); ${code}`;
  return run([process.execPath, "--input-type=module", "-e", program], { env });
}

async function answers(from: string, address: string): Promise<boolean> {
  const ping = `["ping", "-q", "-c", "1", "-W", "1", "${address}"]`;
  const code = `process.exit(await lab.labExec("${from}", ${ping}, "${name}"));`;
  try {
    await command(code);
    return true;
  } catch (error) {
    if (error instanceof CommandFailed && error.status === 1) return false;
    throw error;
  }
}

test("a world stays up when the command that built it has ended", { skip }, async () => {
  await command(`await lab.labUp("${file}", "${name}");`);
  assert.ok(await answers("a", "192.0.2.2"));
  assert.deepEqual(
    labList()
      .find((world) => world.name === name)
      ?.hosts.map((h) => [h.name, h.isOn]),
    [
      ["a", true],
      ["b", true],
    ],
  );
  assert.equal(statSync(`/run/nines-lab/${name}.json`).mode & 0o777, 0o600);
  assert.equal(await labExec("a", ["sh", "-c", "exit 7"], name), 7);
});

test("a program starts where its user is, if the host has that directory", { skip }, async () => {
  const where = async (cwd: string): Promise<string> => {
    const exec = `process.chdir("${cwd}"); await lab.labExec("a", ["pwd"], "${name}");`;
    return (await command(exec)).trim();
  };
  assert.equal(await where("/usr/share"), "/usr/share");
  assert.equal(await where(directory), "/", "the host has a /tmp of its own");
});

test("faults of one command are healed by another", { skip }, async () => {
  await command(`await lab.labFault("partition", { host: "a" }, "${name}");`);
  assert.equal(await answers("b", "192.0.2.1"), false);
  await command(`await lab.labFault("power-off", { host: "b" }, "${name}");`);
  await assert.rejects(labExec("b", ["true"], name), /powered off/);
  await labHeal(name);
  assert.ok(await answers("b", "192.0.2.1"));
});

test("what cannot be done is refused with the next move", { skip }, async () => {
  await assert.rejects(labUp(file, name), /is up already. End it: nines lab down/);
  await assert.rejects(labUp("/nowhere/world.ts", "other"), LabTrouble);
  writeFileSync(`${directory}/half.json`, "{");
  await assert.rejects(labUp(`${directory}/half.json`, "other"), /half\.json cannot be read: /);
  await assert.rejects(labFault("partiton", { host: "a" }, name), /did you mean 'partition'/);
  await assert.rejects(labFault("loss", { host: "a" }, name), /usage: nines lab fault loss/);
  await assert.rejects(labFault("partition", { host: "c" }, name), /there are: a, b/);
  await assert.rejects(labFault("cpu-hog", { host: "a", argument: "x" }, name), /how many loops/);
});

test("only the world that is named is ended", { skip }, async () => {
  const told: string[] = [];
  const take = (text: string): void => void told.push(text);
  assert.equal(await lab(["down", "another"], { out: take, err: take, color: false }), 1);
  assert.match(told.join(""), /no world 'another' is up/);
  assert.ok(labList().some((world) => world.name === name));
});

test("a world that is down has left nothing", { skip }, async () => {
  assert.equal(labDown(name), name);
  assert.equal(existsSync(`/run/nines-lab/${name}.json`), false);
  assert.doesNotMatch(await run(["ip", "netns", "list"]), new RegExp(`nineslab-${name}`));
  assert.throws(() => labDown(name), LabTrouble);
});

const NOBODY = 65_534;

test(
  "a user who is not root builds a world in a user namespace",
  { skip: skip || unreachable() },
  async () => {
    const source = new URL("../../src/lab", import.meta.url).href;
    const program = `${directory}/program.mjs`;
    chmodSync(directory, 0o755);
    writeFileSync(
      program,
      `import { enterUserNamespace } from "${source}/privileges.ts";
     await enterUserNamespace();
     const { World } = await import("${source}/world.ts");
     const lan = (address) => ({ eth0: { segment: "lan", address } });
     using world = await World.create({
       segments: ["lan"],
       hosts: { a: lan("192.0.2.1/24"), b: lan("192.0.2.2/24") },
     });
     await world.host("a").run(["ping", "-q", "-c", "1", "-W", "1", "192.0.2.2"]);
     process.exitCode = 42;`,
    );
    const user = ["--reuid", String(NOBODY), "--regid", String(NOBODY), "--clear-groups"];
    const child = spawn("setpriv", [...user, process.execPath, program], { stdio: "inherit" });
    const status = await new Promise((resolve) => {
      child.once("exit", resolve);
    });
    assert.equal(status, 42);
  },
);

test(
  "where no namespaces can be made that is told in a sentence, without a stack",
  { skip },
  () => {
    const none = "echo 0 > /proc/sys/user/max_net_namespaces";
    const demo = `exec ${BIN} demo --once --only 1`;
    const argv = ["--user", "--map-root-user", "sh", "-c", `${none} && ${demo}`];
    const { status, stderr, stdout } = spawnSync("unshare", argv, { encoding: "utf8" });
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /^nines: root may not make namespaces here[^\n]+\n$/u);
  },
);

/** Why nobody could not run this checkout; false when nothing stands in the way. */
function unreachable(): string | false {
  for (let path = process.execPath; path !== "/"; path = dirname(path)) {
    if ((statSync(path).mode & 0o005) !== 0o005) return `${path} is closed to other users`;
  }
  return false;
}
