import assert from "node:assert/strict";
import { test } from "node:test";
import { readServiceYaml } from "../config/service/read-service.ts";
import { Traffic } from "../core/proxy/traffic.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { type ServedServer, trafficNumbers, type WorkerStatus } from "./balance-status.ts";
import { viewOf } from "./balance-view.ts";

const YAML = `
frontends: { web: { listen: ":80", pool: web } }
pools: { web: { servers: { a: "10.0.0.1:80", b: "gone.example:80" } } }
`;

test("a server whose name has no address is shown, and why it gets no requests", () => {
  const files = { readFile: () => YAML, glob: () => [] };
  const { service } = readServiceYaml("nines.yaml", {}, files);
  const traffic = trafficNumbers(new Traffic(), false);
  const a: ServedServer = {
    state: "unchecked",
    name: "a",
    reason: "has no check",
    sinceMs: 5,
    usable: true,
    tier: 0,
    weight: 1,
    effectiveWeight: 1,
    active: 0,
    maxConnections: 0,
    latencyMs: -1,
    started: 0,
    failed: 0,
    ejections: 0,
    traffic,
  };
  const pool = {
    name: "web",
    algorithm: "two-choices",
    tier: 0,
    panic: false,
    waiting: 0,
    retryBalance: 0,
    traffic,
    servers: [a],
  };
  const worker: WorkerStatus = {
    pid: 1,
    serial: 1,
    version: "0",
    startedWallMs: 0,
    isDraining: false,
    residentBytes: 0,
    cpuMs: 0,
    logLinesDropped: 0,
    frontends: [],
    pools: [pool],
  };
  const servers = (trouble: boolean): string[] => {
    const names = {
      troubleOf: () => (trouble ? { reason: "ENOTFOUND", sinceMs: monotonicMs() } : undefined),
    };
    const notAsked = new Map(trouble ? [["web/a", "checks suspended"]] : []);
    const known = { service: service!, verdicts: new Map(), notAsked, names };
    return viewOf({ living: [worker], past: [], ...known }).pools[0]!.servers.map(
      ({ name, endpoint, state, reason, usable, suspended }) =>
        `${name} ${endpoint} ${state} ${usable}: ${reason}${suspended === undefined ? "" : `; ${suspended}`}`,
    );
  };
  const well = "a 10.0.0.1:80 unchecked true: has no check";
  assert.deepEqual(servers(true), [
    `${well}; checks suspended`,
    "b gone.example:80 down false: its name does not resolve: ENOTFOUND",
  ]);
  // It has one, and workers are about to hear of it.
  assert.deepEqual(servers(false), [well]);
});
