/**
 * The control role: `nines run`. Reads and checks the configuration, keeps the other roles
 * alive, answers the operator. It may die at any time: the addresses stay where they are, and
 * the next one takes the living roles over.
 */

import type { Server } from "node:http";
import { resolve } from "node:path";
import type { Model } from "../config/model.ts";
import { trackTargets } from "../config/service/check-targets.ts";
import type { ServiceModel } from "../config/service/service-model.ts";
import { wallMs } from "../drivers/clock.ts";
import { BalanceControl } from "./balance-control.ts";
import type {
  Done,
  Failure,
  NodeStatus,
  RenewedRole,
  Reloaded,
  ServiceFacts,
  TrafficLook,
  Upgrading,
  Why,
} from "./control-api.ts";
import { serveControl, type ControlBackend } from "./control-server.ts";
import { draftOf, EventLog, momentOf, type EventDraft } from "./event-log.ts";
import { runHook } from "./lifecycle-hook.ts";
import { firstMistake, isWarning, type LoadedConfiguration } from "./load-configuration.ts";
import type { LogOutput } from "./log-output.ts";
import { listenToSignals } from "./node-signals.ts";
import { NodeSnapshot } from "./node-snapshot.ts";
import { ReloadTurns } from "./reload-turns.ts";
import { roleModel } from "./role-protocol.ts";
import { RoleSupervision } from "./role-supervision.ts";
import { configurationNews } from "./configuration-news.ts";
import { ConsoleKeeper } from "./console-keeper.ts";
import { renewRoles } from "./role-renewal.ts";
import type { RoleCommand } from "./role-spawn.ts";
import type { RunDirectory } from "./run-directory.ts";
import { becomeProgramOnDisk, versionOnDisk } from "./self-upgrade.ts";
import { ServiceManager } from "./service-manager.ts";
import type { Unasked, VrrpLink } from "./vrrp-link.ts";
import { VrrpSupervision } from "./vrrp-supervision.ts";

/** Requests that run when this node ends get that long. */
const DRAIN_WITHIN_MS = 30_000;
const ANSWER_LEAVES_MS = 50;
/** On top of `child_wait_time`: a vrrp process waits that long for the last notifications. */
const STOP_MARGIN_MS = 2_000;

export interface ControlOptions {
  readonly version: string;
  readonly file: string;
  /** False: `file` is a name only, and what it says came from the command line. */
  readonly isOnDisk: boolean;
  readonly directory: RunDirectory;
  readonly stateDirectory: string;
  readonly realtime: boolean;
  /** False (`--no-console`): whatever the configuration says. */
  readonly console: boolean;
  readonly log: LogOutput;
  /** What `load` gave when this was made. */
  readonly loaded: Pick<LoadedConfiguration, "service" | "texts">;
  /** Reads a file from the beginning, as if it stood in the place of the running one. */
  readonly load: (file: string) => LoadedConfiguration;
}

export class ControlRole implements ControlBackend {
  readonly events: EventLog;
  readonly #options: ControlOptions;
  readonly #manager = new ServiceManager(process.env);
  readonly #snapshot: NodeSnapshot;
  readonly #vrrp: VrrpSupervision;
  readonly #check: RoleSupervision;
  readonly #console: ConsoleKeeper;
  readonly balance: BalanceControl;
  readonly #startedWallMs = wallMs();
  #model: Model;
  #service: ServiceModel | undefined;
  #loaded: { readonly wallMs: number; readonly warnings: number };
  #refused: string | undefined;
  #checkPid: number | undefined;
  #checking: Promise<void> | undefined;
  #vrrpRun: Promise<void> | undefined;
  #server: Server | undefined;
  #stop = Promise.withResolvers<string>();
  readonly #reloads = new ReloadTurns(() => this.#reloadAndTell());

