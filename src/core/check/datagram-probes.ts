/** Checks in one datagram: UDP and DNS (RFC 1035). */

import { utf8Bytes } from "../../lib/text-bytes.ts";
import type { CheckProtocol } from "./check-settings.ts";
import { bad, good, type Probe, type ProbeStep, WAIT } from "./probe.ts";

type UdpSettings = Extract<CheckProtocol, { kind: "udp" }>;

/** Without `requireReply` silence is good, and the deadline says so: see `silence`. */
export class UdpProbe implements Probe {
  readonly #settings: UdpSettings;

  constructor(settings: UdpSettings) {
    this.#settings = settings;
  }

  connected(): ProbeStep {
    return { send: this.#settings.payload };
  }

  received(bytes: Uint8Array): ProbeStep {
    const { reply } = this.#settings;
    if (reply === undefined) return good(`${bytes.length} bytes came back`);
    const agrees = reply.value.every(
      (octet, i) => i < bytes.length && ((octet ^ bytes[i]!) & (reply.mask[i] ?? 0xff)) === 0,
    );
    return agrees ? good("reply as wanted") : bad("the reply is not the wanted one");
  }

  ended(): ProbeStep {
    return WAIT;
  }
}

const QUERY_TYPES: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  ANY: 255,
};
/** Records that can be asked for. */
export const DNS_TYPES: readonly string[] = Object.keys(QUERY_TYPES);
const RESPONSE_CODES = [
  "no error",
  "format error",
  "server failure",
  "no such name",
  "not implemented",
  "refused",
];
const HEADER = 12;

export class DnsProbe implements Probe {
  readonly #query: Uint8Array;
  readonly #id: number;

  /** `id`: 16 random bits, so that an answer to somebody else is not taken for ours. */
  constructor(name: string, queryType: string, id: number) {
    this.#id = id & 0xffff;
    const labels = name.split(".").filter((label) => label !== "");
    const encoded = labels.flatMap((label) => {
      const bytes = utf8Bytes(label).subarray(0, 63);
      return [bytes.length, ...bytes];
    });
    const type = QUERY_TYPES[queryType.toUpperCase()] ?? 1;
    const head = [this.#id >> 8, this.#id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    this.#query = Uint8Array.from([...head, ...encoded, 0, 0, type, 0, 1]);
  }

  connected(): ProbeStep {
    return { send: this.#query };
  }

  received(bytes: Uint8Array): ProbeStep {
    if (bytes.length < HEADER || ((bytes[0]! << 8) | bytes[1]!) !== this.#id) return WAIT;
    if ((bytes[2]! & 0x80) === 0) return WAIT;
    const code = bytes[3]! & 15;
    if (code !== 0) return bad(`the name server says: ${RESPONSE_CODES[code] ?? `code ${code}`}`);
    const answers = (bytes[6]! << 8) | bytes[7]!;
    return answers > 0 ? good(`${answers} answers`) : bad("the answer is empty");
  }

  ended(): ProbeStep {
    return WAIT;
  }
}
