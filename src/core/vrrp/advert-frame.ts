/**
 * Adverts as frames of IPv4. An owner's come from the virtual address itself, and the IP of a host
 * that holds this address now drops them as its own: so the owner that comes back is heard here.
 */

import { formatIp } from "../../lib/ip-address.ts";
import { foldChecksum, sumWords } from "./checksum.ts";
import { AH_PROTOCOL, VRRP_PROTOCOL } from "./packet.ts";
import type { ReceivedDatagram } from "./router-ports.ts";

const HEADER = 14;
const ETHERTYPE_IPV4 = 0x0800;
const SHORTEST_HEADER = 20;
/** More fragments, and the place of this one. */
const FRAGMENT = 0x3fff;

/** What a frame brings, as a raw socket would tell it but for the interface; undefined = no advert. */
export function advertIn(frame: Uint8Array): ReceivedDatagram | undefined {
  const { length } = frame;
  if (length < HEADER + SHORTEST_HEADER || half(frame, 12) !== ETHERTYPE_IPV4) return undefined;
  const payloadAt = HEADER + (frame[HEADER]! & 0x0f) * 4;
  // Ethernet's padding is behind the end that the header tells.
  const end = HEADER + half(frame, HEADER + 2);
  if (frame[HEADER]! >> 4 !== 4 || payloadAt < HEADER + SHORTEST_HEADER) return undefined;
  if (end < payloadAt || end > length || (half(frame, HEADER + 6) & FRAGMENT) !== 0)
    return undefined;
  if (foldChecksum(sumWords(0, frame, HEADER, payloadAt)) !== 0) return undefined;
  const protocol = frame[HEADER + 9]!;
  if (protocol !== VRRP_PROTOCOL && protocol !== AH_PROTOCOL) return undefined;
  const isSigned = protocol === AH_PROTOCOL;
  return {
    interface: "",
    family: "ipv4",
    protocol,
    source: formatIp(frame, HEADER + 12, 4),
    destination: formatIp(frame, HEADER + 16, 4),
    ttl: frame[HEADER + 8]!,
    ...(isSigned ? { ipHeader: frame.subarray(HEADER, payloadAt) } : {}),
    payload: frame.subarray(payloadAt, end),
  };
}

function half(frame: Uint8Array, at: number): number {
  return (frame[at]! << 8) | frame[at + 1]!;
}
