/**
 * What an operator's order would do, before it is given: what moves, what is left then, and why it
 * should not be. `override` says that whoever knows better may insist; where it is false there is
 * nothing to insist on.
 */

import type { PoolFacts, Reason, ServerFacts } from "./survival.ts";

export interface Consequences {
  readonly moves: readonly Reason[];
  readonly left: readonly Reason[];
  readonly refused?: { readonly why: Reason; readonly override: boolean };
}

export interface HandoverFacts {
  readonly instance: string;
  /** Every instance that goes with it (its sync group), itself included. */
  readonly together: readonly string[];
  /** Of this machine. */
  readonly node: string;
  readonly holder: string | undefined;
  readonly rivals: readonly string[];
  /** Best first; undefined: nobody has told. */
  readonly standbys: readonly string[] | undefined;
  /** Pools of which the first standby says that nobody serves. */
  readonly emptyThere: readonly string[];
}

export function judgeHandover(facts: HandoverFacts): Consequences {
  const { instance: name, node, holder, rivals, standbys, together, emptyThere } = facts;
  const next = standbys?.[0];
  const who = next ?? "whoever is there";
  const moves = together.map((one) => {
    const text = `${one} goes from ${node} to ${who}`;
    return { code: "moves-address", args: { name: one, from: node, to: who }, text };
  });
  const spare = (standbys ?? []).slice(1);
  const others = [node, ...spare].join(", ");
  const left = [
    {
      code: "standby-then",
      args: { name, others },
      text: `then ${others} ${spare.length > 0 ? "stand" : "stands"} by`,
    },
  ];
  const refuse = (why: Reason, override: boolean): Consequences => ({
    moves: override ? moves : [],
    left: override ? left : [],
    refused: { why, override },
  });
  if (holder !== node) {
    const text =
      holder === undefined
        ? `nobody holds ${name}: there is nothing to hand over`
        : `${holder} holds ${name}: ask there`;
    return refuse({ code: "order-not-ours", args: { name, holder: holder ?? "" }, text }, false);
  }
  if (rivals.length > 0) {
    const text = `${rivals.join(", ")} holds ${name}, too: heal the split first`;
    return refuse(
      { code: "order-split-brain", args: { name, others: rivals.join(", ") }, text },
      true,
    );
  }
  if (standbys === undefined) {
    const text = `whether anybody stands by for ${name} is not known: connect the nodes (nines cert)`;
    return refuse({ code: "order-standby-unknown", args: { name }, text }, true);
  }
  if (next === undefined) {
    const text = `nobody stands by for ${name}: it would come back or be gone`;
    return refuse({ code: "order-no-standby", args: { name }, text }, true);
  }
  if (emptyThere.length > 0) {
    const pools = emptyThere.join(", ");
    const text = `${next} sees no server of pool ${pools}: clients would get errors`;
    return refuse({ code: "order-empty-there", args: { to: next, pools }, text }, true);
  }
  return { moves, left };
}

export interface ServerOrderFacts {
  readonly pool: PoolFacts;
  readonly server: string;
  readonly order: "drain" | "maintenance" | "ready" | "weight";
  /** What it is ordered to be now: `ready`, `drain` or `maintenance`. */
  readonly now: "ready" | "drain" | "maintenance";
  /** Of the order. */
  readonly weight?: number | null;
  /** Its check does not say well. */
  readonly isIll: boolean;
}

export function judgeServerOrder(facts: ServerOrderFacts): Consequences {
  const { pool, server: name, order, now, isIll, weight } = facts;
  const server = pool.servers.find((one) => one.name === name);
  const subject = `${pool.name}/${name}`;
  if (server === undefined) {
    const text = `there is no server ${subject}`;
    const why = { code: "order-no-such-server", args: { server: subject }, text };
    return { moves: [], left: [], refused: { why, override: false } };
  }
  if (order === now) {
    const why = {
      code: "order-already",
      args: { server: subject },
      text: `${subject} is that already`,
    };
    return { moves: [], left: [], refused: { why, override: false } };
  }
  if (order === "ready" || (order === "weight" && weight !== 0)) {
    return { moves: [welcome(subject, isIll, order, weight)], left: leftOf(pool, undefined) };
  }
  const moves = [farewell(subject, server, order)];
  const left = leftOf(pool, name);
  const others = pool.servers.filter((one) => one.name !== name && one.isReady);
  const why = server.isReady ? dangerOf(pool, others, subject) : undefined;
  return why === undefined ? { moves, left } : { moves, left, refused: { why, override: true } };
}

function welcome(
  subject: string,
  isIll: boolean,
  order: "ready" | "weight",
  weight: number | null | undefined,
): Reason {
  if (order === "weight") {
    const to = weight === null || weight === undefined ? "the configured one" : String(weight);
    const text = `${subject} gets the weight ${to}`;
    return { code: "moves-weight", args: { server: subject, weight: to }, text };
  }
  const later = isIll ? " as soon as its check says that it is well" : "";
  const text = `${subject} gets new requests again${later}`;
  return { code: isIll ? "moves-back-later" : "moves-back", args: { server: subject }, text };
}

function farewell(
  subject: string,
  { active }: ServerFacts,
  order: "drain" | "maintenance" | "weight",
): Reason {
  const args = { server: subject, active };
  const texts = {
    drain: `${subject} gets no new requests but those that stick to it; ${active} are at it now`,
    maintenance: `${subject} gets no requests and no checks; ${active} are at it now`,
    weight: `${subject} gets only requests that stick to it; ${active} are at it now`,
  };
  return { code: `moves-away-${order}`, args, text: texts[order] };
}

function leftOf(pool: PoolFacts, without: string | undefined): readonly Reason[] {
  const ready = pool.servers.filter((one) => one.isReady && one.name !== without);
  const args = { pool: pool.name, ready: ready.length, servers: pool.servers.length };
  const text = `${ready.length} of ${pool.servers.length} servers of pool ${pool.name} serve then`;
  const all: Reason[] = [{ code: "left-servers", args, text }];
  if (ready.length === 1) {
    const [{ name: last }] = ready as [ServerFacts];
    const sentence = `the next failure, of ${last}, takes pool ${pool.name} down`;
    all.push({ code: "left-last", args: { pool: pool.name, server: last }, text: sentence });
  }
  return all;
}

function dangerOf(
  pool: PoolFacts,
  others: readonly ServerFacts[],
  subject: string,
): Reason | undefined {
  if (others.length === 0) {
    const text = `${subject} is the last server of pool ${pool.name}: users would get errors`;
    return { code: "order-last-server", args: { server: subject, pool: pool.name }, text };
  }
  if (others.some(({ capacity }) => capacity === 0)) return undefined;
  const capacity = others.reduce((sum, one) => sum + one.capacity, 0);
  const active = pool.servers.reduce((sum, one) => sum + one.active, 0);
  if (active <= capacity) return undefined;
  const text = `the others take ${capacity} requests at once, and there are ${active}`;
  return { code: "order-too-small", args: { pool: pool.name, capacity, active }, text };
}
