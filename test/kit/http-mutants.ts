/**
 * Requests that servers might count differently: by the grammar (framing fields, chunks, targets,
 * line ends, bodies that look like requests) and by single bytes. All drawn from one seed.
 */

import type { Prng } from "../../src/lib/prng.ts";

/** What one connection sends: one or more requests in one go. */
export interface MutantBatch {
  readonly text: string;
  /** How many of its requests were changed. */
  readonly mutated: number;
}

interface Draft {
  line: string;
  /** `name: value`, the colon included. */
  readonly fields: string[];
  body: string;
  /** Between the lines. */
  readonly end: string;
}

const CHUNKED = [
  "Transfer-Encoding: chunked",
  "Transfer-Encoding:chunked",
  "Transfer-Encoding: Chunked",
  "Transfer-Encoding: chunked ",
  "Transfer-Encoding:\tchunked",
  "Transfer-Encoding: \x0bchunked",
  "Transfer-Encoding: chunked\x0c",
  "Transfer-Encoding : chunked",
  " Transfer-Encoding: chunked",
  "X: y\r\n Transfer-Encoding: chunked",
  "X: y\nTransfer-Encoding: chunked",
  "X: y\rTransfer-Encoding: chunked",
  "Transfer-Encoding:\r\n chunked",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: identity, chunked",
  "Transfer-Encoding: identity",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: chunked, chunked",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
  "Transfer-Encoding: xchunked",
  'Transfer-Encoding: "chunked"',
  "Transfer-Encoding: chunked;q=1",
  "Transfer-Encoding: ,chunked",
  "Transfer-Encoding: chunked,",
  "Transfer-Encoding:",
  "Transfer_Encoding: chunked",
  "Transfer-Encoding\x00: chunked",
  "Transfer-Encoding: chun\x00ked",
  "TRANSFER-ENCODING: CHUNKED",
];

const OTHER_FIELDS = [
  "Connection: close",
  "Connection: keep-alive",
  "Connection: Transfer-Encoding",
  "Connection: Content-Length",
  "Connection: close, Host",
  "Connection: X-A, x-fuzz-id",
  "Expect: 100-continue",
  "Expect: 200-ok",
  "Connection: upgrade\r\nUpgrade: websocket",
  "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
  "TE: trailers",
  "Trailer: Content-Length",
  "Host: other.example",
  "Host:",
  "X-Empty:",
  "X:y",
  ": nameless",
  "nocolon",
  "X\x00: y",
  "X: \x00",
  "X: \x7f\x80\xff",
  `X-Long: ${"a".repeat(3000)}`,
  "X-Forwarded-For: 1.2.3.4",
  "Content-Encoding: gzip",
  "Max-Forwards: 0",
];

const TARGETS = [
  "*",
  "http://a.example/absolute",
  "http://other.example/",
  "http:///",
  "a.example:80",
  "/%00",
  "/%zz",
  "/a/../b/./c//d",
  "/?a=b#fragment",
  "/\x80\xff",
  "/a b",
  "",
  "//evil.example/",
  "/;x=y",
  "/\\..\\",
];

