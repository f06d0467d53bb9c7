/** Clients that mean ill: the others are served, and memory stays bounded. Figures: docs/security.md. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ATTACKS, attackRows } from "../kit/hostile-stage.ts";

const WINDOW_MS = 4000;
/** Machines that run tests are busy; the figures are printed, and measured by the bench. */
const WORST_RATIO = 20;
/** A node process that has done nothing may grow by that much by itself. */
const OWN_GROWTH_MIB = 64;
/** What one attacker may cost: a wire's queue, and a read that could not be passed on. */
const PER_CLIENT_MIB = 0.3;

test("slow, flooding, endless and deaf clients neither starve the others nor fill the memory", async (t) => {
  const seen: string[] = [];
  await attackRows(ATTACKS, WINDOW_MS, (row) => {
    const { kind, clients, calm, attacked, told } = row;
    const ratio = attacked.p99Ms / calm.p99Ms;
    const sizes = `${row.rssBeforeMiB} -> ${row.rssPeakMiB} -> ${row.rssAfterMiB} MiB`;
    t.diagnostic(
      `${clients} ${kind}: p99 ${calm.p99Ms.toFixed(1)} -> ${attacked.p99Ms.toFixed(1)} ms, ` +
        `ratio ${ratio.toFixed(2)}, ${sizes}`,
    );
    seen.push(kind);
    assert.deepEqual(attacked.failures, [], kind);
    const least = Math.min(500, calm.good / WORST_RATIO);
    assert.ok(attacked.good > least, `${kind}: ${attacked.good} requests, ${calm.good} before`);
    assert.ok(told.opened >= clients, `${kind}: only ${told.opened} connections`);
    assert.ok(ratio < WORST_RATIO, `${kind}: p99 ${calm.p99Ms} -> ${attacked.p99Ms} ms`);
    const grown = row.rssPeakMiB - row.rssBeforeMiB;
    assert.ok(grown < OWN_GROWTH_MIB + clients * PER_CLIENT_MIB, `${kind}: ${sizes}`);
    if (kind === "head-flood") assert.ok((told.statuses["431"] ?? 0) > 0);
  });
  assert.equal(seen.length, ATTACKS.length);
});
