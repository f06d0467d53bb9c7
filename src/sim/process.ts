/** One life of the daemon: the real router machine, its alarm, its sockets, its scheduling. */

import type { Reign } from "../core/vrrp/reign.ts";
import type { ReceivedDatagram, RouterAction, RouterInput } from "../core/vrrp/router-ports.ts";
import type { VrrpSettings } from "../core/vrrp/settings.ts";
import type { Machine } from "../lib/deadline-machine.ts";
import type { Prng } from "../lib/prng.ts";
import { messageOf, sentFrame, sentPriority } from "./advert-reader.ts";
import type { Node } from "./node.ts";
import { draftSettings, instanceNames, virtualAddresses, type Edit } from "./settings-draft.ts";
import type { StateChange, Step } from "./watch.ts";

/** What the world runs: the product's router, or the same with a bug planted around it. */
export interface RouterMachine extends Machine<RouterInput, RouterAction> {
  reconfigure(now: number, settings: VrrpSettings): readonly RouterAction[];
}
export type MakeRouter = (settings: VrrpSettings, prng: Prng) => RouterMachine;

/** Datagrams that wait for a process that does not run; more are lost, as in a socket buffer. */
const MAX_WAITING_DATAGRAMS = 64;
/** The kernel takes this long to answer. */
const ANSWER_DELAY_MS = 0.2;
/** A timer never fires before its time, however two clocks round. */
const MIN_LATENESS_MS = 0.001;

export class Process {
  /** The step that dies after this many actions; Infinity = none. */
  tearAfterActions: number = Infinity;
  readonly #node: Node;
  readonly #router: RouterMachine;
  readonly #waiting: (() => void)[] = [];
  #waitingDatagrams = 0;
  #suspensions = 0;
  #alive = true;
  #alarm = 0;
  /** What this life began with. */
  readonly firstSettings: VrrpSettings;
  /** The configuration of now, and how it differs from the plan. */
  settings: VrrpSettings;
  edit: Edit;

  constructor(node: Node, edit: Edit) {
    this.#node = node;
    this.edit = edit;
    this.settings = draftSettings(node.around.scenario, node.plan, edit);
    this.firstSettings = this.settings;
    this.#router = node.around.makeRouter(this.settings, node.around.prng.fork());
  }

  get suspended(): boolean {
    return this.#suspensions > 0;
  }

  begin(reigns: readonly Reign[]): void {
    const node = this.#node;
    const { scenario, queue } = node.around;
    this.#step({ type: "started", wallMs: this.#wallMs, reigns });
    for (let segment = 0; segment < scenario.group.instances; segment++) {
      this.take(node.interfaceFact(segment));
    }
    // The scripts' first verdicts come later, from another process.
    queue.after(scenario.timerLatenessMs + node.plan.firstVerdictsMs, () => {
      node.tellWitnesses();
      for (const track of node.plan.tracks) this.take(node.trackFact(track.name));
    });
  }

  end(): void {
    this.#alive = false;
    this.#alarm++;
  }

  /** SIGSTOP, or simply no CPU; nests. */
  suspend(): void {
    this.#suspensions++;
    this.#alarm++;
  }

  /** One suspension less; the process runs again with `catchUp`. */
  release(): void {
    this.#suspensions--;
  }

  /**
   * Timer and sockets are ready together. The daemon's contract is to read its sockets first:
   * otherwise a backup that slept takes over from a master whose adverts wait in its buffer.
   */
  catchUp(): void {
    if (this.suspended || !this.#alive) return;
    const waiting = this.#waiting.splice(0);
    this.#waitingDatagrams = 0;
    for (const run of waiting) run();
    this.#wakeIfDue();
    this.#setAlarm();
  }

  take(input: RouterInput): void {
    this.#whenRunning(() => this.#step(input));
  }

  /** A full buffer loses it. */
  takeDatagram(datagram: ReceivedDatagram): void {
    if (this.suspended && ++this.#waitingDatagrams > MAX_WAITING_DATAGRAMS) return;
    const cameMs = this.#node.localMs;
    this.#whenRunning(() => {
      const waited = { ...datagram, waitedMs: this.#node.localMs - cameMs };
      this.#step({ type: "datagram-received", datagram: waited, wallMs: this.#wallMs });
    });
  }

  /** SIGHUP with a file that differs by `edit` from what the node started with. */
  reconfigure(edit: Edit): void {
    this.#whenRunning(() => {
      const input = { type: "reconfigured", restarts: this.edit.accept !== edit.accept } as const;
      this.edit = edit;
      this.settings = draftSettings(this.#node.around.scenario, this.#node.plan, edit);
      this.#guard(input, (local) => this.#router.reconfigure(local, this.settings));
    });
  }

  #whenRunning(run: () => void): void {
    if (!this.#alive) return;
    if (!this.suspended) run();
    else this.#waiting.push(() => this.#whenRunning(run));
  }

