/**
 * One run of carried connections: two byte streams each, cut anywhere, ended and broken in every
 * way. No byte may be lost before an end, doubled, or reach somebody else; a break must not look like an
 * end; every connection ends.
 */

import { Engine } from "../../core/proxy/engine.ts";
import { Door } from "./door.ts";
import { type MakeEngine, type SimHost, Stage } from "./stage.ts";
import { isCalm, type TcpScenario, type TcpServerPlan } from "./tcp-scenario.ts";
import { TcpSide } from "./tcp-side.ts";
import { ProxyViolation } from "./violation.ts";

export interface TcpRun {
  readonly sessions: number;
  /** Those at which both sides saw all bytes and the end of the other. */
  readonly whole: number;
  readonly events: number;
  readonly virtualMs: number;
}

/** Throws a `ProxyViolation`, or whatever the engine throws. */
export function playTcp(
  scenario: TcpScenario,
  makeEngine: MakeEngine = (now, options) => new Engine(now, options),
): TcpRun {
  return new TcpWorld(scenario, makeEngine).run();
}

class TcpWorld {
  readonly #scenario: TcpScenario;
  readonly #stage: Stage;
  readonly #clients: TcpSide[] = [];
  readonly #connections: TcpSide[] = [];

  constructor(scenario: TcpScenario, makeEngine: MakeEngine) {
    this.#scenario = scenario;
    this.#stage = new Stage(scenario, "tcp", makeEngine);
    for (const plan of scenario.servers) this.#stage.hosts.set(plan.name, this.#host(plan));
    const { queue } = this.#stage;
    for (const [i, plan] of scenario.clients.entries()) {
      queue.at(plan.startMs, () => {
        const wire = this.#stage.open(i, plan.pieces);
        const number = this.#clients.length;
        const partner = (other: number): TcpSide | undefined => this.#connections[other];
        this.#clients.push(new TcpSide(plan, wire, { queue, partner, number, isClient: true }));
      });
    }
  }

  run(): TcpRun {
    const events = this.#stage.run();
    for (const side of [...this.#clients, ...this.#connections]) {
      if (!side.isOver) throw new ProxyViolation("no-answer", `${side.name} waits for ever`);
    }
    if (isCalm(this.#scenario)) this.#checkWhole();
    this.#stage.checkNothingLeft();
    const whole = this.#clients.filter(isWhole).length;
    const { now } = this.#stage.queue;
    return { sessions: this.#clients.length, whole, events, virtualMs: now };
  }

  #host({ name, maxConnections, connections: plans }: TcpServerPlan): SimHost {
    const own: TcpSide[] = [];
    const { queue } = this.#stage;
    const door = new Door({ queue, nature: this.#stage.nature(plans[0]!.pieces) }, (wire, head) => {
      const plan = plans[own.length % plans.length]!;
      const number = this.#connections.length;
      const partner = (other: number): TcpSide | undefined => this.#clients[other];
      const side = new TcpSide(plan, wire, { queue, partner, number, isClient: false }, head);
      own.push(side);
      this.#connections.push(side);
      const busy = own.filter(({ isBusy }) => isBusy).length;
      if (maxConnections === 0 || busy <= maxConnections) return;
      throw new ProxyViolation("max-connections", `${name} has ${busy} connections`);
    });
    const die = (): void => {
      door.manner = "refuse";
      for (const side of own) side.die();
    };
    return { door, die };
  }

  #checkWhole(): void {
    for (const client of this.#clients) {
      if (isWhole(client)) continue;
      const { other, read } = client;
      const what = `${client.name} read ${read} bytes of ${other?.name ?? "nobody"}`;
      const there = other === undefined ? "" : `, which read ${other.read}`;
      throw new ProxyViolation("must-succeed", what + there);
    }
  }
}

function isWhole(side: TcpSide): boolean {
  const { other } = side;
  if (other === undefined || !side.hasEnd || !other.hasEnd) return false;
  return side.read === other.endedAfter && other.read === side.endedAfter;
}
