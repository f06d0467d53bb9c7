/**
 * A drill on this node that another node of the group asked for: a process of its own, which this
 * node's console starts and connects with the asker. It looks at this node with its own eyes, refuses
 * by its own rules, and has its own guard. When the asker falls silent it takes everything back -
 * unless the drill itself cuts that line: then it goes on to its planned end, and the verdict waits.
 */

import { createInterface } from "node:readline";
import { drillKind } from "../core/drill/catalogue/catalogue.ts";
import { planFor } from "../core/drill/catalogue/drill-kind.ts";
import { readErrand, SILENCE_MS, type Errand, type ErrandWord } from "../core/drill/errand.ts";
import type { SiteFacts } from "../core/drill/facts.ts";
import { shellLine, type DrillPlan } from "../core/drill/plan.ts";
import { refusals } from "../core/drill/preconditions.ts";
import { wallMs } from "../drivers/clock.ts";
import { conduct } from "./drill-conductor.ts";
import { drillAtWork } from "./drill-lock.ts";
import { NodeSite, type NodeSiteOptions } from "./drill-node-site.ts";

const FIRST_WORD_WITHIN_MS = 5000;
const FAREWELL_MS = 1000;

/** `from`: the asking node, by its certificate. Resolves when all is over. */
export async function runLed(from: string, options: NodeSiteOptions): Promise<void> {
  // Programs for people end with their terminal; this one has work to finish.
  process.stdout.removeAllListeners("error").on("error", () => {});
  for (const name of ["SIGHUP", "SIGPIPE"] as const) process.on(name, () => {});
  const asker = new AskerLine();
  try {
    const errand = readErrand(await asker.first);
    if (typeof errand === "string") return await say({ refused: [errand] });
    await new LedDrill(from, errand, options).run(asker);
  } catch (error) {
    await say({ refused: [(error as Error).message] });
  }
}

class LedDrill {
  readonly #from: string;
  readonly #errand: Errand;
  readonly #options: NodeSiteOptions;
  readonly #site: NodeSite;

  constructor(from: string, errand: Errand, options: NodeSiteOptions) {
    this.#from = from;
    this.#errand = errand;
    this.#options = options;
    this.#site = new NodeSite(options);
  }

  async run(asker: AskerLine): Promise<void> {
    const { drill, server, lastsMs, verb } = this.#errand;
    const kind = drillKind(drill);
    if (kind === undefined) return this.#refuse([`there is no drill '${drill}' here`]);
    const facts = await this.#site.facts();
    const plan = planFor(kind, facts, { server, lastsMs });
    if (typeof plan === "string") return this.#refuse([`not possible here: ${plan}`]);
    const against = this.#against(plan, facts);
    if (verb === "plan") return say({ planned: this.#planned(plan, against) });
    if (against.length > 0) return this.#refuse(against);
    return this.#conduct(plan, asker);
  }

  async #conduct(plan: DrillPlan, asker: AskerLine): Promise<void> {
    const { id, who, reason } = this.#errand;
    const stop = new AbortController();
    let isBroken = false;
    asker.onLost((why) => {
      if (!isBroken || plan.cutsLine !== true) stop.abort(`${this.#from} asks no more: ${why}`);
    });
    asker.onStop(() => stop.abort(`stopped from ${this.#from}`));
    for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => stop.abort());
    await say({ plan });
    const tell = (step: string): void => {
      isBroken ||= plan.faults.some(({ says }) => says === step);
      void say({ step });
    };
    const asked = { node: this.#from, who, reason };
    const { nines } = this.#options;
    await say({
      result: await conduct(plan, this.#site, { nines, id, asked, tell, signal: stop.signal }),
    });
  }

  /** Nothing may be overridden from afar: who insists does so on the node itself. */
  #against(plan: DrillPlan, facts: SiteFacts): readonly string[] {
    const now = new Date();
    const running = drillAtWork(this.#options.runDirectory)?.drill;
    return refusals(plan, {
      facts,
      minute: now.getHours() * 60 + now.getMinutes(),
      allowOutage: false,
      allowDanger: false,
      ...(running === undefined ? {} : { running }),
    });
  }

  #planned(plan: DrillPlan, against: readonly string[]): NonNullable<ErrandWord["planned"]> {
    const commands = plan.faults.map(({ says, inject, undo }) => ({
      says,
      inject: inject.map(({ argv }) => shellLine(argv)),
      undo: undo.map(({ argv }) => shellLine(argv)),
    }));
    return { plan, commands, refusals: against };
  }

  #refuse(why: readonly string[]): Promise<void> {
    const { id, drill, who, verb } = this.#errand;
    if (verb === "run") {
      const reason = `${who} on ${this.#from} asked for it: ${why.join("; ")}`;
      this.#site.record({ wallMs: wallMs(), kind: "drill-refused", id, drill, reason });
    }
    return say({ refused: why });
  }
}

/** Who asked: says first what for, then only that he is still there, or that it shall stop. */
class AskerLine {
  readonly first: Promise<unknown>;
  readonly #first = Promise.withResolvers<unknown>();
  readonly #timer: NodeJS.Timeout;
  #lost: string | undefined;
  #onLost: (why: string) => void = () => {};
  #onStop: () => void = () => {};

  constructor() {
    this.first = this.#first.promise;
    this.#first.promise.catch(() => {});
    this.#timer = setTimeout(() => this.#lose("nothing was heard"), FIRST_WORD_WITHIN_MS);
    createInterface({ input: process.stdin })
      .on("line", (line) => this.#hear(line))
      .once("close", () => this.#lose("the line is closed"))
      // A console that is killed leaves what it had not read: that is an error, and no exception.
      .on("error", () => this.#lose("the line is broken"));
    process.stdin.on("error", () => this.#lose("the line is broken"));
  }

  /** Also when it was lost before. */
  onLost(lost: (why: string) => void): void {
    this.#onLost = lost;
    if (this.#lost !== undefined) lost(this.#lost);
  }

  onStop(stop: () => void): void {
    this.#onStop = stop;
  }

  #hear(line: string): void {
    const word = parsed(line);
    this.#first.resolve(word);
    if ((word as { readonly stop?: unknown } | null)?.stop === true) this.#onStop();
    clearTimeout(this.#timer);
    this.#watch();
  }

  #silence: NodeJS.Timeout | undefined;

  #watch(): void {
    clearTimeout(this.#silence);
    const text = `nothing was heard for ${SILENCE_MS / 1000} s`;
    this.#silence = setTimeout(() => this.#lose(text), SILENCE_MS);
    this.#silence.unref();
  }

  #lose(why: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = why;
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#first.reject(new Error(why));
    this.#onLost(why);
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** A console that does not listen any more must not stop us. */
function say(word: ErrandWord): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, FAREWELL_MS).unref();
    process.stdout.write(`${JSON.stringify(word)}\n`, () => resolve());
  });
}
