/** One `vrrp_script` at work: the machine, the process it runs, and who is told. */

import { ScriptTrack, type ScriptAction, type ScriptInput } from "../core/check/script-track.ts";
import type { ScriptSettings } from "../core/vrrp/settings.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { checkScript } from "../drivers/script-facts.ts";
import { runScript, type RunningScript } from "../drivers/script-runner.ts";
import type { Agenda, Sleeper } from "./agenda.ts";
import type { CheckLink } from "./check-role-link.ts";
import type { RoleModel } from "./role-protocol.ts";

export class ScriptCheck implements Sleeper {
  readonly #settings: ScriptSettings;
  readonly #security: RoleModel["scripts"];
  readonly #link: CheckLink;
  readonly #agenda: Agenda;
  readonly #track: ScriptTrack;
  #running: RunningScript | undefined;
  #closed = false;
  /** The problem told last: told once, not at every run. */
  #problem: string | undefined;

  constructor(
    settings: ScriptSettings,
    security: RoleModel["scripts"],
    offsetMs: number,
    at: {
      readonly link: CheckLink;
      readonly agenda: Agenda;
      readonly known: ScriptTrack["report"];
    },
  ) {
    this.#settings = settings;
    this.#security = security;
    this.#link = at.link;
    this.#agenda = at.agenda;
    this.#track = new ScriptTrack(settings, monotonicMs() + offsetMs, at.known);
    this.report();
    this.#agenda.add(this);
  }

  get deadline(): number {
    return this.#track.deadline;
  }

  wake(now: number): void {
    this.#step(now, { type: "woken" });
  }

  /** A listening socket of this machine ended. */
  serviceEnded(now: number): void {
    this.#step(now, { type: "service-ended" });
  }

  /** Tells the verdict, if there is one, once more. */
  report(): void {
    const report = this.#track.report;
    if (report === undefined) return;
    const { name } = this.#settings;
    this.#link.send({ type: "track-changed", kind: "script", name, value: 0, ...report });
  }

  close(): void {
    this.#closed = true;
    this.#agenda.delete(this);
    if (this.#track.running) this.#running?.kill("SIGKILL");
  }

  #step(now: number, input: ScriptInput): void {
    for (const action of this.#track.step(now, input)) this.#perform(action);
    this.#agenda.settle();
  }

  #perform(action: ScriptAction): void {
    switch (action.type) {
      case "run-script":
        this.#run();
        break;
      case "kill-script-group":
        this.#running?.kill(action.signal);
        break;
      case "report-track":
        this.report();
    }
  }

  /** The file is judged anew before every run: it may have been changed since the start. */
  #run(): void {
    const { command, name } = this.#settings;
    const problem = checkScript(command, this.#security);
    if (problem?.reason !== this.#problem && problem !== undefined) {
      const reason = `vrrp_script ${name}: ${problem.reason}`;
      this.#link.tell({ instance: "", kind: "configuration-error", reason });
    }
    this.#problem = problem?.reason;
    if (problem?.kind === "unsafe" && this.#security.enforce) {
      this.#running = undefined;
      setImmediate(() => this.#ended({ kind: "not-started", reason: problem.reason }, ""));
      return;
    }
    this.#running = runScript(command, this.#security, ({ end, output }) => {
      this.#ended(end, output);
    });
  }

  #ended(end: Extract<ScriptInput, { type: "script-ended" }>["end"], output: string): void {
    if (this.#closed) return;
    this.#step(monotonicMs(), { type: "script-ended", end, output });
  }
}
