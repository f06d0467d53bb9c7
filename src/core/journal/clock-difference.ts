/**
 * How far apart two clocks are that nobody compared, from what one machine heard of the other. Each
 * pair of a hearing and something that may have been heard gives a difference; those that belong
 * together give nearly the same one, whatever the clocks show, and the rest is scattered.
 */

/** What is heard is acted upon within a skew, a second at most; scripts and journals take a while. */
const WINDOW_MS = 1_500;

export interface DifferenceEvidence {
  /** For each hearing: how much the hearer's clock is ahead, for each thing that it may have heard. */
  readonly heardBySecond: readonly (readonly number[])[];
  /** The same with the roles changed: already with the sign that makes them comparable. */
  readonly heardByFirst: readonly (readonly number[])[];
  /** The difference is certainly not smaller, not larger than that. */
  readonly atLeast: number;
  readonly atMost: number;
  /** What the two wall clocks say: decides where nothing else does. */
  readonly byWall: number;
}

export interface ClockDifference {
  /** Second minus first, ms. */
  readonly ms: number;
  /** Hearings that agree; 0: only bounds and wall clocks. */
  readonly agreeing: number;
}

export function clockDifference(evidence: DifferenceEvidence): ClockDifference {
  const { heardBySecond, heardByFirst, atLeast, atMost, byWall } = evidence;
  const points = [...pointsOf(heardBySecond, "second"), ...pointsOf(heardByFirst, "first")]
    // A little more than the bounds: they are exact, the acting upon a hearing is not.
    .filter(({ ms }) => ms >= atLeast - WINDOW_MS && ms <= atMost + WINDOW_MS)
    .sort((a, b) => a.ms - b.ms);
  const best = densest(points, byWall);
  const ms = best.points.length === 0 ? byWall : middleOf(best.points);
  return { ms: within(ms, atLeast, atMost), agreeing: best.agreeing };
}

/** The window in which most hearings agree; of several the one nearest to what the walls say. */
function densest(
  points: readonly Point[],
  byWall: number,
): { readonly points: readonly Point[]; readonly agreeing: number } {
  const inside = new Map<string, number>();
  let [from, agreeing, farMs] = [0, 0, Infinity];
  let [bestFrom, bestTo] = [0, 0];
  points.forEach(({ ms, hearing }, to) => {
    inside.set(hearing, (inside.get(hearing) ?? 0) + 1);
    for (; ms - points[from]!.ms > WINDOW_MS; from++) {
      const left = inside.get(points[from]!.hearing)! - 1;
      if (left === 0) inside.delete(points[from]!.hearing);
      else inside.set(points[from]!.hearing, left);
    }
    const thisFarMs = Math.abs((points[from]!.ms + ms) / 2 - byWall);
    const isBetter = inside.size > agreeing || (inside.size === agreeing && thisFarMs < farMs);
    if (!isBetter) return;
    [agreeing, farMs, bestFrom, bestTo] = [inside.size, thisFarMs, from, to + 1];
  });
  return { points: points.slice(bestFrom, bestTo), agreeing };
}

interface Point {
  readonly ms: number;
  readonly hearing: string;
  readonly by: "first" | "second";
}

function pointsOf(hearings: readonly (readonly number[])[], by: Point["by"]): Point[] {
  return hearings.flatMap((candidates, i) =>
    candidates.map((ms) => ({ ms, by, hearing: `${by} ${i}` })),
  );
}

/** Delay makes the second's hearings too large and the first's too small: the truth is between. */
function middleOf(points: readonly Point[]): number {
  const large = points.filter(({ by }) => by === "second").map(({ ms }) => ms);
  const small = points.filter(({ by }) => by === "first").map(({ ms }) => ms);
  if (small.length === 0) return Math.min(...large);
  if (large.length === 0) return Math.max(...small);
  return (Math.min(...large) + Math.max(...small)) / 2;
}

function within(ms: number, atLeast: number, atMost: number): number {
  if (atLeast > atMost) return ms;
  if (ms >= atLeast && ms <= atMost) return ms;
  if (Number.isFinite(atLeast) && Number.isFinite(atMost)) return (atLeast + atMost) / 2;
  return ms < atLeast ? atLeast : atMost;
}
