/**
 * Who is master until when, written down with every renewal of a lease: for the process that
 * comes after one that dies, and for whoever watches that this one still renews.
 *
 * A file of slots of equal size. The first says to which boot and network namespace the others
 * belong; each of the others is about one instance. A renewal is one `pwrite` of 32 bytes, which
 * a killed process has either carried out or not. It wants a memory file system (/run is one).
 */

import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
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

export class ReignRecord {
  /** What a predecessor left, lapsed or not. */
  readonly found: readonly WrittenReign[];
  readonly #fd: number;
  /** Instance -> slot and what its text says. */
  readonly #slots = new Map<string, { readonly slot: number; identity: string }>();
  readonly #numbers = new Float64Array(NUMBER_BYTES / 8);

  private constructor(fd: number, found: readonly WrittenReign[]) {
    this.#fd = fd;
    this.found = found;
  }

  static open(directory: string): ReignRecord | OsFailure {
    const path = join(directory, FILE_NAME);
    const slots = readSlots(path);
    const opened: { fd?: number } = {};
    const failure = attempt(`write ${path}`, () => {
      opened.fd = openSync(path, slots === undefined ? "w" : "r+", 0o600);
      if (slots === undefined) writeSync(opened.fd, padded(Buffer.from(headingNow())), 0);
    });
    if (failure !== undefined || opened.fd === undefined) return failure!;
    const record = new ReignRecord(opened.fd, (slots ?? []).filter(isReign));
    for (const [i, slot] of (slots ?? []).entries()) {
      if (slot === undefined) continue;
      record.#slots.set(slot.instance, { slot: i + 1, identity: slot.identity });
    }
    return record;
  }

  /** The lease was just renewed; before the advert that lets others believe in it. */
  note(order: Renewal): void {
    const { instance, identity, durationMs, sequence, alone } = order;
    this.#numbers.set([monotonicMs(), durationMs, sequence, Number(alone)]);
    const known = this.#slots.get(instance);
    if (known?.identity === identity) {
      this.#write(new Uint8Array(this.#numbers.buffer), known.slot);
      return;
    }
    const slot = known?.slot ?? this.#slots.size + 1;
    const text = Buffer.from(JSON.stringify([instance, identity]));
    // Who has no slot is not gone on with: that is all it costs.
    if (slot > MAX_SLOTS || text.length > SLOT_BYTES - NUMBER_BYTES) return;
    this.#slots.set(instance, { slot, identity });
    this.#write(padded(Buffer.concat([new Uint8Array(this.#numbers.buffer), text])), slot);
  }

  /** Nobody must go on with it: called before the addresses go. */
  end(instance: string): void {
    const known = this.#slots.get(instance);
    if (known === undefined) return;
    this.#numbers.fill(0);
    this.#write(new Uint8Array(this.#numbers.buffer), known.slot);
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

/** The reigns that the record of that directory speaks of, lapsed ones included. */
export function writtenReigns(directory: string): readonly WrittenReign[] {
  return (readSlots(join(directory, FILE_NAME)) ?? []).filter(isReign);
}

function isReign(slot: WrittenReign | undefined): slot is WrittenReign {
  return slot !== undefined && slot.durationMs > 0;
}

/** Undefined: no file, or one of another boot or network namespace. */
function readSlots(path: string): (WrittenReign | undefined)[] | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return undefined;
  }
  if (textOf(bytes.subarray(0, SLOT_BYTES)) !== headingNow()) return undefined;
  const slots: (WrittenReign | undefined)[] = [];
  for (let at = SLOT_BYTES; at < bytes.length; at += SLOT_BYTES) {
    slots.push(parseSlot(bytes.subarray(at, at + SLOT_BYTES)));
  }
  return slots;
}

function parseSlot(bytes: Buffer): WrittenReign | undefined {
  if (bytes.length <= NUMBER_BYTES) return undefined;
  const numbers = new Float64Array(Uint8Array.from(bytes.subarray(0, NUMBER_BYTES)).buffer);
  const [renewedMs = 0, durationMs = 0, sequence = 0, alone = 0] = numbers;
  try {
    const [instance, identity] = JSON.parse(textOf(bytes.subarray(NUMBER_BYTES))) as [
      string,
      string,
    ];
    const leaseUntilMs = renewedMs + durationMs;
    const lease = { renewedMs, durationMs, leaseUntilMs };
    return { instance, identity, sequence, alone: alone === 1, ...lease };
  } catch {
    return undefined;
  }
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
