/**
 * Who is master until when, written down with every renewal of a lease: for the process that
 * comes after one that dies, and for whoever watches that this one still renews.
 *
 * A file of slots of equal size. The first says to which boot and network namespace the others
 * belong; each of the others is about one instance. A renewal is one `pwrite` of 32 bytes, which
 * a killed process has either carried out or not. It wants a memory file system (/run is one).
 */

import { closeSync, ftruncateSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { RouterAction } from "../core/vrrp/router-ports.ts";
import type { Reign } from "../core/vrrp/reign.ts";
import type { VrrpSettings } from "../core/vrrp/settings.ts";
import { monotonicMs } from "./clock.ts";
import type { OsFailure } from "./ffi.ts";
import { attempt, headingNow } from "./owned-record.ts";

/** As found in the file: with what the lease is renewed for, and when that was last. */
export interface WrittenReign extends Reign {
  /** Monotonic ms. */
  readonly renewedMs: number;
  readonly durationMs: number;
}

/** Reigns of a predecessor with the very settings of now. */
export interface Heritage {
  readonly settings: VrrpSettings;
  readonly reigns: readonly WrittenReign[];
}

type Renewal = Extract<RouterAction, { type: "renew-lease" }>;

const FILE_NAME = "reigns";
const SLOT_BYTES = 512;
/** Renewed at, duration (0 = no reign), sequence, alone: float64 each. */
const NUMBER_BYTES = 32;
/** As many as VRRP can tell apart on two families and some interfaces; more are not noted. */
const MAX_SLOTS = 2048;
const NOTHING = Buffer.alloc(0);

export class ReignRecord {
  /** What a predecessor left, lapsed or not. */
  readonly found: readonly WrittenReign[];
  readonly #fd: number;
  /** Instance -> slot and what its text says. */
  readonly #slots = new Map<string, { readonly slot: number; identity: string }>();
  readonly #numbers = new Float64Array(NUMBER_BYTES / 8);
  /** The same as octets: nothing is allocated for a renewal. */
  readonly #octets = new Uint8Array(this.#numbers.buffer);

  private constructor(fd: number, found: readonly WrittenReign[]) {
    this.#fd = fd;
    this.found = found;
  }

  static open(directory: string): ReignRecord | OsFailure {
    const path = join(directory, FILE_NAME);
    const heading = headingNow();
    const left = readRecord(path, heading);
    const opened: { fd?: number } = {};
    const failure = attempt(`write ${path}`, () => {
      opened.fd = openSync(path, left === NOTHING ? "w" : "r+", 0o600);
      if (left === NOTHING) writeSync(opened.fd, padded(Buffer.from(heading)), 0);
    });
    if (failure !== undefined || opened.fd === undefined) return failure!;
    const slots = slotsOf(left, (_slot, at) => reignIn(left, at));
    const record = new ReignRecord(opened.fd, slots.filter(isReign));
    for (const [i, slot] of slots.entries()) {
      if (slot === undefined) continue;
      record.#slots.set(slot.instance, { slot: i + 1, identity: slot.identity });
    }
    return record;
  }

  /** The lease was just renewed; before the advert that lets others believe in it. */
  note(order: Renewal): void {
    const { instance, identity, durationMs, sequence, alone } = order;
    this.#numbers[0] = monotonicMs();
    this.#numbers[1] = durationMs;
    this.#numbers[2] = sequence;
    this.#numbers[3] = Number(alone);
    const known = this.#slots.get(instance);
    if (known?.identity === identity) {
      this.#write(this.#octets, known.slot);
      return;
    }
    const slot = known?.slot ?? this.#slots.size + 1;
    const text = Buffer.from(JSON.stringify([instance, identity]));
    // Who has no slot is not gone on with: that is all it costs.
    if (slot > MAX_SLOTS || text.length > SLOT_BYTES - NUMBER_BYTES) return;
    this.#slots.set(instance, { slot, identity });
    this.#write(padded(Buffer.concat([this.#octets, text])), slot);
  }

  /** Nobody must go on with it: called before the addresses go. */
  end(instance: string): void {
    const known = this.#slots.get(instance);
    if (known === undefined) return;
    this.#numbers.fill(0);
    this.#write(this.#octets, known.slot);
  }

  /** In order, with everything released: the file says so. */
  close(): void {
    attempt("empty the record of reigns", () => ftruncateSync(this.#fd, SLOT_BYTES));
    closeSync(this.#fd);
  }

  /** What cannot be written (a full disk) is a reign that ends sooner for a successor. */
  #write(bytes: Uint8Array, slot: number): void {
    attempt("write the record of reigns", () => {
      writeSync(this.#fd, bytes, 0, bytes.length, slot * SLOT_BYTES);
    });
  }
}

/**
 * For who looks again and again while one process writes: the file stays open, only numbers change, and
 * names that did not are not read anew.
 */
export class ReignReader {
  readonly #path: string;
  readonly #heading = headingNow();
  #fd: number | undefined;
  #bytes: Buffer = NOTHING;
  /** Of this look and the one before, in turn. */
  #rooms: readonly [Buffer, Buffer] = [Buffer.alloc(SLOT_BYTES), Buffer.alloc(SLOT_BYTES)];
  #slots: readonly (WrittenReign | undefined)[] = [];

  constructor(directory: string) {
    this.#path = join(directory, FILE_NAME);
  }

  /** The reigns that the record of that directory speaks of, lapsed ones included. */
  read(): readonly WrittenReign[] {
    const before = this.#bytes;
    const known = this.#slots;
    const bytes = this.#whole();
    this.#bytes = bytes;
    this.#slots = slotsOf(bytes, (slot, at) => {
      const reign = known[slot];
      const [from, to] = [at + NUMBER_BYTES, at + SLOT_BYTES];
      if (reign === undefined || Math.min(before.length, bytes.length) < to) {
        return reignIn(bytes, at);
      }
      // Whatever is written, the moment of it is another one.
      if (bytes.readDoubleLE(at) === reign.renewedMs) return reign;
      const isSame = bytes.compare(before, from, to, from, to) === 0;
      return isSame ? reignAt(bytes, at, reign) : reignIn(bytes, at);
    });
    return this.#slots.filter(isReign);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #whole(): Buffer {
    try {
      this.#fd ??= openSync(this.#path, "r");
      const [room, other] = this.#rooms;
      const length = readSync(this.#fd, room, 0, room.length, 0);
      if (length === room.length) {
        this.#rooms = [Buffer.alloc(2 * length), other];
        return this.#whole();
      }
      this.#rooms = [other.length < room.length ? Buffer.alloc(room.length) : other, room];
      return ofNow(room.subarray(0, length), this.#heading);
    } catch {
      return NOTHING;
    }
  }
}

function isReign(slot: WrittenReign | undefined): slot is WrittenReign {
  return slot !== undefined && slot.durationMs > 0;
}

/** Empty: no file, or one of another boot or network namespace. */
function readRecord(path: string, heading: string): Buffer {
  try {
    return ofNow(readFileSync(path), heading);
  } catch {
    return NOTHING;
  }
}

function ofNow(bytes: Buffer, heading: string): Buffer {
  return textOf(bytes.subarray(0, SLOT_BYTES)) === heading ? bytes : NOTHING;
}

type Names = Pick<WrittenReign, "instance" | "identity">;

function slotsOf(
  bytes: Buffer,
  reignOf: (slot: number, at: number) => WrittenReign | undefined,
): (WrittenReign | undefined)[] {
  const slots: (WrittenReign | undefined)[] = [];
  for (let at = SLOT_BYTES; at < bytes.length; at += SLOT_BYTES) {
    slots.push(reignOf(slots.length, at));
  }
  return slots;
}

function reignIn(bytes: Buffer, at: number): WrittenReign | undefined {
  const names = parseNames(bytes.subarray(at, at + SLOT_BYTES));
  return names === undefined ? undefined : reignAt(bytes, at, names);
}

function parseNames(slot: Buffer): Names | undefined {
  if (slot.length <= NUMBER_BYTES) return undefined;
  try {
    const text = textOf(slot.subarray(NUMBER_BYTES));
    const [instance, identity] = JSON.parse(text) as [string, string];
    return { instance, identity };
  } catch {
    return undefined;
  }
}

function reignAt(bytes: Buffer, at: number, { instance, identity }: Names): WrittenReign {
  const renewedMs = bytes.readDoubleLE(at);
  const durationMs = bytes.readDoubleLE(at + 8);
  const sequence = bytes.readDoubleLE(at + 16);
  const alone = bytes.readDoubleLE(at + 24) === 1;
  const leaseUntilMs = renewedMs + durationMs;
  return { instance, identity, sequence, alone, renewedMs, durationMs, leaseUntilMs };
}

function padded(bytes: Uint8Array): Uint8Array {
  const slot = new Uint8Array(SLOT_BYTES);
  slot.set(bytes);
  return slot;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}
