import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { utf8Bytes } from "../../lib/text-bytes.ts";
import {
  MAX_PROXY_HEADER,
  parseProxyHeader,
  PROXY_REFUSALS,
  ProxyHeader,
  type ProxyRefusal,
} from "./proxy-protocol.ts";

const SIGNATURE = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];
const V4 = [192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 0x04, 0x01, 0xbb];
const DOCUMENTATION = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const V6 = [...DOCUMENTATION, 7, ...DOCUMENTATION, 1, 0xdc, 0x04, 0x01, 0xbb];

function binary(versionAndCommand: number, family: number, rest: readonly number[]): Uint8Array {
  return Uint8Array.from([
    ...SIGNATURE,
    versionAndCommand,
    family,
    rest.length >> 8,
    rest.length & 255,
    ...rest,
  ]);
}

function line(text: string): Uint8Array {
  return utf8Bytes(`${text}\r\n`);
}

function parse(bytes: Uint8Array): { readonly taken: number; readonly header: ProxyHeader } {
  const header = new ProxyHeader();
  return { taken: parseProxyHeader(header, bytes, 0, bytes.length), header };
}

function ends({ source, sourcePort, destination, destinationPort }: ProxyHeader): string {
  return `${source} ${sourcePort} ${destination} ${destinationPort}`;
}

const PLAIN = "192.0.2.7 56324 198.51.100.1 443";
const WIDE = "2001:db8::7 56324 2001:db8::1 443";

const SOUND: readonly (readonly [string, Uint8Array, string | undefined])[] = [
  ["version 1, IPv4", line("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443"), PLAIN],
  ["version 1, IPv6", line("PROXY TCP6 2001:db8::7 2001:db8::1 56324 443"), WIDE],
  [
    "version 1, IPv4 within IPv6",
    line("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 56324 443"),
    PLAIN,
  ],
  ["version 1, UNKNOWN alone", line("PROXY UNKNOWN"), undefined],
  ["version 1, UNKNOWN with anything", line("PROXY UNKNOWN ffff:f...f 12 a b"), undefined],
  ["version 2, IPv4", binary(0x21, 0x11, V4), PLAIN],
  ["version 2, IPv6", binary(0x21, 0x21, V6), WIDE],
  [
    "version 2, IPv4 with TLVs (ALPN, an empty one, NOOP)",
    binary(0x21, 0x11, [...V4, 1, 0, 2, 104, 50, 0xe0, 0, 0, 4, 0, 3, 9, 9, 9]),
    PLAIN,
  ],
  ["version 2, LOCAL without addresses", binary(0x20, 0x00, []), undefined],
  ["version 2, LOCAL with addresses, which do not count", binary(0x20, 0x11, V4), undefined],
  ["version 2, LOCAL with what nobody knows", binary(0x20, 0x77, [1, 2, 3]), undefined],
  ["version 2, a family that is not told", binary(0x21, 0x00, [9, 9]), undefined],
  [
    "version 2, a unix socket",
    binary(
      0x21,
      0x31,
      Array.from({ length: 216 }, () => 47),
    ),
    undefined,
  ],
];

for (const [name, bytes, expected] of SOUND) {
  test(`a PROXY header is understood: ${name}`, () => {
    const { taken, header } = parse(bytes);
    assert.equal(taken, bytes.length);
    assert.equal(header.refused, undefined);
    assert.equal(header.hasAddresses ? ends(header) : undefined, expected);
  });

  test(`what follows is left alone, every beginning waits for more: ${name}`, () => {
    const followed = Uint8Array.from([71, ...bytes, 71, 69, 84]);
    const header = new ProxyHeader();
    assert.equal(parseProxyHeader(header, followed, 1, followed.length), bytes.length);
    for (let end = 1; end < bytes.length; end++) {
      assert.equal(parseProxyHeader(header, followed, 1, 1 + end), 0, `of ${end} bytes`);
    }
  });
}

