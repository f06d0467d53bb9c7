import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { refusalOnDisk } from "./self-upgrade.ts";

test("a program that would not start with the configuration as it is on disk is not become", async () => {
  const directory = mkdtempSync(join(tmpdir(), "nines-test-"));
  const file = join(directory, "nines.yaml");
  const entry = fileURLToPath(new URL("../../bin/nines.ts", import.meta.url));
  const tried = (text: string): Promise<string | undefined> => {
    writeFileSync(file, text);
    return refusalOnDisk([process.execPath, entry, "run", "-f", file]);
  };
  const good =
    "frontends:\n  web:\n    listen: 127.0.0.1:8080\n    pool: web\npools:\n  web:\n    servers: [127.0.0.1:9000]\n";
  assert.equal(await tried(good), undefined);
  const refusal = await tried(good.replace("pool: web", "pol: web"));
  assert.match(
    refusal ?? "",
    /would not start with this configuration: .*nines\.yaml:4:\d+: error: /,
  );
  assert.equal(await refusalOnDisk([process.execPath, entry, "balance", "--help"]), undefined);
  rmSync(directory, { recursive: true });
});
