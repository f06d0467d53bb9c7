import assert from "node:assert/strict";
import { test } from "node:test";
import type { Overview } from "./api.ts";
import type { GroupFacts, Peer } from "./group-view.ts";
import type { NodePart, PartInstance, PartServer } from "./node-part.ts";
import { NO_EXHIBITS, overviewOf } from "./overview.ts";

const NOW = 1_800_000_000_000;
const CALM = { requests: 10, errors: 0 };

function instance(state: PartInstance["state"], rest: Partial<PartInstance> = {}): PartInstance {
  return {
    name: "VI_1",
    state,
    sinceMs: NOW - 60_000,
    reason: "because",
    addresses: ["192.0.2.10/24"],
    interface: "eth0",
    vrid: 51,
    priority: 100,
    failed: [],
    ...rest,
  };
}

function server(name: string, rest: Partial<PartServer> = {}): PartServer {
  return {
    name,
    endpoint: `${name}.example:80`,
    state: "up",
    reason: "HTTP 200",
    sinceMs: NOW - 60_000,
    usable: true,
    tier: 0,
    weight: 1,
    active: 0,
    capacity: 0,
    latencyMs: 2,
    isFailing: false,
    rate: { requests: 5, errors: 0 },
    ...rest,
  };
}

function part(node: string, rest: Partial<NodePart> = {}): NodePart {
  return {
    format: 1,
    node,
    version: "0.1.0",
    nowMs: NOW,
    source: { state: "live", ageMs: 0, reason: "the control process answers" },
    roles: [{ name: "vrrp", state: "running", restarts: 0 }],
    instances: [instance(node === "a" ? "MASTER" : "BACKUP", node === "a" ? {} : MASTER_IS_A)],
    frontends: [{ name: "web", listening: ["0.0.0.0:80"], rate: CALM }],
    pools: [pool(server("s1"), server("s2"))],
    lastSeq: 1,
    ...rest,
  };
}

const MASTER_IS_A = { master: "10.0.0.1" };
const DOWN = { state: "down", usable: false } as const;

function pool(...servers: readonly PartServer[]): NodePart["pools"][number] {
  const base = { name: "web", algorithm: "two-choices", tier: 0, panic: false, waiting: 0 };
  return { ...base, rate: CALM, servers };
}

const SERVICE = {
  nodes: [
    { name: "a", address: "10.0.0.1" },
    { name: "b", address: "10.0.0.2" },
  ],
  vrrp: { vrrp: { instances: [{ name: "VI_1" }] } },
  balance: { frontends: [{ name: "web", routes: [], defaultPool: "web" }], pools: [] },
  ledger: { services: [] },
} as unknown as NonNullable<GroupFacts["service"]>;

function peer(rest: Partial<Peer> = {}): Peer {
  return { name: "b", address: "10.0.0.2", part: part("b"), ageMs: 500, reason: "ok", ...rest };
}

function seen(group: Partial<GroupFacts> = {}): Overview {
  return overviewOf({
    group: {
      nowMs: NOW,
      node: "a",
      version: "0.1.0",
      self: part("a"),
      peers: [peer()],
      service: SERVICE,
      ...group,
    },
    exhibits: NO_EXHIBITS,
    records: [],
    troubles: [],
  });
}

function stateOf({ topology }: Overview, id: string): string | undefined {
  return topology.nodes.find((node) => node.id === id)?.state;
}

test("a healthy pair is up, survives, and says who holds what", () => {
  const overview = seen();
  assert.equal(overview.verdict.state, "up");
  assert.equal(overview.survival.survives, "yes");
  const [holder] = overview.holders;
  assert.deepEqual([holder?.holder, holder?.standbys, holder?.isSelf], ["a", ["b"], true]);
  assert.deepEqual(
    ["address VI_1", "director a", "director b", "pool web", "server web/s1"].map((id) =>
      stateOf(overview, id),
    ),
    ["UP", "UP", "STANDBY", "UP", "UP"],
  );
  assert.deepEqual(overview.alerts, []);
});

test("traffic goes over the addresses of the holder; the way of the standby is ready and still", () => {
  const edges = seen().topology.edges;
  const flow = (from: string, to: string): unknown => {
    const edge = edges.find((one) => one.from === from && one.to === to);
    return [edge?.isActive, edge?.requestsPerSecond];
  };
  assert.deepEqual(flow("client", "address VI_1"), [true, 10]);
  assert.deepEqual(flow("address VI_1", "director a"), [true, 10]);
  assert.deepEqual(flow("address VI_1", "director b"), [false, 0]);
  assert.deepEqual(flow("pool web", "server web/s1"), [true, 10], "what both directors send");
});

