import assert from "node:assert/strict";
import { test } from "node:test";
import { BALANCE_METRICS } from "./balance-metrics.ts";
import type { NodeStatus } from "./control-api.ts";
import { metricLines } from "./metrics.ts";

test("what counts in each worker begins anew with it, and is no sum that would go down", () => {
  const worker = (serial: number, logLinesDropped: number): object => ({
    serial,
    logLinesDropped,
    residentBytes: 64_000_000,
    cpuMs: 2500,
  });
  const balance = { workers: [worker(1, 7), worker(4, 0)], frontends: [], pools: [] };
  const status = { balance } as unknown as NodeStatus;
  const values = BALANCE_METRICS.filter(({ name }) => /_worker_|_log_/u.test(name)).flatMap(
    (metric) => metricLines(metric, metric.samples(status)).slice(2),
  );
  assert.deepEqual(values, [
    'nines_worker_resident_bytes{worker="1"} 64000000',
    'nines_worker_resident_bytes{worker="4"} 64000000',
    'nines_worker_cpu_seconds_total{worker="1"} 2.5',
    'nines_worker_cpu_seconds_total{worker="4"} 2.5',
    'nines_access_log_lines_dropped_total{worker="1"} 7',
    'nines_access_log_lines_dropped_total{worker="4"} 0',
  ]);
});
