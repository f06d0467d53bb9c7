/** Compares what Nines forwarded with what the servers counted and what the clients were told. */

import { markOf } from "./http-mutants.ts";

/** Of Nines' access log. */
export interface Forwarded {
  readonly frontend: string;
  readonly sourcePort: number;
  readonly target: string;
  /** "" = never written for a server. */
  readonly requestId: string;
  readonly status: number;
  /** "" = no server was asked. */
  readonly server: string;
  readonly termination: string;
  readonly reason: string;
}

/** Of a server's own log: one request, refused ones included. */
export interface Counted {
  /** "-" or "": it saw none. */
  readonly id: string;
  /** Its name for the connection. */
  readonly on: string;
  readonly status: number;
}

/** Of one connection of the fuzzer. */
export interface Heard {
  readonly serial: number;
  /** Its own port. */
  readonly from: number;
  readonly seen: readonly string[];
  readonly statuses: readonly number[];
  readonly isStuck: boolean;
}

export interface Verdict {
  readonly servers: readonly ServerVerdict[];
  /** By status and ending. */
  readonly endings: Readonly<Record<string, number>>;
  readonly answered: number;
  /** What must be empty. */
  readonly differences: readonly string[];
}

export interface ServerVerdict {
  readonly server: string;
  readonly forwarded: number;
  /** Ended well: each must have been counted exactly once. */
  readonly complete: number;
  /** Broken off by either side: counted once or not at all. */
  readonly broken: number;
  /** Complete, and refused by the server before it saw an id. */
  readonly refused: number;
  readonly counted: number;
  readonly connections: number;
}

export interface Evidence {
  readonly forwarded: readonly Forwarded[];
  readonly heard: readonly Heard[];
  readonly counted: Readonly<Record<string, readonly Counted[]>>;
}

export function judge({ forwarded, heard, counted }: Evidence): Verdict {
  const differences: string[] = [];
  const servers = Object.entries(counted).map(([server, log]) => {
    const own = forwarded.filter((one) => one.frontend === server && one.server !== "");
    return compare(server, own, log, differences);
  });
  const endings: Record<string, number> = {};
  for (const { status, termination } of forwarded) {
    const key = `${status} ${termination}`;
    endings[key] = (endings[key] ?? 0) + 1;
  }
  const answered = checkAnswers(forwarded, heard, differences);
  // These servers answer everything: who does not has lost its place in the stream.
  for (const one of forwarded) {
    if (one.server === "" || one.termination === "--" || one.status < 500) continue;
    differences.push(`no answer: ${JSON.stringify(one)}`);
  }
  return { servers, endings, answered, differences };
}

/** Both sides name a request by the id that Nines gave it: never the same one twice. */
function compare(
  server: string,
  forwarded: readonly Forwarded[],
  log: readonly Counted[],
  differences: string[],
): ServerVerdict {
  const times = new Map<string, number>();
  for (const { id } of log) times.set(id, (times.get(id) ?? 0) + 1);
  // A server that refuses a head may not say whose it was.
  const nameless = (times.get("-") ?? 0) + (times.get("") ?? 0);
  times.delete("-");
  times.delete("");
  let complete = 0;
  let refused = 0;
  let missing = 0;
  for (const one of forwarded) {
    const count = times.get(one.requestId) ?? 0;
    times.delete(one.requestId);
    const isComplete = one.termination === "--";
    if (isComplete) complete++;
    if (count === 0) missing++;
    if (count === 0 && isComplete && one.status >= 400) refused++;
    else if (isComplete ? count !== 1 : count > 1) {
      differences.push(`${server} counted ${count} times: ${JSON.stringify(one)}`);
    }
  }
  for (const [id, count] of times) {
    differences.push(`${server} counted ${count} that were not forwarded: id '${id}'`);
  }
  if (nameless < refused || nameless > missing) {
    differences.push(`${server} refused ${nameless}, of ${refused} to ${missing} forwarded`);
  }
  checkRefusals(server, log, differences);
  return {
    server,
    forwarded: forwarded.length,
    complete,
    broken: forwarded.length - complete,
    refused,
    counted: log.length,
    connections: new Set(log.map(({ on }) => on)).size,
  };
}

/** Nothing may be read of a connection behind a head that was refused. */
function checkRefusals(server: string, log: readonly Counted[], differences: string[]): void {
  const over = new Set<string>();
  for (const { id, on, status } of log) {
    if (over.has(on)) differences.push(`${server}: ${id} came behind a refused head on ${on}`);
    if (id !== "-" && id !== "") continue;
    over.add(on);
    if (status < 400) differences.push(`${server} served a request without an id on ${on}`);
  }
}

/** Each answer must belong to a request of that very connection, in the order of its requests. */
function checkAnswers(
  forwarded: readonly Forwarded[],
  heard: readonly Heard[],
  differences: string[],
): number {
  const byId = new Map(forwarded.map((one) => [one.requestId, one]));
  let answered = 0;
  for (const connection of heard) {
    if (connection.isStuck) differences.push(`stuck: ${JSON.stringify(connection)}`);
    let last = -1;
    for (const id of connection.seen) {
      answered++;
      const one = byId.get(id);
      if (one === undefined || one.sourcePort !== connection.from) {
        differences.push(`an answer of somebody else: ${id} to ${JSON.stringify(connection)}`);
        continue;
      }
      const [, serial = "", place = ""] = /^\/m(\d+)-(\d)-/.exec(one.target) ?? [];
      // A mutant may have lost its mark.
      if (place === "" || one.target !== markOf(Number(serial), Number(place))) continue;
      if (Number(serial) !== connection.serial || Number(place) <= last) {
        differences.push(`not its answer: ${one.target} in ${JSON.stringify(connection)}`);
      }
      last = Number(place);
    }
  }
  return answered;
}
