/** A world of the lab as the place of a drill: everything through nsenter, a client of its own. */

import { mkdirSync } from "node:fs";
import { readEither } from "../config/read-either.ts";
import { drillSettings } from "../config/service/drill-settings.ts";
import { nodeFacts, type Configured, type StatusLike } from "../core/drill/facts.ts";
import type { NodeFacts, ProgramFacts, SiteFacts, View } from "../core/drill/facts.ts";
import type { Command } from "../core/drill/plan.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { delayFacts, isOwnDisk, linkFacts } from "../drivers/drill-facts.ts";
import { appendLine, type DrillLine } from "../drivers/drill-files.ts";
import type { DrillSite, SiteEvent, SiteProbe } from "../drivers/drill-site.ts";
import { isInstalled, run } from "./command.ts";
import { askControl } from "./control-socket.ts";
import { noMulticast, partition, type Undo } from "./faults.ts";
import { BIN, RUN_DIRECTORY, STATE_DIRECTORY, type NinesEvent } from "./peers/nines.ts";
import { startHttpProbe } from "./probe.ts";
import { enter } from "./process.ts";
import { stolenMs } from "./stolen.ts";
import type { World } from "./world.ts";

/** A hung node must not keep the conductor from looking at the others. */
const ANSWER_WITHIN_MS = 400;

export interface LabSiteOptions {
  readonly world: World;
  readonly target: string;
  readonly others: readonly string[];
  readonly client: string;
  /** What the client asks. */
  readonly address: string;
  readonly askEveryMs: number;
  /** As the target sees it. */
  readonly configuration: string;
  /** The words of `nines run` on the target, and what its environment needs. */
  readonly run: readonly string[];
  readonly programs: Readonly<Record<string, ProgramFacts>>;
  readonly trackEveryMs: number;
  /** The target's page shows its drills: only where its state directory is no mount of its own. */
  readonly isShown?: true;
  /** Steps the clock of Nines on the target; absent: the machine's own, which nobody may set. */
  readonly clockFile?: string;
  /** Switches the host on and starts everything that runs there. */
  readonly powerOn: (name: string) => Promise<void>;
}

export class LabSite implements DrillSite {
  readonly name = "lab";
  readonly runDirectory: string;
  readonly stateDirectory: string;
  readonly #options: LabSiteOptions;
  readonly #configured: Configured | undefined;
  /** Of each node: number of the last event that was read, and in which life. */
  readonly #read = new Map<string, number>();
  #mendSwitch: Undo | undefined;

  constructor(options: LabSiteOptions) {
    this.#options = options;
    this.runDirectory = `${options.world.state.directory}/drills`;
    this.stateDirectory = this.runDirectory;
    mkdirSync(this.runDirectory, { recursive: true });
    const file = options.world.host(options.target).outside(options.configuration);
    const { service } = readEither(file, { node: options.target });
    this.#configured = service === undefined ? undefined : drillSettings(service);
  }

  /** Also where the target's console finds it, so that its page shows it. */
  record(line: DrillLine): void {
    appendLine(this.stateDirectory, line);
    const { world, target, isShown } = this.#options;
    if (isShown === true) appendLine(world.host(target).outside(STATE_DIRECTORY), line);
  }

  async facts(): Promise<SiteFacts> {
    const { target, others } = await this.look();
    if (target === undefined) throw new Error(`nines of ${this.#options.target} does not answer`);
    const ask = (...argv: readonly string[]): Promise<string | undefined> =>
      run(this.wrap({ host: target.name, argv })).catch(() => undefined);
    const { configuration, programs, trackEveryMs, client, clockFile } = this.#options;
    return {
      target,
      others,
      nines: [BIN],
      runDirectory: RUN_DIRECTORY,
      stateDirectory: STATE_DIRECTORY,
      ownDisk: await isOwnDisk(ask, STATE_DIRECTORY),
      configuration,
      ...(isInstalled("nft") ? {} : { hasSwitch: true }),
      restart: this.#restart(),
      links: await linkFacts(ask, target),
      delay: await delayFacts(ask, target),
      programs,
      standbys: {},
      openIncidents: [],
      client,
      trackEveryMs,
      clock: clockFile === undefined ? "shared" : { file: clockFile },
    };
  }

