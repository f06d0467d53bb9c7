/**
 * Adverts, mutated: a flood of datagrams that a receiver must not believe.
 *
 * Each is a real advert changed without its digest being made right again. Where there is a digest,
 * the checksum of every second one is made right, so that it is the digest that has to refuse it.
 * What is left out is what nobody can tell from an advert of that sender:
 *   - the advert itself, byte for byte,
 *   - where no digest protects it: an advert whose checksum, 16 bits that are no secret, holds by
 *     chance. It is drawn again, and counted, so that a decoder that believes too much shows.
 */

import { parseIp } from "../../src/lib/ip-address.ts";
import { Prng } from "../../src/lib/prng.ts";
import { AH_LENGTH } from "../../src/core/vrrp/auth-ah.ts";
import { sumPseudoHeader } from "../../src/core/vrrp/checksum.ts";
import { setChecksum } from "../../src/core/vrrp/packet.ts";
import type { ReceivedDatagram } from "../../src/core/vrrp/router-ports.ts";
import type { InstanceSettings } from "../../src/core/vrrp/settings.ts";
import { Listener } from "./vrrp-listener.ts";
import { wireVectors, type WireVector } from "./vrrp-vectors.ts";

const MAX_EXTENSION = 64;
const MAX_RANDOM = 128;

type Mutation = (bytes: Uint8Array, prng: Prng, other: Uint8Array) => Uint8Array;

const mutations: Readonly<Record<string, Mutation>> = {
  "flip a bit": (bytes, prng) => flipped(bytes, prng, 1),
  "flip some bits": (bytes, prng) => flipped(bytes, prng, prng.between(2, 12)),
  "write bytes over": (bytes, prng) => {
    const mutant = bytes.slice();
    for (let i = prng.between(1, 4); i > 0; i--) {
      mutant[prng.between(0, mutant.length - 1)] = prng.between(0, 255);
    }
    return mutant;
  },
  truncate: (bytes, prng) => bytes.slice(0, prng.between(0, bytes.length - 1)),
  extend: (bytes, prng) => Uint8Array.of(...bytes, ...noise(prng, prng.between(1, MAX_EXTENSION))),
  splice: (bytes, prng, other) => {
    const head = bytes.subarray(0, prng.between(0, bytes.length));
    return Uint8Array.of(...head, ...other.subarray(prng.between(0, other.length)));
  },
  "only noise": (_, prng) => noise(prng, prng.between(0, MAX_RANDOM)),
  "noise behind our VRID": (bytes, prng) => {
    const mutant = Uint8Array.of(...bytes.subarray(0, 2), ...noise(prng, bytes.length - 2));
    return mutant;
  },
};

/** A listener for one vector and the mutants that it is shown. */
export class MutantTarget {
  readonly name: string;
  readonly listener: Listener;
  /** Mutants that were not shown: what they were mutated from, or by chance right. */
  readonly skipped: { identical: number; rightByChance: number } = {
    identical: 0,
    rightByChance: 0,
  };
  readonly #vector: WireVector;
  readonly #prng: Prng;
  readonly #kinds = Object.keys(mutations);

  constructor(vector: WireVector, prng: Prng, asMaster: boolean) {
    this.name = `${vector.name}${asMaster ? ", to a master" : ""}`;
    this.#vector = vector;
    this.#prng = prng;
    this.listener = new Listener(vector.settings, vector.wallMs);
    // A backup has heard its master, so that there is something to forget or to learn wrong.
    if (asMaster) this.listener.takeOver();
    else this.listener.give(vector.datagram);
    this.listener.wallMs = vector.wallMs;
  }

  /** Shows one mutant; returns what kind of mutation it was. */
  attack(): string {
    for (;;) {
      const kind = this.#prng.pick(this.#kinds);
      const mutant = this.#draw(kind);
      if (mutant === undefined) continue;
      this.listener.give(mutant);
      return kind;
    }
  }

  #draw(kind: string): ReceivedDatagram | undefined {
    const { datagram, settings } = this.#vector;
    const other = this.#prng.pick(wireVectors).datagram.payload;
    const payload = mutations[kind]!(datagram.payload, this.#prng, other);
    if (isSigned(settings) && this.#prng.between(0, 1) === 0)
      makeSumRight({ ...datagram, payload });
    if (sameBytes(payload, datagram.payload)) {
      this.skipped.identical++;
      return undefined;
    }
    const mutant = { ...datagram, payload };
    if (!isSigned(settings) && sumsRight(mutant, settings)) {
      this.skipped.rightByChance++;
      return undefined;
    }
    return mutant;
  }
}

/** Both roles of every vector. */
export function targets(seed: number): MutantTarget[] {
  const prng = new Prng(seed);
  return wireVectors.flatMap((vector) => [
    new MutantTarget(vector, prng.fork(), false),
    new MutantTarget(vector, prng.fork(), true),
  ]);
}

function isSigned(settings: InstanceSettings): boolean {
  return settings.authentication.kind === "ah" || settings.authentication.kind === "hmac";
}

/** As a forger would who has no key; too short a mutant is left as it is. */
function makeSumRight({ family, source, destination, payload, ipHeader }: ReceivedDatagram): void {
  const offset = ipHeader === undefined ? 0 : AH_LENGTH;
  const rest = payload.length - offset;
  if (rest < 8) return;
  const ends = [source, destination].map((address) => parseIp(address)!);
  if (family === "ipv6") {
    setChecksum(payload, offset, rest, sumPseudoHeader(ends[0]!, ends[1]!, rest));
    return;
  }
  const tail = payload[offset]! >> 4 === 2 ? 8 : 0;
  const length = 8 + payload[offset + 3]! * 4 + tail;
  if (length <= rest) setChecksum(payload, offset, length, 0);
}

/**
 * Whether the checksum could be right: written apart from the decoder under test, by adding up the
 * words of the message as its own header delimits it, over each of the pseudo headers in use.
 */
function sumsRight(datagram: ReceivedDatagram, settings: InstanceSettings): boolean {
  const { payload, family } = datagram;
  const width = family === "ipv4" ? 4 : 16;
  const tail = payload[0]! >> 4 === 2 ? 8 : 0;
  const length = 8 + (payload[3] ?? 0) * width + tail;
  if (payload.length !== length) return false;
  const { transport } = settings;
  const group = transport.kind === "multicast" ? transport.group : "224.0.0.18";
  const scopes = [[], [datagram.source, datagram.destination], [datagram.source, group]];
  return scopes.some((scope) => {
    const parts = scope.map((address) => parseIp(address)!);
    const pseudo = parts.length === 0 ? [] : [0, 112, length >> 8, length & 0xff];
    let sum = 0;
    for (const part of [...parts, pseudo, payload.subarray(0, length)]) {
      for (let i = 0; i < part.length; i += 2) sum += part[i]! * 256 + (part[i + 1] ?? 0);
    }
    return sum % 0xffff === 0;
  });
}

function flipped(bytes: Uint8Array, prng: Prng, count: number): Uint8Array {
  const mutant = bytes.slice();
  for (let i = 0; i < count; i++) {
    const at = prng.between(0, mutant.length - 1);
    mutant[at] = mutant[at]! ^ (1 << prng.between(0, 7));
  }
  return mutant;
}

function noise(prng: Prng, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => prng.between(0, 255));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
