import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const folder = mkdtempSync(join(tmpdir(), "nines-launcher-"));
after(() => rmSync(folder, { recursive: true }));
const NINES = new URL("../bin/nines", import.meta.url).pathname;

test("kept code, which whoever changes it runs as we do, is nobody else's whatever the umask", () => {
  const cache = join(folder, "a", "cache");
  const { status, stderr } = spawnSync("sh", ["-c", `umask 000; exec "${NINES}" --version`], {
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
    encoding: "utf8",
  });
  assert.deepEqual([status, stderr], [0, ""]);
  assert.equal(statSync(cache).mode & 0o777, 0o700);
});
