/**
 * What the other nodes of the group may ask of this one, over mutually authenticated TLS 1.3. Whoever has
 * no certificate of the group's authority, for the very group and a node of the configuration, gets
 * nothing: not a byte of a request is read before.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { gzipSync, constants } from "node:zlib";
import type { JournalRecord } from "../core/journal/record.ts";
import type { DrillDoor } from "./drill-door.ts";
import { DRILL_PATH, DRILL_PROTOCOL } from "./drill-errand.ts";
import { memberOf, type Papers } from "./group-files.ts";
import type { ForwardedOrder, LedgerDesk } from "./ledger-news.ts";
import type { NodePart } from "./node-part.ts";
import type { ReplacedPapers } from "./replaced-papers.ts";
import { isProblem, type Answer } from "./routes.ts";
import { wishOf } from "./series.ts";

const MAX_CONNECTIONS = 128;
const HANDSHAKE_MS = 5_000;
const IDLE_MS = 30_000;
export const MAX_BATCH = 500;
const MAX_ORDER = 16 * 1024;

export interface GroupSource {
  readonly replaced: ReplacedPapers;
  /** Names of the nodes that the configuration has. */
  readonly nodes: () => readonly string[];
  readonly part: () => NodePart | undefined;
  readonly recordsAfter: (seq: number, limit: number) => readonly JournalRecord[];
  /** For drills that another node asks for on this one. */
  readonly errands: () => Pick<DrillDoor, "open" | "outcome"> | undefined;
  readonly ledger: () => LedgerDesk | undefined;
  /** Of each instance the last change of its state up to then. */
  readonly past: (atMs: number) => readonly JournalRecord[];
  /** Somebody was turned away. */
  readonly stranger: (from: string, why: string) => void;
}

