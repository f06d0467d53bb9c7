/**
 * Would the next failure of one machine be noticed? Every machine that does something for a service is
 * thought away, one after the other; what nobody else can do then is told. It knows nothing of
 * VRRP or HTTP: who does what comes in.
 */

export interface SurvivalFacts {
  readonly service: string;
  readonly addresses: readonly AddressFacts[];
  /** Machines that balance for it now; empty where nothing is balanced. */
  readonly directors: readonly string[];
  readonly pools: readonly PoolFacts[];
}

export interface AddressFacts {
  readonly name: string;
  /** Machine that has it; undefined: none. */
  readonly holder: string | undefined;
  readonly rivals: readonly string[];
  /** Machines that would take it over; undefined: nobody has told. */
  readonly standbys: readonly string[] | undefined;
}

export interface PoolFacts {
  readonly name: string;
  readonly servers: readonly ServerFacts[];
}

export interface ServerFacts {
  readonly name: string;
  readonly machine: string;
  /** Serves now, or would as soon as those before it cannot. */
  readonly isReady: boolean;
  /** Requests at the same time; 0 = no limit. */
  readonly capacity: number;
  readonly active: number;
}

export interface Reason {
  readonly code: string;
  readonly args: Readonly<Record<string, string | number>>;
  readonly text: string;
}

export interface Judgement {
  readonly survives: "yes" | "no" | "unknown";
  /** Each reason against it; when there is none, one for it. */
  readonly why: readonly Reason[];
}

/** Pages and people read a few; the rest is counted. */
const MAX_REASONS = 20;

export function judgeSurvival(facts: SurvivalFacts): Judgement {
  const against: Reason[] = [];
  const unknown: Reason[] = [];
  for (const address of facts.addresses) judgeAddress(address, against, unknown);
  if (facts.addresses.length === 0) judgeDirectors(facts, against);
  for (const pool of facts.pools) against.push(...judgePool(pool));
  if (against.length > 0) {
    return { survives: "no", why: [...against, ...unknown].slice(0, MAX_REASONS) };
  }
  if (unknown.length > 0) return { survives: "unknown", why: unknown.slice(0, MAX_REASONS) };
  const text = "any one machine may fail";
  return { survives: "yes", why: [{ code: "survives", args: {}, text }] };
}

function judgeAddress(
  { name, holder, rivals, standbys }: AddressFacts,
  against: Reason[],
  unknown: Reason[],
): void {
  if (holder === undefined) {
    against.push({ code: "no-holder", args: { name }, text: `nobody holds ${name}` });
    return;
  }
  if (rivals.length > 0) {
    const others = rivals.join(", ");
    const text = `${holder} and ${others} hold ${name} at the same time`;
    against.push({ code: "split-brain", args: { name, holder, others }, text });
  }
  if (standbys === undefined) {
    const text = `whether anybody stands by for ${name} is not known: connect the nodes (nines cert)`;
    unknown.push({ code: "standby-unknown", args: { name }, text });
    return;
  }
  if (standbys.every((machine) => machine === holder)) {
    const text = `nobody stands by for ${name}: with ${holder} it is gone`;
    against.push({ code: "no-standby", args: { name, holder }, text });
  }
}

function judgeDirectors({ service, directors, pools }: SurvivalFacts, against: Reason[]): void {
  const [only, ...others] = new Set(directors);
  if (pools.length === 0 || others.length > 0) return;
  if (only === undefined) {
    const text = `nobody balances ${service}`;
    against.push({ code: "no-director", args: { service }, text });
    return;
  }
  const text = `only ${only} balances ${service}`;
  against.push({ code: "one-director", args: { service, director: only }, text });
}

function judgePool({ name, servers }: PoolFacts): readonly Reason[] {
  const ready = servers.filter((server) => server.isReady);
  const [first] = ready;
  if (first === undefined) {
    return [{ code: "pool-empty", args: { pool: name }, text: `pool ${name}: no server` }];
  }
  if (ready.length === 1) {
    const args = { pool: name, server: first.name };
    const text = `pool ${name} has one server left: ${first.name}`;
    return [{ code: "last-server", args, text }];
  }
  const byMachine = new Map<string, { count: number; capacity: number }>();
  for (const { machine, capacity } of ready) {
    const sum = byMachine.get(machine) ?? { count: 0, capacity: 0 };
    byMachine.set(machine, { count: sum.count + 1, capacity: sum.capacity + capacity });
  }
  if (byMachine.size === 1) {
    const args = { pool: name, machine: first.machine, count: ready.length };
    const text = `all ${ready.length} servers of pool ${name} are on ${first.machine}`;
    return [{ code: "one-machine", args, text }];
  }
  return overload(name, ready, byMachine);
}

/** Only where every server has a limit: otherwise the rest takes whatever comes. */
function overload(
  pool: string,
  ready: readonly ServerFacts[],
  byMachine: ReadonlyMap<string, { readonly capacity: number }>,
): readonly Reason[] {
  if (ready.some(({ capacity }) => capacity === 0)) return [];
  const active = ready.reduce((sum, server) => sum + server.active, 0);
  const capacity = ready.reduce((sum, server) => sum + server.capacity, 0);
  let worst: string | undefined;
  let left = Infinity;
  for (const [machine, lost] of byMachine) {
    if (capacity - lost.capacity >= left) continue;
    left = capacity - lost.capacity;
    worst = machine;
  }
  if (worst === undefined || active <= left) return [];
  const args = { pool, machine: worst, active, left };
  const text = `without ${worst} pool ${pool} takes ${left} requests at once, and there are ${active}`;
  return [{ code: "too-small", args, text }];
}
