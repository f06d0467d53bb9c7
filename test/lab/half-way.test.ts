import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const PROGRAM = join(import.meta.dirname, "programs/half-way.ts");
const skip = process.getuid?.() === 0 ? false : "needs root: run `npm run lab` as root";

test("who is half way in when newcomers are held back is heard, and nobody else", { skip }, () => {
  const said = execFileSync("unshare", ["-n", process.execPath, PROGRAM], { encoding: "utf8" });
  assert.deepEqual(JSON.parse(said), { status: 0, heard: "request", isIn: false });
});
