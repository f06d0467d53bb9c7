/** Opens the connection that a check talks over: TCP, unix or TLS. */

import { connect as connectTcp, isIP, type NetConnectOpts, type Socket } from "node:net";
import {
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  TLSSocket,
} from "node:tls";
import type { CheckTarget, CheckTls } from "../core/check/check-settings.ts";
import { ownHeader } from "../core/proxy/proxy-header.ts";
import { failure, LACKS, type ProbeResult } from "../core/check/probe.ts";
import { readAuthorities, readOwnCertificate } from "./tls-files.ts";
import { expectedServer } from "./tls-server-name.ts";

const DAY_MS = 86_400_000;
/** A context is made anew after that: its file may have been changed. Making one takes ~1 ms. */
const CONTEXT_MS = 60_000;
const MAX_CONTEXTS = 256;

const contexts = new Map<string, { readonly context: SecureContext; readonly madeMs: number }>();

/** The answer is a result when it cannot be tried. */
export function openCheckStream(
  target: CheckTarget,
  tls: CheckTls | undefined,
  alpn: readonly string[] = [],
): Socket | ProbeResult {
  const { endpoint, check } = target;
  const where =
    endpoint.kind === "unix"
      ? { path: endpoint.path }
      : {
          host: endpoint.address,
          port: endpoint.port,
          ...(check.bindAddress === undefined ? {} : { localAddress: check.bindAddress }),
        };
  if (tls === undefined) return connectRaw(where, target);
  let secureContext: SecureContext;
  try {
    secureContext = contextFor(tls);
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const reason = `TLS: ${message}`;
    return { ok: false, reason, ...(LACKS.has(code) ? { isOurs: true } : {}) };
  }
  const name = serverName(target, tls);
  const raw = target.sendProxy === undefined ? undefined : connectRaw(where, target);
  const socket = connectTls({
    ...(raw === undefined ? where : { socket: raw }),
    secureContext,
    rejectUnauthorized: tls.verify,
    ...(name === undefined ? {} : expectedServer(name)),
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
  });
  // Without this a refused connect is an error of a socket that nobody listens to.
  raw?.on("error", (error) => socket.destroy(error));
  return socket;
}

/** The PROXY header goes in the clear, before any handshake. */
function connectRaw(where: NetConnectOpts, { sendProxy }: CheckTarget): Socket {
  const raw = connectTcp(where);
  if (sendProxy !== undefined) raw.write(ownHeader(sendProxy));
  return raw;
}

/** What is configured, else the Host of the request, else the server's; the last two no addresses. */
function serverName(target: CheckTarget, { serverName: name }: CheckTls): string | undefined {
  if (name !== undefined) return name;
  const { endpoint, check } = target;
  const { protocol } = check;
  const asked = protocol.kind === "http" ? protocol.host?.replace(/:\d+$/, "") : undefined;
  const host = asked ?? (endpoint.kind === "ip" ? endpoint.host : undefined);
  return host === undefined || isIP(host) !== 0 ? undefined : host;
}

/** Throws when a file cannot be read or used, unless it was well before: then it is being replaced. */
function contextFor(tls: CheckTls): SecureContext {
  const id = JSON.stringify([tls.ca, tls.certificate, tls.key, tls.keyPassword]);
  const known = contexts.get(id);
  if (known !== undefined && performance.now() - known.madeMs < CONTEXT_MS) return known.context;
  let context: SecureContext;
  try {
    context = createSecureContext({
      ...(tls.ca === undefined ? {} : { ca: readAuthorities(tls.ca) }),
      ...readOwnCertificate(tls),
    });
  } catch (error) {
    if (known === undefined) throw error;
    return known.context;
  }
  if (contexts.size >= MAX_CONTEXTS) contexts.clear();
  contexts.set(id, { context, madeMs: performance.now() });
  return context;
}

const UNTRUSTED = "its certificate is signed by nobody we trust: see ca";
const CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate has ended",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
};

/** What is wrong with a certificate is said in words, before the code that people search for. */
export function streamFailure(error: NodeJS.ErrnoException): ProbeResult {
  const { code = error.message } = error;
  const words = code === "ERR_TLS_CERT_ALTNAME_INVALID" ? otherName(error) : CERTIFICATES[code];
  return failure(code, words === undefined ? code : `${words} (${code})`);
}

function otherName({ host, cert }: NodeJS.ErrnoException & NameTrouble): string {
  const names = (cert?.subjectaltname ?? "").replaceAll(/(?:DNS|IP Address):/gu, "").split(", ");
  const [shown, more] = [names.slice(0, 3).join(", "), names.length > 3 ? " …" : ""];
  return `its certificate is for ${shown || "no name"}${more}, not for ${host}`;
}

/** What Node adds to an error of that kind. */
interface NameTrouble {
  readonly host?: string;
  readonly cert?: { readonly subjectaltname?: string };
}

export function certificateWarning(socket: Socket, tls: CheckTls): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  // null, whatever its type says, where the handshake did not come that far.
  const certificate: { readonly valid_to?: string } | null = socket.getPeerCertificate();
  const leftMs = Date.parse(certificate?.valid_to ?? "") - Date.now();
  if (!(leftMs < tls.expiryWarningMs)) return undefined;
  return leftMs < 0
    ? "its certificate has ended"
    : `its certificate ends in ${Math.floor(leftMs / DAY_MS)} days`;
}
