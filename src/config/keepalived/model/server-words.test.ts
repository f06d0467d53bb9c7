/** What keepalived 2.2.7 makes of virtual servers that contradict themselves: `keepalived -t` tells. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Reading, readKeepalivedConf } from "../../read-configuration.ts";

function read(inside: string, check = "TCP_CHECK {\n}"): Reading {
  const real = (n: number): string =>
    `real_server 10.0.0.${n} 80 {\nweight ${n}\n${n === 1 ? check : "TCP_CHECK {\n}"}\n}`;
  const text = `virtual_server 192.0.2.1 80 {\nprotocol TCP\n${inside}\n${real(1)}\n${real(2)}\n}\n`;
  return readKeepalivedConf("f", { hostName: "h" }, { readFile: () => text, glob: () => [] });
}

function toldOf(reading: Reading): string {
  return reading.diagnostics.map(({ severity, reason }) => `${severity}: ${reason}`).join("\n");
}

test("a quorum is never more than all servers have, its margin stays below it", () => {
  const quorumOf = (inside: string): number[] => {
    const { quorum, hysteresis } = read(inside).model!.virtualServers[0]!;
    return [quorum, hysteresis];
  };
  assert.deepEqual(quorumOf("quorum 3\nhysteresis 2"), [3, 2]);
  assert.deepEqual(quorumOf("quorum 7\nhysteresis 5"), [3, 2]);
  assert.deepEqual(quorumOf("hysteresis 1"), [1, 0]);
  assert.match(toldOf(read("quorum 7")), /warning: quorum 7 is more than all real servers have/u);
  assert.match(toldOf(read("hysteresis 1")), /warning: hysteresis must be below the quorum of 1/u);
  assert.doesNotMatch(toldOf(read("quorum 3\nhysteresis 2")), /quorum|hysteresis/u);
});

test("a sorry server or a source of another address family is left out", () => {
  const sorry = read("sorry_server 2001:db8::9 80");
  assert.equal(sorry.model!.virtualServers[0]!.sorryServer, undefined);
  assert.match(toldOf(sorry), /warning: .* no sorry server/u);
  assert.notEqual(
    read("sorry_server 10.0.0.9 80").model!.virtualServers[0]!.sorryServer,
    undefined,
  );
  const bound = read("", "TCP_CHECK {\nbindto 2001:db8::9\n}");
  const [check] = bound.model!.virtualServers[0]!.realServers[0]!.checks;
  assert.ok(check?.kind === "tcp" && check.target.sourceAddress === undefined);
  assert.match(toldOf(bound), /warning: bindto 2001:db8::9 is of another address family/u);
});

test("a link-local address needs a link", () => {
  assert.match(
    toldOf(read("", "TCP_CHECK {\nconnect_ip fe80::1\n}")),
    /error: fe80::1 is on every/u,
  );
  const told = toldOf(read("", "TCP_CHECK {\nconnect_ip fe80::1\nbind_if eth0\n}"));
  assert.doesNotMatch(told, /every link/u);
});

test("bytes of UDP checks may be quoted with spaces, and some answer must be able to pass", () => {
  const check = (inside: string): Reading => read("", `UDP_CHECK {\n${inside}\n}`);
  const [udp] = check('payload "01 ab 3"').model!.virtualServers[0]!.realServers[0]!.checks;
  assert.ok(udp?.kind === "udp");
  assert.deepEqual([...udp.payload!], [1, 0xab, 3]);
  assert.match(toldOf(check('payload "01 zz"')), /error: 'zz' is not hexadecimal/u);
  assert.match(toldOf(check("min_reply_length 300")), /error: .*no answer could do/u);
});

test("types of DNS questions may be small letters", () => {
  const [dns] = read("", "DNS_CHECK {\ntype aaaa\n}").model!.virtualServers[0]!.realServers[0]!
    .checks;
  assert.ok(dns?.kind === "dns");
  assert.equal(dns.query, "AAAA");
});
