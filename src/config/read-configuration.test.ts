import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { InstanceSettings } from "../core/vrrp/settings.ts";
import {
  explain,
  explainText,
  readKeepalivedConf,
  type ReadOptions,
} from "./read-configuration.ts";
import { KEYWORDS } from "./schema/schema.ts";
import { pathOf } from "./service/keys.ts";

function read(text: string, options: ReadOptions = {}): ReturnType<typeof readKeepalivedConf> {
  const files = { readFile: (path: string) => (path === "f" ? text : undefined), glob: () => [] };
  return readKeepalivedConf("f", { hostName: "h", environment: {}, seed: 1, ...options }, files);
}

/** An instance with these extra lines; errors fail the test. */
function instance(lines: string, around = ""): InstanceSettings {
  const vip = /virtual_ipaddress\b/u.test(lines) ? "" : "virtual_ipaddress {\n192.0.2.1\n}";
  const text = `${around}\nvrrp_instance A {\ninterface eth0\nvirtual_router_id 7\n${vip}\n${lines}\n}\n`;
  const { model, diagnostics } = read(text);
  assert.ok(model !== undefined, JSON.stringify(diagnostics));
  return model.vrrp.instances[0]!;
}

/** Reasons told about an instance with these extra lines. */
function told(lines: string, around = ""): string[] {
  const text = `${around}\nvrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n192.0.2.1\n}\n${lines}\n}\n`;
  return read(text).diagnostics.map((d) => `${d.severity}: ${d.reason}`);
}

test("a file with nothing in it is a mistake: it may be about to be written anew", () => {
  for (const text of ["", "\n# soon\n", "include conf.d/*.conf"]) {
    const { model, diagnostics } = read(text);
    assert.equal(model, undefined);
    const [only, ...others] = diagnostics.map(({ severity, reason }) => `${severity}: ${reason}`);
    assert.equal(only, "error: nothing is configured here: everything would be stopped");
    assert.deepEqual(others, []);
    assert.ok(read(text, { permissive: true }).model !== undefined, "keepalived runs without");
  }
});

test("an instance that says nothing gets keepalived's defaults, and Nines' safer ones", () => {
  const plain = instance("");
  assert.equal(plain.version, 2);
  assert.equal(plain.priority, 100);
  assert.equal(plain.advertIntervalMs, 1000);
  assert.equal(plain.startAsMaster, false);
  assert.equal(plain.preempt, true);
  assert.equal(plain.accept, true);
  assert.deepEqual(plain.transport, { kind: "multicast", group: "224.0.0.18" });
  assert.equal(plain.announce.repeat, 5);
  assert.equal(plain.announce.delayMs, 5000);
  assert.equal(plain.higherPrioritySendAdvert, true);
  assert.equal(plain.lease, true);
  assert.equal(plain.restoreRemovedAddresses, true);
  assert.equal(plain.fastHandover, true);
  assert.equal(plain.announce.afterSplitMs, 30_000);
});

test("an IPv6 address forces version 3, without DAD and without becoming a source address", () => {
  const six = instance("virtual_ipaddress {\nfe80::1/64\n2001:DB8::1/64\n}");
  assert.equal(six.version, 3);
  assert.equal(six.family, "ipv6");
  assert.deepEqual(six.transport, { kind: "multicast", group: "ff02::12" });
  assert.equal(six.addresses[1]!.address, "2001:db8::1");
  assert.equal(six.addresses[1]!.noDad, true);
  assert.equal(six.addresses[1]!.preferredLifetimeS, 0);
});

test("version 2 counts whole seconds, version 3 hundredths up to 40.95", () => {
  assert.equal(instance("advert_int 0.5").advertIntervalMs, 1000);
  assert.equal(instance("advert_int 3").advertIntervalMs, 3000);
  assert.equal(instance("version 3\nadvert_int 0.01").advertIntervalMs, 10);
  assert.equal(instance("version 3\nadvert_int 40.95").advertIntervalMs, 40_950);
  assert.equal(instance("version 3\nadvert_int .256").advertIntervalMs, 260);
  assert.match(told("version 3\nadvert_int 41")[0]!, /^error: .*too long for version 3/u);
  assert.equal(
    instance("advert_int 0.1", "global_defs {\nvrrp_version 3\n}").advertIntervalMs,
    100,
  );
});

