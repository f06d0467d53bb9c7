/** Lines of the access log, written as bytes: JSON, or the combined format with a tail of ours. */

import { civilDate } from "../../lib/civil-date.ts";
import { latin1Text, utf8Length, writeAscii, writeDecimal } from "../../lib/text-bytes.ts";
import { ACCESS_TEXTS, type AccessRecord, type AccessText } from "./access-record.ts";

/** The longest line: six texts of 1024 bytes, each escaped to six letters, and what is around. */
export const MAX_ACCESS_LINE: number = 40 * 1024;

/**
 * One object a line: `time` (ISO 8601, UTC), `source`, `method`, `target`, `status`, `termination`
 * (two letters), the five timers in milliseconds (-1 = not reached), and so on. Letters of UTF-8 stay as they
 * were sent; other bytes above 126, and control characters, are written as \u00XX. Gives the position after the
 * line; `out` must hold MAX_ACCESS_LINE more bytes.
 */
export function writeJsonLine(
  record: AccessRecord,
  wallMs: number,
  out: Uint8Array,
  at: number,
): number {
  const line = new JsonLine(record, out, at);
  line.string('{"time":', isoTime(wallMs));
  line.string(',"frontend":', record.frontend);
  line.string(',"source":', record.source);
  line.number(',"sourcePort":', record.sourcePort);
  line.text(',"method":', ACCESS_TEXTS.method);
  line.text(',"target":', ACCESS_TEXTS.target);
  line.string(',"protocol":', protocolName(record));
  line.text(',"host":', ACCESS_TEXTS.host);
  line.text(',"requestId":', ACCESS_TEXTS.requestId);
  line.number(',"status":', record.status);
  line.number(',"bytesIn":', record.bytesIn);
  line.number(',"bytesOut":', record.bytesOut);
  line.string(',"route":', record.route);
  line.string(',"pool":', record.pool);
  line.string(',"server":', record.server);
  line.number(',"retries":', record.retries);
  line.raw(record.isReused ? ',"reused":true' : ',"reused":false');
  line.string(',"termination":', record.cause + record.phase);
  line.string(',"reason":', record.reason);
  line.number(',"requestMs":', record.requestMs);
  line.number(',"queueMs":', record.queueMs);
  line.number(',"connectMs":', record.connectMs);
  line.number(',"answerMs":', record.answerMs);
  line.number(',"totalMs":', record.totalMs);
  line.string(',"tls":', record.tlsVersion);
  line.text(',"referer":', ACCESS_TEXTS.referer);
  line.text(',"userAgent":', ACCESS_TEXTS.userAgent);
  line.raw("}\n");
  return line.at;
}

/**
 * Combined log format, then `"host" pool/server TR/Tw/Tc/Tr/Ta termination retries requestId` with the
 * timers as HAProxy writes them. Quotes and bytes outside of printable ASCII are written as \xXX.
 */
export function writeCombinedLine(
  record: AccessRecord,
  wallMs: number,
  out: Uint8Array,
  at: number,
): number {
  const line = new CombinedLine(record, out, at);
  line.raw(record.source || "-");
  line.raw(logTime(wallMs));
  line.bare(ACCESS_TEXTS.method);
  line.octet(SPACE);
  line.bare(ACCESS_TEXTS.target);
  line.octet(SPACE);
  line.raw(protocolName(record));
  line.octet(QUOTE);
  line.octet(SPACE);
  line.decimal(record.status, SPACE);
  line.decimal(record.bytesOut, SPACE);
  line.quoted(ACCESS_TEXTS.referer);
  line.quoted(ACCESS_TEXTS.userAgent);
  line.quoted(ACCESS_TEXTS.host);
  line.raw(record.pool || "-");
  line.octet(SLASH);
  line.raw(record.server || "-");
  line.octet(SPACE);
  line.timer(record.requestMs, SLASH);
  line.timer(record.queueMs, SLASH);
  line.timer(record.connectMs, SLASH);
  line.timer(record.answerMs, SLASH);
  line.timer(record.totalMs, SPACE);
  line.raw(record.cause);
  line.raw(record.phase);
  line.octet(SPACE);
  line.decimal(record.retries, SPACE);
  line.bare(ACCESS_TEXTS.requestId);
  line.octet(LINE_END);
  return line.at;
}

const SPACE = 0x20;
const QUOTE = 0x22;
const SLASH = 0x2f;
const LINE_END = 0x0a;

/** From here on a view of the bytes costs less than a loop over them. */
const LONG = 40;

class LineWriter {
  at: number;
  protected readonly record: AccessRecord;
  protected readonly out: Uint8Array;

  constructor(record: AccessRecord, out: Uint8Array, at: number) {
    this.record = record;
    this.out = out;
    this.at = at;
  }

  raw(text: string): void {
    this.at = writeAscii(this.out, this.at, text);
  }

