import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const MODULE = new URL("./inherited-children.ts", import.meta.url).href;

/** The program before: has three children, one of which has ended when the next program begins. */
const BEFORE = `
  import { spawn, execFileSync } from "node:child_process";
  const start = (file, ...words) => spawn(file, words, { stdio: ["ignore", "ignore", "ignore"] }).pid;
  const pids = [start("true"), start("sleep", "0.2"), start("sleep", "30")];
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  const words = ["--input-type=module", "-e", process.env.AFTER, ...pids.map(String)];
  process.execve(process.execPath, [process.execPath, ...words], process.env);
`;

/** The next one has a child of its own, whose end Node must be told. */
const AFTER = `
  import { spawn } from "node:child_process";
  import { existsSync } from "node:fs";
  import { setTimeout as sleep } from "node:timers/promises";
  const { collectInheritedChildren } = await import("${MODULE}");
  collectInheritedChildren();
  const own = spawn("sh", ["-c", "exit 7"]);
  const code = await new Promise((resolve) => own.on("exit", resolve));
  const [first, second, third] = process.argv.slice(1);
  const isThere = (pid) => existsSync("/proc/" + pid);
  while (isThere(first) || isThere(second)) await sleep(10);
  const isLeftAlone = isThere(third);
  process.kill(Number(third));
  while (isThere(third)) await sleep(10);
  console.log(code, isLeftAlone, process.listenerCount("SIGCHLD"));
`;

test("children of the program before are collected when they end, and no others", async () => {
  const words = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", BEFORE];
  const env = { ...process.env, AFTER };
  const { stdout } = await promisify(execFile)(process.execPath, words, { env, timeout: 20_000 });
  assert.equal(stdout, "7 true 0\n");
});
