/** What the oracles are shown: every step of every router, every order before it is carried out. */

import type { RouterAction, RouterInput, VrrpState } from "../core/vrrp/router-ports.ts";
import type { Node } from "./node.ts";

export interface Step {
  readonly node: Node;
  /** The node's own monotonic time. */
  readonly localMs: number;
  readonly input: RouterInput | Reconfigured;
  readonly actions: readonly RouterAction[];
  /** How many actions were carried out; fewer than all if the process died in between. */
  readonly performed: number;
  readonly changes: readonly StateChange[];
}

/** A reload; `restarts`: it changed what an instance cannot take over while it runs. */
interface Reconfigured {
  readonly type: "reconfigured";
  readonly restarts: boolean;
}

export interface StateChange {
  readonly instance: string;
  readonly from: VrrpState;
  readonly to: VrrpState;
}

export interface Watch {
  /** A fresh process; its machine has seen nothing yet. */
  processStarted(node: Node): void;
  /** Killed, powered off or ended. */
  processEnded(node: Node): void;
  /** Stopped, starved, frozen (`on`), or going on again. */
  processPaused(node: Node, on: boolean): void;
  /** `index`: position in the step's actions. The kernel is as the actions before left it. */
  beforeAction(node: Node, actions: readonly RouterAction[], index: number): void;
  afterStep(step: Step): void;
  machineThrew(node: Node, input: string, error: unknown): void;
}
