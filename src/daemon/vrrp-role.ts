/**
 * The vrrp role: holds the addresses and sends the adverts. Starts without a configuration and
 * waits for the control role to bring one; goes on by itself when the control role is gone.
 */

import { existsSync, renameSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { RouterInput } from "../core/vrrp/router-ports.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import { isServed, serveLines } from "./line-connection.ts";
import type {
  FromControl,
  FromVrrp,
  RoleConfiguration,
  RoleStatus,
  ToControl,
  ToVrrp,
} from "./role-protocol.ts";
import { scheduleRole } from "./role-scheduling.ts";
import type { RunDirectory } from "./run-directory.ts";
import { VrrpHub } from "./vrrp-hub.ts";
import { VrrpNode } from "./vrrp-node.ts";

/** How long a check process may take to come back before the last words are given up. */
const CHECK_ROLE_WITHIN_MS = 1_000;
const STOP_POLL_MS = 2;
/** Who goes on with more than that needs so long for it that real time could end it. */
const URGENT_AT_MOST = 32;
/** Verdicts of a whole configuration. */
const MAX_EARLY = 4096;

export async function runVrrpRole(directory: RunDirectory): Promise<void> {
  await endWhenServed(directory.vrrpSocket);
  const role = new VrrpRole(directory);
  await serve(role, directory.vrrpSocket);
  listenToSignals(role);
}

/** In reserve: connected with the check process. What is returned makes it the vrrp process. */
export async function reserveVrrpRole(
  directory: RunDirectory,
): Promise<(configuration?: RoleConfiguration) => Promise<void>> {
  const role = new VrrpRole(directory);
  await serve(role, directory.spareSocket);
  return async (configuration) => {
    await endWhenServed(directory.vrrpSocket);
    renameSync(directory.spareSocket, directory.vrrpSocket);
    listenToSignals(role);
    // What went wrong is told to the control process, which asks for it anew.
    if (configuration !== undefined) role.configure(configuration);
  };
}

async function endWhenServed(path: string): Promise<void> {
  if (!existsSync(path) || !(await isServed(path))) return;
  process.stderr.write(`nines: another vrrp process serves ${path}\n`);
  process.exit(1);
}

async function serve(role: VrrpRole, path: string): Promise<void> {
  await serveLines<ToVrrp, FromVrrp>(path, (connection) => role.hub.accept(connection));
}

function listenToSignals(role: VrrpRole): void {
  process.on("SIGTERM", () => void role.stop("SIGTERM"));
  process.on("SIGINT", () => void role.stop("SIGINT"));
  // Meant for the control process; the end of a terminal must not end us.
  process.on("SIGHUP", () => {});
}

class VrrpRole {
  readonly hub: VrrpHub;
  readonly #directory: RunDirectory;
  readonly #startedWallMs = wallMs();
  #node: VrrpNode | undefined;
  #limitations: readonly string[] = [];
  readonly #early: RouterInput[] = [];
  #childWaitMs = 0;
  #stopping = false;

  constructor(directory: RunDirectory) {
    this.#directory = directory;
    this.hub = new VrrpHub({
      onControl: (message, answer) => this.#control(message, answer),
      onTrack: (message) => this.#learn(message),
      onWitness: (message) => this.#learn(message),
      isConfigured: () => this.#node !== undefined,
    });
  }

  /** Masters resign, the kernel is cleaned, the last notifications are handed over. */
  async stop(reason: string): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#node?.stop(reason);
    const askedMs = monotonicMs();
    const patience = (): number =>
      this.hub.hasCheckRole ? this.#childWaitMs : CHECK_ROLE_WITHIN_MS;
    while (this.hub.outbox.length > 0 && monotonicMs() - askedMs < patience()) {
      await sleep(STOP_POLL_MS);
    }
    this.hub.farewell();
    // What was written goes out before the process does.
    setTimeout(() => process.exit(0), STOP_POLL_MS);
  }

  /** The check role may be quicker than the configuration. */
  #learn(fact: RouterInput): void {
    if (this.#node !== undefined) this.#node.feed(fact);
    else if (this.#early.length < MAX_EARLY) this.#early.push(fact);
  }

  #control(message: FromControl, answer: (message: ToControl) => void): void {
    switch (message.type) {
      case "configure": {
        const error = this.configure(message);
        answer({ type: "reply", id: message.id, ...(error === undefined ? {} : { error }) });
        return;
      }
      case "get-status": {
        const status = this.#node?.status();
        const reply = { ...(status === undefined ? {} : { status }), role: this.#roleStatus() };
        answer({ type: "reply", id: message.id, reply });
        return;
      }
      case "get-decisions": {
        const decisions = this.#node?.decisions(message.instance) ?? [];
        answer({ type: "reply", id: message.id, reply: { decisions, nowMs: monotonicMs() } });
        return;
      }
      case "hand-over": {
        const { id, instance, reason } = message;
        this.#node?.feed({ type: "handover-requested", instance, reason });
        answer({ type: "reply", id });
        return;
      }
      case "ping":
        answer({ type: "reply", id: message.id });
        return;
      case "stop":
        void this.stop(message.reason);
        return;
      case "hello":
        return;
    }
  }

  /** What went wrong, if anything. */
  configure({ model, realtime }: RoleConfiguration): string | undefined {
    this.#childWaitMs = model.processes.childWaitMs;
    if (this.#node === undefined) {
      const node = VrrpNode.open(this.#directory, this.hub, model.vrrp);
      if (!(node instanceof VrrpNode)) return node.message;
      this.#node = node;
      // Its verdicts come while we start.
      this.hub.configureCheck(model);
      for (const fact of this.#early.splice(0)) node.feed(fact);
      const { vrrp } = model.processes;
      const isUrgent = node.isHeir && model.vrrp.instances.length <= URGENT_AT_MOST;
      if (isUrgent) this.#limitations = scheduleRole(vrrp, realtime);
      node.start(model);
      // After the start, which else is the longest piece of work there ever is.
      if (!isUrgent) this.#limitations = scheduleRole(vrrp, realtime);
    } else {
      this.#node.reconfigure(model);
      this.hub.configureCheck(model);
    }
    return undefined;
  }

  #roleStatus(): RoleStatus {
    const { user, system } = process.cpuUsage();
    return {
      pid: process.pid,
      startedWallMs: this.#startedWallMs,
      residentBytes: process.memoryUsage.rss(),
      cpuMs: (user + system) / 1000,
      limitations: [...this.#limitations, ...(this.#node?.limitations() ?? [])],
      notificationsWaiting: this.hub.outbox.length,
      notificationsDropped: this.hub.outbox.dropped,
    };
  }
}