  get #wallMs(): number {
    return this.#node.clock.wall(this.#node.around.queue.now);
  }

  #wakeIfDue(): void {
    if (!this.#alive || this.#router.deadline > this.#node.localMs) return;
    this.#step({ type: "woken", wallMs: this.#wallMs });
  }

  #step(input: RouterInput): void {
    this.#guard(input, (local) => this.#router.step(local, input));
  }

  #guard(input: Step["input"], run: (local: number) => readonly RouterAction[]): void {
    const node = this.#node;
    const localMs = node.localMs;
    let actions: readonly RouterAction[];
    try {
      actions = run(localMs);
    } catch (error) {
      node.around.watch.machineThrew(node, input.type, error);
      node.crash();
      return;
    }
    const { trace, queue } = node.around;
    trace.addLazily(queue.now, node.name, actions.length, () => describeInput(input));
    const performed = this.#performAll(actions);
    const changes = actions.slice(0, performed).flatMap(stateChange);
    node.around.watch.afterStep({ node, localMs, input, actions, performed, changes });
    if (performed < actions.length) node.crash();
    this.#setAlarm();
  }

  #performAll(actions: readonly RouterAction[]): number {
    for (let i = 0; i < actions.length; i++) {
      if (--this.tearAfterActions < 0) return i;
      this.#note(actions[i]!);
      this.#node.around.watch.beforeAction(this.#node, actions, i);
      this.#perform(actions[i]!);
    }
    return actions.length;
  }

  #perform(action: RouterAction): void {
    const node = this.#node;
    const { kernel, station } = node;
    const { scenario, network } = node.around;
    switch (action.type) {
      case "send-datagram": {
        const segment = segmentOf(action.instance);
        const frame = sentFrame(action);
        if (scenario.group.unicast) network.unicast(segment, station, frame);
        else network.broadcast(segment, station, frame);
        break;
      }
      case "renew-lease":
        node.renewLease(action, segmentOf(action.instance));
        break;
      case "prepare-addresses": {
        const segment = segmentOf(action.instance);
        kernel.prepare(action.instance, segment, virtualAddresses(scenario, segment));
        break;
      }
      case "acquire-addresses":
        this.#acquire(action.instance, virtualAddresses(scenario, segmentOf(action.instance)));
        break;
      case "restore-address": {
        const { instance, address } = action;
        this.#acquire(instance, [address], { type: "address-restored", instance, address });
        break;
      }
      case "release-addresses":
        kernel.removeAll(action.instance);
        break;
      case "announce": {
        const segment = segmentOf(action.instance);
        for (const address of virtualAddresses(scenario, segment)) {
          network.broadcast(segment, station, { kind: "announce", address });
        }
        break;
      }
      case "rename-instance":
      case "notify":
      case "report":
        break;
    }
  }

  #acquire(instance: string, addresses: readonly string[], done?: RouterInput): void {
    const isDone = this.#node.kernel.add(instance, segmentOf(instance), addresses);
    const refusal = { type: "acquire-failed", instance, reason: "EPERM" } as const;
    const result = isDone ? done : refusal;
    if (result === undefined) return;
    this.#node.around.queue.after(ANSWER_DELAY_MS, () => this.take(result));
  }

  #setAlarm(): void {
    const alarm = ++this.#alarm;
    if (!this.#alive || this.suspended) return;
    const { queue, prng, scenario } = this.#node.around;
    const due = this.#node.clock.world(this.#router.deadline);
    if (!(due < Infinity)) return;
    const lateness = MIN_LATENESS_MS + prng.fraction() * scenario.timerLatenessMs;
    queue.at(Math.max(due, queue.now) + lateness, () => {
      if (alarm === this.#alarm && !this.suspended)
        this.#step({ type: "woken", wallMs: this.#wallMs });
    });
  }

  #note(action: RouterAction): void {
    const { trace, queue } = this.#node.around;
    if (action.type === "report") {
      trace.add(queue.now, this.#node.name, `    ${action.event.kind}: ${action.event.reason}`);
      return;
    }
    const value = action.type === "send-datagram" ? sentPriority(action) : action.type.length;
    trace.addLazily(queue.now, this.#node.name, value, () => describeAction(action));
  }
}

function segmentOf(instance: string): number {
  return instanceNames.indexOf(instance as "V1" | "V2");
}

function stateChange(action: RouterAction): StateChange[] {
  if (action.type !== "report" || action.event.kind !== "state-changed") return [];
  const { instance, from, to } = action.event;
  return from === undefined || to === undefined ? [] : [{ instance, from, to }];
}

function describeInput(input: Step["input"]): string {
  switch (input.type) {
    case "datagram-received": {
      const { source, ttl } = input.datagram;
      const message = messageOf(input.datagram);
      return `< advert from ${source} priority ${message[2]} vrid ${message[1]} ttl ${ttl}`;
    }
    case "interface-changed":
      return `< ${input.interface} ${input.up ? "up" : "down"}`;
    case "track-changed":
      return `< ${input.name} ${input.ok ? "succeeds" : "fails"}`;
    case "started":
    case "woken":
    case "reconfigured":
      return `< ${input.type}`;
    default:
      return `< ${JSON.stringify(input)}`;
  }
}

function describeAction(action: RouterAction): string {
  if (action.type === "send-datagram") {
    return `    > advert priority ${sentPriority(action)} ${action.instance} to ${action.destination}`;
  }
  return `    > ${JSON.stringify(action)}`;
}