  /** In one piece, if nothing in it has to be written in another way. */
  protected copied(text: AccessText): boolean {
    const { odd, bytes } = this.record;
    if ((odd & (1 << text)) !== 0) return false;
    const from = this.from(text);
    const to = this.to(text);
    if (to - from > LONG) {
      this.out.set(bytes.subarray(from, to), this.at);
      this.at += to - from;
    } else {
      for (let i = from; i < to; i++) this.out[this.at++] = bytes[i] as number;
    }
    return true;
  }

  protected from(text: AccessText): number {
    return this.record.spans[2 * text] as number;
  }

  protected to(text: AccessText): number {
    return this.record.spans[2 * text + 1] as number;
  }
}

class JsonLine extends LineWriter {
  number(key: string, value: number): void {
    this.raw(key);
    this.raw(Number.isInteger(value) ? String(value) : value.toFixed(3));
  }

  /** A text of ours or of the configuration. */
  string(key: string, value: string): void {
    this.raw(key);
    this.raw(JSON.stringify(value).replace(/[\u007f-\uffff]/g, escapeUnit));
  }

  text(key: string, text: AccessText): void {
    this.raw(key);
    this.raw('"');
    const { bytes } = this.record;
    const end = this.to(text);
    for (let i = this.copied(text) ? end : this.from(text); i < end; i++) {
      const byte = bytes[i] as number;
      if (byte >= 0x20 && byte <= 0x7e) {
        if (byte === 0x22 || byte === 0x5c) this.out[this.at++] = 0x5c;
        this.out[this.at++] = byte;
        continue;
      }
      const length = utf8Length(bytes, i, end);
      if (length === 0) this.raw(`\\u00${hex(byte)}`);
      for (let part = 0; part < length; part++) this.out[this.at++] = bytes[i + part] as number;
      i += Math.max(0, length - 1);
    }
    this.raw('"');
  }
}

class CombinedLine extends LineWriter {
  /** Without quotes around; `-` when empty. */
  bare(text: AccessText): void {
    const { bytes } = this.record;
    const from = this.from(text);
    const end = this.to(text);
    if (from === end) return this.raw("-");
    if (this.copied(text)) return;
    for (let i = from; i < end; i++) {
      const byte = bytes[i] as number;
      const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x22 && byte !== 0x5c;
      if (isPlain) this.octet(byte);
      else this.raw(`\\x${hex(byte)}`);
    }
  }

  quoted(text: AccessText): void {
    this.octet(QUOTE);
    this.bare(text);
    this.octet(QUOTE);
    this.octet(SPACE);
  }

  octet(octet: number): void {
    this.out[this.at++] = octet;
  }

  decimal(value: number, after: number): void {
    this.at = writeDecimal(this.out, this.at, value);
    this.octet(after);
  }

  timer(ms: number, after: number): void {
    if (ms >= 0) return this.decimal(Math.round(ms), after);
    this.raw("-1");
    this.octet(after);
  }
}

function protocolName(record: AccessRecord): string {
  if (record.isTcp) return "TCP";
  if (record.http2) return "HTTP/2.0";
  return record.version === 10 ? "HTTP/1.0" : record.version === 11 ? "HTTP/1.1" : "-";
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAY_MS = 86_400_000;

/** Of the proleptic Gregorian calendar, UTC. */
interface Moment {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly clock: string;
}

/** Texts of the last second and millisecond are kept: thousands of lines share them. */
const last = { logSecond: NaN, log: "", isoMs: NaN, iso: "" };

/** What stands between the source and the method. */
function logTime(wallMs: number): string {
  const second = Math.floor(wallMs / 1000);
  if (second !== last.logSecond) {
    const { year, month, day, clock } = momentOf(wallMs);
    last.log = ` - - [${two(day)}/${MONTHS[month - 1]}/${year}:${clock} +0000] "`;
    last.logSecond = second;
  }
  return last.log;
}

function isoTime(wallMs: number): string {
  const ms = Math.floor(wallMs);
  if (ms !== last.isoMs) {
    const { year, month, day, clock } = momentOf(ms);
    const milli = String(((ms % 1000) + 1000) % 1000).padStart(3, "0");
    last.iso = `${year}-${two(month)}-${two(day)}T${clock}.${milli}Z`;
    last.isoMs = ms;
  }
  return last.iso;
}

function momentOf(wallMs: number): Moment {
  const days = Math.floor(wallMs / DAY_MS);
  const second = Math.floor((wallMs - days * DAY_MS) / 1000);
  return {
    ...civilDate(days),
    clock: [second / 3600, (second / 60) % 60, second % 60]
      .map((n) => two(Math.floor(n)))
      .join(":"),
  };
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** For error pages and explanations. */
export function accessText(record: AccessRecord, text: AccessText): string {
  return latin1Text(record.bytes, record.spans[2 * text]!, record.spans[2 * text + 1]!);
}
