/** The runner of checks under one load; prints one line of figures. Started by `checks.ts`. */

import type { CheckProtocol, CheckTarget } from "../src/core/check/check-settings.ts";
import { CheckRunner } from "../src/daemon/check-runner.ts";
import { Prng } from "../src/lib/prng.ts";

export interface CheckLoad {
  readonly kind: "tcp" | "http";
  readonly targets: number;
  readonly intervalMs: number;
  readonly seconds: number;
  readonly server: string;
  /** Local address: such checks go through `node:net`. */
  readonly bind?: string;
}

export interface CheckLoadResult {
  readonly ended: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly lateP99Ms: number;
  readonly failed: number;
  readonly residentMb: number;
}

/** Compiled, and all targets in their places. */
const WARM_UP_MS = 3000;

const load = JSON.parse(process.argv[2] ?? "{}") as CheckLoad;
const protocol: CheckProtocol =
  load.kind === "tcp"
    ? { kind: "tcp" }
    : {
        kind: "http",
        method: "GET",
        path: "/",
        headers: [],
        status: [{ from: 200, to: 399 }],
        maxBodyBytes: 0,
      };
const { intervalMs } = load;
const timing = {
  intervalMs,
  fastIntervalMs: intervalMs,
  downIntervalMs: intervalMs,
  timeoutMs: 1000,
  rise: 1,
  fall: 1,
  retry: 0,
  delayBeforeRetryMs: 0,
  warmupMs: intervalMs,
  startDown: false,
};
const targets: CheckTarget[] = Array.from({ length: load.targets }, (_, i) => ({
  subject: `web/${i}`,
  check: {
    name: "bench",
    protocol,
    timing,
    ...(load.bind === undefined ? {} : { bindAddress: load.bind }),
  },
  endpoint: { kind: "ip", address: load.server, port: 80 },
}));

let failed = 0;
const runner = new CheckRunner(new Prng(1), ({ up }) => {
  if (!up) failed++;
});
runner.configure(targets, { enforce: true });

setTimeout(() => {
  failed = 0;
  const before = runner.ended;
  const start = performance.now();
  const cpu = process.cpuUsage();
  const late: number[] = [];
  let wanted = start;
  // How late the loop is, as seen by a timer among the checks.
  const clock = setInterval(() => {
    wanted += 10;
    late.push(performance.now() - wanted);
    wanted = Math.max(wanted, performance.now() - 10);
  }, 10);
  setTimeout(() => {
    clearInterval(clock);
    const { user, system } = process.cpuUsage(cpu);
    const result: CheckLoadResult = {
      ended: runner.ended - before,
      wallMs: performance.now() - start,
      cpuMs: (user + system) / 1000,
      lateP99Ms: late.toSorted((a, b) => a - b)[Math.floor(late.length * 0.99)] ?? 0,
      failed,
      residentMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
    };
    console.log(JSON.stringify(result));
    process.exit(0);
  }, load.seconds * 1000);
}, WARM_UP_MS);
