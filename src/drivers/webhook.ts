/** One POST of JSON, one attempt. When to try again is the queue's business. */

import { createHmac } from "node:crypto";
import type { WebhookSettings } from "../core/ledger/settings.ts";
import type { MailOutcome } from "./mail.ts";

/** A whole exchange, ms. */
const WITHIN_MS = 10_000;

/** Answers that say "not now" rather than "never". */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * Never rejects. Signed with `Nines-Signature: sha256=` and HMAC-SHA256 of the body in hexadecimal when
 * there is a secret. Redirects are not followed: the body would go to somebody else.
 */
export async function postJson(
  { url, secret }: WebhookSettings,
  body: string,
): Promise<MailOutcome> {
  const signature =
    secret === undefined
      ? {}
      : { "nines-signature": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}` };
  const place = new URL(url).origin;
  try {
    const response = await fetch(url, {
      method: "POST",
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(WITHIN_MS),
      headers: { "content-type": "application/json", "user-agent": "nines", ...signature },
    });
    await response.body?.cancel();
    const { status, ok } = response;
    if (ok) return { sent: true };
    const permanent = status < 500 && !LATER.has(status);
    return { sent: false, permanent, reason: `${place} answers ${status}` };
  } catch (error) {
    const { cause, message } = error as Error & { readonly cause?: { readonly message?: string } };
    return { sent: false, permanent: false, reason: `${place}: ${cause?.message ?? message}` };
  }
}
