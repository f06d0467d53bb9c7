/** What drills promise of servers follows from the checks that the file gives them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeFacts, type StatusLike } from "../../core/drill/facts.ts";
import { DISK } from "../disk.ts";
import { drillSettings } from "./drill-settings.ts";
import { readServiceYaml } from "./read-service.ts";

const YAML = `
checks:
  quick: { tcp: {}, every: 1s, timeout: 1s, fall: 1 }
  slow: { tcp: {}, every: 10s, timeout: 3s }
frontends: { www: { listen: ":80", pool: web } }
pools:
  web: { check: slow, servers: ["10.0.0.1:80"] }
  both: { check: [quick, slow], servers: ["10.0.0.1:81"] }
  bare: { servers: ["10.0.0.1:82"], timeouts: { response: 2s }, outlier: { consecutive_errors: 4 } }
  blind: { servers: ["10.0.0.1:83"], outlier: false }
`;

test("how long a hanging server may stay in: by its slowest check, or by requests in vain", () => {
  const { service, diagnostics } = readServiceYaml(
    "nines.yaml",
    {},
    {
      ...DISK,
      readFile: () => YAML,
    },
  );
  assert.ok(service !== undefined, JSON.stringify(diagnostics));
  const configured = drillSettings(service);
  const servers = service.balance.pools.map(({ name, servers: [server] }) => {
    return [name, configured.worstMs.get(`${name}/${server!.name}`)];
  });
  assert.deepEqual(Object.fromEntries(servers), {
    web: 19_000,
    both: 19_000,
    bare: 8000,
    blind: Infinity,
  });
  const {
    name,
    servers: [server],
  } = service.balance.pools[0]!;
  const like = {
    usable: true,
    state: "up",
    endpoint: "10.0.0.1:80",
    weight: 1,
    effectiveWeight: 1,
  };
  const status: StatusLike = {
    pid: 1,
    configuration: { file: "nines.yaml" },
    roles: [],
    balance: { pools: [{ name, servers: [{ name: server!.name, ...like }] }], frontends: [] },
  };
  assert.equal(nodeFacts("lb1", status, configured).pools[0]!.servers[0]!.worstMs, 19_000);
});
