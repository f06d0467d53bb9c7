/**
 * Drills as a part of the console: what they left in `STATEDIR/drills.jsonl` goes into the journal, the
 * page shows the catalogue and how drills ended, and an operator may begin and stop one. The drill
 * itself runs in a process of its own: it lives on when the console dies, which may be the drill.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import { catalogue, drillKind } from "../core/drill/catalogue/catalogue.ts";
import { planFor } from "../core/drill/catalogue/drill-kind.ts";
import type { ErrandWord } from "../core/drill/errand.ts";
import type { SiteFacts } from "../core/drill/facts.ts";
import { shellLine, type DrillPlan } from "../core/drill/plan.ts";
import { refusals } from "../core/drill/preconditions.ts";
import { drillAtWork, stopDrill } from "../daemon/drill-lock.ts";
import { newDrillId } from "../daemon/drill-conductor.ts";
import type { ServiceFacts } from "../daemon/control-api.ts";
import { NodeSite } from "../daemon/drill-node-site.ts";
import { onBeat } from "../drivers/beat.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import { readLines, type DrillLine } from "../drivers/drill-files.ts";
import { formatDuration } from "../lib/duration.ts";
import type { Action, Prospect } from "./actions.ts";
import type { ActionRequest, DrillRunView, DrillsView, DrillView } from "./api.ts";
import type { ConsoleCore, ConsolePart, RunningPart } from "./console-core.ts";
import { DrillDoor } from "./drill-door.ts";
import { tellOthers } from "./drill-news.ts";
import type { Neighbour } from "./ledger-news.ts";
import { colleague, runErrand } from "./drill-errand.ts";
import { radiusOf, told } from "./drill-words.ts";
import type { Exhibits } from "./overview.ts";
import { json, type Route } from "./routes.ts";
import { say } from "./verdict.ts";

const LOOK_EVERY_MS = 1_000;
const RECENT = 10;
const HISTORY = 200;
const YOUNG_MS = 60_000;
/** Records of drills that are looked through to know what was taken over already. */
const KNOWN = 5000;

export const DRILLS: ConsolePart = {
  name: "drills",
  start: (core) => new DrillPart(core),
};

const KINDS: readonly DrillLine["kind"][] = [
  "drill-started",
  "drill-finished",
  "drill-undone",
  "drill-refused",
  "drill-asked",
  "drill-answered",
];

class DrillPart implements RunningPart {
  readonly routes: readonly Route[];
  readonly errands: DrillDoor;
  readonly actions: NonNullable<RunningPart["actions"]>;
  readonly #core: ConsoleCore;
  /** Undefined: the journal has not been opened, so nobody knows what is in it already. */
  #known: Set<string> | undefined;
  readonly #stopLooking: () => void;
  readonly #nines: readonly string[];
  #lines: readonly DrillLine[] = [];
  #changedMs = 0;

  constructor(core: ConsoleCore) {
    this.#core = core;
    this.#nines = [process.execPath, ...process.execArgv, process.argv[1] ?? ""];
    this.errands = new DrillDoor({
      runDirectory: core.directory.path,
      stateDirectory: core.stateDirectory,
      nines: this.#nines,
      closed: () => whyClosed(core.control.service),
    });
    core.journal.onOpen(() => this.#learn());
    this.routes = [this.#catalogueRoute(), this.#historyRoute()];
    this.actions = { "drill-run": this.#run(), "drill-stop": this.#stop() };
    this.#look();
    this.#stopLooking = onBeat(() => this.#look(), LOOK_EVERY_MS);
  }

  exhibits(): Partial<Exhibits> {
    this.#look();
    const runs = this.#runs();
    const [first] = runs;
    const atWork = drillAtWork(this.#core.directory.path);
    // Whoever conducts it from outside of this host has no lock here.
    const isYoung = first?.verdict === undefined && wallMs() - (first?.startMs ?? 0) < YOUNG_MS;
    const running = isYoung || (first !== undefined && first.id === atWork?.id) ? first : undefined;
    const drills: DrillsView = {
      ...(running === undefined ? {} : { running }),
      recent: runs.filter((run) => run !== running).slice(0, RECENT),
    };
    return { drills };
  }

  close(): void {
    this.#stopLooking();
    this.errands.close();
  }

  #learn(): void {
    this.#known ??= new Set();
    for (const kind of KINDS) {
      const records = this.#core.journal.find({ kind, limit: KNOWN, newest: true });
      for (const { wallMs: at, subject } of records) {
        this.#known.add(keyOf({ kind, wallMs: at, drill: subject }));
      }
    }
    this.#changedMs = 0;
  }

  /** New lines become records; the file is read again only when it has changed. */
  #look(): void {
    const { stateDirectory, journal } = this.#core;
    const changedMs = changeOf(join(stateDirectory, "drills.jsonl"));
    if (changedMs === this.#changedMs) return;
    this.#changedMs = changedMs;
    this.#lines = readLines(stateDirectory);
    const known = this.#known;
    if (known === undefined) return;
    for (const line of this.#lines) {
      const key = keyOf(line);
      if (known.has(key)) continue;
      known.add(key);
      const { wallMs: at, kind, drill, id, reason, result, asked, on, verdict, measured } = line;
      const monoMs = monotonicMs() - Math.max(0, wallMs() - at);
      const data = {
        id,
        ...(asked === undefined ? {} : { asked }),
        ...(on === undefined ? {} : { on }),
        ...(verdict === undefined ? {} : { verdict }),
        ...(measured === undefined ? {} : { measured }),
        ...(result === undefined ? {} : { result: { ...result, steps: [] } }),
      };
      const level = levelOf(line);
      journal.add({
        wallMs: at,
        monoMs,
        source: "drill",
        level,
        kind,
        subject: drill,
        reason,
        data,
      });
      this.#noteLoss(line);
      void tellOthers(line, () => this.#neighbours(), wallMs());
    }
  }

  #neighbours(): readonly Neighbour[] {
    return this.#core.parts().flatMap((part) => part.neighbours?.() ?? []);
  }

  /** What was acknowledged and is gone counts as it does when a probe finds it. */
  #noteLoss({ drill, id, result, workLoss = result?.workLoss, lostWrites }: DrillLine): void {
    if (workLoss === undefined) return;
    const { rpoMs, toMs } = workLoss;
    const lost = lostWrites ?? result?.lostWrites ?? workLoss.lost;
    this.#core.journal.add({
      wallMs: toMs,
      monoMs: monotonicMs() - Math.max(0, wallMs() - toMs),
      source: "drill",
      level: "error",
      kind: "work-lost",
      subject: "",
      reason: `the drill '${drill}': ${lost} acknowledged writes are gone, ${formatDuration(rpoMs)} of work`,
      data: { id, drill, rpoMs, lost },
    });
  }

