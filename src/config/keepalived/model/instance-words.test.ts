/** What keepalived 2.2.7 makes of words and of their absence: `keepalived -d` prints it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Reading, readKeepalivedConf } from "../../read-configuration.ts";

interface Draft {
  readonly inside?: string;
  readonly globals?: string;
  readonly address?: string;
}

function read({ inside = "", globals = "", address = "192.0.2.1/24" }: Draft): Reading {
  const text = `global_defs {\n${globals}\n}\nvrrp_instance A {\ninterface eth0\nvirtual_router_id 1\n${inside}\nvirtual_ipaddress {\n${address}\n}\n}\n`;
  const files = { readFile: () => text, glob: () => [] };
  return readKeepalivedConf("f", { hostName: "h" }, files);
}

function instanceOf(draft: Draft) {
  return read(draft).model!.vrrp.instances[0]!;
}

function toldOf(draft: Draft): string {
  return read(draft)
    .diagnostics.map(({ severity, reason }) => `${severity}: ${reason}`)
    .join("\n");
}

test("without a priority, state MASTER means 255, anything else 100", () => {
  assert.equal(instanceOf({}).priority, 100);
  assert.equal(instanceOf({ inside: "state BACKUP" }).priority, 100);
  assert.equal(instanceOf({ inside: "state MASTER" }).priority, 255);
  assert.match(toldOf({ inside: "state MASTER" }), /warning: state MASTER without a priority/u);
  assert.equal(instanceOf({ inside: "state MASTER\npriority 150" }).priority, 150);
  assert.doesNotMatch(toldOf({ inside: "state MASTER\npriority 150" }), /255/u);
});

test("announcements after a weaker advert: as written, else as the node's, never as the instance's", () => {
  const after = (draft: Draft): number[] => {
    const { lowerPriorityDelayMs, lowerPriorityRepeat } = instanceOf(draft).announce;
    return [lowerPriorityDelayMs, lowerPriorityRepeat];
  };
  const own = "garp_master_delay 1\ngarp_master_repeat 2";
  assert.deepEqual(after({ inside: own }), [5000, 5]);
  const wide = "vrrp_garp_master_delay 3\nvrrp_garp_master_repeat 4";
  assert.deepEqual(after({ inside: own, globals: wide }), [3000, 4]);
  assert.deepEqual(after({ inside: "garp_lower_prio_delay 7", globals: wide }), [7000, 4]);
  assert.deepEqual(after({ globals: "vrrp_min_garp" }), [0, 1]);
  assert.deepEqual(after({ inside: "strict_mode on\ngarp_lower_prio_delay 7" }), [0, 0]);
});

test("down_timer_adverts 1 leaves no room for a lease, which is told; nobody is told who has none", () => {
  for (const draft of [
    { inside: "down_timer_adverts 1" },
    { globals: "vrrp_down_timer_adverts 1\nlease on" },
  ]) {
    assert.equal(instanceOf(draft).lease, false);
    assert.match(toldOf(draft), /warning: down_timer_adverts 1 leaves no room for the lease of A/u);
  }
  assert.equal(instanceOf({ inside: "down_timer_adverts 2" }).lease, true);
  assert.doesNotMatch(toldOf({ inside: "down_timer_adverts 1\nlease off" }), /leaves no room/u);
});

test("strict mode waits for three adverts, whatever is written", () => {
  for (const draft of [
    { inside: "strict_mode on\ndown_timer_adverts 5" },
    { globals: "vrrp_strict\nvrrp_down_timer_adverts 1" },
  ]) {
    assert.equal(instanceOf(draft).downTimerAdverts, 3);
    assert.equal(instanceOf(draft).lease, true);
  }
  assert.match(
    toldOf({ inside: "strict_mode on\ndown_timer_adverts 5" }),
    /warning: strict mode waits for three adverts/u,
  );
});

test("of accept and no_accept the last one counts", () => {
  assert.equal(instanceOf({ inside: "accept\nno_accept" }).accept, false);
  assert.equal(instanceOf({ inside: "no_accept\naccept" }).accept, true);
  assert.equal(instanceOf({}).accept, true);
});

test("a multicast group is judged whether it is used or not, and once", () => {
  const globals = "vrrp_mcast_group6 224.0.0.1\nvrrp_mcast_group4 1.2.3.4";
  const told = toldOf({ globals }).split("\n");
  assert.deepEqual(told, [
    "error: 224.0.0.1 is not an IPv6 multicast address",
    "error: 1.2.3.4 is not an IPv4 multicast address",
  ]);
});

test("an address that nobody can share is an error, a group that is joined is not", () => {
  for (const address of ["0.0.0.0/24", "255.255.255.255", "::/64", "::1/128"]) {
    assert.match(toldOf({ address }), /error: \S+ is no address that a machine can share/u);
  }
  for (const address of ["224.0.0.5/24", "ff02::5/64"]) {
    assert.match(toldOf({ address }), /error: \S+ is a multicast address/u);
    assert.doesNotMatch(toldOf({ address: `${address} autojoin` }), /error/u);
  }
});

test("IPv6 without a link-local address first is worth a note, for who asked for the RFC an error", () => {
  const address = "2001:db8::1/64";
  assert.match(toldOf({ address }), /note: .* link-local address first/u);
  assert.match(toldOf({ address, inside: "strict_mode on" }), /error: strict mode wants a link/u);
  assert.doesNotMatch(toldOf({ address: "fe80::1/64" }), /link-local/u);
});

test("words without effect or meaning are told", () => {
  assert.match(toldOf({ inside: "vmac_xmit_base" }), /no effect without use_vmac/u);
  assert.doesNotMatch(toldOf({ inside: "use_vmac\nvmac_xmit_base" }), /no effect/u);
  assert.match(toldOf({ globals: "dynamic_interfaces x" }), /error: 'x' is not an option/u);
  assert.equal(
    read({ globals: "dynamic_interfaces allow_if_changes" }).model!.dynamicInterfaces,
    true,
  );
});

const DEFINITIONS =
  "track_file f {\nfile /f\n}\nbfd_instance b {\nneighbor_ip 192.0.2.9\n}\nvrrp_script s {\nscript /bin/true\nweight -20\n}\nvrrp_script plain {\nscript /bin/true\n}\nvrrp_track_process p {\nprocess nginx\nweight 7\n}\n";

/** A is a member of G with B. */
function member(group: string, inside: string): Reading {
  const one = (name: string, vrid: number, more: string): string =>
    `vrrp_instance ${name} {\ninterface eth0\nvirtual_router_id ${vrid}\npriority 150\n${more}\nvirtual_ipaddress {\n192.0.2.${vrid}\n}\n}\n`;
  const text = `${DEFINITIONS}vrrp_sync_group G {\ngroup {\nA\nB\n}\n${group}\n}\n${one("A", 1, inside)}${one("B", 2, "")}`;
  return readKeepalivedConf("f", { hostName: "h" }, { readFile: () => text, glob: () => [] });
}

