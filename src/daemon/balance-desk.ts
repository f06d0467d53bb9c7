/**
 * The balancer as the control role sees it: sockets, workers, checks, names, and what operators
 * ask for. Requests never come here; when this process dies the workers go on.
 */

import type { Server } from "node:net";
import type { AdminChange } from "../core/balance/pool-ports.ts";
import type { PoolSettings } from "../core/balance/pool-settings.ts";
import type { CountingProcess } from "../core/journal/tally.ts";
import type { CheckTarget } from "../core/check/check-settings.ts";
import type { BalanceSettings } from "../core/proxy/frontend-settings.ts";
import { needsChecks, serverTargets } from "../config/service/check-targets.ts";
import type { ServiceModel } from "../config/service/service-model.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { tlsFileTroubles } from "../drivers/tls-certificates.ts";
import { BalanceNews } from "./balance-news.ts";
import { CheckRoleLink, noticeRules } from "./balance-check-link.ts";
import { BalanceHouse } from "./balance-house.ts";
import { serveWorkers, type WorkerLink } from "./balance-hub.ts";
import { ListeningSockets } from "./balance-listeners.ts";
import { ServerNames } from "./balance-names.ts";
import { Overrides } from "./balance-overrides.ts";
import type { AskedRequest, RequestExplanation } from "../core/proxy/request-explanation.ts";
import { BALANCE_PROTOCOL, type FromWorker } from "./balance-protocol.ts";
import {
  resolved,
  shared,
  serverHosts,
  serverNames,
  unknownServer,
  withOverrides,
} from "./balance-resolve.ts";
import { LOOK_AGAIN_MS, PastCounts } from "./balance-past.ts";
import type { BalanceStatus } from "./balance-status.ts";
import { type Counting, TrafficDesk } from "./balance-traffic.ts";
import { Verdicts } from "./balance-verdicts.ts";
import { viewOf } from "./balance-view.ts";
import { StickKeeper } from "./balance-sticks.ts";
import { BalanceWorkers } from "./balance-workers.ts";
import type { Done, Failure, RoleProcessStatus } from "./control-api.ts";
import { descriptorLimit, descriptorWarning } from "./descriptor-limit.ts";
import { momentOf, type EventDraft, type EventLog } from "./event-log.ts";
import type { RoleCommand } from "./role-spawn.ts";
import { workerBox, type RunDirectory } from "./run-directory.ts";
import { TicketKeys } from "./ticket-keys.ts";

const CONFIGURE_WITHIN_MS = 30_000;

/** What scripts get that servers and pools are told of with at the end. */
const END_TOLD_MS = 5_000;

type Order = Parameters<WorkerLink["ask"]>[0];

export interface DeskOptions {
  readonly directory: RunDirectory;
  readonly stateDirectory: string;
  readonly log: EventLog;
  readonly command: RoleCommand;
}

