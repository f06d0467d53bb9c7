import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Block, EXPONENTIAL, type FailoverCopies, type Part } from "./architecture.ts";
import { withCommonCauses } from "./common-cause.ts";
import { contributionsOf } from "./contributions.ts";
import { estimate } from "./estimate.ts";
import { failoverOf, stateOf } from "./formulas.ts";
import { improvementsOf } from "./improvements.ts";
import { MarkovChain } from "./markov-chain.ts";
import { type MeasuredPart, measuredSubjects, withMeasured } from "./measured.ts";
import { availabilityText, minutesPerYear, nextNine, ninesOf } from "./nines.ts";

const HOUR = 3_600_000;

function part(name: string, mttfHours: number, mttrHours: number): Part {
  return {
    name,
    mttfMs: mttfHours * HOUR,
    mttrMs: mttrHours * HOUR,
    life: EXPONENTIAL,
    repair: EXPONENTIAL,
  };
}

function leaf(name: string, mttfHours = 2000, mttrHours = 4): Block {
  return { kind: "part", part: part(name, mttfHours, mttrHours) };
}

/** A part of that availability, whatever its times are. */
function available(name: string, availability: number): Block {
  return leaf(name, 1000, (1000 * (1 - availability)) / availability);
}

function copies(of: Block, total: number, need: number, crews = total): Block {
  return { kind: "copies", name: `${total} of it`, of, total, need, crews };
}

function pair(patch: Partial<FailoverCopies> = {}, of: Block = leaf("node")): FailoverCopies {
  return {
    kind: "failover",
    name: "pair",
    of,
    total: 2,
    crews: 1,
    switchMs: 3000,
    coverage: 0.99,
    manualMs: HOUR,
    ...patch,
  };
}

function availabilityOf(block: Block): number {
  return 1 - stateOf(withCommonCauses(block)).unavailability;
}

function near(actual: number, expected: number, tolerance: number): void {
  const text = `${actual} is not within ${tolerance} of ${expected}`;
  assert.ok(Math.abs(actual - expected) <= tolerance, text);
}

test("a node that works 2000 h and is repaired for 4 h has 0.998004", () => {
  near(availabilityOf(leaf("node")), 0.998004, 5e-7);
});

test("two of them side by side have 0.99999602, with one crew 0.99999203", () => {
  near(availabilityOf(copies(leaf("node"), 2, 1)), 0.99999602, 5e-9);
  near(availabilityOf(copies(leaf("node"), 2, 1, 1)), 0.99999203, 5e-9);
});

test("two of three have 0.99998806, with one crew 0.99997610", () => {
  near(availabilityOf(copies(leaf("node"), 3, 2)), 0.99998806, 5e-9);
  near(availabilityOf(copies(leaf("node"), 3, 2, 1)), 0.9999761, 5e-9);
});

test("a pair that switches in 3 s with 99 % coverage and by hand in 1 h has 0.99998662", () => {
  near(availabilityOf(pair()), 0.99998662, 3e-8);
});

/** t_fo s, coverage, MTTR h -> minutes a year: switch, uncovered, double fault. */
const PAIRS = [
  [1, 0.99, 4, 0.07, 2.63, 4.19],
  [3, 0.99, 4, 0.22, 2.63, 4.19],
  [30, 0.99, 4, 2.17, 2.63, 4.19],
  [3, 0.9, 4, 0.2, 26.3, 4.19],
  [3, 0.999, 1, 0.22, 0.26, 0.26],
] as const;

for (const [seconds, coverage, mttr, switching, uncovered, double] of PAIRS) {
  test(`a pair with ${seconds} s, ${coverage} and ${mttr} h is as in the published table`, () => {
    const block = pair({ switchMs: seconds * 1000, coverage }, leaf("node", 2000, mttr));
    const state = failoverOf(block);
    // The table adds rates; in the chain a pair that is short of a copy has no switch to miss.
    near(minutesPerYear(state.switching), switching, 0.005 + switching * 0.006);
    near(minutesPerYear(state.uncovered), uncovered, 0.005 + uncovered * 0.006);
    near(minutesPerYear(state.allDown), double, 0.01 + double * 0.006);
  });
}

test("five layers in series add their downtime up", () => {
  // Internet line, directors, web servers, cache, database: 39.7 minutes a year in all.
  const layers = [2e-5, 1.338e-5, 3e-5, 4e-6, 8.12e-6].map((u, i) => available(`${i}`, 1 - u));
  const whole = 1 - availabilityOf({ kind: "series", name: "site", blocks: layers });
  near(minutesPerYear(whole), 39.7, 0.05);
});

