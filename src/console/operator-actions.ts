/** Handovers and orders to servers: what is judged by what is known now, and who carries it out. */

import { judgeHandover, judgeServerOrder } from "../core/survival/action-safety.ts";
import type { ServerOrder } from "../daemon/control-api.ts";
import type { ControlClient } from "../daemon/control-client.ts";
import { DEFAULT_RUN_DIRECTORY } from "../daemon/run-directory.ts";
import type { Action, Prospect } from "./actions.ts";
import type { ActionName, ActionRequest } from "./api.ts";
import { holdersOf, membersOf, type GroupFacts } from "./group-view.ts";
import type { PartPool } from "./node-part.ts";
import { poolFacts, say } from "./verdict.ts";

export interface OperatorOptions {
  readonly group: () => GroupFacts;
  readonly client: ControlClient;
  readonly runDirectory: string;
}

type ServerAction = "drain" | "ready" | "maintenance" | "weight";

export function operatorActions(
  options: OperatorOptions,
): Partial<Readonly<Record<ActionName, Action>>> {
  const order = (name: ServerAction): Action => ({
    oneByOne: true,
    look: (request) => lookAtOrder(options, name, request),
    perform: async (request, { who, reason }) => {
      await options.client.order(orderOf(name, request, `${who}: ${reason}`));
      const text = `${request.subject}: ${wordOf(name, request)}`;
      return say("order-given", text, { subject: request.subject, order: name });
    },
  });
  return {
    handover: {
      look: (request) => lookAtHandover(options, request),
      perform: async ({ subject }) => {
        await options.client.handOver(subject);
        return say("handover-asked", `${subject} was asked to hand over`, { subject });
      },
    },
    drain: order("drain"),
    ready: order("ready"),
    maintenance: order("maintenance"),
    weight: order("weight"),
  };
}

function lookAtHandover(options: OperatorOptions, { subject }: ActionRequest): Prospect {
  const group = options.group();
  const instances = group.self?.instances ?? [];
  const asGroup = instances.filter((one) => one.group === subject);
  const named = instances.find((one) => one.name === subject);
  const first = named ?? asGroup[0];
  if (first === undefined) throw new Error(`there is no instance or group '${subject}' here`);
  const together =
    first.group === undefined ? [first] : instances.filter((one) => one.group === first.group);
  const holder = holdersOf(group).find((one) => one.instance === first.name);
  const standbys = holder?.standbys ?? [];
  const isUnknown = standbys.length === 0 && group.apart !== undefined;
  const next = membersOf(group).find(({ name }) => name === standbys[0]);
  const used = new Set(group.self?.pools.map(({ name }) => name));
  const emptyThere = (next?.part?.pools ?? [])
    .filter((pool) => used.has(pool.name) && !pool.servers.some(({ usable }) => usable))
    .map(({ name }) => name);
  const facts = {
    instance: subject,
    together: together.map(({ name }) => name),
    node: group.node,
    holder: holder?.holder,
    rivals: holder?.rivals ?? [],
    standbys: isUnknown ? undefined : standbys,
    emptyThere,
  };
  const command = commandOf(options, ["nines", "handover", subject]);
  return { ...judgeHandover(facts), command, basis: facts };
}

function lookAtOrder(
  options: OperatorOptions,
  name: ServerAction,
  request: ActionRequest,
): Prospect {
  const { subject, weight } = request;
  if (name === "weight" && weight === undefined) throw new Error("say which weight: 0 to 256");
  const pool = options.group().self?.pools.find((one) => subject.startsWith(`${one.name}/`));
  if (pool === undefined) throw new Error(`there is no server '${subject}': write POOL/SERVER`);
  const server = subject.slice(pool.name.length + 1);
  const found = pool.servers.find((one) => one.name === server);
  const consequences = judgeServerOrder({
    pool: poolFacts(pool),
    server,
    order: name,
    now: nowOf(found),
    isIll: found?.state === "down" || found?.isFailing === true,
    ...(weight === undefined ? {} : { weight }),
  });
  // Loads change all the time: whether they fit is judged again, and need not be the same.
  const basis = pool.servers.map((one) => [one.name, one.state, one.usable, one.weight]);
  return { ...consequences, command: commandOf(options, wordsOf(name, request)), basis };
}

function nowOf(server: PartPool["servers"][number] | undefined): "ready" | "drain" | "maintenance" {
  if (server?.state === "drain") return "drain";
  return server?.state === "maint" ? "maintenance" : "ready";
}

function orderOf(name: ServerAction, request: ActionRequest, reason: string): ServerOrder {
  const { subject: server, weight = null, deadlineMs } = request;
  if (name === "weight") return { server, weight };
  const state = name === "maintenance" ? "maint" : name;
  return { server, state, reason, ...(deadlineMs === undefined ? {} : { deadlineMs }) };
}

function wordOf(name: ServerAction, { weight }: ActionRequest): string {
  return name === "weight" ? `weight ${weight ?? "as configured"}` : name;
}

function wordsOf(name: ServerAction, request: ActionRequest): readonly string[] {
  const { subject, weight, deadlineMs } = request;
  if (name === "weight")
    return ["nines", "backend", "weight", subject, String(weight ?? "configured")];
  const verb = name === "maintenance" ? "maint" : name;
  const deadline = deadlineMs === undefined ? [] : ["--deadline", `${deadlineMs}ms`];
  return ["nines", "backend", verb, subject, ...deadline];
}

function commandOf({ runDirectory }: OperatorOptions, words: readonly string[]): string {
  const where = runDirectory === DEFAULT_RUN_DIRECTORY ? [] : ["--run-dir", runDirectory];
  return [...words, ...where].map(quoted).join(" ");
}

/** For a shell: names may hold what it would understand. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
