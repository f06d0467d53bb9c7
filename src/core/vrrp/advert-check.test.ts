import assert from "node:assert/strict";
import { test } from "node:test";
import { LISTENER_IPV4, Listener } from "../../../test/kit/vrrp-listener.ts";
import { received } from "../../../test/kit/vrrp-segment.ts";
import { hmac, instance, strict, unicast } from "../../../test/kit/vrrp-settings.ts";
import { v2Ah, v2Pass, wireVectors } from "../../../test/kit/vrrp-vectors.ts";
import { AdvertSender } from "./advert-sender.ts";
import { setChecksum } from "./packet.ts";
import type { ReceivedDatagram, RouterAction } from "./router-ports.ts";
import type { InstanceSettings } from "./settings.ts";

const BELIEVED = "believed";
const PRIORITY = 150;

/** The advert of a node with these settings; `change` is what befell it on the way. */
function advert(
  settings: InstanceSettings,
  change: Partial<ReceivedDatagram> = {},
  priority = PRIORITY,
): ReceivedDatagram {
  const sender = new AdvertSender(settings);
  const out: RouterAction[] = [];
  sender.setSource(settings.family === "ipv4" ? "192.0.2.1" : "fe80::1");
  assert(sender.send(priority, 0, out));
  assert(out[0]?.type === "send-datagram");
  return { ...received(out[0]), ...change };
}

/** What an instance in BACKUP says to it; a datagram that it refuses must change nothing. */
function verdict(settings: InstanceSettings, datagram: ReceivedDatagram, wallMs = 0): string {
  const by = new Listener(settings, wallMs);
  const before = by.account;
  const reason = by.hear(datagram);
  const { advertsReceived } = by.status.counters;
  assert.equal(advertsReceived, reason === undefined ? 1 : 0);
  if (reason === undefined) return BELIEVED;
  assert.equal(by.account, before);
  return reason;
}

for (const vector of wireVectors) {
  test(`a backup believes an advert captured elsewhere: ${vector.name}`, () => {
    const by = new Listener(vector.settings, vector.wallMs);
    assert.equal(by.hear(vector.datagram), undefined);
    const { master, advertIntervalMs } = by.status;
    assert.equal(master?.address, vector.datagram.source);
    assert.equal(master?.priority, vector.says.priority);
    assert.equal(advertIntervalMs, vector.says.intervalMs);
  });
}

test("RFC 9568 5.1.1.3: a TTL other than 255 crossed a router and is dropped", () => {
  for (const settings of [instance(), instance({ version: 2 }), instance({ family: "ipv6" })]) {
    for (const ttl of [0, 1, 64, 254]) {
      assert.equal(verdict(settings, advert(settings, { ttl })), "wrong-ttl");
    }
  }
});

test("RFC 9568 5.1.1.2: what was not sent to the group is not for a multicast instance", () => {
  const elsewhere = { destination: LISTENER_IPV4 };
  assert.equal(verdict(instance(), advert(instance(), elsewhere)), "wrong-destination");
});

test("an advert to the group is not for a unicast instance", () => {
  const settings = instance({ transport: unicast(["192.0.2.1"]) });
  assert.equal(verdict(settings, advert(instance())), "wrong-destination");
});

test("RFC 9568 7.1: another version than the configured one is dropped, either way", () => {
  const [two, three] = [instance({ version: 2 }), instance()];
  assert.equal(verdict(three, advert(two)), "wrong-version");
  assert.equal(verdict(two, advert(three)), "wrong-version");
});

test("RFC 9568 7.1: a wrong checksum is dropped", () => {
  const datagram = advert(instance());
  datagram.payload[6]! ^= 1;
  assert.equal(verdict(instance(), datagram), "wrong-checksum");
});

test("both checksum forms of version 3 are believed, whichever is sent", () => {
  for (const theirs of [true, false]) {
    for (const ours of [true, false]) {
      const datagram = advert(instance({ checksumWithPseudoHeader: theirs }));
      assert.equal(verdict(instance({ checksumWithPseudoHeader: ours }), datagram), BELIEVED);
    }
  }
});

