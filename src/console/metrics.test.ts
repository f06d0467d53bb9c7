import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { METRIC_NAMES } from "../daemon/metrics.ts";
import { ALERT_RULES, metricsIn, rulesFile } from "./alert-rules.ts";
import { CONSOLE_METRIC_NAMES, consoleMetrics } from "./console-metrics.ts";
import { dashboardFile } from "./dashboard.ts";
import { FIXTURE_NAMES, fixture } from "./fixture.ts";

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
const skip = hasPromtool ? false : "promtool is not installed: sudo scripts/lab-setup";
const NAMES = [...METRIC_NAMES, ...CONSOLE_METRIC_NAMES];
const FILES = {
  "grafana-dashboard.json": dashboardFile,
  "prometheus-rules.yaml": rulesFile,
};

test("promtool accepts the console's metrics of every kind of group", { skip }, () => {
  for (const name of FIXTURE_NAMES) {
    const overview = fixture(name);
    const input = consoleMetrics({ overview, readers: 2, lastSeq: 7, isJournalWritten: true });
    const { status, stderr, stdout } = spawnSync("promtool", ["check", "metrics"], { input });
    assert.equal(status, 0, `${name}: ${stderr.toString()}${stdout.toString()}`);
  }
});

test("promtool accepts the alert rules", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "nines-rules-"));
  try {
    const file = join(folder, "rules.yaml");
    writeFileSync(file, rulesFile());
    const { status, stderr, stdout } = spawnSync("promtool", ["check", "rules", file]);
    assert.equal(status, 0, stderr.toString());
    assert.ok(stdout.toString().includes(`SUCCESS: ${ALERT_RULES.length} rules found`));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("rules and dashboard speak of metrics that there are, and the dashboard of all of them", () => {
  const known = new Set(
    NAMES.flatMap(({ name, type }) => (type === "histogram" ? [name, `${name}_bucket`] : [name])),
  );
  for (const { expr } of ALERT_RULES) {
    for (const name of metricsIn(expr)) assert.ok(known.has(name), name);
  }
  const shown = new Set(
    [...dashboardFile().matchAll(/"expr": "(.*)"/gu)].flatMap(([, expr = ""]) => metricsIn(expr)),
  );
  for (const name of shown) assert.ok(known.has(name), name);
  for (const { name, type } of NAMES) {
    assert.ok(shown.has(type === "histogram" ? `${name}_bucket` : name), `no panel for ${name}`);
  }
});

test("the dashboard's panels have numbers of their own and do not lie on each other", () => {
  interface Placed {
    readonly id: number;
    readonly gridPos: { readonly x: number; readonly y: number };
    readonly panels?: readonly Placed[];
  }
  const { panels } = JSON.parse(dashboardFile()) as { readonly panels: readonly Placed[] };
  const all = panels.flatMap((one) => [one, ...(one.panels ?? [])]);
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
  const places = panels.map(({ gridPos: { x, y } }) => `${x} ${y}`);
  assert.equal(new Set(places).size, places.length);
});

test("no name is used twice", () => {
  assert.equal(new Set(NAMES.map(({ name }) => name)).size, NAMES.length);
});

/** `node src/console/metrics.test.ts --update` writes them anew. */
test("the files that are shipped are those that the program prints", () => {
  for (const [name, made] of Object.entries(FILES)) {
    const path = new URL(`../../dist/${name}`, import.meta.url);
    if (process.argv.includes("--update")) writeFileSync(path, made());
    // YAML reads JSON, too; how it is laid out is the formatter's.
    const kept: unknown = parse(readFileSync(path, "utf8"));
    assert.deepEqual(kept, parse(made()), `nines metrics prints another ${name}`);
  }
});
