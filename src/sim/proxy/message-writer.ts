/** The bytes that the simulated clients and servers send. */

import { utf8Bytes } from "../../lib/text-bytes.ts";
import type { Prng } from "../../lib/prng.ts";
import {
  fillPattern,
  patternKey,
  type AnswerPlan,
  type RequestPlan,
  type ServerPlan,
} from "./scenario.ts";

export interface RequestBytes {
  readonly head: Uint8Array;
  readonly body: Uint8Array;
}

export function requestBytes(plan: RequestPlan, prng: Prng): RequestBytes {
  const lines = [
    `${plan.method} /${plan.id}?size=${plan.bodyLength} HTTP/${plan.version}`,
    "Host: example.org",
    `X-Id: ${plan.id}`,
    "Accept: */*",
  ];
  const chunked = plan.bodyFraming === "chunked" && plan.bodyLength > 0 && plan.version === "1.1";
  if (chunked) lines.push("Transfer-Encoding: chunked");
  else if (plan.bodyLength > 0 || plan.method === "POST") {
    lines.push(`Content-Length: ${plan.bodyLength}`);
  }
  if (plan.expectContinue) lines.push("Expect: 100-continue");
  if (plan.idempotencyKey) lines.push(`Idempotency-Key: "${plan.id}"`);
  // X-Secret is named in Connection: it must not pass.
  const connection = ["x-secret"];
  if (plan.close) connection.push("close");
  if (plan.keepAlive10) connection.push("keep-alive");
  if (plan.upgrade) connection.push("upgrade");
  if (plan.upgrade) lines.push("Upgrade: echo");
  lines.push(`Connection: ${connection.join(", ")}`, "X-Secret: hop", "Keep-Alive: timeout=5");
  const pattern = fillPattern(patternKey(plan.id, false), plan.bodyLength);
  return {
    head: utf8Bytes(`${lines.join("\r\n")}\r\n\r\n`),
    body: chunked ? chunks(pattern, prng, ["X-Checksum: 1"]) : pattern,
  };
}

export interface AnswerContext {
  readonly plan: RequestPlan;
  readonly server: ServerPlan;
  readonly prng: Prng;
}

/** 1xx, head and body; without body where there must be none. */
export function answerBytes(act: AnswerPlan, { plan, server, prng }: AnswerContext): Uint8Array {
  if (act.fault.kind === "garbage") return utf8Bytes("220 this is no web server\r\n");
  const hints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n".repeat(act.hints);
  const bare = act.status === 204 || act.status === 304;
  const lines = [
    `HTTP/${act.version} ${act.status} Whatever`,
    `X-Id: ${plan.id}`,
    `X-Server: ${server.name}`,
    "Set-Cookie: a=1",
    "Set-Cookie: b=2",
  ];
  const announced = act.closes === "announced" || act.framing === "close";
  lines.push(`Connection: ${announced ? "close" : "keep-alive"}, x-secret`, "X-Secret: hop");
  if (server.tellsTimeout && !announced) {
    lines.push(`Keep-Alive: timeout=${Math.floor(server.keepAliveMs / 1000)}`);
  }
  const chunked = act.framing === "chunked" && act.version === "1.1";
  if (!bare && chunked) lines.push("Transfer-Encoding: chunked");
  else if (!bare && act.framing !== "close") lines.push(`Content-Length: ${act.bodyLength}`);
  const head = utf8Bytes(`${hints}${lines.join("\r\n")}\r\n\r\n`);
  let body = fillPattern(patternKey(plan.id, true), act.bodyLength);
  if (chunked) body = chunks(body, prng, act.trailers ? ["X-Trailer: yes"] : []);
  if (bare || plan.method === "HEAD") body = new Uint8Array(0);
  // Behind a body that lasts until the end of the connection nothing is extra. And what comes when
  // the next request is out cannot be told from its answer, by nobody.
  const isOpenEnded = act.framing === "close" && !bare && plan.method !== "HEAD";
  const isExtra = act.fault.kind === "extra" && !isOpenEnded && server.pieces === "whole";
  const extra = utf8Bytes(isExtra ? "HTTP/1.1 200 OK\r\nX-Id: evil\r\n\r\n" : "");
  return joined([head, body, extra]);
}

export const CONTINUE: Uint8Array = utf8Bytes("HTTP/1.1 100 Continue\r\n\r\n");

export function switchingBytes(plan: RequestPlan): Uint8Array {
  const text = `HTTP/1.1 101 Switching Protocols\r\nX-Id: ${plan.id}\r\nConnection: upgrade\r\n`;
  return utf8Bytes(`${text}Upgrade: echo\r\n\r\n`);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function chunks(body: Uint8Array, prng: Prng, trailers: readonly string[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < body.length;) {
    const size = prng.chance(0.3) ? 1 : prng.between(1, body.length - at);
    const extension = prng.chance(0.2) ? ";name=value" : "";
    const zeros = prng.chance(0.2) ? "00" : "";
    parts.push(utf8Bytes(`${zeros}${size.toString(16)}${extension}\r\n`));
    parts.push(body.subarray(at, at + size), utf8Bytes("\r\n"));
    at += size;
  }
  parts.push(utf8Bytes(`0\r\n${trailers.map((line) => `${line}\r\n`).join("")}\r\n`));
  return joined(parts);
}