test("RFC 9568 7.1: bytes behind the message are dropped where no trailer is agreed on", () => {
  const datagram = advert(instance());
  const payload = new Uint8Array(datagram.payload.length + 6);
  payload.set(datagram.payload);
  assert.equal(verdict(instance(), { ...datagram, payload }), "wrong-length");
});

test("RFC 9568 7.1: an unknown VRID, interface or family has no instance", () => {
  assert.equal(verdict(instance({ vrid: 52 }), advert(instance())), "unknown-vrid");
  assert.equal(verdict(instance(), advert(instance(), { interface: "eth9" })), "unknown-vrid");
  const ipv6 = instance({ family: "ipv6" });
  assert.equal(verdict(instance(), advert(ipv6)), "unknown-vrid");
  assert.equal(verdict(ipv6, advert(instance())), "unknown-vrid");
});

test("RFC 9568 7.1 with erratum 8298: an owner elects as others do, two owners included", () => {
  const owner = new Listener(instance({ priority: 255 }));
  assert.equal(owner.status.state, "MASTER");
  assert.equal(owner.hear(advert(instance(), {}, 255)), undefined);
  assert.equal(owner.status.counters.advertsReceived, 1);
});

test("RFC 5798 7.1: an owner drops all adverts where it is told to", () => {
  const owner = new Listener(instance({ priority: 255, ownerIgnoreAdverts: true }));
  assert.equal(owner.hear(advert(instance(), {}, 255)), "owner-ignores");
  assert.equal(owner.status.state, "MASTER");
});

test("our own advert that came back is dropped", () => {
  assert.equal(verdict(instance(), advert(instance(), { source: LISTENER_IPV4 })), "own-advert");
});

test("an instance that is not running hears nothing", () => {
  const by = new Listener(instance());
  by.router.step(0, { type: "interface-changed", interface: "eth0", exists: true, up: false });
  assert.equal(by.status.state, "FAULT");
  assert.equal(by.hear(advert(instance())), "not-running");
});

test("version 3 with none of our addresses is of others, whose VRID is ours by mistake: dropped", () => {
  const ours = instance({ vips: ["192.0.2.200", "192.0.2.201"] });
  const others = instance({ vips: ["192.0.2.210"] });
  assert.equal(verdict(ours, advert(others)), "address-list-mismatch");
  assert.equal(verdict(ours, advert(others, {}, 255)), BELIEVED);
  assert.equal(verdict({ ...ours, skipCheckAdvertAddresses: true }, advert(others)), BELIEVED);
});

test("RFC 9568 7.1: in version 3 more or fewer addresses are told of and believed", () => {
  const by = new Listener(instance({ vips: ["192.0.2.200", "192.0.2.201"] }));
  const actions = by.give(advert(instance({ vips: ["192.0.2.200"] })));
  assert.equal(by.status.counters.advertsReceived, 1);
  const told = actions.flatMap((a) => (a.type === "report" ? [a.event] : []));
  assert(told.some((e) => e.kind === "rejected" && e.reason.includes("address-list-mismatch")));
});

test("RFC 3768 7.1: in version 2 other addresses are dropped, unless the owner names them", () => {
  const ours = instance({ version: 2, vips: ["192.0.2.200", "192.0.2.201"] });
  const theirs = instance({ version: 2, vips: ["192.0.2.200"] });
  assert.equal(verdict(ours, advert(theirs)), "address-list-mismatch");
  assert.equal(verdict(ours, advert(theirs, {}, 255)), BELIEVED);
  assert.equal(verdict(theirs, advert(ours)), "address-list-mismatch");
  const lenient = { ...ours, skipCheckAdvertAddresses: true };
  assert.equal(verdict(lenient, advert(theirs)), BELIEVED);
});

test("RFC 9568 5.2.5 with erratum 8299: an advert names an address, unless nobody has one", () => {
  for (const version of [2, 3] as const) {
    const empty = instance({ version, addresses: [] });
    assert.equal(verdict(instance({ version }), advert(empty)), "no-addresses");
    assert.equal(verdict(empty, advert(empty)), BELIEVED);
  }
});