function tracksOf({ model }: Reading): string[] {
  return model!.vrrp.instances[0]!.tracks.map(({ name, weight }) => `${name} ${weight}`);
}

test("in a sync group without tracking weight, scripts with a weight are left out, links are FAULT", () => {
  const inside =
    "track_script {\ns\nplain\n}\ntrack_interface {\neth1 weight 5\n}\ntrack_process {\np\n}";
  const read = member("", inside);
  assert.deepEqual(tracksOf(read), ["eth1 0", "plain 0", "p 7"]);
  const told = read.diagnostics.map(({ reason }) => reason).join("\n");
  assert.match(told, /^s of A: .*left out, a failure changes nothing$/mu);
  assert.match(told, /^eth1 of A: .*a failure is a FAULT$/mu);
  const weighted = member("sync_group_tracking_weight", inside);
  assert.deepEqual(tracksOf(weighted), ["eth1 5", "s -20", "plain 0", "p 7"]);
});

test("so are files and BFD sessions that have one of their own", () => {
  const inside = (file: string): string => `track_file {\n${file}\n}\ntrack_bfd {\nb weight 4\n}`;
  assert.deepEqual(tracksOf(member("", inside("f"))), ["f 0"]);
  assert.deepEqual(tracksOf(member("", inside("f weight 3"))), []);
  const weighted = member("sync_group_tracking_weight", inside("f weight 3"));
  assert.deepEqual(tracksOf(weighted), ["f 3", "b 4"]);
});

test("a process without a weight that does not run is a FAULT", () => {
  const text = `${DEFINITIONS}vrrp_track_process q {\nprocess x\n}\n`;
  const files = { readFile: () => text, glob: () => [] };
  const { model } = readKeepalivedConf("f", { hostName: "h" }, files);
  assert.deepEqual(
    model!.vrrp.processes.map(({ weight }) => weight),
    [7, 0],
  );
});

test("what the group tracks is not counted a second time for a member that names it as well", () => {
  const read = member(
    "sync_group_tracking_weight\ntrack_script {\ns weight -5\n}",
    "track_script {\ns\nplain\n}",
  );
  assert.deepEqual(tracksOf(read), ["plain 0"]);
  assert.deepEqual(
    read.model!.vrrp.groups[0]!.tracks.map(({ weight }) => weight),
    [-5],
  );
  assert.match(read.diagnostics.map(({ reason }) => reason).join("\n"), /s of A: G tracks that/u);
});

test("what is tracked twice counts once, as first written", () => {
  const inside = "track_interface {\neth1 weight 5\neth1 weight 9\neth2\n}";
  const tracks = instanceOf({ inside }).tracks.map(({ name, weight }) => `${name} ${weight}`);
  assert.deepEqual(tracks, ["eth1 5", "eth2 0"]);
  assert.match(toldOf({ inside }), /^warning: track_interface names eth1 already in line 8$/mu);
});