  /** Newest first. */
  #runs(): readonly DrillRunView[] {
    const runs = new Map<string, DrillRunView>();
    for (const line of this.#lines) {
      const { kind, id, drill: name, wallMs: at, reason, result, on } = line;
      if (kind === "drill-started") runs.set(id, { id, name, startMs: at, reason });
      if (on !== undefined) runs.set(id, runElsewhere(line, on, runs.get(id)));
      if (result === undefined) continue;
      const { startedWallMs: startMs, endedWallMs: endMs, verdict, measured } = result;
      const seen =
        measured === undefined
          ? {}
          : { outageMs: measured.outageMs, failedRequests: measured.failed };
      runs.set(id, { id, name, startMs, endMs, verdict, reason, ...seen });
    }
    return [...runs.values()].toReversed();
  }

  #catalogueRoute(): Route {
    return {
      method: "GET",
      path: "/api/v1/drills",
      access: "read",
      summary: "What may be broken here on purpose.",
      answers: "DrillList",
      handle: async () => {
        const facts = await this.#facts();
        const drills = catalogue.map((kind): DrillView => {
          const plan = facts === undefined ? "the node does not answer" : planFor(kind, facts);
          const { name, title } = kind;
          if (typeof plan === "string") {
            return { name, title, faults: [kind.says], radius: "unknown", refused: plan };
          }
          const [refused] = this.#refusals(plan, facts!);
          const faults = plan.faults.map(({ says }) => says);
          const radius = radiusOf(plan.radius);
          return { name, title, faults, radius, ...(refused === undefined ? {} : { refused }) };
        });
        return json({ drills });
      },
    };
  }

  #historyRoute(): Route {
    return {
      method: "GET",
      path: "/api/v1/drills/history",
      access: "read",
      summary: "Drills that were run here, newest first.",
      answers: "DrillHistory",
      handle: () => json({ runs: this.#runs().slice(0, HISTORY) }),
    };
  }

  #facts(): Promise<SiteFacts | undefined> {
    return this.#site()
      .facts()
      .catch(() => undefined);
  }

  #site(): NodeSite {
    const { directory, stateDirectory } = this.#core;
    return new NodeSite({
      runDirectory: directory.path,
      stateDirectory,
      nines: this.#nines,
      peers: [],
      everyMs: 0,
    });
  }

  #refusals(plan: DrillPlan, facts: SiteFacts): readonly string[] {
    const now = new Date();
    const running = drillAtWork(this.#core.directory.path)?.drill;
    return refusals(plan, {
      facts,
      minute: now.getHours() * 60 + now.getMinutes(),
      allowOutage: false,
      allowDanger: false,
      ...(running === undefined ? {} : { running }),
    });
  }

  #words(verb: string, ...rest: readonly string[]): readonly string[] {
    const { directory, stateDirectory } = this.#core;
    const state = verb === "run" ? ["--state-dir", stateDirectory] : [];
    return ["drill", verb, ...rest, "--run-dir", directory.path, ...state];
  }

  #run(): Action {
    return {
      look: (request) => this.#lookAtRun(request),
      perform: async ({ subject, node }, { who, reason }) => {
        const isHere = node === undefined || node === this.#core.node();
        const there = isHere ? [] : ["--on", node, "--by", who, "--reason", reason];
        const words0 = this.#words("run", subject, ...there);
        const [file = "", ...words] = [...this.#nines, ...words0];
        // Nobody's child: it may be the console that it kills.
        const child = spawn(file, words, { detached: true, stdio: "ignore" });
        child.unref();
        await once(child, "spawn");
        return say("drill-begun", `the drill '${subject}' begins`, { subject });
      },
    };
  }

  async #lookAtRun({ subject, node }: ActionRequest): Promise<Prospect> {
    const kind = drillKind(subject);
    if (kind === undefined) throw new Error(`there is no drill '${subject}'`);
    if (node !== undefined && node !== this.#core.node()) return this.#lookElsewhere(subject, node);
    const facts = await this.#facts();
    const plan = facts === undefined ? "the node does not answer" : planFor(kind, facts);
    const command = shellLine(["nines", ...this.#words("run", subject)]);
    const basis = subject;
    if (typeof plan === "string") {
      const why = told("drill-impossible", plan, subject);
      return { moves: [], left: [], refused: { why, override: false }, command, basis };
    }
    const moves = plan.faults.map(({ says }) => told("drill-fault", says, subject));
    const left = [told("drill-radius", radiusOf(plan.radius), subject)];
    const [text] = this.#refusals(plan, facts!);
    if (text === undefined) return { moves, left, command, basis };
    const why = told("drill-refused", text, subject);
    return { moves, left, refused: { why, override: false }, command, basis };
  }

  /** That node is asked: it knows what it would refuse. */
  async #lookElsewhere(subject: string, node: string): Promise<Prospect> {
    const { control, stateDirectory } = this.#core;
    if (control.service === undefined) throw new Error("control has not answered yet");
    const to = colleague(node, control.service, stateDirectory);
    const words: ErrandWord[] = [];
    const id = newDrillId();
    const errand = { verb: "plan", id, drill: subject, who: "page", reason: "preview" } as const;
    await runErrand(to, errand, { heard: (word) => void words.push(word) });
    const planned = words.find((word) => word.planned !== undefined)?.planned;
    const [text] = planned?.refusals ?? words.flatMap(({ refused = [] }) => refused);
    const command = shellLine(["nines", ...this.#words("run", subject, "--on", node)]);
    const basis = [subject, node];
    if (planned === undefined || text !== undefined) {
      const why = told("drill-refused", text ?? "the line broke", subject, node);
      return { moves: [], left: [], refused: { why, override: false }, command, basis };
    }
    const { faults, radius } = planned.plan;
    const moves = faults.map(({ says }) => told("drill-fault", says, subject, node));
    const left = [told("drill-radius", radiusOf(radius, node), subject)];
    return { moves, left, command, basis };
  }

  #stop(): Action {
    const running = (): string | undefined => drillAtWork(this.#core.directory.path)?.drill;
    return {
      look: ({ subject }) => {
        const name = running();
        const command = shellLine(["nines", ...this.#words("stop")]);
        const moves = [
          say("drill-stops", `what '${subject}' broke is mended at once`, { subject }),
        ];
        if (name !== undefined) return { moves, left: [], command, basis: name };
        const why = say("no-drill", "no drill is at work", { subject });
        return { moves: [], left: [], refused: { why, override: false }, command, basis: "" };
      },
      perform: async ({ subject }) => {
        const stopped = stopDrill(this.#core.directory.path);
        if (stopped === undefined) throw new Error("no drill is at work any more");
        return say("drill-stopped", `the drill '${stopped.drill}' is told to stop`, { subject });
      },
    };
  }
}

function keyOf({ kind, wallMs: at, drill }: Pick<DrillLine, "kind" | "wallMs" | "drill">): string {
  return `${kind} ${Math.round(at)} ${drill}`;
}

function levelOf({ kind, result, verdict }: DrillLine): "info" | "warning" {
  if (kind === "drill-refused") return "warning";
  const said = result?.verdict ?? (kind === "drill-answered" ? (verdict ?? "error") : "passed");
  return said === "passed" ? "info" : "warning";
}

/** Why other nodes may ask for nothing here; undefined: they may. */
function whyClosed(service: ServiceFacts | undefined): string | undefined {
  if (service === undefined) return "control has not answered yet";
  if (service.console.drillsFrom === "nodes") return undefined;
  return "its configuration says: console.drills_from: nobody";
}

/** A drill that was asked of another node, as this one knows it. */
function runElsewhere(
  { id, drill: name, wallMs: at, reason, kind, verdict, measured }: DrillLine,
  node: string,
  before: DrillRunView | undefined,
): DrillRunView {
  if (kind === "drill-asked") return { id, name, node, startMs: at, reason };
  const seen =
    measured === undefined ? {} : { outageMs: measured.outageMs, failedRequests: measured.failed };
  const startMs = before?.startMs ?? at;
  return { id, name, node, startMs, endMs: at, verdict: verdict ?? "error", reason, ...seen };
}

function changeOf(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