  constructor(options: ControlOptions, model: Model, warnings: readonly string[]) {
    this.#options = options;
    this.#model = model;
    this.#service = options.loaded.service;
    this.#loaded = { wallMs: wallMs(), warnings: warnings.filter(isWarning).length };
    this.events = new EventLog((event) => options.log.write(event), wallMs);
    this.#snapshot = new NodeSnapshot(() => this.#vrrp.link);
    const command = (role: RoleCommand["role"]): RoleCommand => ({
      role,
      runDirectory: options.directory.path,
      stateDirectory: options.stateDirectory,
      ...(model.networkNamespace === undefined ? {} : { networkNamespace: model.networkNamespace }),
    });
    this.#vrrp = new VrrpSupervision({
      command: command("vrrp"),
      socketPath: options.directory.vrrpSocket,
      instances: () => this.#model.vrrp.instances,
      log: this.events,
      linked: (link) => this.#configure(link),
      unasked: (message) => this.#hear(message),
    });
    this.#check = new RoleSupervision({ ...command("check"), role: "check" }, this.events);
    const supervision = { ...command("console"), role: "console" } as const;
    this.#console = new ConsoleKeeper(new RoleSupervision(supervision, this.events));
    this.balance = new BalanceControl({
      ...options,
      log: this.events,
      command: command("balance"),
      reload: () => this.reload(),
    });
    for (const warning of warnings) this.#say("configuration-warning", warning, "warning");
  }

  /** Until somebody asks it to stop, or at once when it cannot begin. The exit code. */
  async run(): Promise<number> {
    const { directory, version, file } = this.#options;
    this.#server = await serveControl(directory.controlSocket, this);
    listenToSignals({
      end: (signal) => this.#stop.resolve(signal),
      hurry: (reason) => this.balance.hurry(reason),
      reload: () => void this.reload(),
      note: (text) => this.#say("note", text),
    });
    this.events.add(this.balance.beginning(`nines ${version} runs ${file} (pid ${process.pid})`));
    if (this.#manager.watchdogMs > 0) {
      setInterval(() => this.#beat(), this.#manager.watchdogMs).unref();
    }
    await this.#hook("startup");
    const trouble = await this.#begin();
    if (trouble !== undefined) this.#say("configuration-refused", trouble, "error");
    else this.#reloads.open();
    if (trouble !== undefined && this.balance.roles.length > 0) process.exit(1);
    const reason = trouble ?? (await this.#stop.promise);
    this.#reloads.close();
    this.#manager.stopping();
    this.#say("stopping", `stopping: ${reason}${this.#order}`);
    await this.#end(reason);
    await this.#hook("shutdown");
    // The last one: it writes down how the others ended.
    await this.#console.stop();
    this.#server.closeAllConnections();
    this.#server.close();
    return trouble === undefined ? 0 : 1;
  }

  /** The answer says what cannot be had; then nothing goes on but workers of an earlier life. */
  async #begin(): Promise<string | undefined> {
    const { service, texts } = this.#options.loaded;
    if (service !== undefined) {
      const trouble = await this.balance.configure(service, texts);
      if (trouble !== undefined && service.vrrp.virtualServers.length === 0) return trouble;
      // With keepalived a real server may listen where IPVS takes over; addresses come first.
      const text = `virtual servers are not carried out: ${trouble}; the addresses are looked after`;
      if (trouble !== undefined) this.#say("limited", text, "error");
    }
    this.#runRoles();
    return undefined;
  }

  /** Starts what the configuration needs and what does not run yet. */
  #runRoles(): void {
    this.#console.want(this.#options.console && this.#service?.console.enabled !== false);
    const needsVrrp = !this.balance.isRunning || this.#model.vrrp.instances.length > 0;
    if (needsVrrp) this.#vrrpRun ??= this.#vrrp.run();
    if (this.#vrrpRun !== undefined) return;
    // No vrrp process that could tell who checks: the check process wrote its number down.
    const living = (): number | undefined => this.#check.recorded;
    if (this.balance.needsChecks) {
      this.#checking ??= this.#check.run(living, living() === undefined);
    }
    this.#manager.ready(`running ${this.#options.file}`);
  }

  /** What ends first, for the operator who waits. */
  get #order(): string {
    const masters = this.#vrrpRun === undefined ? "" : "; masters hand over first";
    if (!this.balance.isRunning) return masters;
    const patience = `requests get ${DRAIN_WITHIN_MS / 1000} s, a second signal ends them`;
    return `${masters}; ${patience}`;
  }

  /** Addresses go first, so that clients are elsewhere when the balancer closes its doors. */
  async #end(reason: string): Promise<void> {
    const { childWaitMs } = this.#model.processes;
    this.balance.unready();
    if (this.balance.isRunning && (await this.#isMaster())) await this.balance.emptyHouse();
    // Told now, while somebody is there who runs scripts; waited for when the addresses are gone.
    const isTold = this.balance.tellEnd();
    this.#check.expectEnd();
    if (this.#vrrpRun !== undefined) await this.#vrrp.stop(reason, childWaitMs + STOP_MARGIN_MS);
    await this.balance.stop(reason, DRAIN_WITHIN_MS);
    await isTold;
    await this.#check.stop(this.#vrrpRun === undefined ? 0 : childWaitMs);
    await Promise.all([this.#vrrpRun, this.#checking]);
  }

  /** Clients of addresses that stay here must not notice, so only when none stays. */
  async #emptyHouseFor(name: string): Promise<boolean> {
    if (!this.balance.isRunning) return false;
    const { groups } = this.#model.vrrp;
    const going = new Set([name, ...(groups.find((one) => one.name === name)?.members ?? [])]);
    const { router } = await this.#snapshot.take();
    const masters = router?.instances.filter(({ state }) => state === "MASTER") ?? [];
    if (masters.length === 0 || !masters.every((one) => going.has(one.name))) return false;
    await this.balance.emptyHouse();
    return true;
  }

  async #isMaster(): Promise<boolean> {
    const { router } = await this.#snapshot.take();
    return router?.instances.some(({ state }) => state === "MASTER") ?? false;
  }

  /** Before `run`: a configuration that nobody confirmed while no control process lived. */
  tookBack(): void {
    const text = "nobody confirmed the last configuration in time: the one before it runs again";
    this.#say("configuration-rolled-back", text, "warning");
  }

  // ---- what operators ask for ----

  async status(histograms = false): Promise<NodeStatus> {
    const [router, balance] = await Promise.all([
      this.#snapshot.take(),
      this.balance.status(histograms),
    ]);
    const { version, file } = this.#options;
    const { wallMs: loadedWallMs, warnings } = this.#loaded;
    return {
      version,
      pid: process.pid,
      startedWallMs: this.#startedWallMs,
      wallMs: wallMs(),
      stateDirectory: resolve(this.#options.stateDirectory),
      configuration: {
        file,
        loadedWallMs,
        warnings,
        ...(this.#refused === undefined ? {} : { refused: this.#refused }),
        ...this.balance.trial,
      },
      roles: [
        ...(this.#vrrpRun === undefined ? [] : [this.#vrrp.status]),
        ...(this.#checking === undefined ? [] : [this.#check.status]),
        ...this.balance.roles,
        ...this.#console.roles,
      ],
      ...router,
      ...(balance === undefined ? {} : { balance }),
    };
  }

  async traffic(what: "services" | "servers"): Promise<TrafficLook> {
    return { processes: await this.balance.traffic(what) };
  }

  service(): ServiceFacts | undefined {
    if (this.#service === undefined) return undefined;
    const { origins: _origins, vrrp, ...rest } = this.#service;
    const { origins: _places, ...model } = vrrp;
    return { ...rest, vrrp: model };
  }

  async why(instance: string): Promise<Why | Failure> {
    const unknown = this.#unknown(instance, false);
    if (unknown !== undefined) return unknown;
    const { error, reply } = (await this.#vrrp.link?.decisions(instance)) ?? NO_LINK;
    if (reply?.decisions === undefined) return { error: error ?? "no decisions came" };
    const nowMs = reply.nowMs ?? 0;
    return { instance, nowMs, wallMs: wallMs(), decisions: reply.decisions };
  }

  async handOver(instance: string): Promise<Done | Failure> {
    const unknown = this.#unknown(instance, true);
    if (unknown !== undefined) return unknown;
    this.#say("handover-asked", `the operator asked ${instance} to hand over`);
    const isEmptied = await this.#emptyHouseFor(instance);
    const { error } = (await this.#vrrp.link?.handOver(instance)) ?? NO_LINK;
    this.#snapshot.outdate();
    if (isEmptied) this.balance.reopenHouse();
    return error === undefined ? { done: true } : { error };
  }

  reload(): Promise<Reloaded> {
    return this.#reloads.ask();
  }

  async #reloadAndTell(): Promise<Reloaded> {
    this.#manager.reloading();
    const outcome = await this.#reload();
    this.#manager.ready(outcome.reloaded ? "running" : "reload refused, old configuration runs");
    return outcome;
  }

  async upgrade(): Promise<Upgrading | Failure> {
    const found = await versionOnDisk();
    if ("error" in found) return found;
    const [from, to] = [this.#options.version, found.version];
    this.#say("note", `this process goes on as nines ${to} (was ${from}); the others live on`);
    // The answer leaves first.
    setTimeout(() => becomeProgramOnDisk(), ANSWER_LEAVES_MS);
    return { from, to, startedWallMs: this.#startedWallMs };
  }

  renewRoles(): Promise<readonly RenewedRole[]> {
    return renewRoles({
      vrrp: this.#vrrpRun === undefined ? undefined : this.#vrrp,
      check: this.#checking === undefined ? undefined : this.#check,
      console: this.#console.roles.length === 0 ? undefined : this.#console,
      runDirectory: this.#options.directory.path,
      router: async () => (await this.#snapshot.take()).router,
    });
  }

  async #reload(): Promise<Reloaded> {
    this.#options.log.reopen();
    this.balance.reopenLogs();
    const { model, service, texts, lines } = this.#options.load(this.#options.file);
    if (model === undefined) return this.#refuse(lines);
    const trouble = service && (await this.balance.configure(service, texts));
    if (trouble !== undefined) return this.#refuse([trouble]);
    this.#refused = undefined;
    const news = configurationNews(this.#service, service);
    this.#model = model;
    this.#service = service;
    this.#loaded = { wallMs: wallMs(), warnings: lines.filter(isWarning).length };
    for (const line of lines) this.#say("configuration-warning", line, "warning");
    this.#say("configuration-loaded", `read ${this.#options.file} again`);
    for (const draft of news) this.events.add(draft);
    // Ended meanwhile: nothing more is started.
    if (this.#reloads.isOver) return { reloaded: true, diagnostics: lines };
    this.#runRoles();
    if (this.#vrrp.link !== undefined) await this.#configure(this.#vrrp.link);
    return { reloaded: true, diagnostics: lines };
  }

  #refuse(lines: readonly string[]): Reloaded {
    const why = "mistakes in the configuration; the one before goes on";
    const mistakes = lines.filter((line) => !isWarning(line));
    for (const line of [...mistakes, why]) this.#say("configuration-refused", line, "error");
    this.#refused = firstMistake(lines) ?? why;
    return { reloaded: false, diagnostics: lines };
  }

  // ---- the roles ----

  async #configure(link: VrrpLink): Promise<void> {
    this.#checkPid = link.welcome.checkPid ?? this.#checkPid;
    this.#checking ??= this.#check.run(() => this.#checkPid, !this.#vrrp.isAdopted);
    const model = roleModel(this.#model, this.#service && trackTargets(this.#service));
    const { error } = await this.#vrrp.configure(link, { model, realtime: this.#options.realtime });
    this.#snapshot.outdate();
    if (error === undefined) this.#manager.ready(`running ${this.#options.file}`);
    else this.#say("configuration-refused", `the vrrp process: ${error}`, "error");
  }

  #hear(message: Unasked): void {
    if (message.type === "check-role") {
      this.#checkPid = message.connected ? message.pid : undefined;
      return;
    }
    this.#snapshot.invalidate();
    this.events.add(draftOf(message.event, message.source), momentOf(message));
  }

  #beat(): void {
    // Only what the node is for counts: a control process beside a dead vrrp process is not alive.
    if (this.#vrrpRun === undefined || this.#vrrp.isLively) this.#manager.alive();
  }

  async #hook(which: "startup" | "shutdown"): Promise<void> {
    const hook = this.#model.hooks[which];
    if (hook === undefined) return;
    const trouble = await runHook(hook, this.#model.scripts);
    if (trouble !== undefined) this.#say("note", `${which}_script ${trouble}`, "warning");
  }

  #unknown(name: string, groups: boolean): Failure | undefined {
    const names = this.#model.vrrp.instances.map((instance) => instance.name);
    if (groups) names.push(...this.#model.vrrp.groups.map((group) => group.name));
    if (names.includes(name)) return undefined;
    return { error: `no instance '${name}'; there are: ${names.join(", ") || "none"}` };
  }

  /** Of a diagnostic only the first line: the source line below it is for terminals. */
  #say(kind: EventDraft["kind"], text: string, level: EventDraft["level"] = "info"): void {
    const [reason = text] = text.split("\n", 1);
    this.events.add({ source: "control", level, kind, instance: "", reason });
  }
}

const NO_LINK = { error: "the vrrp process is being started; try again", reply: undefined };