test("the order of the addresses does not matter, one named twice does", () => {
  const ours = instance({ version: 2, vips: ["192.0.2.200", "192.0.2.201"] });
  const turned = instance({ version: 2, vips: ["192.0.2.201", "192.0.2.200"] });
  const twice = instance({ version: 2, vips: ["192.0.2.200", "192.0.2.200"] });
  assert.equal(verdict(ours, advert(turned)), BELIEVED);
  assert.equal(verdict(ours, advert(twice)), "address-list-mismatch");
});

test("RFC 3768 7.1: in version 2 another interval is dropped; in version 3 it is learned", () => {
  const [two, slow2] = [1000, 2000].map((ms) => instance({ version: 2, advertIntervalMs: ms }));
  assert.equal(verdict(two!, advert(slow2!)), "interval-mismatch");
  const by = new Listener(instance());
  assert.equal(by.hear(advert(instance({ advertIntervalMs: 2500 }))), undefined);
  assert.equal(by.status.advertIntervalMs, 2500);
});

test("RFC 9568 5.2.9 with erratum 8300: strict wants the first IPv6 address link-local", () => {
  const vips = ["2001:db8::200", "fe80::200"];
  const theirs = advert(instance({ family: "ipv6", vips }));
  assert.equal(verdict(strict({ family: "ipv6", vips: ["fe80::200"] }), theirs), "not-link-local");
  // keepalived sends such adverts for groups without a link-local address: not strict, believed.
  assert.equal(verdict(instance({ family: "ipv6", vips }), theirs), BELIEVED);
});

test("RFC 3768 7.1: the authentication type must be the configured one", () => {
  const none = instance({ version: 2 });
  const pass = instance({ version: 2, authentication: { kind: "pass", password: "abc" } });
  assert.equal(verdict(none, advert(pass)), "auth-type-mismatch");
  assert.equal(verdict(pass, advert(none)), "auth-type-mismatch");
  assert.equal(verdict(pass, advert(pass)), BELIEVED);
});

test("RFC 2338 5.3.6.1: the password must be the same in its first eight bytes", () => {
  const pass = (password: string): InstanceSettings => ({
    ...v2Pass.settings,
    authentication: { kind: "pass", password },
  });
  const { datagram } = v2Pass;
  assert.equal(verdict(pass("s3cr3t13"), datagram), "auth-password-mismatch");
  assert.equal(verdict(pass("s3cr3t1"), datagram), "auth-password-mismatch");
  assert.equal(verdict(pass("s3cr3t12 and more"), datagram), BELIEVED);
});

test("the authentication header must be there where it is configured, and only there", () => {
  const bare = instance({ version: 2, vrid: 12, vips: ["192.0.2.203"] });
  assert.equal(verdict(v2Ah.settings, advert(bare)), "ah-missing");
  assert.equal(verdict(bare, v2Ah.datagram), "ah-unexpected");
});

test("RFC 2338 5.3.6: within an authentication header the type must say so", () => {
  const { ipHeader, payload } = v2Ah.datagram;
  const packet = Uint8Array.of(...ipHeader!, ...payload);
  packet[44 + 4] = 0;
  setChecksum(packet, 44, packet.length - 44, 0);
  const { ah } = new AdvertSender(v2Ah.settings);
  ah!.nextSequence(v2Ah.wallMs);
  ah!.sign(packet, packet.length);
  const datagram = { ...v2Ah.datagram, payload: packet.subarray(20) };
  assert.equal(verdict(v2Ah.settings, datagram), "auth-type-mismatch");
});

test("an HMAC trailer is refused where none is configured", () => {
  const signed = advert(instance({ authentication: hmac() }));
  assert.equal(verdict(instance(), signed), "wrong-length");
});

