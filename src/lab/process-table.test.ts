import assert from "node:assert/strict";
import { test } from "node:test";
import { programNames } from "./process-table.ts";

test("a program is found by its file, and a script by its own name", () => {
  assert.deepEqual(programNames(["/usr/sbin/nginx", "-c", "/etc/nginx.conf"]), ["nginx"]);
  assert.deepEqual(programNames(["/x/node", "--flag", "/x/bin/nines.ts", "role", "vrrp"]), [
    "node",
    "nines.ts",
    "nines",
  ]);
  assert.deepEqual(programNames(["grep", "nines"]), ["grep"]);
  assert.deepEqual(programNames([]), [""]);
});
