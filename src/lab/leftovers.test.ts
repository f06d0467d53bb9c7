import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";

const MODULE = JSON.stringify(import.meta.resolve("./leftovers.ts"));

/** Takes something down, is told to end while it does, and has more to do afterwards. */
const PROGRAM = `
  const { destroyAtExit, forget } = await import(${MODULE});
  const world = {
    destroy() {
      forget(world);
      process.kill(process.pid, "SIGINT");
      process._rawDebug("gone");
    },
  };
  destroyAtExit(world);
  world.destroy();
  setTimeout(() => process._rawDebug("went on"), 60_000);
`;

test("a signal while a world is taken down waits until it is gone, and counts then", async () => {
  const child = spawn(process.execPath, ["-e", PROGRAM], { stdio: ["ignore", "ignore", "pipe"] });
  const said = text(child.stderr);
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  assert.equal((await said).trim(), "gone");
  assert.equal(signal, "SIGINT");
});