  async look(): Promise<View> {
    const { target, others } = this.#options;
    const [first, ...rest] = await Promise.all(
      [target, ...others].map((name) => this.#lookAt(name)),
    );
    const answering = rest.filter((node) => node !== undefined);
    return { target: first, others: answering, seesOthers: others.length > 0 };
  }

  wrap({ host, argv }: Command): readonly string[] {
    const { initPid } = this.#options.world.host(host).state;
    if (initPid === undefined) throw new Error(`'${host}' is powered off`);
    return ["nsenter", ...enter(initPid, argv)];
  }

  async bySite({ host, argv }: Command): Promise<void> {
    if (argv[0] === "switch") return this.#switch(host, argv[1]);
    if (argv[0] === "power-on") await this.#options.powerOn(host);
    else await this.#options.world.powerOff(host);
  }

  /** What the bridge of the world does where there is no nft. `whole` may come twice. */
  async #switch(name: string, what: string | undefined): Promise<void> {
    const { world } = this.#options;
    await this.#mendSwitch?.();
    this.#mendSwitch = undefined;
    if (what === "partition") this.#mendSwitch = await partition(world.host(name));
    else if (what === "no-multicast") this.#mendSwitch = await noMulticast(world);
  }

  async startProbe(patienceMs: number): Promise<SiteProbe> {
    const { world, client, address, askEveryMs } = this.#options;
    const options = { intervalMs: askEveryMs, limitMs: patienceMs };
    const probe = await startHttpProbe(world.host(client), address, options);
    return {
      count: () => {
        const { answered, failed, lastAnswerMs } = probe.latest;
        const silentMs = lastAnswerMs < 0 ? 0 : Math.max(0, monotonicMs() - lastAnswerMs);
        return { answered, failed, silentMs };
      },
      stop: () => probe.stop(),
    };
  }

  stolenMs(): number {
    return stolenMs();
  }

  /** The demo's servers store nothing. */
  startWrites(): undefined {
    return undefined;
  }

  async events(): Promise<readonly SiteEvent[]> {
    const { target, others } = this.#options;
    const told = await Promise.all([target, ...others].map((name) => this.#eventsOf(name)));
    return told.flat().toSorted((a, b) => a.wallMs - b.wallMs);
  }

  async #eventsOf(name: string): Promise<SiteEvent[]> {
    const since = this.#read.get(name) ?? 0;
    // A control process that was started again counts from 1: a number from the future means all.
    const found = (await this.#ask(name, `/v1/events?since=${since}`)) as NinesEvent[] | undefined;
    if (found === undefined) return [];
    const last = found.at(-1);
    if (last !== undefined) this.#read.set(name, last.seq);
    return found.map(({ kind, instance, reason, time, from, to }) => ({
      node: name,
      kind,
      reason,
      subject: instance,
      wallMs: Date.parse(time),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    }));
  }

  async #lookAt(name: string): Promise<NodeFacts | undefined> {
    const status = (await this.#ask(name, "/v1/status")) as StatusLike | undefined;
    return status === undefined ? undefined : nodeFacts(name, status, this.#configured);
  }

  async #ask(name: string, path: string): Promise<unknown> {
    const host = this.#options.world.host(name);
    if (!host.isOn) return undefined;
    const socket = host.outside(`${RUN_DIRECTORY}/control.sock`);
    return askControl(socket, { method: "GET", path }, ANSWER_WITHIN_MS).catch(() => undefined);
  }

  #restart(): readonly string[] {
    const running = `${BIN} status --run-dir ${RUN_DIRECTORY}`;
    const start = `setsid ${this.#options.run.join(" ")} </dev/null >>/run/nines.log 2>&1 &`;
    const line = `[ -n "$NINES_STARTING" ] || ${running} >/dev/null 2>&1 || { ${start} }`;
    return ["sh", "-c", line];
  }
}
