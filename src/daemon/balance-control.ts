/** The balancer's part of the control API: what operators ask, answered from the desk. */

import type { AdminChange } from "../core/balance/pool-ports.ts";
import type { CountingProcess } from "../core/journal/tally.ts";
import type { ServiceModel } from "../config/service/service-model.ts";
import { BalanceDesk, type DeskOptions } from "./balance-desk.ts";
import type { AskedRequest, RequestExplanation } from "../core/proxy/request-explanation.ts";
import type { BalanceStatus } from "./balance-status.ts";
import type { Counting } from "./balance-traffic.ts";
import { ConfigurationTrial, type Texts } from "./configuration-trial.ts";
import type {
  Applied,
  Done,
  Failure,
  NodeStatus,
  Plan,
  Reloaded,
  RoleProcessStatus,
  ServerOrder,
} from "./control-api.ts";
import type { EventDraft } from "./event-log.ts";
import type { LoadedConfiguration } from "./load-configuration.ts";
import { planOf } from "./service-plan.ts";
import { TrialGuard } from "./trial-guard.ts";

export interface BalanceControlOptions extends DeskOptions {
  readonly file: string;
  /** False: there is no such file that another configuration could be put into. */
  readonly isOnDisk: boolean;
  readonly reload: () => Promise<Reloaded>;
  readonly load: (file: string) => LoadedConfiguration;
}

const STARTING = "nines has just started, and its balancer is not ready yet: ask again in a second";
const NO_FILE =
  "nothing was applied: this balancer was given on the command line and has no file; " +
  "end it, and start: nines run -f FILE";
const NO_BALANCER = "this node does not balance: its configuration has no frontends";

export class BalanceControl {
  readonly #options: BalanceControlOptions;
  readonly #desk: BalanceDesk;
  #trial: ConfigurationTrial | undefined;
  /** One after the other: of two operators the second is told what it changes of the first one's. */
  #applied: Promise<unknown> = Promise.resolve();
  #guard: TrialGuard | undefined;
  #service: ServiceModel | undefined;
  /** While nothing is carried out: why not. */
  #idleBecause = STARTING;

  constructor(options: BalanceControlOptions) {
    this.#options = options;
    this.#desk = new BalanceDesk(options);
  }

  get isRunning(): boolean {
    return this.#desk.isRunning;
  }

  /** Why there is nothing to see, order or change. */
  get absence(): string {
    return this.#service === undefined ? this.#idleBecause : NO_BALANCER;
  }

  /** Of a configuration that waits to be confirmed. */
  get trial(): Pick<NodeStatus["configuration"], "goesBackInMs"> {
    const leftMs = this.#trial?.leftMs;
    return leftMs === undefined ? {} : { goesBackInMs: Math.max(0, leftMs) };
  }

  /** The first event of a control process. */
  beginning(reason: string): EventDraft {
    const fresh = this.#desk.hasLeftovers ? {} : ({ fresh: true } as const);
    return { source: "control", level: "info", kind: "started", instance: "", reason, ...fresh };
  }

  get needsChecks(): boolean {
    return this.#desk.needsChecks;
  }

  get roles(): readonly RoleProcessStatus[] {
    return this.#desk.roles;
  }

  /**
   * Also the first time. `texts`: the files that it was read from. The answer says why it cannot be; then
   * nothing has changed.
   */
  async configure(service: ServiceModel, texts: Texts): Promise<string | undefined> {
    const { frontends, pools } = service.balance;
    const isNeeded = frontends.length > 0 || pools.length > 0 || this.#desk.hasLeftovers;
    if (this.#desk.isRunning || isNeeded) {
      const desk = this.#desk;
      const trouble = await (desk.isRunning ? desk.configure(service) : desk.start(service));
      if (trouble !== undefined) {
        this.#idleBecause = `the balancer could not begin: ${trouble}`;
        return trouble;
      }
    }
    this.#service = service;
    this.#trial ??= this.#makeTrial();
    this.#trial.loaded(texts);
    return undefined;
  }

