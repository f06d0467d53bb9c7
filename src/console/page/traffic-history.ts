/** The last minutes of traffic, remembered here: a chart is there without asking, also of one server. */

import type { Overview } from "../api.ts";

export interface Sample {
  /** Unix s of the server, as charts want it. */
  readonly at: number;
  /** null: nobody measured. */
  readonly requests: number | null;
  readonly errors: number | null;
  readonly latencyMs: number | null;
}

const MOST_SAMPLES = 600;
/** An overview comes each second: after a longer pause nothing is known of the time between. */
const LONGEST_PAUSE_S = 10;
const NOTHING = { requests: null, errors: null, latencyMs: null };
/** More servers than this and only pools are remembered, and the server that is looked at. */
const MOST_SUBJECTS = 200;

export class TrafficHistory {
  readonly #samples = new Map<string, Sample[]>();
  #watched = "";
  #lastAt = 0;

  /** Samples of one id come even where there are too many for all. */
  watch(id: string): void {
    this.#watched = id;
  }

  add({ nowMs, topology, source }: Overview): void {
    const at = nowMs / 1000;
    if (at - this.#lastAt < 0.9) return;
    const isLate = at - this.#lastAt > LONGEST_PAUSE_S;
    this.#lastAt = at;
    // What a dead control process said last is not measured again.
    const isKnown = source.state === "live";
    const all = topology.nodes.length <= MOST_SUBJECTS;
    const wanted = new Set(
      topology.nodes
        .filter(({ id, layer }) => all || layer !== "server" || id === this.#watched)
        .map(({ id }) => id),
    );
    const sums = new Map<string, Sample>();
    const answered = poolLatencies(topology);
    for (const edge of topology.edges) {
      if (!wanted.has(edge.to)) continue;
      const sum = sums.get(edge.to);
      const known = [sum?.latencyMs, edge.latencyMs, answered.get(edge.to)];
      const latencies = known.filter((ms) => ms !== undefined && ms !== null);
      sums.set(edge.to, {
        at,
        requests: isKnown ? (sum?.requests ?? 0) + edge.requestsPerSecond : null,
        errors: isKnown ? (sum?.errors ?? 0) + edge.errorsPerSecond : null,
        latencyMs: latencies.length === 0 || !isKnown ? null : Math.max(...latencies),
      });
    }
    for (const [id, sample] of sums) {
      const samples = this.#samples.get(id) ?? [];
      if (isLate && samples.length > 0) samples.push({ ...NOTHING, at: at - LONGEST_PAUSE_S / 2 });
      samples.push(sample);
      if (samples.length > MOST_SAMPLES) samples.shift();
      this.#samples.set(id, samples);
    }
    for (const id of this.#samples.keys()) if (!sums.has(id)) this.#samples.delete(id);
  }

  of(id: string): readonly Sample[] {
    return this.#samples.get(id) ?? [];
  }
}

/** Of a pool nobody measures it: what its servers take, by how much each of them does. */
function poolLatencies({ edges }: Overview["topology"]): ReadonlyMap<string, number> {
  const sums = new Map<string, { requests: number; ms: number }>();
  for (const { from, latencyMs, requestsPerSecond: requests } of edges) {
    if (latencyMs === undefined || requests === 0) continue;
    const { requests: all, ms } = sums.get(from) ?? { requests: 0, ms: 0 };
    sums.set(from, { requests: all + requests, ms: ms + latencyMs * requests });
  }
  return new Map([...sums].map(([pool, { requests, ms }]) => [pool, ms / requests]));
}
