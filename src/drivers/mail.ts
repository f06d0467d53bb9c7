/** One mail to one SMTP server, one attempt. When to try again is the queue's business. */

import { isIP } from "node:net";
import { getCACertificates } from "node:tls";
import { createTransport } from "nodemailer";
import type { Mail } from "../core/notify/commands.ts";

export interface MailRoute {
  readonly server: { readonly host: string; readonly port: number };
  readonly from: string;
  readonly to: readonly string[];
  /** Name in HELO/EHLO; default: the host name. */
  readonly heloName?: string;
  /** What the server's certificate must be, where there is TLS: see `MailTls`. */
  readonly tls: "verify" | "accept" | "off";
  readonly connectTimeoutMs: number;
}

export type MailOutcome =
  | { readonly sent: true }
  /** `permanent`: the server answered 5xx, trying again is of no use. */
  | { readonly sent: false; readonly permanent: boolean; readonly reason: string };

/** A server that stops answering in the middle, ms. */
const SILENCE_MS = 60_000;

/** Port of SMTP over TLS from the first byte (RFC 8314). Others upgrade if the server offers it. */
const SUBMISSIONS_PORT = 465;

/** Never rejects. */
export async function sendMail(route: MailRoute, mail: Mail): Promise<MailOutcome> {
  const { server, connectTimeoutMs, heloName } = route;
  const transport = createTransport({
    host: server.host,
    port: server.port,
    secure: server.port === SUBMISSIONS_PORT,
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    socketTimeout: SILENCE_MS,
    ignoreTLS: route.tls === "off" || isThisMachine(server.host),
    tls: certificateRules(route),
    ...(heloName === undefined ? {} : { name: heloName }),
  });
  try {
    const { from, to } = route;
    await transport.sendMail({ from, to: [...to], subject: mail.subject, text: mail.text });
    return { sent: true };
  } catch (error) {
    const { responseCode } = error as { readonly responseCode?: number };
    const permanent = responseCode !== undefined && responseCode >= 500;
    return { sent: false, permanent, reason: `${server.host}:${server.port}: ${explain(error)}` };
  } finally {
    transport.close();
  }
}

/** Nobody can listen there; relays of Debian and others offer a certificate made by themselves. */
function isThisMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** The authorities that Node brings, and those that the administrator gave this machine. */
function certificateRules({ tls }: MailRoute): { rejectUnauthorized: boolean; ca?: string[] } {
  if (tls !== "verify") return { rejectUnauthorized: false };
  const ca = [...getCACertificates("default"), ...getCACertificates("system")];
  return { rejectUnauthorized: true, ca };
}

/** OpenSSL's verdicts, and Node's about the name. */
const CERTIFICATE_TROUBLE = /CERT|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH/;

function explain(error: unknown): string {
  const { message, originalCode = "" } = error as Error & { readonly originalCode?: string };
  if (!CERTIFICATE_TROUBLE.test(originalCode)) return message;
  return (
    // Behind the semicolon Node speaks of its own flags.
    `the certificate of the mail server is not to be trusted (${message.split(";")[0]}): ` +
    "give this machine the authority that signed it, or write `smtp_tls accept` in global_defs"
  );
}
