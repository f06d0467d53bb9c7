import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { plainTiming } from "../../test/kit/plain-timing.ts";
import type { CheckTarget, CheckVerdict } from "../core/check/check-settings.ts";
import { CheckRoleLink } from "./balance-check-link.ts";
import { ServerChecks } from "./check-role-servers.ts";

const subject = "web/a";
/** Nobody asks it within this test. */
const target = {
  subject,
  check: {
    name: "c",
    protocol: { kind: "tcp" },
    timing: { ...plainTiming(60_000, 1000), warmupMs: 60_000 },
  },
  endpoint: { kind: "ip", address: "127.0.0.1", port: 1 },
} as unknown as CheckTarget;

test("a worker that reaches a new check process before control does hears what control knows", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nines-checks-"));
  const path = join(folder, "check.sock");
  const checks = new ServerChecks(1);
  const { promise, resolve } = Promise.withResolvers<CheckVerdict>();
  const early = new CheckRoleLink(path, "balance", {
    verdicts: (heard) => {
      if (heard[0] !== undefined) resolve(heard[0]);
    },
  });
  const known: CheckVerdict[] = [{ subject, up: false, reason: "check failed", latencyMs: 0 }];
  const control = new CheckRoleLink(path, "control", { verdicts: () => {}, known: () => known });
  try {
    await checks.listen(path);
    await early.connect();
    control.configure({ targets: [target], scripts: { enforce: false }, notices: [] });
    await control.connect();
    assert.deepEqual([(await promise).subject, (await promise).up], [subject, false]);
  } finally {
    for (const one of [early, control, checks]) one.close();
    rmSync(folder, { recursive: true });
  }
});