test("unicast: any TTL from a stranger, the peer's own range from a peer", () => {
  const peers = [{ address: "192.0.2.1", minTtl: 250, maxTtl: 254 }];
  const settings = instance({ transport: unicast([], { peers }) });
  const source = "192.0.2.1";
  const from = (ttl: number, at = source): ReceivedDatagram => {
    const sender = instance({ transport: unicast([LISTENER_IPV4]) });
    return { ...advert({ ...sender, checksumWithPseudoHeader: false }), ttl, source: at };
  };
  assert.equal(verdict(settings, from(249)), "wrong-ttl");
  assert.equal(verdict(settings, from(250)), BELIEVED);
  assert.equal(verdict(settings, from(254)), BELIEVED);
  assert.equal(verdict(settings, from(255)), "wrong-ttl");
  assert.equal(verdict(settings, from(3, "192.0.2.9")), BELIEVED);
});

test("unicast with check_unicast_src: a stranger is refused", () => {
  const transport = unicast(["192.0.2.7"], { checkSource: true });
  const theirs = advert(instance({ transport: unicast([LISTENER_IPV4]) }));
  assert.equal(verdict(instance({ transport }), theirs), "unknown-source");
});

test("RFC 9568 7.1: every refusal is counted, and told once a minute for a reason", () => {
  const by = new Listener(instance());
  const told = (datagram: ReceivedDatagram): number =>
    by.give(datagram).filter((a) => a.type === "report" && a.event.kind === "rejected").length;
  const far = advert(instance(), { ttl: 254 });
  assert.deepEqual([told(far), told(far), told(far)], [1, 0, 0]);
  const other = advert(instance({ version: 2 }));
  assert.deepEqual([told(other), told(far)], [1, 0]);
  by.pass(59_999);
  assert.equal(told(far), 0);
  by.pass(1);
  assert.equal(told(far), 1);
  const { rejected } = by.router.status(by.now);
  assert.equal(rejected["wrong-ttl"], 6);
  assert.equal(rejected["wrong-version"], 1);
});

test("a VRID that no instance has is counted each time, and told once a day", () => {
  const by = new Listener(instance());
  const told = (datagram: ReceivedDatagram): string[] =>
    by.give(datagram).flatMap((a) => (a.type === "report" ? [a.event.reason] : []));
  const stranger = advert(instance({ vrid: 52 }));
  const said = "192.0.2.1 sends adverts of VRID 52 for IPv4 on eth0: no instance here has it";
  assert.deepEqual([told(stranger), told(stranger)], [[said], []]);
  assert.deepEqual(told(advert(instance({ vrid: 53 }))), [said.replace("52", "53")]);
  const ipv6 = "fe80::1 sends adverts of VRID 51 for IPv6 on eth0: no instance here has it";
  assert.deepEqual(told(advert(instance({ family: "ipv6" }))), [ipv6]);
  by.pass(24 * 3_600_000 - 1);
  assert.deepEqual(told(stranger), []);
  by.pass(1);
  assert.deepEqual(told(stranger), [said]);
  assert.equal(by.router.status(by.now).rejected["unknown-vrid"], 6);
});

test("refusals, told every minute, push no decision out of what is remembered", () => {
  const by = new Listener(instance());
  by.takeOver();
  const far = advert(instance(), { ttl: 254 }, 1);
  for (let minutes = 0; minutes < 100; minutes++) {
    by.give(far);
    by.pass(60_000);
  }
  const decisions = by.router.decisions("V1");
  assert.equal(decisions.length, 64);
  assert.deepEqual(
    decisions.flatMap(({ event }) => (event.kind === "state-changed" ? [event.to] : [])),
    ["BACKUP", "MASTER"],
  );
  assert.equal(decisions.at(-1)?.event.kind, "rejected");
});

test("a line about a refused advert says what the operator can do about it", () => {
  const by = new Listener(instance());
  const told = (datagram: ReceivedDatagram): string[] =>
    by.give(datagram).flatMap((a) => (a.type === "report" ? [a.event.reason] : []));
  assert.deepEqual(told(advert(instance({ version: 2 }))), [
    "an advert from 192.0.2.1 was not believed: wrong-version; write the same version on all nodes",
  ]);
  const broken = advert(instance());
  broken.payload[6]! ^= 1;
  assert.deepEqual(told(broken), ["an advert from 192.0.2.1 was not believed: wrong-checksum"]);
});
