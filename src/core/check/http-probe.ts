/** An HTTP/1.1 check: status, then body. */

import { md5 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { latin1Text, utf8Bytes, utf8Text } from "../../lib/text-bytes.ts";
import { BodyReader } from "../http/body-reader.ts";
import { REFUSED } from "../http/field-block.ts";
import { refusal } from "../http/refusals.ts";
import { ResponseHead } from "../http/response-head.ts";
import type { BodyExpectation, CheckProtocol, StatusRange } from "./check-settings.ts";
import { bad, Gathered, good, type Probe, type ProbeStep, WAIT } from "./probe.ts";

type HttpSettings = Extract<CheckProtocol, { kind: "http" }>;

const HEAD_LIMITS = { bytes: 16_384, fields: 100 };

/** The last answer in HTTP: a server that takes the upgrade which `headers` ask for. */
const SWITCHING = 101;

/** Its tables are large; what is read in one call is looked at in the same call. */
const HEAD = new ResponseHead();

export class HttpProbe implements Probe {
  readonly #settings: HttpSettings;
  readonly #host: string;
  readonly #gathered: Gathered;
  /** Made when there is a body to be looked at: its buffers are large. */
  #reader: BodyReader | undefined;
  readonly #body: Gathered;
  /** Where the body starts; 0 = the head is not complete. */
  #at = 0;
  #by: string | undefined;
  #status = 0;
  #headBytes = 0;

  /** `host`: the target's own, where the settings name none. */
  constructor(settings: HttpSettings, host: string) {
    this.#settings = settings;
    this.#host = settings.host ?? host;
    this.#gathered = new Gathered(HEAD_LIMITS.bytes + settings.maxBodyBytes * 2);
    // One more, to know that there is more.
    this.#body = new Gathered(settings.maxBodyBytes + 1);
  }

  connected(): ProbeStep {
    const { method, path, headers } = this.#settings;
    const own = headers.map(({ name, value }) => `${name}: ${value}\r\n`).join("");
    // Two of a name are a bad request.
    const host = /^host:/im.test(own) ? "" : `Host: ${this.#host}\r\n`;
    const agent = /^user-agent:/im.test(own) ? "" : "User-Agent: nines-check\r\n";
    const close = /^connection:/im.test(own) ? "" : "Connection: close\r\n";
    const text = `${method} ${path} HTTP/1.1\r\n${host}${agent}${own}${close}\r\n`;
    return { send: utf8Bytes(text) };
  }

  received(bytes: Uint8Array): ProbeStep {
    this.#gathered.add(bytes);
    if (this.#at === 0) {
      const early = this.#readHead();
      if (early !== undefined) return this.#signed(early);
    }
    return this.#signed(this.#readBody(false));
  }

  ended(): ProbeStep {
    if (this.#at === 0) return bad("the server ended the connection before its answer");
    return this.#signed(this.#readBody(true));
  }

  /** With who answered, if that is wanted and known. */
  #signed(step: ProbeStep): ProbeStep {
    if (this.#by === undefined || step.result === undefined) return step;
    return { ...step, result: { ...step.result, by: this.#by } };
  }

  #readHead(): ProbeStep | undefined {
    const head = HEAD;
    head.clear();
    const after = head.parse(this.#gathered.bytes, 0, this.#gathered.length, HEAD_LIMITS);
    if (after === REFUSED) return bad(refusal(head.refused!).text);
    if (after <= 0) return WAIT;
    if (head.status < 200 && head.status !== SWITCHING) {
      // An interim answer: what follows it counts.
      const rest = this.#gathered.bytes.slice(after, this.#gathered.length);
      this.#gathered.length = 0;
      return rest.length === 0 ? WAIT : this.received(rest);
    }
    const { byHeader } = this.#settings;
    if (byHeader !== undefined) this.#by = head.text(byHeader);
    if (!isWanted(head.status, this.#settings.status)) {
      return bad(`status ${head.status}, wanted ${rangesText(this.#settings.status)}`);
    }
    const { body, wholeBody = false } = this.#settings;
    const hasEnd = head.frame(this.#settings.method === "HEAD");
    if (body === undefined && !(wholeBody && hasEnd)) return good(`status ${head.status}`);
    if (!hasEnd) return bad(refusal(head.refused!).text);
    this.#status = head.status;
    this.#at = this.#headBytes = after;
    this.#reader = new BodyReader();
    this.#reader.begin(head.framing, head.length);
    return undefined;
  }

  #readBody(isEnd: boolean): ProbeStep {
    const reader = this.#reader;
    if (reader === undefined) return WAIT;
    while (!reader.done && reader.refused === undefined && this.#at < this.#gathered.length) {
      this.#at = reader.consume(this.#gathered.bytes, this.#at, this.#gathered.length);
      this.#body.add(this.#gathered.bytes.subarray(reader.from, reader.to));
    }
    if (reader.refused !== undefined) return bad(refusal(reader.refused).text);
    if (isEnd && !reader.end()) return bad("the body was cut off");
    const { body: wanted, maxBodyBytes } = this.#settings;
    const isMore = this.#body.length > maxBodyBytes || (!reader.done && this.#gathered.isFull);
    if (!reader.done && !isMore) return WAIT;
    if (wanted === undefined) return good(`status ${this.#status}`);
    if (isMore && wanted.kind === "digest") {
      return bad(`the body is longer than ${maxBodyBytes} bytes: raise max_body`);
    }
    const length = Math.min(this.#body.length, maxBodyBytes);
    const text = this.#body.bytes.subarray(0, length);
    if (wanted.kind !== "regex" || !wanted.withHead) return judgeBody(wanted, text);
    const head = this.#gathered.bytes.subarray(0, this.#headBytes);
    const whole = new Uint8Array(head.length + text.length);
    whole.set(head);
    whole.set(text, head.length);
    return judgeBody(wanted, whole);
  }
}

function isWanted(status: number, ranges: readonly StatusRange[]): boolean {
  return ranges.some(({ from, to }) => status >= from && status <= to);
}

function rangesText(ranges: readonly StatusRange[]): string {
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(", ");
}

/** With the flag u V8 could not change to the engine that takes no longer on a hostile text: only where it is needed. */
function expression(pattern: string): RegExp {
  return new RegExp(pattern, /\\[pPu]\{|[\ud800-\udfff]/.test(pattern) ? "su" : "s");
}

function judgeBody(wanted: BodyExpectation, body: Uint8Array): ProbeStep {
  switch (wanted.kind) {
    case "contains": {
      const text = latin1Text(utf8Bytes(wanted.text), 0, utf8Bytes(wanted.text).length);
      const found = latin1Text(body, 0, body.length).includes(text);
      return found ? good("body as wanted") : bad(`body lacks "${wanted.text}"`);
    }
    case "regex": {
      const found = expression(wanted.pattern).test(utf8Text(body));
      if (found !== wanted.inverted) return good("body as wanted");
      return bad(`body ${found ? "matches" : "does not match"} /${wanted.pattern}/`);
    }
    case "digest": {
      const digest = bytesToHex(wanted.algorithm === "md5" ? md5(body) : sha256(body));
      if (digest === wanted.hex.toLowerCase()) return good("digest as wanted");
      return bad(`${wanted.algorithm} of the body is ${digest}, wanted ${wanted.hex}`);
    }
  }
}
