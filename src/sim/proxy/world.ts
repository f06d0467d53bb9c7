/**
 * One run: clients, the real engine, servers, and everything that goes wrong between them, in
 * virtual time. Oracles bite while it runs and at the end.
 */

import { accessText } from "../../core/proxy/access-line.ts";
import { ACCESS_TEXTS, type AccessRecord } from "../../core/proxy/access-record.ts";
import { Engine } from "../../core/proxy/engine.ts";
import type { LinkEnd } from "./byte-link.ts";
import { SimClient } from "./client.ts";
import { Entry, Ledger } from "./ledger.ts";
import { isIdempotent, type ProxyScenario } from "./scenario.ts";
import { SimServer } from "./server.ts";
import { type MakeEngine, Stage } from "./stage.ts";
import { ProxyViolation } from "./violation.ts";

export interface ProxyRun {
  readonly entries: readonly Entry[];
  readonly events: number;
  readonly virtualMs: number;
}

/** Throws a `ProxyViolation`, or whatever the engine throws. */
export function playProxy(
  scenario: ProxyScenario,
  makeEngine: MakeEngine = (now, options) => new Engine(now, options),
): ProxyRun {
  return new ProxyWorld(scenario, makeEngine).run();
}

class ProxyWorld {
  readonly #scenario: ProxyScenario;
  readonly #stage: Stage;
  readonly #ledger = new Ledger();
  readonly #clients: SimClient[] = [];

  constructor(scenario: ProxyScenario, makeEngine: MakeEngine) {
    this.#scenario = scenario;
    const stage = new Stage(scenario, "http", makeEngine);
    this.#stage = stage;
    stage.told = (record) => this.#noteLogged(record);
    const { queue, prng } = stage;
    const ledger = this.#ledger;
    for (const plan of scenario.servers) {
      const nature = stage.nature(plan.pieces);
      stage.hosts.set(plan.name, new SimServer(plan, { queue, ledger, prng, nature }));
    }
    for (const [i, plan] of scenario.clients.entries()) {
      for (const request of plan.requests) ledger.entries.set(request.id, new Entry(request));
      queue.at(plan.startMs, () => {
        const open = (): LinkEnd => stage.open(i, plan.pieces);
        this.#clients.push(new SimClient(plan, { queue, ledger, prng, open }));
      });
    }
  }

  run(): ProxyRun {
    const events = this.#stage.run();
    this.#checkEnd();
    const entries = [...this.#ledger.entries.values()];
    return { entries, events, virtualMs: this.#stage.queue.now };
  }

  #checkEnd(): void {
    if (this.#clients.some((client) => !client.settled)) {
      throw new ProxyViolation("no-answer", "a client waits for ever");
    }
    for (const entry of this.#ledger.entries.values()) {
      if (entry.outcome === "waiting") {
        throw new ProxyViolation("no-answer", `${entry.plan.id} was never answered`);
      }
      if (entry.isLoggedWell && entry.outcome === "cut") {
        throw new ProxyViolation("false-log", `${entry.plan.id} was cut, and logged as whole`);
      }
      if (isCalm(this.#scenario)) this.#checkSuccess(entry);
    }
    this.#stage.checkNothingLeft();
  }

  #noteLogged(record: AccessRecord): void {
    const id = /^\/(c[\d.]+)\?/.exec(accessText(record, ACCESS_TEXTS.target))?.[1];
    const entry = this.#ledger.entries.get(id ?? "");
    if (entry === undefined) return;
    entry.isLoggedWell = record.cause === "-";
    if (entry.isLoggedWell) return;
    // A connection that breaks takes along what is still on its way of the answers before.
    const client = entry.plan.id.split(".", 1)[0];
    for (const other of this.#ledger.entries.values()) {
      if (other.plan.id.startsWith(`${client}.`)) other.isLoggedWell = false;
    }
  }

  /** Nothing was wrong with servers or clients: no request may notice that there is a proxy. */
  #checkSuccess({ plan, outcome, fromServer, status, deliveries }: Entry): void {
    if (outcome === "answered" && fromServer) return;
    if (outcome === "unsent") return;
    // Behind an answer that ended the connection.
    if (outcome === "cut" && deliveries.length === 0) return;
    // A kept connection that the server was just closing: such a request is not sent again.
    if (!isIdempotent(plan) || plan.bodyLength > this.#scenario.bufferBytes / 2) return;
    throw new ProxyViolation("must-succeed", `${plan.method} ${plan.id}: ${outcome} ${status}`);
  }
}

/** Neither servers nor clients nor the operator do anything that could cost a request. */
function isCalm(scenario: ProxyScenario): boolean {
  const { clients, servers, faults, drainAtMs, queueLimit } = scenario;
  // A server that closes connections before their first request can come.
  if (servers.some(({ keepAliveMs }) => keepAliveMs < 1000)) return false;
  if (faults.length > 0 || drainAtMs >= 0 || queueLimit < 100) return false;
  return clients.every(
    ({ requests, readPauseMs, leavesAfterSent, leavesAfterRead }) =>
      readPauseMs === 0 &&
      leavesAfterSent < 0 &&
      leavesAfterRead < 0 &&
      requests.every(({ answers }) =>
        answers.every(({ fault, when }) => fault.kind === "none" && when === "complete"),
      ),
  );
}