/** Availability -> minutes a year, minutes in 30 days: the table of every textbook. */
const DOWNTIME = [
  [0.99, 5256, 432],
  [0.999, 525.6, 43.2],
  [0.9995, 262.8, 21.6],
  [0.9999, 52.56, 4.32],
  [0.99999, 5.256, 0.432],
] as const;

test("downtime is as in the table of the nines", () => {
  for (const [availability, year, month] of DOWNTIME) {
    near(minutesPerYear(1 - availability), year, year * 1e-9);
    near(((1 - availability) * 43_200) / month, 1, 1e-9);
  }
});

test("AWS: two dependencies of 99.99 % leave 99.97 % of a service of 99.99 %", () => {
  // Well-Architected Framework, Reliability Pillar, "Availability with hard dependencies".
  const blocks = ["own", "one", "other"].map((name) => available(name, 0.9999));
  near(availabilityOf({ kind: "series", name: "workload", blocks }), 0.9997, 5e-8);
});

test("AWS: two redundant components of 99.9 % have 99.9999 %", () => {
  // The same, "Availability with redundant components".
  near(availabilityOf(copies(available("component", 0.999), 2, 1)), 0.999999, 1e-12);
});

test("AWS: 150 days between failures and 1 h of repair are 99.97 %", () => {
  // The same, "Availability": MTBF over MTBF plus MTTR.
  near(availabilityOf(leaf("workload", 150 * 24, 1)), 0.9997, 5e-5);
});

test("Google: ten critical dependencies with one nine more use up the whole budget", () => {
  // Treynor, Dahlin, Rau, Beyer, "The Calculus of Service Availability" (ACM Queue 15-2, 2017): the
  // rule of the extra 9.
  const blocks = Array.from({ length: 10 }, (_, i) => available(`dependency ${i}`, 0.99999));
  near(availabilityOf({ kind: "series", name: "service", blocks }), 0.9999, 5e-9);
});

test("a common cause of 5 % adds its share of failures times the repair", () => {
  const plain = copies(leaf("node"), 2, 1);
  assert.ok(plain.kind === "copies");
  const commonCause = { share: 0.05, mttrMs: 4 * HOUR };
  const extra = stateOf(withCommonCauses({ ...plain, commonCause })).unavailability;
  const own = (0.95 * 4) / 2000;
  near(extra, (0.05 * 4) / 2000 + own ** 2, 3e-8);
});

test("blocks nest: what is in a group may be a group", () => {
  const stack: Block = { kind: "series", name: "stack", blocks: [leaf("lb"), leaf("app", 500, 1)] };
  const inner = 1 - (1 - 4 / 2004) * (1 - 1 / 501);
  near(stateOf(copies(stack, 3, 1)).unavailability, inner ** 3, 1e-20);
});

test("ten nines keep their digits", () => {
  const block = copies(available("a", 0.999), 4, 1);
  near(stateOf(block).unavailability / 1e-12, 1, 1e-9);
});

test("the frequency of failures times their mean length is the downtime", () => {
  const {
    outagesPerYear,
    meanOutageMs,
    minutesPerYear: minutes,
  } = estimate({
    name: "x",
    system: copies(leaf("node"), 3, 2),
  });
  near((outagesPerYear * meanOutageMs) / 60_000, minutes, 1e-9);
  // Two of three down, two crews: half the repair of one.
  near(meanOutageMs / HOUR, 2, 0.01);
});

test("Birnbaum's importance of k-of-n and series is what the textbook says", () => {
  const [a, b] = [available("a", 0.99), available("b", 0.9)];
  const of = (block: Block): Map<string, number> =>
    new Map(contributionsOf(block).map(({ part: name, birnbaum }) => [name, birnbaum]));
  const series = of({ kind: "series", name: "s", blocks: [a, b] });
  near(series.get("a")!, 0.9, 1e-9);
  near(series.get("b")!, 0.99, 1e-9);
  const parallel = of({ kind: "parallel", name: "p", need: 1, blocks: [a, b] });
  near(parallel.get("a")!, 0.1, 1e-9);
  near(parallel.get("b")!, 0.01, 1e-9);
});