const BROKEN: readonly (readonly [ProxyRefusal, Uint8Array])[] = [
  ["not-a-proxy-header", line("GET / HTTP/1.1")],
  ["not-a-proxy-header", line("PROXYTCP4 192.0.2.7 198.51.100.1 1 2")],
  ["not-a-proxy-header", Uint8Array.of(0x16, 3, 1, 0)],
  ["not-a-proxy-header", Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 13)],
  ["line-too-long", utf8Bytes(`PROXY UNKNOWN ${"a".repeat(200)}`)],
  ["line-too-long", line(`PROXY UNKNOWN ${"a".repeat(92)}`)],
  ["malformed-line", line("PROXY TCP5 192.0.2.7 198.51.100.1 1 2")],
  ["malformed-line", line("PROXY tcp4 192.0.2.7 198.51.100.1 1 2")],
  ["malformed-line", line("PROXY  TCP4 192.0.2.7 198.51.100.1 1 2")],
  ["malformed-line", line("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 ")],
  ["malformed-line", line("PROXY TCP4 192.0.2.7 198.51.100.1 1")],
  ["malformed-line", utf8Bytes("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n")],
  ["malformed-line", utf8Bytes("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\rX")],
  ["bad-address", line("PROXY TCP4 192.0.2.700 198.51.100.1 1 2")],
  ["bad-address", line("PROXY TCP4 192.0.2.07 198.51.100.1 1 2")],
  ["bad-address", line("PROXY TCP4 ::1 ::1 1 2")],
  ["bad-address", line("PROXY TCP6 192.0.2.7 198.51.100.1 1 2")],
  ["bad-address", line("PROXY TCP6 fe80::1%eth0 ::1 1 2")],
  ["bad-port", line("PROXY TCP4 192.0.2.7 198.51.100.1 65536 2")],
  ["bad-port", line("PROXY TCP4 192.0.2.7 198.51.100.1 01 2")],
  ["bad-port", line("PROXY TCP4 192.0.2.7 198.51.100.1 1 -2")],
  ["unknown-version", binary(0x31, 0x11, V4)],
  ["unknown-version", binary(0x01, 0x11, V4)],
  ["unknown-command", binary(0x22, 0x11, V4)],
  ["unknown-family", binary(0x21, 0x12, V4)],
  ["unknown-family", binary(0x21, 0x41, V4)],
  ["header-too-long", Uint8Array.from([...SIGNATURE, 0x21, 0x11, 0xff, 0xff])],
  ["addresses-cut-short", binary(0x21, 0x11, V4.slice(1))],
  ["addresses-cut-short", binary(0x21, 0x21, V4)],
  ["addresses-cut-short", binary(0x21, 0x31, V6)],
  ["malformed-tlv", binary(0x21, 0x11, [...V4, 1, 0, 3, 104, 50])],
  ["malformed-tlv", binary(0x21, 0x11, [...V4, 1, 0])],
];

for (const [why, bytes] of BROKEN) {
  test(`a PROXY header is refused as ${why}: ${JSON.stringify(String.fromCharCode(...bytes))}`, () => {
    const { taken, header } = parse(bytes);
    assert.equal(taken, -1);
    assert.equal(header.refused, why);
    assert.ok(PROXY_REFUSALS[why].length > 0);
    assert.equal(header.hasAddresses, false);
    assert.equal(header.source, "");
  });
}

test("a refusal does not become anything else when more bytes come", () => {
  for (const [why, bytes] of BROKEN) {
    let refusedAt = -1;
    for (let end = 1; end <= bytes.length; end++) {
      const { taken, header } = parse(bytes.subarray(0, end));
      if (refusedAt < 0 && taken === 0) continue;
      assert.equal(taken, -1, `${why} at ${end}`);
      if (refusedAt < 0) refusedAt = end;
      assert.equal(header.refused, why);
    }
  }
});

test("the longest line and the longest header are taken", () => {
  assert.equal(parse(line(`PROXY UNKNOWN ${"a".repeat(91)}`)).taken, 107);
  const value = MAX_PROXY_HEADER - 16 - V4.length - 3;
  const tlv = [0xea, value >> 8, value & 255, ...new Uint8Array(value)];
  assert.equal(parse(binary(0x21, 0x11, [...V4, ...tlv])).taken, MAX_PROXY_HEADER);
});

test("any bytes end as taken, refused or not enough, and never throw", () => {
  const beginning = fc.constantFrom([], SIGNATURE, [...utf8Bytes("PROXY TCP4 ")], [...V4]);
  fc.assert(
    fc.property(beginning, fc.uint8Array({ maxLength: 300 }), (start, rest) => {
      const bytes = Uint8Array.from([...start, ...rest]);
      const { taken, header } = parse(bytes);
      assert.ok(taken >= -1 && taken <= bytes.length);
      assert.equal(taken === -1, header.refused !== undefined);
    }),
  );
});
