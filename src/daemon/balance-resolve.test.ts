import assert from "node:assert/strict";
import { test } from "node:test";
import { serverTargets } from "../config/service/check-targets.ts";
import { poolSettings } from "../../test/kit/pool-rig.ts";
import { resolved, shared } from "./balance-resolve.ts";

test("workers share out what a server and a line may hold, and each has a place", () => {
  const parts = (workers: number, maxConnections: number, limit: number) => {
    const pool = { ...poolSettings([{ maxConnections }]), queue: { limit, timeoutMs: 1000 } };
    const [mine] = shared({ frontends: [], pools: [pool], workers }).pools;
    // Of what an agent allows the server takes its part itself.
    assert.equal(mine?.servers[0]?.workers, workers);
    return [mine?.servers[0]?.maxConnections, mine?.queue.limit];
  };
  assert.deepEqual(parts(1, 10, 100), [10, 100]);
  assert.deepEqual(parts(4, 100, 1024), [25, 256]);
  assert.deepEqual(parts(4, 10, 0), [3, 0], "a line that is off stays off");
  assert.deepEqual(parts(2, 1, 1), [1, 1]);
  assert.deepEqual(parts(8, 0, 5), [0, 1], "no limit stays none");
});

test("the name of a server goes with the address that was found for it", () => {
  const pool = poolSettings([{}]);
  const [server] = pool.servers;
  const endpoint = { kind: "name", host: "app.example", port: 443 } as const;
  const named = { ...pool, servers: [{ ...server!, endpoint, check: "c" }] };
  const balance = { frontends: [], pools: [named], workers: 1 };
  const found = { kind: "ip", address: "192.0.2.1", port: 443, host: "app.example" };
  const [mine] = resolved(balance, () => "192.0.2.1").pools;
  assert.deepEqual(mine?.servers[0]?.endpoint, found);
  const check = { name: "c", protocol: { kind: "tcp" } } as const;
  const checks = [{ ...check, timing: undefined as never }];
  const [target] = serverTargets({ checks, balance }, () => "192.0.2.1");
  assert.deepEqual(target?.endpoint, found);
});

test("a check that asks where requests go begins with the pool's PROXY header", () => {
  const timing = undefined as never;
  const protocol = { kind: "tcp" } as const;
  const checks = [
    { name: "own", protocol, timing },
    { name: "port", protocol, timing, port: 81 },
    { name: "address", protocol, timing, address: "192.0.2.9" },
  ];
  const endpoint = { kind: "unix", path: "/run/web.sock" } as const;
  const servers = [
    { check: "own", alsoChecks: ["port", "address"] },
    { check: "own", alsoChecks: ["address"], endpoint },
  ];
  for (const sendProxy of ["off", "v1", "v2"] as const) {
    const pools = [poolSettings(servers, { sendProxy })];
    const balance = { frontends: [], pools, workers: 1 };
    const sent = serverTargets({ checks, balance }, () => undefined).map((one) => one.sendProxy);
    const own = sendProxy === "off" ? undefined : sendProxy;
    assert.deepEqual(sent, [own, undefined, undefined, own, undefined]);
  }
});
