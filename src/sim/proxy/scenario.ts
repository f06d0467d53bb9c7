/** What happens in one run of the proxy: plain data, so that it can be drawn, cut and told. */

export interface AnswerPlan {
  readonly status: number;
  readonly bodyLength: number;
  readonly framing: "length" | "chunked" | "close";
  readonly version: "1.0" | "1.1";
  /** After this answer the server closes: said before, or not. */
  readonly closes: "no" | "announced" | "silent";
  /** The answer begins with the request's head, or after its last byte. */
  readonly when: "complete" | "early";
  /** So many 103 before the final answer. */
  readonly hints: number;
  readonly trailers: boolean;
  readonly delayMs: number;
  readonly fault: AnswerFault;
}

export type AnswerFault =
  | { readonly kind: "none" }
  /**
   * After so many bytes of the answer, 0 = before the first, the connection breaks or falls silent. A reset
   * takes along what has not arrived, unless it comes so much later.
   */
  | {
      readonly kind: "cut";
      readonly at: number;
      readonly how: "reset" | "end" | "silence";
      readonly afterMs?: number;
    }
  /** The connection breaks with the first byte of the request. */
  | { readonly kind: "reset-at-request" }
  /** Bytes behind the answer that nobody asked for. */
  | { readonly kind: "extra" }
  /** No HTTP at all. */
  | { readonly kind: "garbage" };

export interface RequestPlan {
  /** Unique in the run; its first letter tells the client. */
  readonly id: string;
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly version: "1.0" | "1.1";
  readonly bodyLength: number;
  readonly bodyFraming: "length" | "chunked";
  readonly expectContinue: boolean;
  /** The client asks for the end of the connection. */
  readonly close: boolean;
  readonly keepAlive10: boolean;
  readonly upgrade: boolean;
  readonly idempotencyKey: boolean;
  /** Sent without waiting for the answer before it. */
  readonly pipelined: boolean;
  readonly pauseMs: number;
  /** What its first, second ... delivery meets; the last one counts for all further ones. */
  readonly answers: readonly AnswerPlan[];
}

export interface ClientPlan {
  readonly startMs: number;
  readonly requests: readonly RequestPlan[];
  readonly pieces: Pieces;
  /** Stops reading for so long after every piece. */
  readonly readPauseMs: number;
  /** Leaves when it has sent or read so many bytes; -1 = stays. */
  readonly leavesAfterSent: number;
  readonly leavesAfterRead: number;
  readonly leavesBy: "reset" | "destroy" | "end";
}

/** How streams are cut: every byte alone, at random, or as they come. */
export type Pieces = "bytes" | "random" | "whole";

export interface ServerPlan {
  readonly name: string;
  readonly maxConnections: number;
  /** Closes kept connections after; says so in Keep-Alive when `tellsTimeout`. */
  readonly keepAliveMs: number;
  readonly tellsTimeout: boolean;
  readonly pieces: Pieces;
}

export type HostFault = {
  readonly server: number;
  readonly atMs: number;
  readonly durationMs: number;
  /** `die`: every connection is reset and new ones are refused; `down`: its check says so. */
  readonly kind: "refuse" | "swallow" | "die" | "down" | "drain" | "maint" | "remove";
};

/** What requests and TCP connections have in common. */
export interface WorldPlan {
  readonly seed: number;
  readonly servers: readonly Pick<ServerPlan, "name" | "maxConnections">[];
  readonly faults: readonly HostFault[];
  readonly attempts: number;
  readonly bufferBytes: number;
  readonly queueLimit: number;
  readonly sticky: "none" | "insert" | "table";
  readonly sendProxy: "off" | "v1" | "v2";
  readonly kernelBytes: number;
  readonly markBytes: number;
  readonly delayMs: number;
  /** The balancer starts to drain then; -1 = never. */
  readonly drainAtMs: number;
}

export interface ProxyScenario extends WorldPlan {
  readonly servers: readonly ServerPlan[];
  readonly clients: readonly ClientPlan[];
}

/** Bytes of a body: told apart by request, direction and position. */
export function patternByte(key: number, offset: number): number {
  const word = Math.imul(key ^ Math.imul(offset >>> 2, 0x9e3779b1), 0x85ebca6b);
  return (word >>> (8 * (offset & 3))) & 0xff;
}

/** Of a request's body; of its answer's body with `answer`. */
export function patternKey(id: string, answer: boolean): number {
  let key = answer ? 0x1234567 : 0x7654321;
  for (let i = 0; i < id.length; i++) key = Math.imul(key ^ id.charCodeAt(i), 0x01000193);
  return key >>> 0;
}

export function fillPattern(key: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = patternByte(key, i);
  return bytes;
}

export function isIdempotent(plan: RequestPlan): boolean {
  return plan.method !== "POST" || plan.idempotencyKey;
}