export function groupServer(papers: Papers, source: GroupSource): Server {
  const { certificate: cert, key, authority: ca } = papers;
  const server = createServer(
    {
      cert,
      key,
      ca,
      minVersion: "TLSv1.3",
      requestCert: true,
      // Refused below, before a byte of a request is read: here it would not be told who it was, and why.
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_MS,
      maxHeaderSize: 8 * 1024,
      headersTimeout: HANDSHAKE_MS,
      requestTimeout: HANDSHAKE_MS,
      keepAliveTimeout: IDLE_MS,
    },
    (request, response) => {
      // A certificate may be replaced while its connection lasts.
      if (isOurs(request.socket as TLSSocket)) answer(source, request, response);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_MS);
  const isOurs = (socket: TLSSocket): boolean => {
    const why = strangeness(socket, papers, source);
    if (why === undefined) return true;
    source.stranger(addressOf(socket), why);
    socket.destroy();
    return false;
  };
  server.prependListener("secureConnection", isOurs);
  server.on("upgrade", (request: IncomingMessage, socket: TLSSocket, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    if (!isOurs(socket)) return undefined;
    const member = memberOf(socket.getPeerCertificate().subjectaltname ?? "");
    const door = source.errands();
    const isErrand = request.url === DRILL_PATH && request.headers.upgrade === DRILL_PROTOCOL;
    if (member === undefined || door === undefined || !isErrand) return void socket.destroy();
    const lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade"];
    socket.write([...lines, `Upgrade: ${DRILL_PROTOCOL}`, "", ""].join("\r\n"));
    socket.setTimeout(0);
    if (head.length > 0) socket.unshift(head);
    door.open(socket, member.node);
    return undefined;
  });
  server.on("tlsClientError", (error: Error, socket: Socket) => {
    source.stranger(addressOf(socket), error.message);
    socket.destroy();
  });
  return server;
}

/** Why this is nobody of ours; undefined: it is. */
function strangeness(
  socket: TLSSocket,
  { group }: Papers,
  { nodes, replaced }: Pick<GroupSource, "nodes" | "replaced">,
): string | undefined {
  const { subjectaltname = "", valid_from: from } = socket.getPeerCertificate();
  if (from === undefined) return "it shows no certificate";
  if (!socket.authorized) return untrusted(socket);
  const member = memberOf(subjectaltname);
  if (member === undefined) return "its certificate names no node of a group";
  if (member.group !== group) return `it belongs to the group ${member.group}`;
  if (!nodes().includes(member.node)) return `${member.node} is none of our nodes`;
  return replaced.whyReplaced(member, from);
}

/** In words, where operators meet it. */
function untrusted({ authorizationError: code }: TLSSocket): string {
  const error = String(code);
  if (error === "CERT_HAS_EXPIRED") return "its certificate has expired";
  if (error === "CERT_NOT_YET_VALID") return "its certificate is not valid yet: see the clocks";
  return `its certificate is not of this group's authority (${error})`;
}

function answer(source: GroupSource, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://console");
  const desk = source.ledger();
  if (request.method === "POST" && url.pathname === "/api/v1/node/orders" && desk !== undefined) {
    void takeOrder(desk, request, response);
    return;
  }
  request.resume();
  if (request.method !== "GET") return send(response, 405, { error: "only GET" });
  if (url.pathname === "/api/v1/node") {
    const part = source.part();
    if (part === undefined) return send(response, 503, { error: "control has not answered yet" });
    return send(response, 200, part);
  }
  if (url.pathname === "/api/v1/node/records") {
    const after = Number(url.searchParams.get("after") ?? Number.NaN);
    if (!Number.isSafeInteger(after) || after < 0) {
      return send(response, 400, { error: "after is the number of a record" });
    }
    return send(response, 200, source.recordsAfter(after, MAX_BATCH));
  }
  if (url.pathname === DRILL_PATH) {
    const outcome = source.errands()?.outcome(url.searchParams.get("id") ?? "");
    if (outcome !== undefined) return send(response, 200, outcome);
  }
  if (url.pathname === "/api/v1/node/past") {
    const at = Number(url.searchParams.get("at") ?? Number.NaN);
    if (!Number.isFinite(at)) return send(response, 400, { error: "at is a moment, Unix ms" });
    return send(response, 200, source.past(at));
  }
  if (url.pathname === "/api/v1/node/series" && desk !== undefined) {
    void tellSeries(desk, url.searchParams, response);
    return;
  }
  const told = ofLedger(desk, url);
  if (told !== undefined) return send(response, 200, told);
  send(response, 404, { error: `there is no ${url.pathname} here` });
}

function ofLedger(desk: LedgerDesk | undefined, url: URL): object | undefined {
  if (url.pathname === "/api/v1/node/ledger") return desk?.news();
  if (url.pathname === "/api/v1/node/incidents") return desk?.incidents();
  if (url.pathname !== "/api/v1/node/incident") return undefined;
  return desk?.find(url.searchParams.get("id") ?? "");
}

async function tellSeries(
  desk: LedgerDesk,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const wish = wishOf(query);
  if (wish === undefined) return send(response, 400, { error: "that is no span of time" });
  try {
    send(response, 200, await desk.series(wish));
  } catch (error) {
    if (!response.destroyed) send(response, 503, { error: (error as Error).message });
  }
}

/** What somebody at another node says of an incident that lives here. */
async function takeOrder(
  desk: LedgerDesk,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const certificate = (request.socket as TLSSocket).getPeerCertificate();
  const node = memberOf(certificate.subjectaltname ?? "")?.node ?? "?";
  let text = "";
  try {
    for await (const chunk of request.setEncoding("utf8")) {
      text += chunk as string;
      if (text.length > MAX_ORDER) throw new Error("that is too long");
    }
    sendAnswer(response, await desk.order(JSON.parse(text) as ForwardedOrder, node));
  } catch (error) {
    if (!response.destroyed) send(response, 400, { error: (error as Error).message });
  }
}

function sendAnswer(response: ServerResponse, given: Answer): void {
  if (given === undefined) return send(response, 500, { error: "no answer" });
  if (isProblem(given)) return send(response, given.status, { error: given.detail });
  send(response, given.status, JSON.parse(String(given.body)) as object);
}

function send(response: ServerResponse, status: number, body: object): void {
  const zipped = gzipSync(JSON.stringify(body), { level: constants.Z_BEST_SPEED });
  response.writeHead(status, {
    "content-type": "application/json",
    "content-encoding": "gzip",
    "content-length": zipped.length,
  });
  response.end(zipped);
}

function addressOf(socket: Socket): string {
  return socket.remoteAddress ?? "gone";
}
