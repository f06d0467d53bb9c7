/** One mail to one SMTP server, one attempt. When to try again is the queue's business. */

import { createTransport } from "nodemailer";
import type { Mail } from "../core/notify/commands.ts";

export interface MailRoute {
  readonly server: { readonly host: string; readonly port: number };
  readonly from: string;
  readonly to: readonly string[];
  /** Name in HELO/EHLO; default: the host name. */
  readonly heloName?: string;
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
    // A local relay's self-made certificate is better than no encryption, as keepalived sends none.
    tls: { rejectUnauthorized: false },
    ...(heloName === undefined ? {} : { name: heloName }),
  });
  try {
    const { from, to } = route;
    await transport.sendMail({ from, to: [...to], subject: mail.subject, text: mail.text });
    return { sent: true };
  } catch (error) {
    const { responseCode, message } = error as Error & { readonly responseCode?: number };
    const permanent = responseCode !== undefined && responseCode >= 500;
    return { sent: false, permanent, reason: `${server.host}:${server.port}: ${message}` };
  } finally {
    transport.close();
  }
}
