/** Signing in with a token, out, and who one is. */

import type { Session } from "./api.ts";
import { sessionCookie, type IdentityRules } from "./identity.ts";
import { json, problem, type Route } from "./routes.ts";

const PATH = "/api/v1/session";

export function sessionRoutes(
  rules: () => IdentityRules,
  signedIn: (who: string, from: string) => void = () => undefined,
): readonly Route[] {
  return [
    {
      method: "GET",
      path: PATH,
      access: "read",
      summary: "Who the caller is and what it may do.",
      answers: "Session",
      handle: ({ viewer: { role, who, sessionEndsMs } }) => {
        const ends = sessionEndsMs === undefined ? {} : { expiresMs: sessionEndsMs };
        return json({ viewer: { role, who }, ...ends } satisfies Session);
      },
    },
    {
      method: "POST",
      path: PATH,
      access: "public",
      summary: "Gives a cookie for a token; at most twelve hours, and never longer than the token.",
      body: {
        token: { type: "string", required: true, description: "As `nines token create` said it." },
      },
      answers: "Session",
      handle: ({ body, nowMs, isTls, from }) => {
        const token = rules().tokens.find(String(body["token"]), nowMs);
        if (token === undefined) {
          const detail = "the token is unknown, expired or revoked: see `nines token list`";
          return problem(401, "unknown-token", detail);
        }
        const { field, endsMs } = sessionCookie(token, rules(), { isTls }, nowMs);
        signedIn(token.name, from);
        const viewer = { role: token.role, who: token.name };
        const session: Session = { viewer, expiresMs: endsMs };
        return json(session, { "set-cookie": field });
      },
    },
    {
      method: "DELETE",
      path: PATH,
      access: "public",
      summary: "Takes the cookie away.",
      answers: "SessionEnded",
      handle: ({ nowMs, isTls }) => {
        const { field } = sessionCookie(undefined, rules(), { isTls }, nowMs);
        return json({ done: true }, { "set-cookie": field });
      },
    },
  ];
}
