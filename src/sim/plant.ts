/**
 * How a bug is planted around the real router: a wrapper that alters what goes in, what comes
 * out, when it is woken or what it was told to be. The product's code carries no switch for it.
 */

import type { RouterAction, RouterInput } from "../core/vrrp/router-ports.ts";
import type { InstanceSettings, VrrpSettings } from "../core/vrrp/settings.ts";
import type { MakeRouter, RouterMachine } from "./process.ts";

/** What a bug may look at besides the input or the actions at hand. */
export interface Context {
  readonly settings: VrrpSettings;
  /** By instance name, as its state-changed reports told. */
  readonly states: ReadonlyMap<string, string>;
  readonly lastInput: RouterInput["type"];
}

export interface PlantedBug {
  readonly name: string;
  /** One line for the kill table. */
  readonly what: string;
  readonly settings?: (settings: InstanceSettings) => InstanceSettings;
  readonly group?: (settings: VrrpSettings) => VrrpSettings;
  /** What a reload makes of the settings. */
  readonly reload?: (settings: InstanceSettings) => InstanceSettings;
  /** The input as the router gets it; undefined = it never does. */
  readonly input?: (input: RouterInput, context: Context) => RouterInput | undefined;
  readonly actions?: (actions: readonly RouterAction[], context: Context) => RouterAction[];
  /** The wake-up that the process asks for, given the router's own. */
  readonly deadline?: (deadline: number, context: Context) => number;
  /** How far the router's clock is put forward while it is backup, ms. */
  readonly haste?: (settings: InstanceSettings) => number;
}

export function plant(bug: PlantedBug, makeRouter: MakeRouter): MakeRouter {
  return (settings, prng) => {
    const altered = alter(bug, settings);
    return new BuggyRouter(bug, makeRouter(altered, prng), altered);
  };
}

function alter(bug: PlantedBug, settings: VrrpSettings): VrrpSettings {
  const altered = bug.group?.(settings) ?? settings;
  if (bug.settings === undefined) return altered;
  return { ...altered, instances: altered.instances.map(bug.settings) };
}

class BuggyRouter implements RouterMachine {
  readonly #bug: PlantedBug;
  readonly #router: RouterMachine;
  readonly #settings: VrrpSettings;
  readonly #states = new Map<string, string>();
  #lastInput: RouterInput["type"] = "started";
  /** Added to the time that the router is told; never taken back, so that time never runs back. */
  #ahead = 0;

  constructor(bug: PlantedBug, router: RouterMachine, settings: VrrpSettings) {
    this.#bug = bug;
    this.#router = router;
    this.#settings = settings;
  }

  get deadline(): number {
    const own = this.#router.deadline - this.#ahead - this.#haste();
    return this.#bug.deadline?.(own, this.#context()) ?? own;
  }

  step(now: number, input: RouterInput): readonly RouterAction[] {
    this.#lastInput = input.type;
    const seen = this.#bug.input === undefined ? input : this.#bug.input(input, this.#context());
    if (seen === undefined) return [];
    if (input.type === "woken") this.#ahead += this.#haste();
    return this.#pass(this.#router.step(now + this.#ahead, seen));
  }

  reconfigure(now: number, settings: VrrpSettings): readonly RouterAction[] {
    const reloaded = settings.instances.map((s) => this.#bug.reload?.(s) ?? s);
    const altered = alter(this.#bug, { ...settings, instances: reloaded });
    return this.#pass(this.#router.reconfigure(now + this.#ahead, altered));
  }

  #haste(): number {
    const instance = this.#settings.instances[0]!;
    if (this.#states.get(instance.name) !== "BACKUP") return 0;
    return this.#bug.haste?.(instance) ?? 0;
  }

  #pass(actions: readonly RouterAction[]): readonly RouterAction[] {
    const passed = this.#bug.actions?.(actions, this.#context()) ?? actions;
    for (const action of actions) {
      if (action.type !== "report" || action.event.kind !== "state-changed") continue;
      this.#states.set(action.event.instance, action.event.to ?? "");
    }
    return passed;
  }

  #context(): Context {
    return { settings: this.#settings, states: this.#states, lastInput: this.#lastInput };
  }
}