  unready(): void {
    this.#desk.unready();
  }

  reopenLogs(): void {
    this.#desk.reopenLogs();
  }

  emptyHouse(): Promise<void> {
    return this.#desk.emptyHouse();
  }

  reopenHouse(): void {
    this.#desk.reopenHouse();
  }

  hurry(reason: string): void {
    this.#desk.hurry(reason);
  }

  tellEnd(): Promise<void> {
    return this.#desk.tellEnd();
  }

  async stop(reason: string, withinMs: number): Promise<void> {
    this.#trial?.close();
    this.#guard?.dismiss();
    await this.#desk.stop(reason, withinMs);
  }

  // ---- what operators ask for ----

  status(histograms: boolean): Promise<BalanceStatus | undefined> {
    return this.#desk.status(histograms);
  }

  traffic(what: Counting): Promise<readonly CountingProcess[]> {
    return this.#desk.traffic(what);
  }

  order(server: string, order: ServerOrder): Promise<Done | Failure> {
    if (order.state === undefined) return this.#desk.setWeight(server, order.weight ?? undefined);
    const { state, reason = "", deadlineMs } = order;
    const change: AdminChange = { state, reason };
    const limited = deadlineMs === undefined ? change : { ...change, deadlineMs };
    return this.#desk.setAdmin(server, limited);
  }

  explain(request: AskedRequest): Promise<RequestExplanation | Failure> {
    if (!this.isRunning) return Promise.resolve({ error: this.absence });
    return this.#desk.explain(request);
  }

  replaceWorkers(): Promise<Done | Failure> {
    if (!this.isRunning) return Promise.resolve({ error: this.absence });
    return this.#desk.replaceWorkers();
  }

  plan(file: string): Plan | Failure {
    return this.#compare(this.#options.load(file));
  }

  #compare(loaded: LoadedConfiguration): Plan | Failure {
    if (this.#service === undefined) return { error: this.#idleBecause };
    return planOf(this.#service, loaded);
  }

  /** `confirmWithinMs` absent: for good. */
  apply(file: string, confirmWithinMs: number | undefined): Promise<Applied | Failure> {
    const mine = this.#applied.then(() => this.#apply(file, confirmWithinMs));
    this.#applied = mine.catch(() => {});
    return mine;
  }

  async #apply(file: string, confirmWithinMs: number | undefined): Promise<Applied | Failure> {
    if (!this.#options.isOnDisk) return { error: NO_FILE };
    const trial = this.#trial;
    const loaded = this.#options.load(file);
    const plan = this.#compare(loaded);
    if ("error" in plan) return plan;
    if (trial === undefined || plan.refused) return { ...plan, reloaded: false };
    const text = loaded.texts.get(this.#options.file);
    if (text === undefined) {
      const next = `end this node, and start: nines run -f ${file}`;
      return { error: `${file} is in another language than ${this.#options.file}: ${next}` };
    }
    const outcome = await trial.apply(text, confirmWithinMs);
    if ("error" in outcome) return outcome;
    const diagnostics = outcome.reloaded ? plan.diagnostics : outcome.diagnostics;
    return { ...plan, diagnostics, reloaded: outcome.reloaded };
  }

  async confirm(): Promise<Done | Failure> {
    return this.#trial?.confirm() ?? { error: this.#idleBecause };
  }

  #makeTrial(): ConfigurationTrial {
    const { file, stateDirectory, directory, reload, log } = this.#options;
    const limited = (reason: string): void =>
      log.add({ source: "control", level: "warning", kind: "limited", instance: "", reason });
    const guard = new TrialGuard(directory, stateDirectory, limited);
    this.#guard = guard;
    return new ConfigurationTrial({
      file,
      stateDirectory,
      reload,
      read: () => this.#options.load(file).texts.keys(),
      guard,
      say: (kind, reason) => {
        const level = kind === "configuration-rolled-back" ? "warning" : "info";
        log.add({ source: "control", level, kind, instance: "", reason });
      },
    });
  }
}