test("nopreempt and preempt_delay need state BACKUP", () => {
  assert.equal(instance("nopreempt").preempt, false);
  assert.equal(instance("state MASTER\nnopreempt").preempt, true);
  assert.equal(instance("priority 255\nnopreempt").preempt, true);
  assert.equal(instance("preempt_delay 2.5").preemptDelayMs, 2500);
  assert.equal(instance("preempt_delay 2\nstate MASTER").preemptDelayMs, 0);
  assert.equal(instance("preempt_delay 2\nnopreempt").preemptDelayMs, 0);
});

test("a password is cut to 8 bytes in version 2 and ignored in version 3", () => {
  const lines = "authentication {\nauth_type PASS\nauth_pass 123456789\n}";
  assert.deepEqual(instance(lines).authentication, { kind: "pass", password: "12345678" });
  assert.deepEqual(instance(`version 3\n${lines}`).authentication, { kind: "none" });
  assert.equal(instance(`state MASTER\n${lines.replace("PASS", "AH")}`).startAsMaster, false);
});

test("auth_hmac reads hexadecimal, text and files, and never tells a secret", () => {
  const hex = "00112233445566778899aabbccddeeff".repeat(2);
  const found = instance(
    `auth_hmac {\nkey 1 hex:${hex}\nkey 9 "${"x".repeat(40)}"\nactive_key 9\nanti_replay monotonic\nmode permissive\n}`,
  ).authentication;
  assert.ok(found.kind === "hmac");
  assert.deepEqual(
    found.keys.map((key) => [key.id, key.secret.length]),
    [
      [1, 32],
      [9, 40],
    ],
  );
  assert.equal(found.activeKeyId, 9);
  assert.equal(found.antiReplay, false);
  assert.equal(found.mode, "permissive");
  assert.equal(found.timeWindowMs, 5000);
  const { diagnostics } = read(
    "vrrp_instance A {\nauth_hmac {\nkey 1 tooshortsecret\nkey 2 hex:zz\n}\n}",
  );
  assert.ok(!JSON.stringify(diagnostics).includes("tooshort"));
  assert.ok(diagnostics.some((d) => d.reason.includes("32 to 64")));
});

test("strict mode keeps its own rules", () => {
  const strict = instance("strict_mode on");
  assert.equal(strict.accept, false);
  assert.equal(strict.lowerPriorityNoAdvert, true);
  assert.equal(strict.higherPrioritySendAdvert, false);
  assert.equal(strict.fastHandover, false);
  assert.equal(strict.announce.lowerPriorityRepeat, 0);
  assert.equal(instance("strict_mode on\npriority 255\nstate MASTER").accept, true);
  assert.equal(instance("strict_mode off", "global_defs {\nvrrp_strict\n}").strict, false);
  assert.match(
    told("strict_mode on\nunicast_peer {\n192.0.2.9\n}")[0]!,
    /^warning: RFC 5798 knows no/u,
  );
});

test("announcements: the instance, then global_defs, then the defaults", () => {
  const around = "global_defs {\nvrrp_garp_master_repeat 3\nvrrp_garp_master_delay 0\n}";
  const { announce } = instance("garp_master_repeat 2", around);
  assert.equal(announce.repeat, 2);
  assert.equal(announce.delayMs, 0);
  assert.equal(announce.lowerPriorityRepeat, 3);
  assert.equal(announce.lowerPriorityDelayMs, 0);
  const minimal = instance("", "global_defs {\nvrrp_min_garp\n}").announce;
  assert.deepEqual([minimal.repeat, minimal.delayMs], [1, 0]);
  const slow = "garp_group {\ngarp_interval 0.002\ninterfaces {\neth1 eth0\n}\n}";
  assert.equal(instance("", slow).announce.arpSpacingMs, 2);
});

test("unicast: TTL limits switch the check of senders on, the own address is refused", () => {
  const open = instance("unicast_peer {\n192.0.2.9\n}").transport;
  assert.ok(open.kind === "unicast" && !open.checkSource && open.ttl === 255);
  const closed = instance("unicast_peer {\n192.0.2.9 min_ttl 250 max_ttl 255\n}").transport;
  assert.ok(closed.kind === "unicast" && closed.checkSource);
  assert.deepEqual(closed.peers, [{ address: "192.0.2.9", minTtl: 250, maxTtl: 255 }]);
  const own = told("unicast_src_ip 192.0.2.9\nunicast_peer {\n192.0.2.9\n}");
  assert.match(own[0]!, /^error: the peer 192\.0\.2\.9 is this node itself/u);
});

