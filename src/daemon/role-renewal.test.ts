import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { holdLock } from "./drill-lock.ts";
import { renewRoles } from "./role-renewal.ts";

test("an upgrade leaves no process of the program before, the console last", async () => {
  const asked: string[] = [];
  const role = (name: string, trouble?: string): { renew(): Promise<string | undefined> } => ({
    renew: async () => {
      asked.push(name);
      return trouble;
    },
  });
  const runDirectory = mkdtempSync(join(tmpdir(), "nines-renewal-"));
  after(() => rmSync(runDirectory, { recursive: true }));
  const parts = { vrrp: undefined, router: async () => undefined, runDirectory };
  const renewed = await renewRoles({
    ...parts,
    check: role("check"),
    console: role("console", "it is being started"),
  });
  assert.deepEqual(asked, ["check", "console"]);
  assert.deepEqual(renewed[0], { role: "check" });
  assert.match(renewed[1]?.stays ?? "", /stays what it was: it is being started - end it/);
  const none = { ...parts, check: undefined, console: undefined };
  assert.deepEqual(await renewRoles(none), []);
  const lock = holdLock(runDirectory, { id: "1", drill: "worker-upgrade" });
  const [drilled] = await renewRoles({ ...none, console: role("not asked") });
  assert.match(drilled?.stays ?? "", /a drill is at work/);
  lock.release();
  assert.deepEqual(await renewRoles({ ...none, console: role("after") }), [{ role: "console" }]);
  assert.deepEqual(asked, ["check", "console", "after"]);
});
