import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { test } from "node:test";
import type { CheckTarget } from "../core/check/check-settings.ts";
import { runScriptCheck } from "./check-script.ts";

test("a check's script runs with its group, and not with another if there is none", async () => {
  const protocol = { kind: "script", argv: ["/bin/true"], dynamic: false } as const;
  const endpoint = { kind: "ip", address: "192.0.2.1", port: 80 } as const;
  const target = { subject: "pool/x", endpoint, check: { name: "x", protocol } };
  const settings = { ...protocol, user: userInfo().username, group: "no-such-group" };
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  runScriptCheck(target as unknown as CheckTarget, settings, { enforce: false }, (result) =>
    resolve(result.reason),
  );
  assert.match((await promise) ?? "", /no-such-group/u);
});