test("a script's timeout is its interval, its command has no shell, its weight reaches the track", () => {
  const around = `vrrp_script s {\nscript "/bin/x 'a b' c"\ninterval 3\nweight -20 reverse\nuser bob: :staff\n}`;
  const other = around.replace("vrrp_script s", "vrrp_script t");
  const text = `${around}\n${other}\nvrrp_instance A {\ninterface e\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.1\n}\ntrack_script {\ns\nt weight 5 noreverse\n}\n}\n`;
  const { vrrp } = read(text).model!;
  const [script] = vrrp.scripts;
  assert.deepEqual(script!.command, { argv: ["/bin/x", "a b", "c"], user: "bob", group: "staff" });
  assert.deepEqual([script!.intervalMs, script!.timeoutMs], [3000, 3000]);
  assert.deepEqual(vrrp.instances[0]!.tracks, [
    { kind: "script", name: "s", weight: -20, reverse: true },
    { kind: "script", name: "t", weight: 5, reverse: false },
  ]);
});

test("weights of members of a sync group count as FAULT unless the group says otherwise", () => {
  const member = (name: string, vrid: number): string =>
    `vrrp_instance ${name} {\ninterface eth0\nvirtual_router_id ${vrid}\nvirtual_ipaddress {\n192.0.2.${vrid}\n}\ntrack_interface {\neth1 weight 5\n}\n}\n`;
  const both = member("A", 1) + member("B", 2);
  const group = (extra: string): string => `vrrp_sync_group G {\ngroup {\nA\nB\n}\n${extra}\n}\n`;
  const weights = (text: string): number[] =>
    read(text).model!.vrrp.instances.flatMap((i) => i.tracks.map((track) => track.weight));
  assert.deepEqual(weights(both + group("")), [0, 0]);
  assert.deepEqual(weights(both + group("sync_group_tracking_weight")), [5, 5]);
  assert.deepEqual(weights(both + group("global_tracking")), [5, 5]);
});

test("the same number on one interface is refused unless groups or peers keep them apart", () => {
  const one = (name: string, extra: string): string =>
    `vrrp_instance ${name} {\ninterface eth0\nvirtual_router_id 1\n${extra}\nvirtual_ipaddress {\n192.0.2.1\n}\n}\n`;
  assert.equal(read(one("A", "") + one("B", "")).model, undefined);
  assert.ok(read(one("A", "") + one("B", "mcast_dst_ip 224.0.0.99")).model);
  assert.ok(
    read(one("A", "unicast_peer {\n192.0.2.8\n}") + one("B", "unicast_peer {\n192.0.2.9\n}")).model,
  );
});

test("--permissive skips unknown words with their blocks", () => {
  const text = "nope {\nvrrp_instance\n}\nglobal_defs {\nwhat 1\nrouter_id r\n}\n";
  assert.equal(read("nope {\nx\n}\n").model, undefined);
  assert.ok(read(text.replace("vrrp_instance\n", ""), { permissive: true }).model);
});

test("several global_defs blocks count as one", () => {
  const { model } = read("global_defs {\nrouter_id a\n}\nglobal_defs {\nvrrp_rt_priority 9\n}\n");
  assert.equal(model!.vrrp.routerId, "a");
  assert.equal(model!.processes.vrrp.realtimePriority, 9);
});

test("vrrp_delay_after_boot: what is left of it when the configuration is read", () => {
  const text = "global_defs {\nvrrp_delay_after_boot 20\nvrrp_startup_delay 2\n}\n";
  const delayAfter = (uptimeMs: number): number =>
    read(text, { uptimeMs }).model!.vrrp.startupDelayMs;
  assert.deepEqual(
    [delayAfter(5000), delayAfter(19_000), delayAfter(90_000)],
    [15_000, 2000, 2000],
  );
});

