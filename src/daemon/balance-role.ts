/**
 * A balance worker: one engine on one event loop, with the sockets that control has handed over. It
 * goes on serving when control dies, and finishes what it has before it ends.
 */

import { keepInheritedFromChildren } from "../drivers/descriptors.ts";
import { limitBacktracking } from "../drivers/expression-engine.ts";
import { DescriptorBox } from "../drivers/fd-passing.ts";
import { isOsFailure } from "../drivers/ffi.ts";
import { CheckRoleLink } from "./balance-check-link.ts";
import { BALANCE_PROTOCOL, type ToWorker } from "./balance-protocol.ts";
import { BalanceWorker } from "./balance-worker.ts";
import { ControlLink } from "./balance-worker-link.ts";
import { workerBox, type RunDirectory } from "./run-directory.ts";
import { version } from "./version.ts";

export interface BalanceRoleOptions {
  readonly directory: RunDirectory;
  readonly serial: number;
}

/** Never returns while the worker lives; the process ends when it was drained. */
export async function runBalanceRole(options: BalanceRoleOptions): Promise<void> {
  const { directory, serial } = options;
  const ownVersion = version();
  keepInheritedFromChildren();
  limitBacktracking();
  const link: ControlLink = new ControlLink(directory.balanceSocket, {
    hello: () => ({
      type: "hello",
      protocol: BALANCE_PROTOCOL,
      pid: process.pid,
      serial,
      version: ownVersion,
      listening: worker.socketNames,
      isDraining: worker.isDraining,
      ...(worker.tickets && { tickets: worker.tickets }),
    }),
    connected: () => worker.tellServing(),
    message: (message) => receive(message),
  });
  const box = DescriptorBox.open(workerBox(directory.path, serial), ({ text, fds }) => {
    worker.takeSockets(JSON.parse(text) as readonly string[], fds);
  });
  if (isOsFailure(box)) throw new Error(box.message);
  const worker: BalanceWorker = new BalanceWorker({
    serial,
    version: ownVersion,
    tell: (message) => link.send(message),
    ended: () => {
      checks.close();
      link.close();
      box.close();
      // The last words are given a turn to leave.
      setImmediate(() => process.exit(0));
    },
  });
  const checks = new CheckRoleLink(directory.checkSocket, "balance", {
    verdicts: (verdicts) => worker.noteVerdicts(verdicts),
    unknown: (subjects) => worker.forgetVerdicts(subjects),
  });

  const receive = (message: ToWorker): void => {
    if (message.type === "send-listeners") worker.sendSockets(box, message.box);
    else worker.receive(message);
  };
  const drain = (withinMs: number) => (): void =>
    worker.receive({ type: "drain", withinMs, reason: "a signal" });
  process.once("SIGTERM", drain(SIGNAL_DRAIN_MS));
  process.once("SIGINT", drain(SIGNAL_DRAIN_MS));
  await Promise.all([link.connect(), checks.connect()]);
}

/** Whoever sends the signal has no deadline of its own. */
const SIGNAL_DRAIN_MS = 10_000;
