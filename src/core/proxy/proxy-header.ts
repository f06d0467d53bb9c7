/**
 * Tells a server who its client is: the header of HAProxy's PROXY protocol, version 1 (text) or 2
 * (binary), in front of everything else. Source: HAProxy's proxy-protocol.txt, sections 2.1 and 2.2.
 */

import { parseIp } from "../../lib/ip-address.ts";
import { utf8Bytes } from "../../lib/text-bytes.ts";
import type { PoolSettings, ServerEndpoint } from "../balance/pool-settings.ts";
import type { Server } from "../balance/server.ts";
import type { ClientOrigin, ConnectTarget } from "./wire.ts";

/** `\r\n\r\n\0\r\nQUIT\n`. */
const SIGNATURE = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);
const VERSION_2 = 0x20;
const LOCAL = 0;
const PROXY = 1;
const TCP4 = 0x11;
const TCP6 = 0x21;

export function connectTarget(
  settings: PoolSettings,
  server: Server,
  origin: ClientOrigin,
): ConnectTarget {
  const { name, sendProxy } = settings;
  // Names were resolved before the settings came here.
  const endpoint = server.settings.endpoint as Exclude<ServerEndpoint, { kind: "name" }>;
  const target = { pool: name, server: server.name, endpoint };
  if (sendProxy === "off") return target;
  return { ...target, head: sendProxy === "v1" ? textHeader(origin) : binaryHeader(origin) };
}

/** Of a connection that no client asked for: a check. */
export function ownHeader(version: "v1" | "v2"): Uint8Array {
  return version === "v1"
    ? utf8Bytes("PROXY UNKNOWN\r\n")
    : Uint8Array.of(...SIGNATURE, VERSION_2 | LOCAL, 0, 0, 0);
}

/** A client without an address (a unix socket) is UNKNOWN. */
export function textHeader(origin: ClientOrigin): Uint8Array {
  const ends = addressesOf(origin);
  if (ends === undefined) return ownHeader("v1");
  const { source, sourcePort, localAddress, localPort } = origin;
  const family = ends.source.length === 4 ? "TCP4" : "TCP6";
  return utf8Bytes(`PROXY ${family} ${source} ${localAddress} ${sourcePort} ${localPort}\r\n`);
}

/** A client without an address (a unix socket) is LOCAL. */
export function binaryHeader(origin: ClientOrigin): Uint8Array {
  const ends = addressesOf(origin);
  if (ends === undefined) return ownHeader("v2");
  const { sourcePort: from, localPort: to } = origin;
  const family = ends.source.length === 4 ? TCP4 : TCP6;
  const body = [...ends.source, ...ends.local, from >> 8, from & 255, to >> 8, to & 255];
  return Uint8Array.of(...SIGNATURE, VERSION_2 | PROXY, family, 0, body.length, ...body);
}

/** Both of the same family; otherwise there is nothing that the header could say. */
function addressesOf(
  origin: ClientOrigin,
): { readonly source: Uint8Array; readonly local: Uint8Array } | undefined {
  const source = parseIp(origin.source);
  const local = parseIp(origin.localAddress);
  if (source === undefined || local === undefined) return undefined;
  return source.length === local.length ? { source, local } : undefined;
}