test("garp_extra_if: only where no advert tells the switch of the address", () => {
  const refresh = (inner: string, dev = ""): number => {
    const lines = `${inner}\nvirtual_ipaddress {\n192.0.2.1${dev}\n}`;
    const text = `vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\n${lines}\n}\n`;
    return read(text).model!.vrrp.instances[0]!.announce.refreshMs;
  };
  const unicast = "unicast_peer {\n192.0.2.9\n}";
  assert.equal(refresh("garp_extra_if all 100"), 0);
  assert.equal(refresh("garp_extra_if all 100", " dev eth1"), 100_000);
  assert.equal(refresh("garp_extra_if 100", " dev eth1"), 0);
  assert.equal(refresh("use_vmac\ngarp_extra_if 100", " dev eth1"), 100_000);
  assert.equal(refresh("use_vmac\nvmac_garp_intvl 100"), 0);
  assert.equal(refresh("use_vmac\nvmac_xmit_base\nvmac_garp_intvl 100"), 100_000);
  assert.equal(refresh(`use_vmac\n${unicast}\ngarp_extra_if 100\ngarp_master_refresh 60`), 60_000);
  assert.equal(refresh(`use_vmac\n${unicast}\ngarp_extra_if 0`), 0);
  const wrong = "vrrp_instance A {\ninterface e\nvirtual_router_id 1\ngarp_extra_if all\n}\n";
  const reasons = read(wrong).diagnostics.map((one) => one.reason);
  assert.ok(reasons.some((reason) => reason.startsWith("garp_extra_if takes seconds")));
});

test("bfd_instance: milliseconds, its weight reaches the track, and mistakes have places", () => {
  const session = (inner: string): string => `bfd_instance peer {\n${inner}\n}\n`;
  const tracking = (line: string): string =>
    `vrrp_instance A {\ninterface e\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.1\n}\ntrack_bfd {\n${line}\n}\n}\n`;
  const whole = session("neighbor_ip 192.0.2.2\nmin_rx 20.5\nweight -9 reverse");
  const { vrrp } = read(whole + tracking("peer")).model!;
  const { minRxMs, minTxMs, idleTxMs, multiplier, ttl, maxHops } = vrrp.bfds![0]!;
  assert.deepEqual(
    [minRxMs, minTxMs, idleTxMs, multiplier, ttl, maxHops],
    [20.5, 10, 1000, 5, 255, 0],
  );
  const track = { kind: "bfd", name: "peer", weight: -9, reverse: true };
  assert.deepEqual(vrrp.instances[0]!.tracks, [track]);
  const told = (text: string): string =>
    read(text)
      .diagnostics.map((one) => one.reason)
      .join();
  assert.match(told(tracking("peer")), /track_bfd names 'peer', which is not defined/);
  assert.match(told(session("multiplier 3")), /bfd_instance peer has no neighbour/);
  assert.match(told(session("neighbor_ip 192.0.2.2\nmin_tx 0")), /min_tx must be 1 to 60000/);
  assert.match(told(session("neighbor_ip 192.0.2.2\nsource_ip ::1")), /of two families/);
  const twice = whole + whole.replace("peer", "other");
  assert.match(told(twice), /bfd_instance peer has the neighbour 192\.0\.2\.2 already/);
});

test("a file that cannot be read is one error", () => {
  const { model, diagnostics } = readKeepalivedConf(
    "none",
    {},
    { readFile: () => undefined, glob: () => [] },
  );
  assert.equal(model, undefined);
  assert.equal(diagnostics.length, 1);
});

test("every keyword is explained, and a mistyped one gets a suggestion", () => {
  for (const row of KEYWORDS) assert.ok(explainText(row.name).includes(row.meaning));
  assert.equal(explain("virtual_ipadress").suggestion, "virtual_ipaddress");
  assert.match(explainText("${_ENV HOME}"), /a variable of the environment/u);
  assert.match(explainText("virtual_ipaddress"), /holds +dev brd/u);
  assert.match(explainText("net_namespace_ipvs"), /not carried out/u);
  assert.match(explainText("advert_int"), /unit +seconds[^]*default +1[^]*RFC 9568/u);
});

