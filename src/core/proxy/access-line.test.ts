import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { latin1Text } from "../../lib/text-bytes.ts";
import { MAX_ACCESS_LINE, writeCombinedLine, writeJsonLine } from "./access-line.ts";
import { ACCESS_TEXTS, AccessRecord } from "./access-record.ts";

/** 2026-02-28T23:59:59.007Z. */
const WALL = 1_772_323_199_007;
const out = new Uint8Array(MAX_ACCESS_LINE);

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function record(texts: Partial<Record<keyof typeof ACCESS_TEXTS, string>>): AccessRecord {
  const made = new AccessRecord();
  for (const [name, text] of Object.entries(texts)) {
    const bytes = bytesOf(text);
    made.keep(ACCESS_TEXTS[name as keyof typeof ACCESS_TEXTS], bytes, 0, bytes.length);
  }
  return made;
}

/** Throws unless it is well-formed UTF-8. */
function jsonLine(made: AccessRecord): string {
  const end = writeJsonLine(made, WALL, out, 0);
  return new TextDecoder("utf-8", { fatal: true }).decode(out.subarray(0, end));
}

test("a combined line is what its readers expect, with HAProxy's letters and timers behind", () => {
  const made = record({
    method: "GET",
    target: '/a"b\\c\u0001?x=1',
    host: "example.org",
    userAgent: "curl/8",
    requestId: "r-1",
  });
  Object.assign(made, {
    source: "192.0.2.7",
    version: 11,
    status: 502,
    bytesOut: 321,
    pool: "web",
    server: "w1",
    requestMs: 0.4,
    queueMs: 0,
    connectMs: 1.6,
    answerMs: -1,
    totalMs: 12,
    cause: "S",
    phase: "H",
    retries: 1,
  });
  const line = latin1Text(out, 0, writeCombinedLine(made, WALL, out, 0));
  assert.equal(
    line,
    '192.0.2.7 - - [28/Feb/2026:23:59:59 +0000] "GET /a\\x22b\\x5cc\\x01?x=1 HTTP/1.1" 502 321 ' +
      '"-" "curl/8" "example.org" web/w1 0/0/2/-1/12 SH 1 r-1\n',
  );
});

/** Short and long, in need of another spelling and not. */
const anyText = fc.oneof(
  fc.string({ maxLength: 100 }),
  fc.uint8Array({ maxLength: 100 }).map((bytes) => latin1Text(bytes, 0, bytes.length)),
);

test("in a combined line each text is spelled by its own letters, whatever the others are", () => {
  const spelled = (text: string) =>
    text.replace(
      /[^ -~]|["\\]/g,
      (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`,
    ) || "-";
  const made = new AccessRecord();
  fc.assert(
    fc.property(anyText, anyText, anyText, (target, referer, userAgent) => {
      made.clear();
      for (const [name, text] of Object.entries({ target, referer, userAgent })) {
        made.keep(ACCESS_TEXTS[name as keyof typeof ACCESS_TEXTS], bytesOf(text), 0, text.length);
      }
      const line = latin1Text(out, 0, writeCombinedLine(made, WALL, out, 0));
      const quoted = `"- ${spelled(target)} -" 0 0 "${spelled(referer)}" "${spelled(userAgent)}" `;
      assert.ok(line.includes(quoted), `${line} has not ${quoted}`);
      const read = JSON.parse(jsonLine(made));
      if (/^[\0-\x7f]*$/.test(target)) assert.equal(read.target, target);
    }),
  );
});

test("a JSON line is one valid object whatever bytes a client sends", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1500 }), fc.string(), (bytes, pool) => {
      const made = new AccessRecord();
      made.keep(ACCESS_TEXTS.target, bytes, 0, bytes.length);
      made.pool = pool;
      made.totalMs = 1.23456;
      const text = jsonLine(made);
      assert.ok(text.endsWith("}\n"));
      const read = JSON.parse(text);
      // Bytes that are no letters of UTF-8 stand for themselves.
      const isPlain = bytes.every((byte) => byte < 0xc2);
      if (isPlain) assert.equal(read.target, latin1Text(bytes, 0, Math.min(bytes.length, 1024)));
      assert.equal(read.pool, pool);
      assert.equal(read.totalMs, 1.235);
      assert.equal(read.time, "2026-02-28T23:59:59.007Z");
    }),
  );
});

test("in a JSON line letters are what they were, and nothing in it steers a terminal", () => {
  const made = new AccessRecord();
  const path = "/商店/ä?q=\u009b2J\u0001";
  const bytes = new TextEncoder().encode(path);
  made.keep(ACCESS_TEXTS.target, bytes, 0, bytes.length);
  const text = jsonLine(made);
  assert.ok(text.includes('"target":"/商店/ä?q=\\u00c2\\u009b2J\\u0001"'), text);
});

test("the longest texts in their longest spelling fit", () => {
  const made = new AccessRecord();
  const bytes = new Uint8Array(5000).fill(1);
  for (const text of Object.values(ACCESS_TEXTS)) made.keep(text, bytes, 0, bytes.length);
  assert.ok(writeJsonLine(made, WALL, out, 0) < MAX_ACCESS_LINE);
  assert.ok(writeCombinedLine(made, WALL, out, 0) < MAX_ACCESS_LINE);
});

test("every day of two centuries is the calendar's day, leap years included", () => {
  const made = new AccessRecord();
  const lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  let wallMs = 0;
  for (let year = 1970; year < 2170; year++) {
    const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
    lengths.forEach((length, month) => {
      const days = month === 1 && leap ? 29 : length;
      for (let day = 1; day <= days; day++, wallMs += 86_400_000) {
        if (day > 1 && day < 28) continue;
        const { time } = JSON.parse(latin1Text(out, 0, writeJsonLine(made, wallMs, out, 0)));
        const date = [month + 1, day].map((n) => String(n).padStart(2, "0")).join("-");
        assert.equal(time, `${year}-${date}T00:00:00.000Z`);
      }
    });
  }
});

test("a reused record shows nothing of the request before", () => {
  const made = record({ target: "/secret" });
  made.clear();
  const { target } = JSON.parse(latin1Text(out, 0, writeJsonLine(made, WALL, out, 0)));
  assert.equal(target, "");
});
