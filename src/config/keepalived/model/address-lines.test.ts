import assert from "node:assert/strict";
import { test } from "node:test";
import type { VirtualAddress } from "../../../core/vrrp/settings.ts";
import { readKeepalivedConf } from "../../read-configuration.ts";

interface Read {
  readonly addresses: readonly VirtualAddress[];
  readonly told: readonly string[];
}

/** The lines as static addresses: of either family, and with every word. */
function read(...lines: readonly string[]): Read {
  const text = `static_ipaddress {\n${lines.join("\n")}\n}\n`;
  const files = { readFile: () => text, glob: () => [] };
  const { model, diagnostics } = readKeepalivedConf("f", { hostName: "h" }, files);
  return {
    addresses: model?.vrrp.staticAddresses ?? [],
    told: diagnostics.map((one) => `${one.severity}: ${one.reason}`),
  };
}

test("with a peer the length is the peer's, as ip address counts it", () => {
  const { addresses, told } = read(
    "192.0.2.1 peer 192.0.2.2 dev e",
    "192.0.2.3 peer 192.0.2.4/31 dev e",
    "192.0.2.5/28 peer 192.0.2.6 dev e",
    "2001:db8::1 peer 2001:db8::2/64 dev e",
  );
  assert.deepEqual(
    addresses.map((one) => [one.peer, one.prefixLength]),
    [
      ["192.0.2.2", 32],
      ["192.0.2.4", 31],
      ["192.0.2.6", 32],
      ["2001:db8::2", 64],
    ],
  );
  assert.deepEqual(told, ["warning: with peer the length is the peer's: /28 is left out"]);
  assert.deepEqual(read("192.0.2.1 peer 2001:db8::1 dev e").told, [
    "error: 2001:db8::1 and 192.0.2.1 are of different families",
  ]);
});

test("a broadcast address is one, or + or -", () => {
  const { addresses, told } = read(
    "192.0.2.1/24 brd + dev e",
    "192.0.2.2/24 brd - dev e",
    "192.0.2.3/24 broadcast 192.0.2.255 dev e",
  );
  assert.deepEqual(
    addresses.map(({ broadcast }) => broadcast),
    ["+", "-", "192.0.2.255"],
  );
  assert.deepEqual(told, []);
  const whole = read("192.0.2.6/32 brd + dev e");
  assert.equal(whole.addresses[0]!.broadcast, undefined);
  assert.match(whole.told.join(), /^warning: a subnet of \/32 has no broadcast address/u);
  assert.deepEqual(read("192.0.2.1/24 brd yes dev e").told, [
    "error: the broadcast address must be an IP address, not 'yes'",
  ]);
  assert.deepEqual(read("2001:db8::1/64 brd 192.0.2.255 dev e").told, [
    "error: only an IPv4 address has a broadcast address",
  ]);
});

test("-nodad takes the flag away and says what that costs; without it nobody is asked", () => {
  const { addresses, told } = read(
    "2001:db8::1/64 dev e",
    "2001:db8::2/64 -nodad dev e",
    "2001:db8::3/64 nodad dev e",
    "2001:db8::4/64 dad dev e",
  );
  assert.deepEqual(
    addresses.map(({ noDad }) => noDad),
    [true, false, true, false],
  );
  assert.equal(told.length, 1);
  assert.match(told[0]!, /^warning: '-nodad' switches duplicate address detection on/u);
});

test("autojoin is for groups", () => {
  const { addresses, told } = read(
    "239.1.2.3/32 dev e autojoin",
    "ff02::1234/128 dev e autojoin",
    "192.0.2.7/24 dev e autojoin",
  );
  assert.deepEqual(
    addresses.map(({ autoJoin }) => autoJoin),
    [true, true, undefined],
  );
  assert.deepEqual(told, [
    "warning: autojoin is for multicast groups, and 192.0.2.7 is none: it is left out",
  ]);
});

test("a parameter that was not replaced is told as one, once for all rounds of a sequence", () => {
  const text = "static_ipaddress {\n~SEQ(I,1,9) 192.0.2.$I/24 dev e\n192.0.2.${J} dev e\n}\n";
  const files = { readFile: () => text, glob: () => [] };
  const { diagnostics } = readKeepalivedConf("f", { hostName: "h" }, files);
  assert.deepEqual(
    diagnostics.map(({ next }) => next),
    ["inside of a word a parameter is written in braces: ${NAME}", "this parameter is not defined"],
  );
});

test("two scopes in one subnet of an interface are told, as the kernel takes one only", () => {
  const { told } = read(
    "192.0.2.1/24 dev e",
    "192.0.2.2/24 dev e scope link",
    "192.0.2.3/25 dev e scope link",
    "192.0.2.4/24 dev f scope link",
    "198.51.100.1/24 dev e scope link",
    "127.0.0.9/32 dev e scope host",
  );
  assert.deepEqual(told, [
    "error: 192.0.2.2 and 192.0.2.1 are of one subnet and of two scopes: the kernel takes the first one only",
  ]);
});
