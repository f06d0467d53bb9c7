/**
 * The monotonic clocks of several machines, one for each of their lives, brought onto one scale. A wall
 * clock may be hours off or step; a monotonic one is right about every span of its own life.
 */

import { clockDifference, type ClockDifference } from "./clock-difference.ts";
import { type Deeds, type Hearing } from "./hearing.ts";
import type { JournalRecord } from "./record.ts";

/** Hearings of one pair of lives that are looked at: the newest. */
const MAX_HEARINGS = 50;
/** Things that one hearing may have been: the newest. */
const MAX_CANDIDATES = 50;

export interface Life {
  readonly node: string;
  readonly boot: string;
  /** In the order of their numbers. */
  readonly records: JournalRecord[];
  /** Added to a monotonic time it gives Unix ms by the life's own wall clock, its median. */
  readonly wallBaseMs: number;
  /** The same on the common scale. */
  baseMs: number;
}

export function lifeKey({ node, boot }: { readonly node: string; readonly boot: string }): string {
  return `${node} ${boot}`;
}

export interface Sources {
  readonly deeds: Deeds;
  readonly hearings: readonly Hearing[];
  /** The record of a node with that number, if it is there. */
  readonly find: (node: string, seq: number) => JournalRecord | undefined;
  /** Whose wall clock is the scale; absent or without records: the first node's. */
  readonly reference?: string;
}

/** `byNode`: records in the order of their numbers. */
export function livesOf(
  byNode: ReadonlyMap<string, readonly JournalRecord[]>,
  sources: Sources,
): Map<string, Life> {
  const groups = new Map<string, JournalRecord[]>();
  for (const record of [...byNode.values()].flat()) {
    const key = lifeKey(record);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [record]);
    else group.push(record);
  }
  const lives = new Map<string, Life>();
  for (const [key, records] of groups) {
    const { node, boot } = records[0]!;
    const wallBaseMs = median(records.map(({ wallMs, monoMs }) => wallMs - monoMs));
    lives.set(key, { node, boot, records, wallBaseMs, baseMs: wallBaseMs });
  }
  align([...lives.values()], sources);
  return lives;
}

/** From the reference outwards, each life by the neighbour that knows it best. */
function align(lives: readonly Life[], sources: Sources): void {
  const ofReference = lives.filter(({ node }) => node === sources.reference);
  const first = ofReference.at(-1) ?? lives.at(-1);
  if (first === undefined) return;
  const evidence = new Evidence(lives, sources);
  const placed = new Set([first]);
  while (placed.size < lives.length) {
    let best: { life: Life; baseMs: number; agreeing: number } | undefined;
    for (const from of placed) {
      for (const life of evidence.neighbours(from)) {
        if (placed.has(life)) continue;
        const { ms, agreeing } = evidence.difference(from, life);
        // Second minus first on monotonic clocks: what must be taken off the second's.
        if (best === undefined || agreeing > best.agreeing) {
          best = { life, baseMs: from.baseMs - ms, agreeing };
        }
      }
    }
    if (best === undefined) break;
    best.life.baseMs = best.baseMs;
    placed.add(best.life);
  }
  for (const life of lives) if (!placed.has(life)) likeItsSiblings(life, [...placed]);
}

/** A machine whose clock was hours off in one life very likely was so in the next one. */
function likeItsSiblings(life: Life, placed: readonly Life[]): void {
  const siblings = placed.filter(({ node }) => node === life.node);
  const byDistance = (one: Life): number => Math.abs(one.wallBaseMs - life.wallBaseMs);
  const [nearest] = siblings.sort((a, b) => byDistance(a) - byDistance(b));
  if (nearest !== undefined) life.baseMs += nearest.baseMs - nearest.wallBaseMs;
}

class Evidence {
  /** Keys `FIRST\nSECOND`: what the second heard of the first, as differences of monotonic times. */
  readonly #heard = new Map<string, number[][]>();
  /** The second is at most that much ahead of the first. */
  readonly #atMost = new Map<string, number>();
  readonly #lives: ReadonlyMap<string, Life>;
  readonly #differences = new Map<string, ClockDifference>();
  readonly #neighbours = new Map<Life, Set<Life>>();

  constructor(lives: readonly Life[], { deeds, hearings, find }: Sources) {
    this.#lives = new Map(lives.map((life) => [lifeKey(life), life]));
    for (const hearing of hearings) {
      if (hearing.isPrompt) this.#hear(hearing, deeds.of(hearing).slice(-MAX_CANDIDATES));
    }
    for (const { records } of lives) {
      for (const record of records) {
        for (const [node, seq] of Object.entries(record.seen ?? {})) {
          const earlier = find(node, seq);
          if (earlier !== undefined) this.#bound(earlier, record);
        }
      }
    }
  }

  neighbours(life: Life): ReadonlySet<Life> {
    return this.#neighbours.get(life) ?? new Set();
  }

  difference(first: Life, second: Life): ClockDifference {
    const [a, b] = [lifeKey(first), lifeKey(second)];
    const known = this.#differences.get(`${a}\n${b}`);
    if (known !== undefined) return known;
    const found = clockDifference({
      heardBySecond: this.#heard.get(`${a}\n${b}`) ?? [],
      heardByFirst: (this.#heard.get(`${b}\n${a}`) ?? []).map((list) => list.map((ms) => -ms)),
      atMost: this.#atMost.get(`${a}\n${b}`) ?? Infinity,
      atLeast: -(this.#atMost.get(`${b}\n${a}`) ?? Infinity),
      byWall: first.wallBaseMs - second.wallBaseMs,
    });
    this.#differences.set(`${a}\n${b}`, found);
    return found;
  }

  #hear({ record }: Hearing, candidates: readonly JournalRecord[]): void {
    const byLife = new Map<string, number[]>();
    for (const deed of candidates) {
      const life = lifeKey(deed);
      const differences = byLife.get(life);
      if (differences === undefined) byLife.set(life, [record.monoMs - deed.monoMs]);
      else differences.push(record.monoMs - deed.monoMs);
    }
    const hearer = lifeKey(record);
    for (const [life, differences] of byLife) {
      this.#join(life, hearer);
      const key = `${life}\n${hearer}`;
      const all = this.#heard.get(key) ?? [];
      all.push(differences);
      if (all.length > MAX_HEARINGS) all.shift();
      this.#heard.set(key, all);
    }
  }

  /** `earlier` was known when `later` was written. */
  #bound(earlier: JournalRecord, later: JournalRecord): void {
    const [first, second] = [lifeKey(earlier), lifeKey(later)];
    const key = `${first}\n${second}`;
    const difference = later.monoMs - earlier.monoMs;
    this.#atMost.set(key, Math.min(this.#atMost.get(key) ?? Infinity, difference));
    this.#join(first, second);
  }

  #join(one: string, other: string): void {
    const [a, b] = [this.#lives.get(one), this.#lives.get(other)];
    if (a === undefined || b === undefined || a === b) return;
    for (const [x, y] of [[a, b] as const, [b, a] as const]) {
      const set = this.#neighbours.get(x) ?? new Set();
      this.#neighbours.set(x, set.add(y));
    }
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
