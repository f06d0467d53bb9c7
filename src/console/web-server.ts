/**
 * The console's HTTP server: one set of routes behind every door (TCP with or without TLS, the unix
 * socket). Bounds everything that a caller can make us keep, and decides nothing.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { RateLimiter } from "../core/route/rate-limiter.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import type { Problem } from "./api.ts";
import { mistakeIn, readQuery } from "./fields.ts";
import { identify, mayDo, type Identity, type IdentityRules } from "./identity.ts";
import { refusalOf, SECURITY_HEADERS, type HostList } from "./request-guard.ts";
import { isProblem, problem, type Answer, type Found, type RouteTable } from "./routes.ts";
import { wordingOf } from "./wording.ts";

const MAX_CONNECTIONS = 256;
const MAX_CONNECTIONS_PER_ADDRESS = 48;
const MAX_BODY = 64 * 1024;
const MAX_HEAD = 16 * 1024;
/** A head must be there within, and a body. */
const HEAD_MS = 10_000;
const REQUEST_MS = 15_000;
/** Nothing is read or written that long: the connection ends. Streams beat more often. */
const IDLE_MS = 40_000;
const COMPRESSED_FROM = 1400;
const MAX_ADDRESSES = 4096;

const compress = promisify(gzip);

/** What happened at the door that somebody should know. */
export interface DoorEvent {
  readonly kind: "access-refused";
  readonly from: string;
  readonly reason: string;
}

export interface WebOptions {
  readonly routes: () => RouteTable;
  readonly hosts: () => HostList;
  readonly identity: () => IdentityRules;
  /** At a bounded rate. */
  readonly report: (event: DoorEvent) => void;
}

export interface DoorOptions {
  readonly isLocal: boolean;
  readonly tls?: TlsMaterial;
}

export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Certificates of clients are asked for and checked against it. */
  readonly clientCa?: Buffer;
}

interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly from: string;
  readonly door: { readonly isLocal: boolean; readonly isTls: boolean };
}

export class WebServer {
  readonly #options: WebOptions;
  readonly #open = new Map<string, number>();
  readonly #requests = new RateLimiter({ perSecond: 60, burst: 300, size: MAX_ADDRESSES });
  readonly #changes = new RateLimiter({ perSecond: 5, burst: 20, size: MAX_ADDRESSES });
  /** Wrong tokens: 256 bits are not guessed, but whoever tries is to be seen and slow. */
  readonly #failures = new RateLimiter({ perSecond: 1 / 6, burst: 10, size: MAX_ADDRESSES });
  readonly #reports = new RateLimiter({ perSecond: 1 / 60, burst: 3, size: MAX_ADDRESSES });

  constructor(options: WebOptions) {
    this.#options = options;
  }