test("what gives the next nine: for a pair coverage comes before a faster switch", () => {
  const group = pair({ commonCause: { share: 0.02, mttrMs: HOUR } });
  const { single, together } = improvementsOf(group);
  const kinds = single.map(({ change }) => change.kind);
  assert.ok(kinds.indexOf("cover-more") < kinds.indexOf("switch-faster"));
  assert.deepEqual(new Set(kinds), new Set(kinds.toSorted()));
  for (const wanted of ["repair-faster", "add-copy", "add-crew", "no-common-cause"] as const) {
    assert.ok(kinds.includes(wanted), wanted);
  }
  const gains = single.map(({ minutesGained }) => minutesGained);
  assert.deepEqual(
    gains,
    gains.toSorted((x, y) => y - x),
  );
  assert.ok(together.at(-1)!.bringsNine);
});

test("a part that stands alone is offered a second one", () => {
  const { single } = improvementsOf({
    kind: "series",
    name: "site",
    blocks: [leaf("internet", 1000, 1), copies(leaf("web"), 2, 1)],
  });
  const best = single[0]!;
  assert.deepEqual(best.change, { kind: "add-copy", subject: "internet", from: 1, to: 2 });
  assert.ok(best.bringsNine);
});

test("what was measured takes the place of what was written, and is named", () => {
  const written = { name: "x", system: pair() };
  const { architecture, used, unfailing } = withMeasured(written, [
    { subject: "node", observedMs: 1000 * HOUR, failures: 4, downMs: 2 * HOUR },
    { subject: "pair", observedMs: 0, failures: 0, downMs: 0, switches: 20, covered: 19 },
    { subject: "other", observedMs: HOUR, failures: 1, downMs: 1 },
  ]);
  const group = architecture.system as FailoverCopies;
  assert.deepEqual(measuredSubjects(written), ["pair", "node"]);
  assert.equal(group.coverage, 0.95);
  assert.ok(group.of.kind === "part");
  assert.equal(group.of.part.mttfMs, 249.5 * HOUR);
  assert.equal(group.of.part.mttrMs, 0.5 * HOUR);
  assert.deepEqual(
    used.map(({ figure, samples }) => `${figure} ${samples}`),
    ["mttf 4", "mttr 4", "coverage 20"],
  );
  assert.deepEqual(unfailing, []);
});

test("copies that are watched one by one are summed up", () => {
  const { part: one } = leaf("web") as { part: Part };
  const web: Block = { kind: "part", part: { ...one, measuredBy: ["server a", "server b"] } };
  const hours = (subject: string, failures: number): MeasuredPart => {
    return { subject, observedMs: 600 * HOUR, failures, downMs: failures * HOUR };
  };
  const measured = [hours("server a", 3), hours("server b", 0), hours("web", 9)];
  const { used } = withMeasured({ name: "x", system: copies(web, 2, 1) }, measured);
  assert.deepEqual(
    used.map(({ figure, measured: ms, samples }) => [figure, ms / HOUR, samples]),
    [
      ["mttf", (1200 - 3) / 3, 3],
      ["mttr", 1, 3],
    ],
  );
});

test("who never failed keeps what was written", () => {
  const watched = { subject: "node", observedMs: 90 * HOUR, failures: 0, downMs: 0 };
  const written = { name: "x", system: pair() };
  const { architecture, unfailing } = withMeasured(written, [watched]);
  assert.deepEqual(architecture, written);
  assert.deepEqual(unfailing, [{ ...watched, switches: 0, covered: 0 }]);
});

test("a chain of two states is the formula of one part", () => {
  const chain = new MarkovChain(2);
  chain.add(0, 1, 1 / 2000);
  chain.add(1, 0, 1 / 4);
  near(chain.shares()[1]!, 4 / 2004, 1e-15);
});

test("nines are told with the digits that they have", () => {
  assert.equal(availabilityText(1.338e-5), "99.99866 %");
  assert.equal(availabilityText(0.1), "90.00 %");
  near(ninesOf(1e-4), 4, 1e-12);
  near(nextNine(1e-4), 1e-5, 1e-15);
  near(nextNine(2e-4), 1e-4, 1e-14);
});

test("more of anything good is never worse", () => {
  const share = fc.double({ min: 0.5, max: 0.99999, noNaN: true });
  const hours = fc.double({ min: 0.01, max: 100, noNaN: true });
  fc.assert(
    fc.property(share, hours, fc.integer({ min: 2, max: 5 }), (coverage, mttr, total) => {
      const of = leaf("node", 500, mttr);
      const base = pair({ coverage, total, crews: 1, manualMs: mttr * HOUR }, of);
      const whole = stateOf(base).unavailability;
      assert.ok(whole > 0 && whole < 1);
      for (const better of [{ coverage: 1 }, { switchMs: 1 }, { crews: total }]) {
        assert.ok(stateOf({ ...base, ...better }).unavailability <= whole * (1 + 1e-9));
      }
    }),
  );
});
