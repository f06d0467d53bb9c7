/** Every word of every drill is told in Chinese: of those that are planned here, and of their refusals. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { facts } from "../../test/kit/drill-facts.ts";
import { catalogue } from "../core/drill/catalogue/catalogue.ts";
import { planFor } from "../core/drill/catalogue/drill-kind.ts";
import type { ProgramFacts, SiteFacts } from "../core/drill/facts.ts";
import { refusals } from "../core/drill/preconditions.ts";
import { DRILL_PATTERNS } from "./drill-reasons-zh.ts";
import { reasonInChinese } from "./reasons-zh.ts";

const program: ProgramFacts = { host: "lb1", kill: [], freeze: [], resume: [], start: [] };
const witnessed = facts.target.instances.map((one) => ({ ...one, hasWitness: true }));
const unasked = facts.target.pools.map((pool) => ({
  ...pool,
  servers: pool.servers.map((one) => ({ ...one, state: "unchecked", worstMs: 300_000 })),
}));
const unleased = facts.target.instances.map((one) => ({ ...one, leaseMs: 0 }));
const unicast = facts.target.instances.map((one) => ({ ...one, isUnicast: true }));

/** Hosts that differ in what drills can do to them. */
const SITES: readonly SiteFacts[] = [
  facts,
  { ...facts, ownDisk: true, programs: { local: program, "web/web1": program } },
  { ...facts, target: { ...facts.target, instances: witnessed }, clock: { file: "/run/clock" } },
  { ...facts, target: { ...facts.target, instances: unicast }, clock: "shared" },
  { ...facts, delay: [{ interface: "eth0", addresses: ["10.0.0.1"] }], standbys: {}, others: [] },
  {
    ...facts,
    links: facts.links.map((link) => ({ ...link, isShaped: true })),
    target: { ...facts.target, pools: [], roles: [], listening: [] },
    delay: "somebody has set a queue on eth0, which netem would replace",
  },
  { ...facts, target: { ...facts.target, pools: unasked, instances: unleased } },
  { ...facts, links: [], target: { ...facts.target, instances: [] } },
];

function assertChinese(text: string): void {
  const chinese = reasonInChinese(text);
  assert.match(chinese, /\p{Script=Han}/u, text);
  // Names of programs, numbers and paths stay; sentences do not.
  assert.doesNotMatch(
    chinese,
    /\b(the|is|of|are|its|and|nothing|nobody|this)\b/u,
    `${text}: ${chinese}`,
  );
}

test("both languages of a pattern have the same values", () => {
  const placesIn = (text: string): readonly string[] =>
    [...text.matchAll(/\{(~?\w+)\}/gu)].map(([, name]) => name!).toSorted();
  for (const [english, chinese] of DRILL_PATTERNS) {
    assert.deepEqual(placesIn(chinese), placesIn(english), english);
  }
});

for (const { name, title, says } of catalogue) {
  test(`the drill ${name} is told in Chinese`, () => {
    assertChinese(title);
    assertChinese(says);
  });
}

test("what drills break, promise and cannot do is told in Chinese", () => {
  const given = { minute: 0, allowOutage: false, allowDanger: false, running: "arp-lost" };
  for (const site of SITES) {
    for (const kind of catalogue) {
      const plan = planFor(kind, site);
      if (typeof plan === "string") {
        assertChinese(plan);
        continue;
      }
      for (const fault of plan.faults) assertChinese(fault.says);
      assertChinese(`as promised: ${plan.promise.text}`);
      const window = { from: 60, to: 61 };
      for (const refusal of refusals(plan, { ...given, facts: site, window })) {
        assertChinese(refusal);
      }
    }
  }
});