const LINE_STARTS = ["GETX ", "get ", "G\x00T ", " GET ", "PUT ", "DELETE ", "TRACE ", "CONNECT "];
const VERSIONS = ["HTTP/1.0", "HTTP/1.2", "HTTP/0.9", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", ""];
const BYTES = "\0\t\n\x0b\r \x7f\x80\xff,:;=+-0123456789abcdefxGHPT/%\"'";

/** A path of that connection and place, with a sum by which a changed one is known. */
export function markOf(serial: number, place: number): string {
  const sum = Math.imul(serial * 8 + place + 1, 0x9e3779b1) >>> 0;
  return `/m${serial}-${place}-${sum.toString(16)}`;
}

export class HttpMutants {
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** Its requests are marked: see `markOf`. */
  batch(serial: number): MutantBatch {
    const prng = this.#prng;
    const count = prng.between(1, 4);
    let text = "";
    let mutated = 0;
    for (let i = 0; i < count; i++) {
      const mark = markOf(serial, i);
      if (i > 0 && i === count - 1 && prng.chance(0.5)) text += render(this.#good(mark));
      else {
        text += this.#mutant(mark);
        mutated++;
      }
    }
    return { text, mutated };
  }

  #mutant(mark: string): string {
    const prng = this.#prng;
    const draft = this.#good(mark);
    const steps = prng.chance(0.6) ? 1 : 2;
    for (let i = 0; i < steps; i++) this.#mutate(draft);
    let text = render(draft);
    if (prng.chance(0.25)) text = this.#mutateBytes(text);
    return text;
  }

  #good(mark: string): Draft {
    const prng = this.#prng;
    const fields = ["Host: a.example", "User-Agent: fuzz"];
    const inside = this.#body();
    switch (prng.between(0, 4)) {
      case 0:
        return { line: `GET ${mark} HTTP/1.1`, fields, body: "", end: "\r\n" };
      case 1:
        return { line: `HEAD ${mark} HTTP/1.1`, fields, body: "", end: "\r\n" };
      case 2:
      case 3:
        fields.push(`Content-Length: ${inside.length}`);
        return { line: `POST ${mark} HTTP/1.1`, fields, body: inside, end: "\r\n" };
      default:
        fields.push("Transfer-Encoding: chunked");
        return { line: `POST ${mark} HTTP/1.1`, fields, body: this.#chunks(inside), end: "\r\n" };
    }
  }

  /** Often another request, for whoever takes it for one. */
  #body(): string {
    const prng = this.#prng;
    const inner = "GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n";
    switch (prng.between(0, 4)) {
      case 0:
        return inner;
      case 1:
        return `0\r\n\r\n${inner}`;
      case 2:
        return "x".repeat(prng.between(0, 300));
      case 3:
        return `${inner}${inner}`;
      default:
        return "5\r\nhello\r\n0\r\n\r\n";
    }
  }

  #chunks(body: string): string {
    const prng = this.#prng;
    let text = "";
    for (let at = 0; at < body.length;) {
      const size = Math.min(body.length - at, prng.between(1, 100));
      const extension = prng.chance(0.1) ? prng.pick([";a", ";a=b", ';a="b"', "; a = b"]) : "";
      text += `${size.toString(16)}${extension}\r\n${body.slice(at, at + size)}\r\n`;
      at += size;
    }
    const trailer = prng.chance(0.1) ? "X-Trailer: 1\r\n" : "";
    return `${text}0\r\n${trailer}\r\n`;
  }

  #mutate(draft: Draft): void {
    const prng = this.#prng;
    switch (prng.between(0, 9)) {
      case 0:
      case 1:
        return this.#insert(draft, prng.pick(CHUNKED));
      case 2:
      case 3:
        return this.#insert(draft, `Content-Length:${this.#length(draft.body.length)}`);
      case 4:
        return this.#insert(draft, prng.pick(OTHER_FIELDS));
      case 5:
        draft.line = this.#line(draft.line);
        return;
      case 6:
        draft.body = this.#chunkTrick(draft.body);
        return;
      case 7:
        draft.fields.splice(prng.between(0, draft.fields.length - 1), 1);
        return;
      case 8:
        draft.body = prng.chance(0.5) ? draft.body.slice(0, -1) : draft.body + this.#body();
        return;
      default:
        draft.body = this.#chunks(this.#body());
    }
  }

  #insert(draft: Draft, field: string): void {
    draft.fields.splice(this.#prng.between(0, draft.fields.length), 0, field);
  }

  #length(real: number): string {
    const prng = this.#prng;
    const near = Math.max(0, real + prng.between(-6, 6));
    return prng.pick([
      ` ${near}`,
      ` ${near}`,
      " 0",
      ` +${real}`,
      ` -${real}`,
      ` 0${real}`,
      ` 0x${real.toString(16)}`,
      ` ${real}, ${real}`,
      ` ${real},${near}`,
      ` ${real}\r\nContent-Length: ${near}`,
      ` ${real} ${near}`,
      ` ${real}\x0b`,
      `\x0c${real}`,
      ` ${real};`,
      ` ${real}.0`,
      " 18446744073709551621",
      " 99999999999999999999999",
      "",
      ` ${real}\r\n ${near}`,
      ` \x00${real}`,
      ` "${real}"`,
    ]);
  }

  #line(line: string): string {
    const prng = this.#prng;
    const [method = "", target = "", version = ""] = line.split(" ");
    switch (prng.between(0, 4)) {
      case 0:
        return `${method} ${prng.pick(TARGETS)} ${version}`;
      case 1:
        return `${method} ${target} ${prng.pick(VERSIONS)}`;
      case 2:
        return `${prng.pick(LINE_STARTS)}${target} ${version}`;
      case 3:
        return `${method}${prng.pick(["  ", "\t", "\0", "\r\n", ""])}${target} ${version}`;
      default:
        return prng.pick(["\r\n", "\n", " ", "\r\n\r\n", "\0"]) + line;
    }
  }

  /** One change to something that chunks are made of, wherever that stands. */
  #chunkTrick(body: string): string {
    const tricks: readonly (readonly [RegExp, string])[] = [
      [/^(\w+)\r\n/, "0$1\r\n"],
      [/^(\w+)\r\n/, "0x$1\r\n"],
      [/^(\w+)\r\n/, "+$1\r\n"],
      [/^(\w+)\r\n/, "$1 \r\n"],
      [/^(\w+)\r\n/, " $1\r\n"],
      [/^(\w+)\r\n/, "$1\n"],
      [/^(\w+)\r\n/, "$1\r"],
      [/^(\w+)\r\n/, "$1;\n\r\n"],
      [/^(\w+)\r\n/, "$1;a=\r\nb\r\n"],
      [/^(\w+)\r\n/, "10000000000000000$1\r\n"],
      [/^(\w+)\r\n/, "$1\x0b\r\n"],
      [/^(\w+)\r\n/, "-$1\r\n"],
      [/^(\w+)\r\n/, "$1_0\r\n"],
      [/\r\n0\r\n/, "0\r\n"],
      [/\r\n0\r\n/, "\n0\n"],
      [/\r\n0\r\n/, "\r\n00000\r\n"],
      [/\r\n0\r\n/, "\r\n0;x\r\n"],
      [/\r\n0\r\n/, "XX0\r\n"],
      [/0\r\n\r\n$/, "0\r\nContent-Length: 5\r\n\r\n"],
      [/0\r\n\r\n$/, "0\r\nTransfer-Encoding: chunked\r\n\r\n"],
      [/0\r\n\r\n$/, "0\r\n folded\r\n\r\n"],
      [/0\r\n\r\n$/, "0\r\n"],
      [/0\r\n\r\n$/, "0\n\n"],
      [/0\r\n\r\n$/, ""],
    ];
    const [pattern, by] = this.#prng.pick(tricks);
    return body.replace(pattern, by);
  }

  #mutateBytes(text: string): string {
    const prng = this.#prng;
    const steps = prng.between(1, 2);
    for (let i = 0; i < steps; i++) {
      const at = prng.between(0, Math.max(0, text.length - 1));
      const byte = BYTES[prng.between(0, BYTES.length - 1)]!;
      const length = prng.between(1, 12);
      switch (prng.between(0, 6)) {
        case 0:
          text = text.slice(0, at) + byte + text.slice(at + 1);
          break;
        case 1:
          text = text.slice(0, at) + byte + text.slice(at);
          break;
        case 2:
          text = text.slice(0, at) + text.slice(at + 1);
          break;
        case 3:
          text = text.slice(0, at) + text.slice(at, at + length) + text.slice(at);
          break;
        case 4: {
          const flipped = text.charCodeAt(at) ^ (1 << prng.between(0, 7));
          text = text.slice(0, at) + String.fromCharCode(flipped & 255) + text.slice(at + 1);
          break;
        }
        case 5:
          text = swapEnd(text, prng);
          break;
        default:
          if (prng.chance(0.1)) text = text.slice(0, at);
      }
    }
    return text;
  }
}

/** One line ends differently. */
function swapEnd(text: string, prng: Prng): string {
  const ends = [...text.matchAll(/\r\n/g)].map(({ index }) => index);
  if (ends.length === 0) return text;
  const at = prng.pick(ends);
  return (
    text.slice(0, at) +
    prng.pick(["\n", "\r", "\r\r\n", "\n\r", "\r\n\r\n", ""]) +
    text.slice(at + 2)
  );
}

function render({ line, fields, body, end }: Draft): string {
  return `${[line, ...fields].join(end)}${end}${end}${body}`;
}
