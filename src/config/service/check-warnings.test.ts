import assert from "node:assert/strict";
import { test } from "node:test";
import { DISK } from "../disk.ts";
import { readServiceYaml } from "./read-service.ts";

test("a lag of Redis that a quiet primary exceeds by itself is warned about", () => {
  const warnings = (maxLag: string): readonly string[] => {
    const yaml = `
frontends: { db: { mode: tcp, listen: ":6379", pool: db } }
pools: { db: { servers: ["10.0.0.1:6379"], check: { redis: { role: replica, max_lag: ${maxLag} } } } }
`;
    const read = readServiceYaml("nines.yaml", {}, { ...DISK, readFile: () => yaml });
    return read.diagnostics.map(({ reason }) => reason);
  };
  assert.deepEqual(warnings("10s"), []);
  assert.match(
    warnings("9s").join(),
    /^max_lag 9.*: a primary without writes speaks .* every 10 s/,
  );
});
