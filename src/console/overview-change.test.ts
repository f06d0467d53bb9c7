import assert from "node:assert/strict";
import { test } from "node:test";
import { FIXTURE_NOW_MS } from "./fixture-history.ts";
import { FIXTURE_NAMES, fixture } from "./fixture.ts";
import { applyChange, changeBetween, edgeId } from "./overview-change.ts";

test("any overview is made from any other by the change between them", () => {
  for (const from of FIXTURE_NAMES) {
    for (const to of FIXTURE_NAMES) {
      const before = fixture(from);
      const after = { ...fixture(to, "read"), nowMs: FIXTURE_NOW_MS + 1 };
      const change = changeBetween(before, after);
      assert.ok(change !== undefined);
      const made = applyChange(before, JSON.parse(JSON.stringify(change)));
      assert.deepEqual(sorted(made), sorted(after), `${from} to ${to}`);
    }
  }
});

test("nothing but the time differs: there is no change", () => {
  const before = fixture("thousand-servers");
  assert.equal(changeBetween(before, { ...fixture("thousand-servers"), nowMs: 1 }), undefined);
});

test("one server of a thousand changes: the change is small", () => {
  const before = fixture("thousand-servers");
  const nodes = before.topology.nodes.map((node) =>
    node.id === "server web/web5" ? { ...node, state: "DOWN" as const } : node,
  );
  const after = { ...before, topology: { ...before.topology, nodes } };
  const change = changeBetween(before, after);
  assert.deepEqual(
    change?.nodes.map(({ id }) => id),
    ["server web/web5"],
  );
  assert.ok(JSON.stringify(change).length < 400);
  assert.ok(JSON.stringify(before).length > 100_000);
});

function sorted(overview: ReturnType<typeof fixture>): unknown {
  const { nodes, edges } = overview.topology;
  return {
    ...overview,
    nodes: overview.nodes,
    topology: {
      nodes: nodes.toSorted((a, b) => a.id.localeCompare(b.id)),
      edges: edges.toSorted((a, b) => edgeId(a).localeCompare(edgeId(b))),
    },
  };
}
