/**
 * Adverts as other programs put them on the wire, each with the settings of an instance that must
 * believe it. Six were captured from keepalived 2.2.7 between two network namespaces; the two with
 * an HMAC trailer are the vectors that keepalived publishes with version 2.4.
 */

import type { ReceivedDatagram } from "../../src/core/vrrp/router-ports.ts";
import type { InstanceSettings } from "../../src/core/vrrp/settings.ts";
import { hmac, instance, unicast } from "./vrrp-settings.ts";

export interface WireVector {
  readonly name: string;
  /** Also what the sender was configured with. */
  readonly settings: InstanceSettings;
  readonly datagram: ReceivedDatagram;
  readonly says: { readonly vrid: number; readonly priority: number; readonly intervalMs: number };
  /** Unix time at which it is fresh, ms. */
  readonly wallMs: number;
}

/** The sequence of the published HMAC vectors, 0x68000000.80000000, as a time. */
export const HMAC_WALL_MS: number = 0x68000000 * 1000 + 500;
/** keepalived counts AH sequences from 1; Nines's are 1 in the first quarter second of 2020. */
export const AH_WALL_MS: number = Date.UTC(2020, 0, 1);

const SOURCE4 = "192.0.2.1";
const RECEIVER4 = "192.0.2.2";
const PASSWORD = "s3cr3t12";

const multicastIpv4 = {
  interface: "eth0",
  family: "ipv4",
  protocol: 112,
  source: SOURCE4,
  destination: "224.0.0.18",
  ttl: 255,
} as const;

export const v2Pass: WireVector = {
  name: "version 2, simple password",
  settings: instance({
    version: 2,
    vrid: 11,
    vips: ["192.0.2.201", "192.0.2.202"],
    authentication: { kind: "pass", password: PASSWORD },
  }),
  datagram: {
    ...multicastIpv4,
    payload: bytes("210b960201018710 c00002c9 c00002ca 7333637233743132"),
  },
  says: { vrid: 11, priority: 150, intervalMs: 1000 },
  wallMs: HMAC_WALL_MS,
};

export const v2Ah: WireVector = {
  name: "version 2, authentication header",
  settings: instance({
    version: 2,
    vrid: 12,
    vips: ["192.0.2.203"],
    authentication: { kind: "ah", password: PASSWORD },
  }),
  datagram: {
    ...multicastIpv4,
    protocol: 51,
    ipHeader: bytes("45c0004000010000ff3318b6c0000201e0000012"),
    payload: bytes(
      "70040000c000020100000001 12eee4456f64fa78a0baa5bc 210c960102018425 c00002cb 0000000000000000",
    ),
  },
  says: { vrid: 12, priority: 150, intervalMs: 1000 },
  wallMs: AH_WALL_MS,
};

export const v2AhUnicast: WireVector = {
  name: "version 2, authentication header, unicast",
  settings: instance({
    version: 2,
    vrid: 16,
    vips: ["192.0.2.206"],
    transport: unicast([SOURCE4]),
    authentication: { kind: "ah", password: PASSWORD },
  }),
  datagram: {
    ...multicastIpv4,
    protocol: 51,
    destination: RECEIVER4,
    ipHeader: bytes("45c0004000010000ff3336c6c0000201c0000202"),
    payload: bytes(
      "70040000c000020100000001 039ee7a065c89f0273c5e9d1 211096010201841e c00002ce 0000000000000000",
    ),
  },
  says: { vrid: 16, priority: 150, intervalMs: 1000 },
  wallMs: AH_WALL_MS,
};

export const v3: WireVector = {
  name: "version 3",
  settings: instance({ vrid: 13, vips: ["192.0.2.204"], advertIntervalMs: 500 }),
  datagram: { ...multicastIpv4, payload: bytes("310d96010032d361 c00002cc") },
  says: { vrid: 13, priority: 150, intervalMs: 500 },
  wallMs: HMAC_WALL_MS,
};

export const v3Unicast: WireVector = {
  name: "version 3, unicast",
  settings: instance({
    vrid: 15,
    vips: ["192.0.2.205"],
    advertIntervalMs: 500,
    transport: unicast([SOURCE4]),
  }),
  datagram: {
    ...multicastIpv4,
    destination: RECEIVER4,
    payload: bytes("310f96010032f16e c00002cd"),
  },
  says: { vrid: 15, priority: 150, intervalMs: 500 },
  wallMs: HMAC_WALL_MS,
};

export const v3Ipv6: WireVector = {
  name: "version 3, IPv6",
  settings: instance({ family: "ipv6", vrid: 14, vips: ["fe80::100", "2001:db8::100"] }),
  datagram: {
    interface: "eth0",
    family: "ipv6",
    protocol: 112,
    source: "fe80::10",
    destination: "ff02::12",
    ttl: 255,
    payload: bytes(
      "310e960200640c13 fe800000000000000000000000000100 20010db8000000000000000000000100",
    ),
  },
  says: { vrid: 14, priority: 150, intervalMs: 1000 },
  wallMs: HMAC_WALL_MS,
};

export const v3Hmac: WireVector = {
  name: "version 3, HMAC trailer",
  settings: instance({
    vips: ["192.0.2.100"],
    authentication: hmac(),
    checksumWithPseudoHeader: false,
  }),
  datagram: {
    ...multicastIpv4,
    source: "198.51.100.10",
    payload: bytes(
      "3133c80100644402 c0000264 010100006800000080000000 1b84bc4e8e43892dc6d98448f8ee2265",
    ),
  },
  says: { vrid: 51, priority: 200, intervalMs: 1000 },
  wallMs: HMAC_WALL_MS,
};

export const v3HmacIpv6: WireVector = {
  name: "version 3, HMAC trailer, IPv6 unicast",
  settings: instance({
    family: "ipv6",
    vips: ["fe80::100"],
    authentication: hmac(),
    transport: unicast(["fe80::10"]),
  }),
  datagram: {
    interface: "eth0",
    family: "ipv6",
    protocol: 112,
    source: "fe80::10",
    destination: "fe80::20",
    ttl: 255,
    payload: bytes(
      "3133c8010064a2e9 fe800000000000000000000000000100" +
        "010100006800000080000000 c8c56146ebfd66ee10ec4d8186461b78",
    ),
  },
  says: { vrid: 51, priority: 200, intervalMs: 1000 },
  wallMs: HMAC_WALL_MS,
};

export const wireVectors: readonly WireVector[] = [
  v2Pass,
  v2Ah,
  v2AhUnicast,
  v3,
  v3Unicast,
  v3Ipv6,
  v3Hmac,
  v3HmacIpv6,
];

export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

export function hex(of: Uint8Array): string {
  return Buffer.from(of).toString("hex");
}