test("a key is explained by the path that somebody's own file has", () => {
  const found = (name: string): string[] => explain(name).keys.map((key) => pathOf(key));
  const connect = ["pools.NAME.timeouts.connect"];
  assert.deepEqual(found("pools.shop.timeouts.connect"), connect);
  assert.deepEqual(found("pools.timeouts.connect"), connect);
  assert.deepEqual(found("timeouts.connect"), connect);
  assert.deepEqual(found("frontends.www.routes.path"), ["frontends.NAME.routes[].path"]);
  assert.deepEqual(found("shop.weight"), []);
  assert.deepEqual(found("pools.shop.servers[0].weight"), ["pools.NAME.servers[].weight"]);
  assert.deepEqual(found("pools.shop"), ["pools"]);
  assert.deepEqual(found("workers.shop"), []);
});

test("no configuration made of known words makes the reader throw", () => {
  const word = fc.constantFrom(
    ...KEYWORDS.map((row) => row.name),
    "{",
    "}",
    "\n",
    "\n",
    "weight",
    "dev",
  );
  const value = fc.constantFrom(
    "1",
    "-5",
    "0.5",
    "eth0",
    "10.0.0.1/24",
    "fe80::1",
    "on",
    "MASTER",
    '"x y"',
  );
  const block = fc
    .tuple(fc.constantFrom(...KEYWORDS.map((row) => row.name)), fc.array(value, { maxLength: 3 }))
    .map(([name, args]) => `${name} ${args.join(" ")}\n`);
  const inside = fc.array(fc.oneof(block, word, value), { maxLength: 40 }).map((p) => p.join(" "));
  const outer = fc.constantFrom("vrrp_instance A", "global_defs", "virtual_server 10.0.0.1 80", "");
  fc.assert(
    fc.property(outer, inside, (head, body) => {
      const text = head === "" ? body : `${head} {\n${body}\n}\n`;
      const { model, diagnostics } = read(text);
      assert.equal(
        model === undefined,
        diagnostics.some((d) => d.severity === "error"),
      );
    }),
    { numRuns: 3000 },
  );
});

test("use_vmac with a MAC address of one's own; of five numbers the VRID is the sixth", () => {
  assert.deepEqual(instance("use_vmac 02:AA:0:0:0:1").vmac, {
    name: "vrrp.7",
    mac: "02:aa:00:00:00:01",
    sendFromBase: false,
  });
  assert.equal(instance("use_vmac vrrp7 02:00:00:00:aa").vmac?.mac, "02:00:00:00:aa:07");
  assert.equal(instance("use_vmac").vmac?.mac, undefined);
  assert.deepEqual(told("use_vmac 01:00:5e:00:00:12"), [
    "error: 01:00:5e:00:00:12 is not the MAC address of one interface",
  ]);
});

test("track_src_ip is for a source address that was named", () => {
  const lines = "unicast_src_ip 192.0.2.9\nunicast_peer {\n192.0.2.8\n}\ntrack_src_ip";
  assert.equal(instance(lines).trackSource, true);
  assert.deepEqual(told("track_src_ip"), [
    "warning: track_src_ip has no effect: there is no mcast_src_ip or unicast_src_ip",
  ]);
});

test("a link-local witness is asked on the instance's link, or on the one behind its %", () => {
  const lines = "witness {\nfe80::1\nfe80::2%eth1\n192.0.2.254\n}";
  assert.deepEqual(instance(lines).witnesses, ["fe80::1%eth0", "fe80::2%eth1", "192.0.2.254"]);
  assert.deepEqual(told("witness {\n2001:db8::1%eth1\n}"), [
    "error: only a link-local address is one of an interface, not 2001:db8::1",
  ]);
});

test("also_version_2 adds the old version, its password and its whole seconds", () => {
  const password = "authentication {\nauth_type PASS\nauth_pass 1111\n}";
  const both = instance(`version 3\nalso_version_2\nadvert_int 2\n${password}`);
  assert.equal(both.version, 3);
  assert.equal(both.alsoVersion2, true);
  assert.deepEqual(both.authentication, { kind: "pass", password: "1111" });
  assert.deepEqual(told("version 3\nalso_version_2\nadvert_int 0.5"), [
    "warning: version 2 counts whole seconds: 1 s is used",
  ]);
  assert.deepEqual(told("also_version_2"), [
    "error: also_version_2 adds version 2 to version 3, but the version is 2",
  ]);
  const key = "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\n}";
  assert.deepEqual(told(`version 3\nalso_version_2\n${key}`), [
    "error: version 2 has no auth_hmac",
  ]);
});
