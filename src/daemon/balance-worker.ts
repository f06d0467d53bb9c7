/** What one worker does: settings in, status out, and the engine between its sockets. */

import { Engine } from "../core/proxy/engine.ts";
import { writeCombinedLine, writeJsonLine } from "../core/proxy/access-line.ts";
import type { AccessRecord } from "../core/proxy/access-record.ts";
import type { AccessLogSettings, BalanceSettings } from "../core/proxy/frontend-settings.ts";
import type { PoolEvent } from "../core/balance/pool-ports.ts";
import type { CheckVerdict } from "../core/check/check-settings.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import { MAX_PASSED, type DescriptorBox } from "../drivers/fd-passing.ts";
import { StreamLoop } from "../drivers/stream-loop.ts";
import { Prng } from "../lib/prng.ts";
import { AccessLogs } from "./balance-access-log.ts";
import { Connectors } from "./balance-connectors.ts";
import { Fronts } from "./balance-fronts.ts";
import type { FromWorker, ToWorker } from "./balance-protocol.ts";
import { workerStatus } from "./balance-worker-status.ts";
import type { EventDraft } from "./event-log.ts";

export interface BalanceWorkerOptions {
  readonly serial: number;
  readonly version: string;
  readonly tell: (message: FromWorker) => void;
  /** Everything is finished. */
  readonly ended: () => void;
}

type Order = Exclude<ToWorker, { type: "send-listeners" }>;
