import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { PoolSettings } from "../core/balance/pool-settings.ts";
import { Overrides } from "./balance-overrides.ts";
import { loadConfiguration } from "./load-configuration.ts";

const directory = mkdtempSync(join(tmpdir(), "nines-test-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
let made = 0;

function stateDirectory(): string {
  return mkdtempSync(join(directory, `${made++}-`));
}

function pools(...servers: string[]): readonly PoolSettings[] {
  const text = `frontends: { f: { listen: ":1", pool: web } }
pools: { web: { servers: [${servers.map((one) => JSON.stringify(one)).join(", ")}] } }`;
  const path = join(directory, "nines.yaml");
  writeFileSync(path, text);
  return loadConfiguration(path, { permissive: false }).service!.balance.pools;
}

const DRAIN = { state: "drain", reason: "disk" } as const;

test("orders are found again by the next process", () => {
  const state = stateDirectory();
  const first = new Overrides(state);
  assert.equal(first.setAdmin("web", "10.0.0.1:80", DRAIN), undefined);
  assert.equal(first.setWeight("web", "10.0.0.1:80", 7), undefined);
  assert.equal(first.setWeight("web", "10.0.0.2:80", 3), undefined);
  assert.equal(first.setWeight("web", "10.0.0.2:80", undefined), undefined);
  const expected = [{ pool: "web", servers: [{ server: "10.0.0.1:80", admin: DRAIN, weight: 7 }] }];
  assert.deepEqual(new Overrides(state).list(), expected);
});

test("the same order again, without a reason, keeps the reason of the first", () => {
  const overrides = new Overrides(stateDirectory());
  const reasonOf = (state: "drain" | "ready"): string =>
    overrides.withReason("web", "a", { state, reason: "" }).reason;
  assert.equal(reasonOf("drain"), "the operator said so");
  overrides.setAdmin("web", "a", DRAIN);
  assert.deepEqual([reasonOf("drain"), reasonOf("ready")], ["disk", "the operator said so"]);
  const other = { state: "drain", reason: "kernel" } as const;
  assert.equal(overrides.withReason("web", "a", other), other);
});

test("an order ends with its server, and with a changed word of the configuration", () => {
  const overrides = new Overrides(stateDirectory());
  for (const server of ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]) {
    overrides.setWeight("web", server, 7);
    overrides.setAdmin("web", server, DRAIN);
  }
  const before = pools("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80");
  overrides.reconcile(before, pools("10.0.0.1:80", "10.0.0.2:80 weight=2"));
  assert.deepEqual(overrides.list(), [
    {
      pool: "web",
      servers: [
        { server: "10.0.0.1:80", admin: DRAIN, weight: 7 },
        { server: "10.0.0.2:80", admin: DRAIN },
      ],
    },
  ]);
});

test("orders of an earlier life stay when the configuration is read for the first time", () => {
  const overrides = new Overrides(stateDirectory());
  overrides.setAdmin("web", "10.0.0.1:80", DRAIN);
  overrides.reconcile([], pools("10.0.0.1:80"));
  assert.equal(overrides.list().length, 1);
});

test("a file that is broken counts as empty, a directory that is gone is told", () => {
  const state = stateDirectory();
  writeFileSync(join(state, "balance-overrides.json"), "[{");
  assert.deepEqual(new Overrides(state).list(), []);
  const overrides = new Overrides(join(state, "nowhere"));
  assert.match(overrides.setAdmin("web", "a", DRAIN) ?? "", /cannot be kept in .* \(ENOENT\)/);
  assert.equal(overrides.list().length, 1);
});
