import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { test } from "node:test";
import type { CheckTarget } from "../core/check/check-settings.ts";
import type { ProbeResult } from "../core/check/probe.ts";
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

test("a script whose last run cannot be killed is not started once more", async (t) => {
  const protocol = { kind: "script", argv: ["/bin/sleep", "600"], dynamic: false } as const;
  const endpoint = { kind: "ip", address: "192.0.2.1", port: 80 } as const;
  const target = { subject: "pool/x", endpoint, check: { name: "x", protocol } };
  const run = (onEnd: (result: ProbeResult) => void): (() => void) =>
    runScriptCheck(target as unknown as CheckTarget, protocol, { enforce: false }, onEnd);
  // As with a process that waits in the kernel for a disk.
  const family = new Set<number>();
  const deaf = t.mock.method(process, "kill", (pid: number) => family.add(pid));
  t.after(() => {
    deaf.mock.restore();
    for (const pid of family) process.kill(pid, "SIGKILL");
  });
  const reason = async (): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const abandon = run((result) => resolve(result.reason));
    setTimeout(() => resolve("started"), 300);
    const said = await promise;
    abandon();
    return said;
  };
  // Runs that are being ended do not count, nor does what takes a moment to die.
  const said = [await reason(), await reason()];
  for (let i = 0; i < 20 && said.at(-1) === "started"; i++) said.push(await reason());
  said.push(await reason());
  assert.deepEqual(said.slice(-2), Array(2).fill("the script's last run cannot be ended"));
  assert.deepEqual(said.slice(0, 2), ["started", "started"]);
  // Until the last one that was started is known by its second signal.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  deaf.mock.restore();
  for (const pid of family) process.kill(pid, "SIGKILL");
  family.clear();
  while ((await reason()) !== "started");
  await new Promise((resolve) => setTimeout(resolve, 1500));
});