  /** Not listening yet. */
  door({ isLocal, tls }: DoorOptions): Server {
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      const from = isLocal ? "unix" : (request.socket.remoteAddress ?? "gone");
      const visit = { request, response, from, door: { isLocal, isTls: tls !== undefined } };
      this.#serve(visit).catch((error: unknown) => {
        this.#refuse(visit, problem(500, "internal", `a mistake of ours: ${String(error)}`));
      });
    };
    const options = {
      maxHeaderSize: MAX_HEAD,
      headersTimeout: HEAD_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: IDLE_MS,
    };
    const server =
      tls === undefined
        ? createServer(options, listener)
        : createTlsServer({ ...options, ...tlsOptions(tls) }, listener);
    server.maxConnections = MAX_CONNECTIONS;
    server.maxHeadersCount = 100;
    server.setTimeout(IDLE_MS);
    server.on("connection", (socket: Socket) => this.#count(socket, isLocal));
    server.on("clientError", (_error, socket) => {
      if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
      else socket.destroy();
    });
    return server;
  }

  #count(socket: Socket, isLocal: boolean): void {
    if (isLocal) return;
    const from = socket.remoteAddress ?? "gone";
    const before = this.#open.get(from) ?? 0;
    if (before >= MAX_CONNECTIONS_PER_ADDRESS) {
      socket.destroy();
      return;
    }
    this.#open.set(from, before + 1);
    socket.once("close", () => {
      const left = (this.#open.get(from) ?? 1) - 1;
      if (left > 0) this.#open.set(from, left);
      else this.#open.delete(from);
    });
  }

  async #serve(visit: Visit): Promise<void> {
    const { request, response, door, from } = visit;
    // A visitor that leaves while we write is no trouble of ours.
    response.on("error", () => undefined);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    if (door.isTls) response.setHeader("strict-transport-security", "max-age=31536000");
    const method = request.method ?? "";
    const refused =
      this.#tooOften(visit) ??
      guarded(
        { method, headers: request.headers, ...door, arrivedAt: request.socket.localAddress },
        this.#options.hosts(),
      );
    if (refused !== undefined) return this.#refuse(visit, refused);
    const url = new URL(request.url ?? "/", "http://console");
    const found = this.#options.routes().find(method, url.pathname);
    if (found === undefined) {
      return this.#refuse(visit, problem(404, "not-found", `there is no ${url.pathname} here`));
    }
    if ("allow" in found) {
      response.setHeader("allow", found.allow.join(", "));
      const detail = `${url.pathname} takes ${found.allow.join(", ")}`;
      return this.#refuse(visit, problem(405, "method", detail));
    }
    const viewer = this.#admit(visit, found);
    if ("detail" in viewer) return this.#refuse(visit, viewer);
    const { route, params } = found;
    const query = readQuery(url.searchParams, route.query ?? {});
    const body = method === "POST" || method === "DELETE" ? await readBody(request) : {};
    if (body instanceof Error) {
      return this.#refuse(visit, problem(413, "too-large", body.message));
    }
    const mistake = mistakeIn(query, route.query ?? {}) ?? mistakeIn(body, route.body ?? {});
    if (mistake !== undefined) return this.#refuse(visit, problem(400, "mistake", mistake));
    const answer = await route.handle({
      params,
      query: query as Record<string, string>,
      body: body as Record<string, unknown>,
      viewer,
      from,
      nowMs: wallMs(),
      isTls: door.isTls,
      request,
      response,
    });
    await this.#answer(visit, answer);
  }

  #tooOften({ request, from, door }: Visit): Problem | undefined {
    // Whoever may connect to the unix socket may do anything anyway.
    if (door.isLocal) return undefined;
    const now = monotonicMs();
    const isChange = request.method !== "GET" && request.method !== "HEAD";
    const waitMs = this.#requests.take(now, from) || (isChange ? this.#changes.take(now, from) : 0);
    if (waitMs === 0) return undefined;
    return problem(429, "too-often", `wait ${Math.ceil(waitMs / 1000)} s`);
  }

  #admit({ request, door, from }: Visit, { route }: Found): Identity | Problem {
    const who = identify(request, door, this.#options.identity(), wallMs());
    if (who !== undefined && "refused" in who) {
      const waitMs = this.#failures.take(monotonicMs(), from);
      if (waitMs > 0) {
        return problem(
          429,
          "too-often",
          `too many wrong tokens: wait ${Math.ceil(waitMs / 1000)} s`,
        );
      }
      return problem(401, "unknown-token", who.refused);
    }
    if (route.access === "public") return who ?? { role: "read", who: "nobody" };
    if (who === undefined) {
      const detail = "show a token: Authorization: Bearer TOKEN (nines token create NAME)";
      return problem(401, "no-token", detail);
    }
    if (mayDo(who, route.access)) return who;
    const detail = `${who.who} may only ${who.role}; another token: nines token create NAME --role ${route.access}`;
    return problem(403, "read-only", detail);
  }

  #refuse(visit: Visit, refused: Problem): void {
    const { request, response, from } = visit;
    const { status, detail } = refused;
    if ([401, 403, 421, 429].includes(status) && this.#reports.take(monotonicMs(), from) === 0) {
      const what = `${request.method} ${(request.url ?? "").split("?", 1)[0]!.slice(0, 200)}`;
      const reason = `${what} from ${from} was refused: ${detail}`;
      this.#options.report({ kind: "access-refused", from, reason });
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (status === 401) response.setHeader("www-authenticate", "Bearer");
    // What is left of a body that nobody wants is not read.
    if (!request.complete) response.setHeader("connection", "close");
    response.writeHead(status, {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
    });
    response.end(`${JSON.stringify(refused, wordingOf(request.headers))}\n`);
  }

  async #answer(visit: Visit, answer: Answer): Promise<void> {
    if (answer === undefined) return;
    if (isProblem(answer)) return this.#refuse(visit, answer);
    const { request, response } = visit;
    const { status, headers } = answer;
    let body: Buffer | string = answer.body;
    const wording = wordingOf(request.headers);
    if (wording !== undefined && typeof body === "string" && isJson(headers)) {
      body = JSON.stringify(JSON.parse(body), wording);
    }
    const isReady = headers["content-encoding"] !== undefined || status === 304;
    const accepts = /\bgzip\b/u.test(request.headers["accept-encoding"] ?? "");
    if (!isReady && accepts && body.length >= COMPRESSED_FROM) {
      // Other work goes on meanwhile, and the fastest level is within a fifth of the best one here.
      body = await compress(body, { level: constants.Z_BEST_SPEED });
      response.setHeader("content-encoding", "gzip");
    }
    if (!isReady) response.setHeader("vary", "accept-encoding, accept-language");
    response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
    response.end(request.method === "HEAD" ? undefined : body);
  }
}

function isJson(headers: Readonly<Record<string, string>>): boolean {
  return headers["content-type"]?.startsWith("application/json") === true;
}

export function tlsOptions({ cert, key, clientCa }: TlsMaterial): object {
  const base = { cert, key, minVersion: "TLSv1.2" as const };
  if (clientCa === undefined) return base;
  // Asked for, not demanded: a browser with a token has none.
  return { ...base, ca: clientCa, requestCert: true, rejectUnauthorized: false };
}

function guarded(...[asked, hosts]: Parameters<typeof refusalOf>): Problem | undefined {
  const refusal = refusalOf(asked, hosts);
  return refusal === undefined ? undefined : problem(refusal.status, refusal.code, refusal.detail);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY) return new Error(`a body has at most ${MAX_BODY} bytes`);
    chunks.push(chunk as Buffer);
  }
  try {
    return size === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown);
  } catch {
    return "no JSON";
  }
}
