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
  let best: { points: readonly Point[]; agreeing: number; ms: number } | undefined;
  let from = 0;
  for (let to = 0; to < points.length; to++) {
    while (points[to]!.ms - points[from]!.ms > WINDOW_MS) from++;
    const within = points.slice(from, to + 1);
    const agreeing = new Set(within.map(({ hearing }) => hearing)).size;
    const ms = middleOf(within);
    const isCloser = best !== undefined && Math.abs(ms - byWall) < Math.abs(best.ms - byWall);
    if (
      best === undefined ||
      agreeing > best.agreeing ||
      (agreeing === best.agreeing && isCloser)
    ) {
      best = { points: within, agreeing, ms };
    }
  }
  return { ms: within(best?.ms ?? byWall, atLeast, atMost), agreeing: best?.agreeing ?? 0 };
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
