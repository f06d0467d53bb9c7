/**
 * grpc.health.v1.Health/Check: one small message each way over HTTP/2, and what its answer means.
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */

import { utf8Bytes } from "../../lib/text-bytes.ts";
import type { ProbeResult } from "./probe.ts";

export const GRPC_HEALTH_PATH = "/grpc.health.v1.Health/Check";

/** Uncompressed flag and length before each message. */
const FRAME_HEAD = 5;
/** Bytes of an answer that are looked at; a status takes two. */
export const MAX_GRPC_ANSWER = 1024;

const STATUS = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const SERVING = 1;

/** `HealthCheckRequest { string service = 1; }` in its frame. Empty: the server as a whole. */
export function grpcHealthRequest(service: string): Uint8Array {
  const name = utf8Bytes(service);
  const message = name.length === 0 ? [] : [0x0a, ...varint(name.length), ...name];
  const bytes = new Uint8Array(FRAME_HEAD + message.length);
  new DataView(bytes.buffer).setUint32(1, message.length);
  bytes.set(message, FRAME_HEAD);
  return bytes;
}

export interface GrpcAnswer {
  readonly httpStatus: number;
  /** `grpc-status` of the trailers, or of the head where there is no message; "" = none came. */
  readonly grpcStatus: string;
  readonly grpcMessage: string;
  readonly body: Uint8Array;
}

export function judgeGrpcHealth(answer: GrpcAnswer): ProbeResult {
  const { httpStatus, grpcStatus, grpcMessage, body } = answer;
  if (httpStatus !== 200) return { ok: false, reason: `HTTP status ${httpStatus}, wanted 200` };
  if (grpcStatus !== "0") {
    const said = grpcMessage === "" ? "" : ` (${grpcMessage})`;
    const status = grpcStatus === "" ? "no grpc-status came" : `grpc-status ${grpcStatus}${said}`;
    return { ok: false, reason: `${status}, wanted 0` };
  }
  const status = servingStatus(body);
  if (status === undefined) return { ok: false, reason: "the answer is no health status" };
  const name = STATUS[status] ?? `status ${status}`;
  if (status === SERVING) return { ok: true, reason: name };
  return { ok: false, reason: `${name}, wanted SERVING` };
}

/** `HealthCheckResponse { ServingStatus status = 1; }`; a field that is not there is 0. */
function servingStatus(body: Uint8Array): number | undefined {
  if (body.length < FRAME_HEAD || body[0] !== 0) return undefined;
  const length = new DataView(body.buffer, body.byteOffset).getUint32(1);
  if (body.length < FRAME_HEAD + length) return undefined;
  if (length === 0) return 0;
  return body[FRAME_HEAD] === 0x08 && length >= 2 ? body[FRAME_HEAD + 1]! : undefined;
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
