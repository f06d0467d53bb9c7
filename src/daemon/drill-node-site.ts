/** This very node as the place of a drill: plain commands, a client here or wherever it is told. */

import { spawn } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { createInterface } from "node:readline";
import { nodeFacts, type Configured, type StatusLike } from "../core/drill/facts.ts";
import type { NodeFacts, SiteFacts, View } from "../core/drill/facts.ts";
import { shellLine, type Command } from "../core/drill/plan.ts";
import type { ProbeRecord } from "../core/drill/probe-record.ts";
import type { ProbeCount } from "../core/drill/run.ts";
import { drillSettings } from "../config/service/drill-settings.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { delayFacts, isOwnDisk, linkFacts } from "../drivers/drill-facts.ts";
import { appendLine, type DrillLine } from "../drivers/drill-files.ts";
import type { DrillSite, SiteEvent, SiteProbe, WriteProbe } from "../drivers/drill-site.ts";
import { runCommand } from "../drivers/run-command.ts";
import type { WriteDoor } from "../drivers/write-door.ts";
import { consoleFacts } from "./console-facts.ts";
import { ControlClient } from "./control-client.ts";
import { loadConfiguration } from "./load-configuration.ts";
import { runDirectory } from "./run-directory.ts";
import { WriteWatch } from "./write-watch.ts";

const WRITE_EVERY_MS = 50;
/** Two minutes of them. */
const KEPT_WRITES = 2400;
const ANSWER_WITHIN_MS = 500;
const PEER_WITHIN_MS = 5000;
const ASK_WITHIN_MS = 5000;

export interface NodeSiteOptions {
  readonly runDirectory: string;
  readonly stateDirectory: string;
  readonly nines: readonly string[];
  /** Shell lines that print `nines status --json` of the other nodes. */
  readonly peers: readonly string[];
  readonly everyMs: number;
  /** What clients ask; the first frontend by default. */
  readonly url?: string;
  /** A shell line to put before the client's own: `ssh client`. */
  readonly via?: string;
  /** Where numbered rows are written; absent: nothing is said of lost writes. */
  readonly writes?: WriteDoor;
}

export class NodeSite implements DrillSite {
  readonly name: string = hostname();
  readonly runDirectory: string;
  /** Where the next start looks for what is to be undone: of the node that runs, whatever was said here. */
  stateDirectory: string;
  readonly #options: NodeSiteOptions;
  readonly #client: ControlClient;
  #facts: SiteFacts | undefined;
  #lastSeq = 0;

  constructor(options: NodeSiteOptions) {
    this.#options = options;
    this.runDirectory = options.runDirectory;
    this.stateDirectory = options.stateDirectory;
    this.#client = new ControlClient(runDirectory(options.runDirectory).controlSocket);
  }

  record(line: DrillLine): void {
    appendLine(this.stateDirectory, line);
  }

