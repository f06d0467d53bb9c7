import assert from "node:assert/strict";
import { test } from "node:test";
import type { RouteSettings, RuleSettings } from "../../../core/vrrp/settings.ts";
import { readKeepalivedConf } from "../../read-configuration.ts";

const DISK: Readonly<Record<string, string>> = {
  "/etc/iproute2/rt_tables": "# here\n255 local\n100\tdmz # outside\n",
  "/etc/iproute2/rt_tables.d/site.conf": "0xc8 uplink\n",
  "/etc/iproute2/rt_protos": "200 ours\n",
  "/etc/iproute2/rt_realms": "7 guests\n",
  "/etc/protocols": "vrrp\t112\tVRRP\n",
};

interface Read {
  readonly routes: readonly RouteSettings[];
  readonly rules: readonly RuleSettings[];
  readonly told: readonly string[];
}

function read(block: "static_routes" | "static_rules", ...lines: string[]): Read {
  const text = `${block} {\n${lines.join("\n")}\n}\n`;
  const files = {
    readFile: (path: string) => (path === "f" ? text : DISK[path]),
    glob: (pattern: string) =>
      Object.keys(DISK).filter((path) => path.startsWith(pattern.replace("*.conf", ""))),
  };
  const { model, diagnostics } = readKeepalivedConf("f", { hostName: "h" }, files);
  return {
    routes: model?.vrrp.staticRoutes ?? [],
    rules: model?.vrrp.staticRules ?? [],
    told: diagnostics.map((d) => `${d.severity}: ${d.reason}; ${d.next ?? ""}`),
  };
}

function route(line: string): Partial<RouteSettings> {
  const { routes, told } = read("static_routes", line);
  assert.deepEqual(told, []);
  return routes[0]!;
}

function rule(line: string): Partial<RuleSettings> {
  const { rules, told } = read("static_rules", line);
  assert.deepEqual(told, []);
  return rules[0]!;
}

test("routing tables, protocols and realms may be named as iproute2's files name them", () => {
  assert.equal(route("10.0.0.0/8 dev eth0 table dmz").table, 100);
  assert.equal(route("10.0.0.0/8 dev eth0 table uplink").table, 200);
  assert.equal(route("10.0.0.0/8 dev eth0 table main").table, 254);
  assert.equal(route("10.0.0.0/8 dev eth0 protocol ours").protocol, 200);
  assert.equal(route("10.0.0.0/8 dev eth0 realms guests/3").realms, 0x7_0003);
  assert.equal(rule("from 10.0.0.0/8 lookup dmz preference 9").table, 100);
  assert.equal(rule("ipproto vrrp table 5 preference 9").ipProtocol, 112);
});

test("a table that nobody named is a mistake with the nearest name", () => {
  assert.deepEqual(read("static_routes", "10.0.0.0/8 dev eth0 table dmzz").told, [
    "error: the routing table 'dmzz' is not known on this machine; did you mean 'dmz'?",
  ]);
  assert.deepEqual(read("static_rules", "from 10.0.0.1 table far-away preference 1").told, [
    "error: the routing table 'far-away' is not known on this machine; write its number, or name it in /etc/iproute2/rt_tables",
  ]);
});

test("nexthop: each path with its gateway, interface and weight", () => {
  const line =
    "192.168.100.0/24 table 6909 nexthop via 192.168.101.1 dev wlan0 onlink weight 1 nexthop via 192.168.101.2 weight 5";
  const read_ = route(line);
  assert.equal(read_.table, 6909);
  assert.equal(read_.via, undefined);
  assert.deepEqual(read_.paths, [
    { via: "192.168.101.1", interface: "wlan0", weight: 1, onLink: true },
    { via: "192.168.101.2", weight: 5, onLink: false },
  ]);
});

test("via A or B is keepalived's old way to write two paths", () => {
  const line = "192.168.113.0/24 via 192.168.200.254 or 192.168.100.254 dev eth1";
  assert.deepEqual(route(line).paths, [
    { via: "192.168.200.254", interface: "eth1", weight: 1, onLink: false },
    { via: "192.168.100.254", interface: "eth1", weight: 1, onLink: false },
  ]);
});

test("a default route over IPv6 paths is an IPv6 route", () => {
  const read_ = route("default nexthop via inet6 fe80::1 dev eth0 nexthop via fe80::2 dev eth1");
  assert.equal(read_.family, "ipv6");
  assert.equal(read_.destination, "::");
  assert.deepEqual(
    read_.paths!.map((path) => path.via),
    ["fe80::1", "fe80::2"],
  );
});

test("metrics in the kernel's numbers: times in its fractions, locks, features by name", () => {
  const line =
    "10.0.0.0/8 via 10.1.1.1 mtu lock 1400 advmss 1360 rtt 20ms rttvar 10 rto_min 1s features ecn hoplimit 60 congctl reno";
  const read_ = route(line);
  assert.deepEqual(read_.metrics, {
    mtu: 1400,
    advmss: 1360,
    rtt: 160,
    rttvar: 10,
    rto_min: 1000,
    features: 1,
    hoplimit: 60,
  });
  assert.deepEqual(read_.lockedMetrics, ["mtu"]);
  assert.equal(read_.congestionControl, "reno");
  const { told } = read("static_routes", "10.0.0.0/8 via 10.1.1.1 mtu 20ms features warp");
  assert.deepEqual(told, [
    "error: mtu '20ms' is wrong; write a whole number",
    "error: features 'warp' is wrong; known are: ecn tcp_usec_ts",
  ]);
});