export class BalanceDesk {
  readonly #options: DeskOptions;
  readonly #workers: BalanceWorkers;
  readonly #overrides: Overrides;
  readonly #names: ServerNames;
  readonly #checks: CheckRoleLink;
  readonly #tickets = new TicketKeys((all) => this.#workers.send({ type: "ticket-keys", ...all }));
  readonly #verdicts = new Verdicts((...said) => this.#say(...said));
  readonly #traffic = new TrafficDesk();
  readonly #past: PastCounts;
  readonly #news = new BalanceNews();
  readonly #sticks = new StickKeeper();
  readonly #introduced = new WeakSet<WorkerLink>();
  readonly #house: BalanceHouse;
  #notedDescriptors: string | undefined;
  #sockets: ListeningSockets | undefined;
  #hub: Server | undefined;
  #service: ServiceModel | undefined;
  #looking: NodeJS.Timeout | undefined;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#overrides = new Overrides(options.stateDirectory);
    const { balanceCounts, checkSocket } = options.directory;
    this.#past = new PastCounts(balanceCounts, (trouble) => this.#say("limited", trouble));
    this.#workers = new BalanceWorkers({
      command: options.command,
      log: options.log,
      joined: (link) => this.#equip(link),
      gone: (worker) => this.#past.gone(worker),
    });
    const links = (): readonly WorkerLink[] => this.#workers.links;
    this.#house = new BalanceHouse({ links, sockets: () => this.#sockets });
    this.#names = new ServerNames({
      changed: (host, address) => void this.#moved(host, address),
      failed: (host, reason) =>
        this.#say("limited", `the name ${host} does not resolve (${reason}); asking again`),
    });
    this.#checks = new CheckRoleLink(checkSocket, "control", this.#verdicts);
  }

  get isRunning(): boolean {
    return this.#hub !== undefined;
  }

  get needsChecks(): boolean {
    return this.#service !== undefined && needsChecks(this.#service);
  }

  /** Workers of an earlier control process live on. */
  get hasLeftovers(): boolean {
    return this.#workers.findRecorded().length > 0;
  }

  get roles(): readonly RoleProcessStatus[] {
    return this.#workers.status;
  }

  /**
   * The first configuration: takes living workers over with their sockets, then as `configure`.
   * The answer says why it cannot be; nothing is left running that was not running before.
   */
  async start(service: ServiceModel): Promise<string | undefined> {
    const { directory } = this.#options;
    this.#sockets = new ListeningSockets(directory.controlBox, (name) =>
      this.#say("note", `this host does not have the address of ${name} now; listening on it`),
    );
    this.#hub = await serveWorkers(directory.balanceSocket, {
      joined: (link) => this.#workers.joined(link),
      left: (link) => this.#workers.left(link),
      heard: (link, message) => this.#hear(link, message),
    });
    await this.#workers.adopt();
    this.#past.adopt(this.#workers.links.map(({ hello }) => hello));
    if (this.#workers.links.length > 0) this.#news.knows(this.#overrides.list());
    const looked = this.#past.look(this.#workers.links, false);
    void looked.then(({ living }) => this.#news.knowsHealth(living));
    this.#tickets.adopt(this.#workers.links.map(({ hello }) => hello.tickets));
    await this.#sockets.takeBack(this.#workers.links);
    // Their control process may have gone while it emptied the house.
    this.#house.reopen();
    void this.#checks.connect();
    this.#looking = setInterval(() => void this.#lookAndKeep(), LOOK_AGAIN_MS).unref();
    return this.configure(service);
  }

  /** Carries out a changed configuration, or answers why it cannot be and changes nothing. */
  async configure(service: ServiceModel): Promise<string | undefined> {
    const { frontends, pools, workers } = service.balance;
    const binds = frontends.flatMap((frontend) => frontend.binds);
    const [unusable] = tlsFileTroubles(service.balance);
    const trouble = unusable?.reason ?? this.#sockets?.open(binds);
    if (trouble !== undefined) return trouble;
    const apart = this.#sockets?.openMemory();
    if (apart !== undefined) this.#say("limited", `each worker counts and ejects alone: ${apart}`);
    await this.#names.watch(serverHosts(pools));
    const unkept = this.#overrides.reconcile(this.#service?.balance.pools ?? [], pools);
    if (unkept !== undefined) this.#say("limited", unkept);
    this.#service = service;
    this.#sticks.configure(pools);
    this.#noteDescriptors(service.balance);
    const known = new Set([...pools.map(({ name }) => name), ...serverNames(pools)]);
    this.#news.forget((instance) => known.has(instance));
    this.#sockets?.keepOnly(binds);
    this.#configureChecks();
    await Promise.all(this.#workers.links.map((link) => this.#equip(link)));
    this.#workers.setCount(frontends.length === 0 ? 0 : workers);
    return undefined;
  }

  async status(histograms: boolean): Promise<BalanceStatus | undefined> {
    const service = this.#service;
    if (service === undefined) return undefined;
    const counts = await this.#past.look(this.#workers.links, histograms);
    const { seen: verdicts, notAsked } = this.#verdicts;
    return viewOf({ ...counts, service, verdicts, notAsked, names: this.#names });
  }

  async traffic(what: Counting): Promise<CountingProcess[]> {
    const { isExpecting, links, unlinked } = this.#workers;
    // Whoever is missing would count as ended, and at the next look as new with all that it has.
    if (isExpecting) throw new Error("the living workers are still being taken over");
    return this.#traffic.look(links, what, unlinked);
  }

  async explain(request: AskedRequest): Promise<RequestExplanation | Failure> {
    const [link] = this.#workers.links;
    if (link === undefined) return { error: "no worker is running" };
    const { error, reply } = await link.ask({ type: "explain", request });
    return reply?.explanation ?? { error: error ?? "no answer came" };
  }

  /** `weight` undefined: as configured. */
  async setWeight(name: string, weight: number | undefined): Promise<Done | Failure> {
    const found = this.#find(name);
    if ("error" in found) return found;
    const { pool, server } = found;
    const unkept = this.#overrides.setWeight(pool, server, weight);
    const word = weight === undefined ? "the configured weight" : `weight ${weight}`;
    this.#say("server-change-asked", `the operator asked for ${word}`, name);
    const change = { pool, server, weight: weight ?? null };
    return this.#change(name, { type: "change-server", ...change }, unkept);
  }

  async setAdmin(name: string, change: AdminChange): Promise<Done | Failure> {
    const found = this.#find(name);
    if ("error" in found) return found;
    const { pool, server } = found;
    const admin = this.#overrides.withReason(pool, server, change);
    const unkept = this.#overrides.setAdmin(pool, server, admin);
    const text = `the operator asked for ${admin.state}: ${admin.reason}`;
    this.#say("server-change-asked", text, name);
    this.#configureChecks();
    return this.#change(name, { type: "change-server", pool, server, admin }, unkept);
  }

  /** Fresh worker processes, of the program as it is on disk now. */
  async replaceWorkers(): Promise<Done | Failure> {
    const reason = "the operator asked for fresh workers";
    const error = await this.#workers.replace(reason);
    return error === undefined ? { done: true } : { error };
  }

  reopenLogs(): void {
    this.#workers.send({ type: "reopen-logs" });
  }

  /** What stands in front is told to send its clients elsewhere; nothing is refused yet. */
  unready(): void {
    this.#workers.send({ type: "unready" });
  }

  emptyHouse(): Promise<void> {
    return this.#house.empty();
  }

  reopenHouse(): void {
    this.#house.reopen();
  }

  /** What `stop` and `emptyHouse` wait for ends now. */
  hurry(reason: string): void {
    this.#house.hurry();
    this.#workers.hurry(reason);
  }

  /** Resolves when the scripts that are to hear of the end have run. */
  async tellEnd(): Promise<void> {
    const { notices = [] } = this.#service ?? {};
    if (notices.some(({ atEnd }) => atEnd)) await this.#checks.tellEnd(END_TOLD_MS);
  }

  async stop(reason: string, withinMs: number): Promise<void> {
    clearInterval(this.#looking);
    this.#names.close();
    this.#checks.close();
    // Ours first: when the last worker has closed its own, clients are refused and go elsewhere
    // instead of waiting in a queue that nobody empties.
    this.#sockets?.close(true);
    await this.#workers.stop(reason, withinMs);
    this.#hub?.close();
  }

  #noteDescriptors(balance: BalanceSettings): void {
    const text = descriptorWarning(balance, descriptorLimit());
    if (text !== undefined && text !== this.#notedDescriptors) this.#say("note", text);
    this.#notedDescriptors = text;
  }

  // ---- workers ----

  async #lookAndKeep(): Promise<void> {
    await this.#past.look(this.#workers.links, true);
    this.#past.keep();
  }

  /** Settings, then what others know, then the doors: nobody comes in before that. */
  async #equip(link: WorkerLink): Promise<void> {
    const service = this.#service;
    const sockets = this.#sockets;
    if (service === undefined || sockets === undefined) return;
    // Of another version: it is being replaced, and would misread what it is given.
    if (link.hello.protocol !== BALANCE_PROTOCOL) return;
    const { error } = await link.ask(
      {
        type: "configure",
        settings: this.#settings(service.balance),
        overrides: this.#overrides.list(),
        ...this.#tickets.secrets,
      },
      CONFIGURE_WITHIN_MS,
    );
    if (!this.#introduced.has(link)) await this.#introduce(link);
    const box = workerBox(this.#options.directory.path, link.hello.serial);
    const trouble = await sockets.giveTo(box, link.sockets);
    link.sockets = new Set(sockets.held);
    const text = `the balance worker ${link.hello.pid}: ${error ?? trouble}`;
    if ((error ?? trouble) !== undefined) this.#say("limited", text, "", "error");
  }

  /** A new worker learns which clients stick to which server; one that was there before us tells it. */
  async #introduce(link: WorkerLink): Promise<void> {
    this.#introduced.add(link);
    if (link.hello.listening.length > 0) return this.#sticks.learn(monotonicMs, link);
    this.#sticks.tell(monotonicMs(), link);
    // Its answer says that it has read that.
    await link.ask({ type: "ping" });
  }

  #hear(link: WorkerLink, message: Exclude<FromWorker, { type: "hello" | "reply" }>): void {
    switch (message.type) {
      case "serving":
        this.#serves(link);
        break;
      case "event":
        this.#tell(link, message);
        break;
      case "sticks":
        this.#sticks.hear(monotonicMs(), message.tables);
        this.#workers.send(message, link);
        break;
      case "farewell":
        this.#past.ended(link, message.status);
        this.#traffic.ended(link, message.counted ?? []);
    }
  }

  #tell(link: WorkerLink, message: Extract<FromWorker, { type: "event" }>): void {
    const { event } = message;
    const isWhole = this.#news.isWhole(event, link, this.#workers.links);
    if (isWhole && this.#news.isNews(event, link)) this.#options.log.add(event, momentOf(message));
  }

  #serves(link: WorkerLink): void {
    if (link.isServing) return;
    link.isServing = true;
    // One that was taken over has accepted all the time; that was said.
    if (this.#service === undefined) return;
    const where = this.#sockets?.names.join(", ") ?? "";
    this.#say("role-started", `the balance worker ${link.hello.pid} accepts on ${where}`);
  }

  /** `unkept`: why it is forgotten at the next start. */
  async #change(name: string, order: Order, unkept?: string): Promise<Done | Failure> {
    if (unkept !== undefined) this.#say("limited", unkept, name);
    const answers = await Promise.all(this.#workers.links.map((link) => link.ask(order)));
    const error = answers.find((answer) => answer.error !== undefined)?.error;
    if (error !== undefined) return { error };
    return unkept === undefined ? { done: true } : { done: true, unkept };
  }

  // ---- settings ----

  #settings(balance: BalanceSettings): BalanceSettings {
    return resolved(shared(balance), (host) => this.#names.addressOf(host));
  }

  #targets(service: ServiceModel): CheckTarget[] {
    const pools = withOverrides(service.balance.pools, this.#overrides.list());
    const asked = { ...service, balance: { ...service.balance, pools } };
    return serverTargets(asked, (host) => this.#names.addressOf(host));
  }

  #configureChecks(): void {
    const service = this.#service;
    if (service === undefined) return;
    const targets = this.#targets(service);
    this.#verdicts.keepOnly(new Set(targets.map(({ subject }) => subject)));
    this.#checks.configure({ targets, ...noticeRules(service) });
  }

  async #moved(host: string, address: string): Promise<void> {
    this.#say("limited", `the name ${host} is ${address} now`);
    this.#configureChecks();
    await Promise.all(this.#workers.links.map((link) => this.#equip(link)));
  }

  #find(name: string): { pool: string; server: string } | Failure {
    const slash = name.indexOf("/");
    const [pool, server] = [name.slice(0, Math.max(0, slash)), name.slice(slash + 1)];
    const pools: readonly PoolSettings[] = this.#service?.balance.pools ?? [];
    const servers = pools.find((one) => one.name === pool)?.servers ?? [];
    if (servers.some((one) => one.name === server)) return { pool, server };
    return { error: unknownServer(name, serverNames(pools)) };
  }

  #say(
    kind: EventDraft["kind"],
    reason: string,
    instance = "",
    level: EventDraft["level"] = kind === "limited" ? "warning" : "info",
  ): void {
    this.#options.log.add({ source: "control", level, kind, instance, reason });
  }
}
