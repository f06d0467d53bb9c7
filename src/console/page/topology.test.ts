import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Layer, State, Topology, TopologyNode } from "../api.ts";
import { fixture, FIXTURE_NAMES } from "../fixture.ts";
import { collapse, MOST_OF_A_LAYER, MOST_SERVERS } from "./collapse.ts";
import { fit, layOut, textWidth, type Box, type Picture } from "./layout.ts";
import { groupState } from "./states.ts";

const WIDTHS = [336, 600, 760, 1000, 1400];

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function sound(picture: Picture, what: string): void {
  const { nodes, width, height } = picture;
  nodes.forEach((a, i) => {
    assert.ok(
      a.x >= 0 && a.x + a.width <= width + 0.01,
      `${what}: ${a.shown.id} is inside the width`,
    );
    assert.ok(
      a.y >= 0 && a.y + a.height <= height + 0.01,
      `${what}: ${a.shown.id} is inside the height`,
    );
    for (const b of nodes.slice(i + 1)) {
      assert.ok(!overlap(a, b), `${what}: ${a.shown.id} lies on ${b.shown.id}`);
    }
  });
}

test("no box lies on another or outside, whatever is drawn and however wide the screen is", () => {
  for (const name of FIXTURE_NAMES) {
    for (const width of WIDTHS) {
      sound(layOut(collapse(fixture(name).topology), width), `${name} at ${width}`);
    }
  }
});

const STATES: readonly State[] = ["UP", "DOWN", "DRAINING", "UNKNOWN"];

/** Pools with servers, addresses and directors, tied at random. */
const topologies = fc
  .record({
    addresses: fc.integer({ min: 0, max: 14 }),
    directors: fc.integer({ min: 0, max: 14 }),
    pools: fc.array(fc.array(fc.constantFrom(...STATES), { maxLength: 30 }), { maxLength: 16 }),
    seed: fc.integer({ min: 0, max: 1000 }),
  })
  .map(({ addresses, directors, pools, seed }): Topology => {
    const made = (layer: Layer, name: string, state: State = "UP"): TopologyNode => {
      const id = `${layer} ${name}`;
      return { id, layer, name, state, reason: "", facts: {} };
    };
    const nodes = [
      made("client", "clients"),
      ...Array.from({ length: addresses }, (_, i) => made("address", `VI_${i}`)),
      ...Array.from({ length: directors }, (_, i) => made("director", `lb${i}`)),
      ...pools.flatMap((servers, i) => [
        made("pool", `p${i}`),
        ...servers.map((state, k) => ({
          ...made("server", `p${i}/s${k}`, state),
          parent: `pool p${i}`,
        })),
      ]),
    ];
    const edges = nodes.flatMap(({ id, parent, layer }, i) => {
      const from =
        parent ??
        (layer === "pool" && directors > 0
          ? `director lb${(i * seed) % directors}`
          : layer === "address"
            ? "client"
            : undefined);
      if (from === undefined) return [];
      return [{ from, to: id, isActive: true, requestsPerSecond: 1, errorsPerSecond: 0 }];
    });
    return { nodes, edges };
  });

test("no box lies on another in any topology, and every node is shown or in a group that is", () => {
  fc.assert(
    fc.property(topologies, fc.constantFrom(...WIDTHS), (topology, width) => {
      const drawing = collapse(topology);
      const members = drawing.nodes.flatMap((shown) => shown.members.map(({ id }) => id));
      assert.deepEqual(members.toSorted(), topology.nodes.map(({ id }) => id).toSorted());
      sound(layOut(drawing, width), `${topology.nodes.length} nodes`);
    }),
    { numRuns: 150 },
  );
});

test("traffic is neither lost nor made up when servers are drawn as groups", () => {
  const { topology } = fixture("thousand-servers");
  const sum = (edges: Topology["edges"]): number =>
    edges.reduce((total, edge) => total + edge.requestsPerSecond, 0);
  assert.equal(sum(collapse(topology).edges), sum(topology.edges));
});

test("a thousand servers are one box for each pool; a few are drawn one by one", () => {
  const many = collapse(fixture("thousand-servers").topology).nodes;
  const groups = many.filter(({ layer }) => layer === "server");
  assert.equal(groups.length, 10);
  assert.ok(groups.every(({ isGroup, members }) => isGroup && members.length === 100));
  const few = collapse(fixture("small").topology).nodes;
  assert.equal(few.filter(({ layer, isGroup }) => layer === "server" && !isGroup).length, 3);
  assert.ok(MOST_SERVERS >= 3);
});

test("of too many pools those with trouble stay by themselves", () => {
  const nodes = Array.from({ length: 40 }, (_, i): TopologyNode => {
    const state = i === 33 ? "DOWN" : "UP";
    return { id: `pool p${i}`, layer: "pool", name: `p${i}`, state, reason: "", facts: {} };
  });
  const shown = collapse({ nodes, edges: [] }).nodes;
  assert.ok(shown.length <= MOST_OF_A_LAYER);
  assert.deepEqual(
    shown.map(({ name, members }) => [name, members.length]),
    [
      ["p33", 1],
      ["", 39],
    ],
  );
});

test("layers go from left to right on a wide screen and from top to bottom on a phone", () => {
  const drawing = collapse(fixture("small").topology);
  const middle = (picture: Picture, layer: Layer, axis: "x" | "y"): number => {
    const found = picture.nodes.filter(({ shown }) => shown.layer === layer);
    return found.reduce((total, node) => total + node[axis], 0) / found.length;
  };
  const layers: readonly Layer[] = ["client", "address", "director", "pool", "server"];
  for (const [width, axis] of [
    [1200, "x"],
    [336, "y"],
  ] as const) {
    const picture = layOut(drawing, width);
    const places = layers.map((layer) => middle(picture, layer, axis));
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    );
  }
});

test("servers stand beside their pool and in the order of their numbers", () => {
  const picture = layOut(collapse(fixture("small").topology), 1200);
  const servers = picture.nodes.filter(({ shown }) => shown.layer === "server");
  const names = servers.toSorted((a, b) => a.y - b.y).map(({ shown }) => shown.name);
  assert.deepEqual(names, ["web1", "web2", "web3"]);
  const pool = picture.nodes.find(({ shown }) => shown.layer === "pool")!;
  assert.equal(pool.y, servers.find(({ shown }) => shown.name === "web2")!.y);
});

test("a group is degraded as soon as one fails beside one that is up", () => {
  assert.equal(groupState(["UP", "UP"]), "UP");
  assert.equal(groupState(["UP", "DOWN"]), "DEGRADED");
  assert.equal(groupState(["UP", "MAINTENANCE"]), "UP");
  assert.equal(groupState(["DOWN", "DOWN"]), "DOWN");
  assert.equal(groupState(["DRAINING", "DOWN"]), "DOWN");
});

test("a cut text is never wider than its room", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }),
      fc.integer({ min: 12, max: 300 }),
      (text, room) => {
        assert.ok(textWidth(fit(text, room, 7), 7) <= Math.max(room, 7));
      },
    ),
  );
  assert.equal(fit("web1", 100, 7), "web1");
  assert.equal(fit("a-long-name-of-a-server", 70, 7), "a-long-na…");
});
