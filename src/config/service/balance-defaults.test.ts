/** The schema is where defaults are said; the simulator and tests cannot read it, and have them as settings. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { POOL_DEFAULTS } from "../../core/balance/pool-defaults.ts";
import { FRONTEND_DEFAULTS } from "../../core/proxy/frontend-defaults.ts";
import { DISK } from "../disk.ts";
import { readServiceYaml } from "./read-service.ts";

const YAML = `
frontends: { www: { listen: ":80", pool: web } }
pools: { web: { servers: ["10.0.0.1:80"] } }
`;

test("what a pool and a frontend are when nothing is said of them is the same in both places", () => {
  const { service } = readServiceYaml("nines.yaml", {}, { ...DISK, readFile: () => YAML });
  assert.ok(service !== undefined);
  const { name: pool, servers, ...poolSettings } = service.balance.pools[0]!;
  const { name, binds, defaultPool, ...frontendSettings } = service.balance.frontends[0]!;
  assert.deepEqual([pool, servers.length], ["web", 1]);
  assert.deepEqual([name, binds.length, defaultPool], ["www", 1, "web"]);
  assert.deepEqual(poolSettings, POOL_DEFAULTS);
  assert.deepEqual(frontendSettings, FRONTEND_DEFAULTS);
});
