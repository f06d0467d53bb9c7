import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProcessSettings } from "../vrrp/settings.ts";
import { matchesProcess, needsCommandLine } from "./process-match.ts";

const NGINX: ProcessSettings = {
  name: "nginx",
  process: "nginx",
  parameters: [],
  parameterMatch: "none",
  fullCommand: false,
  quorum: 1,
  quorumMax: 1000,
  weight: 0,
  reverse: false,
  forkDelayMs: 0,
  terminateDelayMs: 0,
};

test("a name is compared whole, unlike pgrep", () => {
  assert.ok(matchesProcess(NGINX, { name: "nginx", argv: ["nginx: master process"] }));
  assert.ok(!matchesProcess(NGINX, { name: "nginx-debug", argv: [] }));
  assert.ok(!matchesProcess({ ...NGINX, process: "ngin" }, { name: "nginx", argv: [] }));
  assert.equal(needsCommandLine(NGINX), false);
});

test("a name longer than the kernel keeps is compared by its first 15 bytes", () => {
  const long = { ...NGINX, process: "systemd-networkd-wait" };
  assert.ok(matchesProcess(long, { name: "systemd-network", argv: [] }));
  assert.ok(!matchesProcess(long, { name: "systemd-networ", argv: [] }));
});

test("a path and full_command are compared with the first word of the command line", () => {
  const byPath = { ...NGINX, process: "/usr/sbin/nginx" };
  assert.ok(matchesProcess(byPath, { name: "x", argv: ["/usr/sbin/nginx", "-g"] }));
  assert.ok(!matchesProcess(byPath, { name: "nginx", argv: ["nginx"] }));
  const full = { ...NGINX, process: "redis-server", fullCommand: true };
  assert.ok(matchesProcess(full, { name: "x", argv: ["redis-server"] }));
  assert.ok(needsCommandLine(full) && needsCommandLine(byPath));
});

const rows = [
  // parameters, match, actual, matches
  [["-p", "80"], "none", ["-p", "80"], true],
  [["-p", "80"], "none", ["-p"], false],
  [[], "none", ["anything"], true],
  [["-p", "80"], "exact", ["-p", "80", "-v"], false],
  [["-p", "80"], "partial", ["-p", "80", "-v"], true],
  [["-p", "80"], "partial", ["-p"], false],
  [["-p", "80"], "initial", ["-p", "8080"], true],
  [["-p", "80"], "initial", ["-p", "18080"], false],
  [[], "initial", [], true],
  [[], "initial", ["-v"], false],
  [[], "exact", ["-v"], false],
  [["port=\\d+"], "regex", ["--port=80"], true],
  [["("], "regex", ["("], false],
] as const;

for (const [parameters, parameterMatch, actual, expected] of rows) {
  const title = `${parameterMatch} ${JSON.stringify(parameters)} and ${JSON.stringify(actual)}`;
  test(`${title}: ${expected ? "match" : "no match"}`, () => {
    const settings = { ...NGINX, parameters, parameterMatch };
    assert.equal(matchesProcess(settings, { name: "nginx", argv: ["nginx", ...actual] }), expected);
  });
}