test("the page of a standby says the same of the group as the page of the holder", () => {
  const there = overviewOf({
    group: {
      nowMs: NOW,
      node: "b",
      version: "0.1.0",
      self: part("b"),
      peers: [{ name: "a", address: "10.0.0.1", part: part("a"), ageMs: 1, reason: "ok" }],
      service: SERVICE,
    },
    exhibits: NO_EXHIBITS,
    records: [],
    troubles: [],
  });
  assert.deepEqual(there.verdict, { ...seen().verdict });
  assert.deepEqual(there.survival, seen().survival);
  assert.equal(there.holders[0]?.holder, "a");
});

test("a peer that is silent is unknown with its age, and nobody stands by", () => {
  const overview = seen({ peers: [peer({ ageMs: 95_000, reason: "ECONNREFUSED" })] });
  const node = overview.topology.nodes.find(({ id }) => id === "director b");
  assert.deepEqual([node?.state, node?.ageMs], ["UNKNOWN", 95_000]);
  assert.equal(overview.verdict.state, "up", "users notice nothing");
  assert.equal(overview.survival.survives, "no");
  assert.equal(overview.survival.services[0]?.why[0]?.code, "no-standby");
  assert.equal(overview.nodes[1]?.state, "UNKNOWN");
  assert.match(overview.nodes[1]?.reason ?? "", /1m 35s ago: ECONNREFUSED/u);
  assert.equal(overview.alerts[0]?.sentence.code, "node-unheard");
});

test("nodes that were never connected: whether anybody stands by is not known", () => {
  const never = { name: "b", address: "10.0.0.2", reason: "not connected" };
  const overview = seen({ peers: [never], apart: "not connected" });
  assert.equal(overview.survival.survives, "unknown");
  assert.equal(overview.nodes[1]?.ageMs, undefined);
  assert.deepEqual(overview.alerts, [], "that is a choice, not a fault");
});

test("a dead control process makes its own numbers unknown with their age, never calm", () => {
  const source = { state: "stale", ageMs: 42_000, reason: "ENOENT" } as const;
  const overview = seen({ self: part("a", { source }), peers: [] });
  assert.equal(overview.verdict.state, "unknown");
  assert.match(overview.verdict.sentence.text, /42\.0 s old/u);
  for (const { layer, state, ageMs } of overview.topology.nodes) {
    if (layer === "client") continue;
    assert.deepEqual([layer, state], [layer, "UNKNOWN"]);
    assert.equal(ageMs, 42_000);
  }
  assert.equal(overview.survival.survives, "unknown");
  assert.equal(overview.alerts[0]?.sentence.code, "control-silent");
});

test("control has never answered: everything is unknown and nothing is claimed", () => {
  const { self: _self, ...rest } = { self: undefined };
  const overview = overviewOf({
    group: { nowMs: NOW, node: "a", version: "", peers: [], ...rest },
    exhibits: NO_EXHIBITS,
    records: [],
    troubles: [],
  });
  assert.equal(overview.verdict.state, "unknown");
  assert.equal(overview.survival.survives, "unknown");
  assert.equal(overview.nodes[0]?.state, "UNKNOWN");
});

test("two holders are told as a split brain by whoever sees it", () => {
  const both = seen({ peers: [peer({ part: part("b", { instances: [instance("MASTER")] }) })] });
  assert.equal(both.verdict.state, "degraded");
  assert.deepEqual(both.holders[0]?.rivals, ["b"]);
  assert.equal(stateOf(both, "address VI_1"), "DEGRADED");
  const heard = part("a", { instances: [instance("MASTER", { rival: "10.0.0.2" })] });
  assert.deepEqual(seen({ self: heard, peers: [] }).holders[0]?.rivals, ["b"]);
});

test("what a dead master said before the takeover is no split brain", () => {
  const before = part("b", { instances: [instance("MASTER", { sinceMs: NOW - 90_000 })] });
  const after = part("a", { instances: [instance("MASTER", { sinceMs: NOW - 2_000 })] });
  const overview = seen({ self: after, peers: [peer({ part: before, ageMs: 3_000 })] });
  assert.deepEqual([overview.holders[0]?.holder, overview.holders[0]?.rivals], ["a", []]);
  assert.equal(overview.verdict.state, "up");
  // Its clock is 5 s ahead: it began before ours, and still says so.
  const ahead = part("b", { instances: [instance("MASTER", { sinceMs: NOW + 2_000 })] });
  const both = seen({ peers: [peer({ part: ahead, ageMs: 500, clockOffsetMs: 5_000 })] });
  assert.deepEqual(both.holders[0]?.rivals, ["b"]);
});