test("a route that would mean another thing without one of its words is left out, and told", () => {
  const { routes, told } = read("static_routes", "10.0.0.0/8 encap mpls 100 via inet 10.1.1.1");
  assert.deepEqual(routes, []);
  assert.deepEqual(told, [
    "warning: ignored: this whole route, because of 'encap'; add it with ip route",
  ]);
});

test("every selector and action of a rule is carried out", () => {
  assert.deepEqual(rule("not from 10.0.0.0/8 fwmark 0x10/0xf0 table 9 preference 5 no_track"), {
    family: "ipv4",
    from: { address: "10.0.0.0", prefixLength: 8 },
    priority: 5,
    table: 9,
    mark: 0x10,
    markMask: 0xf0,
    inverted: true,
    tracked: false,
  });
  const line =
    "inet6 uidrange 0-999 ipproto udp sport 53 dport 1024-2048 tos 0x10 tun_id 7 suppress_prefixlength 0 suppress_ifgroup default preference 6";
  const wide = rule(line);
  assert.equal(wide.family, "ipv6");
  assert.deepEqual(wide.users, { first: 0, last: 999 });
  assert.deepEqual(wide.sourcePorts, { first: 53, last: 53 });
  assert.deepEqual(wide.destinationPorts, { first: 1024, last: 2048 });
  assert.equal(wide.ipProtocol, 17);
  assert.equal(wide.typeOfService, 0x10);
  assert.equal(wide.tunnelId, 7);
  assert.equal(wide.suppressPrefixLength, 0);
  assert.equal(wide.suppressInterfaceGroup, 0);
  assert.equal(rule("to 10.0.0.1 type blackhole preference 7").action, "blackhole");
  assert.equal(rule("l3mdev preference 8").action, "l3mdev");
  assert.equal(rule("goto 100 preference 9").gotoPriority, 100);
});

test("ranges and jumps that the kernel would refuse are mistakes", () => {
  const { told } = read(
    "static_rules",
    "sport 9-3 table 1 preference 5",
    "goto 4 preference 5",
    "dport 70000 table 1 preference 5",
  );
  assert.deepEqual(told, [
    "error: the range '9-3' is wrong; write FIRST-LAST, 0 to 65535",
    "error: 'goto 4' would go back; name a rule with a higher preference",
    "error: the range '70000' is wrong; write FIRST-LAST, 0 to 65535",
  ]);
});

const GROUPED = `static_ipaddress {
  10.0.0.1/8 dev eth0 track_group G
}
static_routes {
  10.1.0.0/16 dev eth0 track_group G
}
static_rules {
  from 10.0.0.1 table 9 preference 5 track_group G
}
vrrp_instance A {
  interface eth0
  virtual_router_id 7
  virtual_ipaddress {
    192.0.2.1
  }
}
`;

test("track_group ties instances to the static lines that name it", () => {
  const text = `${GROUPED}track_group G {\n group {\n A\n }\n}\n`;
  const files = { readFile: (path: string) => (path === "f" ? text : undefined), glob: () => [] };
  const { model, diagnostics } = readKeepalivedConf("f", { hostName: "h" }, files);
  assert.deepEqual(diagnostics, []);
  const { vrrp } = model!;
  const tied = [...vrrp.staticAddresses, ...vrrp.staticRoutes, ...vrrp.staticRules];
  assert.deepEqual(
    tied.map((object) => object.trackGroup),
    ["G", "G", "G"],
  );
  const reference = { kind: "static", name: "G", weight: 0, reverse: false };
  assert.deepEqual(vrrp.instances[0]!.tracks, [reference]);
});

test("a track_group that is not there, has strangers in it, or is not named, is told", () => {
  const text = `${GROUPED}track_group H {\n group {\n AA\n }\n}\n`;
  const files = { readFile: (path: string) => (path === "f" ? text : undefined), glob: () => [] };
  const { diagnostics } = readKeepalivedConf("f", { hostName: "h" }, files);
  assert.deepEqual(
    diagnostics.map((d) => `${d.line} ${d.severity}: ${d.reason}; ${d.next ?? ""}`),
    [
      "2 error: there is no track_group G; did you mean 'H'?",
      "5 error: there is no track_group G; did you mean 'H'?",
      "8 error: there is no track_group G; did you mean 'H'?",
      "17 warning: track_group H has no effect: no static line names it; add: track_group H",
      "19 error: there is no vrrp_instance AA; did you mean 'A'?",
    ],
  );
});

test("rules without a preference count down from keepalived's, in each family, static ones first", () => {
  const text = `vrrp_instance A {
interface eth0
virtual_router_id 1
virtual_ipaddress {
192.0.2.1
}
virtual_rules {
from 10.3.0.0/16 table 2
}
}
static_rules {
from 10.1.0.0/16 table 1
from 10.2.0.0/16 table 1 preference 77
from 2001:db8::/32 table 1
}
`;
  const files = { readFile: (path: string) => (path === "f" ? text : undefined), glob: () => [] };
  const { vrrp } = readKeepalivedConf("f", { hostName: "h" }, files).model!;
  const preferences = [...vrrp.staticRules, ...vrrp.instances[0]!.rules].map((r) => r.priority);
  assert.deepEqual(preferences, [16384, 77, 16384, 16383]);
});