  async facts(): Promise<SiteFacts> {
    const status = await this.#client.status();
    const { file } = status.configuration;
    this.stateDirectory = status.stateDirectory ?? this.stateDirectory;
    const { service } = loadConfiguration(file, { permissive: true });
    const configured = service === undefined ? undefined : drillSettings(service);
    const target = nodeFacts(this.name, status, configured);
    const ask = async (...argv: readonly string[]): Promise<string | undefined> => {
      const ran = await runCommand(argv, ASK_WITHIN_MS);
      return ran.ok ? ran.stdout : undefined;
    };
    const { nines } = this.#options;
    const { stateDirectory } = this;
    this.#facts = {
      target,
      others: await this.#peers(configured),
      nines,
      runDirectory: this.runDirectory,
      stateDirectory,
      ownDisk: await isOwnDisk(ask, stateDirectory),
      configuration: file,
      restart: this.#restart(target.controlPid),
      links: await linkFacts(ask, target),
      delay: await delayFacts(ask, target),
      programs: {},
      ...(await consoleFacts(this.runDirectory)),
      client: this.name,
      trackEveryMs: 0,
      clock: "host",
    };
    return this.#facts;
  }

  async look(): Promise<View> {
    const [target, others] = await Promise.all([this.#lookHere(), this.#peers()]);
    return { target, others, seesOthers: this.#options.peers.length > 0 };
  }

  /** Handing back is the peer's operator's part: nothing else is ever ordered there. */
  wrap({ host, argv }: Command): readonly string[] {
    if (host === this.name) return argv;
    throw new Error(`${host} is another machine: log in there for \`${shellLine(argv)}\``);
  }

  async bySite({ argv, host }: Command): Promise<void> {
    if (argv[0] === "power-on") throw new Error(`somebody must switch ${host} on`);
    await runCommand(argv, ASK_WITHIN_MS);
  }

  async startProbe(patienceMs: number): Promise<SiteProbe | undefined> {
    const { url = this.#defaultUrl(), via, everyMs, nines } = this.#options;
    if (url === undefined) return undefined;
    const words = ["drill-probe", url, String(everyMs), String(patienceMs)];
    if (via === undefined) return startProber([...nines, ...words]);
    return startProber(["sh", "-c", `exec ${via} ${shellLine(["nines", ...words])}`]);
  }

  startWrites(): WriteProbe | undefined {
    const { writes: door } = this.#options;
    if (door === undefined) return undefined;
    const settings = { everyMs: WRITE_EVERY_MS, keep: KEPT_WRITES, name: "drill" };
    return new WriteWatch({ door, ...settings, onLoss: () => {} });
  }

  async events(): Promise<readonly SiteEvent[]> {
    const events = await within(this.#client.events(this.#lastSeq), ANSWER_WITHIN_MS);
    if (events === undefined) return [];
    this.#lastSeq = events.at(-1)?.seq ?? this.#lastSeq;
    return events.map(({ kind, instance, reason, time, to }) => ({
      node: this.name,
      kind,
      reason,
      subject: instance,
      wallMs: Date.parse(time),
      ...(to === undefined ? {} : { to }),
    }));
  }

  async #lookHere(): Promise<NodeFacts | undefined> {
    const status = await within(this.#client.status(), ANSWER_WITHIN_MS);
    return status === undefined ? undefined : nodeFacts(this.name, status);
  }

  /** `configured`: what is known of ours; nodes of a group are told the same. */
  async #peers(configured?: Configured): Promise<readonly NodeFacts[]> {
    const found = await Promise.all(
      this.#options.peers.map(async (line, i) => {
        const ran = await runCommand(["sh", "-c", line], PEER_WITHIN_MS);
        const status = ran.ok ? statusIn(ran.stdout) : undefined;
        return status && nodeFacts(`peer${i + 1}`, status, configured);
      }),
    );
    return found.filter((node) => node !== undefined);
  }

  #defaultUrl(): string | undefined {
    const listening = this.#facts?.target.listening.find((place) => !place.startsWith("/"));
    return listening === undefined ? undefined : `http://${listening.replace(ANY, "127.0.0.1")}/`;
  }

  #restart(controlPid: number): readonly string[] {
    const status = shellLine([...this.#options.nines, "status", "--run-dir", this.runDirectory]);
    const start = startLine(controlPid);
    const line = `[ -n "$NINES_STARTING" ] || ${status} >/dev/null 2>&1 || { ${start} }`;
    return ["sh", "-c", line];
  }
}

/** Undefined: a command said something else, as one does whose node is just being broken. */
function statusIn(text: string): StatusLike | undefined {
  try {
    return JSON.parse(text) as StatusLike;
  } catch {
    return undefined;
  }
}

const ANY = /^(\[::\]|0\.0\.0\.0)(?=:)/;

/** As it was started, and where: paths may be relative. By systemd, if that did it. */
export function startLine(controlPid: number): string {
  const unit = /\/([\w@.-]+\.service)$/m.exec(procFile(controlPid, "cgroup"))?.[1];
  if (unit !== undefined) return `systemctl start ${unit};`;
  const words = procFile(controlPid, "cmdline").split("\0").slice(0, -1);
  const there = shellLine(["cd", folderOf(controlPid)]);
  return `${there} && setsid ${shellLine(words)} </dev/null >/dev/null 2>&1 &`;
}

function folderOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "/";
  }
}

function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

/** Undefined when it comes too late or not at all. */
async function within<T>(answer: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  try {
    return await Promise.race([answer.catch(() => undefined), promise]);
  } finally {
    clearTimeout(timer);
  }
}

interface News {
  readonly answered: number;
  readonly failed: number;
  readonly lastAnswerMs: number;
  readonly nowMs: number;
}

/** Its times by our clock. */
function shifted(record: ProbeRecord, behindMs: number): ProbeRecord {
  if (!Number.isFinite(behindMs)) return record;
  return {
    ...record,
    sentMs: record.sentMs.map((ms) => ms + behindMs),
    answeredMs: record.answeredMs.map((ms) => (ms === null ? null : ms + behindMs)),
    endMs: record.endMs + behindMs,
  };
}

/** Clocks of two machines do not agree: silence counts from when its news came. */
function startProber(argv: readonly string[]): SiteProbe {
  const [file = "", ...words] = argv;
  const child = spawn(file, words, { stdio: ["pipe", "pipe", "inherit"] });
  const record = Promise.withResolvers<ProbeRecord>();
  record.promise.catch(() => {});
  let answered = 0;
  let failed = 0;
  let lastMs = monotonicMs();
  let behindMs = Infinity;
  child.once("error", (error) => record.reject(error));
  child.once("close", () => record.reject(new Error("the client ended without a record")));
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = JSON.parse(text) as { news?: News; record?: ProbeRecord };
    if (line.record !== undefined) record.resolve(shifted(line.record, behindMs));
    if (line.news === undefined) return;
    // The news that came fastest tells best how far that machine's clock is behind ours.
    behindMs = Math.min(behindMs, monotonicMs() - line.news.nowMs);
    if (line.news.answered > answered) lastMs = monotonicMs();
    ({ answered, failed } = line.news);
  });
  const count = (): ProbeCount => ({ answered, failed, silentMs: monotonicMs() - lastMs });
  return {
    count,
    stop: () => {
      child.stdin.end();
      return record.promise;
    },
  };
}