test("nobody holds the address: down", () => {
  const fault = part("a", { instances: [instance("FAULT")] });
  const overview = seen({
    self: fault,
    peers: [peer({ part: part("b", { instances: [instance("FAULT")] }) })],
  });
  assert.equal(overview.verdict.state, "down");
  assert.equal(stateOf(overview, "address VI_1"), "DOWN");
  assert.equal(stateOf(overview, "director a"), "DOWN");
});

test("the states of servers have the words of the vocabulary", () => {
  const all = pool(
    server("up"),
    server("unchecked", { state: "unchecked" }),
    server("going", { isFailing: true }),
    server("down", DOWN),
    server("ejected", { state: "ejected", usable: false }),
    server("drain", { state: "drain", usable: false }),
    server("leaving", { state: "leaving", usable: false }),
    server("maint", { state: "maint", usable: false }),
    server("spare", { tier: 1, usable: false }),
  );
  const overview = seen({ self: part("a", { pools: [all] }), peers: [] });
  const states = overview.topology.nodes
    .filter(({ layer }) => layer === "server")
    .map(({ name, state }) => `${name} ${state}`);
  assert.deepEqual(states, [
    "up UP",
    "unchecked UP",
    "going GOING-DOWN",
    "down DOWN",
    "ejected DEGRADED",
    "drain DRAINING",
    "leaving DRAINING",
    "maint MAINTENANCE",
    "spare STANDBY",
  ]);
  assert.equal(stateOf(overview, "pool web"), "DEGRADED");
});

test("no server left is down; one left is up and does not survive", () => {
  const none = seen({ self: part("a", { pools: [pool(server("s1", DOWN))] }), peers: [] });
  assert.equal(none.verdict.state, "down");
  const one = seen({ self: part("a", { pools: [pool(server("s1"), server("s2", DOWN))] }) });
  assert.equal(one.verdict.state, "degraded");
  assert.equal(one.survival.services[0]?.why[0]?.code, "last-server");
});

test("directors that judge a server differently are told", () => {
  const other = peer({ part: part("b", { pools: [pool(server("s1", DOWN), server("s2"))] }) });
  const node = seen({ peers: [other] }).topology.nodes.find(({ id }) => id === "server web/s1");
  assert.deepEqual([node?.state, node?.facts["seenOtherwise"]], ["UP", "b: down"]);
});

test("a certificate of the group that ends soon is somebody's work", () => {
  const soon = peer({ certificateEndsMs: NOW + 20 * 86_400_000 });
  const [alert] = seen({ peers: [soon] }).alerts;
  assert.match(alert?.sentence.text ?? "", /certificate of b ends in 20 days/u);
});

test("a verdict that does not change keeps its beginning", () => {
  const group: GroupFacts = {
    nowMs: NOW,
    node: "a",
    version: "0.1.0",
    self: part("a"),
    peers: [peer()],
    service: SERVICE,
  };
  const facts = { group, exhibits: NO_EXHIBITS, records: [], troubles: [] };
  const before = { state: "up", sinceMs: NOW - 5 } as const;
  assert.equal(overviewOf({ ...facts, before }).verdict.sinceMs, NOW - 5);
  assert.equal(overviewOf({ ...facts, before: { state: "down" } }).verdict.sinceMs, NOW);
});

test("a service is made of what the configuration says; a frontend that no service names stands for itself", () => {
  const frontends = ["web", "api"].map((name) => ({ name, routes: [], defaultPool: name }));
  const shop = { name: "shop", frontends: ["web"], pools: ["web"], instances: ["VI_1"] };
  const service = { ...SERVICE, balance: { frontends, pools: [] }, ledger: { services: [shop] } };
  const api = { ...pool(server("s3", DOWN), server("s4", DOWN)), name: "api" };
  const { pools } = part("a");
  const overview = seen({
    service: service as unknown as NonNullable<GroupFacts["service"]>,
    self: part("a", { pools: [...pools, api] }),
    peers: [peer({ part: part("b", { pools: [...pools, api] }) })],
  });
  assert.deepEqual(
    overview.services.map(({ name, state }) => [name, state]),
    [
      ["shop", "up"],
      ["api", "down"],
    ],
  );
  assert.equal(overview.verdict.sentence.text, "1 service is down: api");
});

test("the priority of a node with one address is a number; of several each is named", () => {
  const priorityOf = ({ topology }: Overview): unknown =>
    topology.nodes.find(({ id }) => id === "director a")?.facts["priority"];
  assert.equal(priorityOf(seen()), "100");
  const two = [instance("MASTER"), instance("MASTER", { name: "VI_2", priority: 50 })];
  assert.equal(priorityOf(seen({ self: part("a", { instances: two }) })), "VI_1 100, VI_2 50");
});
