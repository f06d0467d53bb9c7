/** Questions to the console. Whatever goes wrong is a `RequestError` with a sentence for people. */

import { language, t } from "./preferences.ts";
import type {
  ActionConfirmation,
  ActionOutcome,
  ActionPreview,
  ActionRequest,
  Problem,
  Session,
} from "../api.ts";

const TIMEOUT_MS = 15_000;

export class RequestError extends Error {
  /** HTTP status; 0: no answer. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function get<T>(
  path: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
): Promise<T> {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)]],
  );
  const search = new URLSearchParams(given).toString();
  return ask<T>("GET", search === "" ? path : `${path}?${search}`);
}

export function preview(request: ActionRequest): Promise<ActionPreview> {
  return ask("POST", "/api/v1/actions/preview", request);
}

export function confirm(confirmation: ActionConfirmation): Promise<ActionOutcome> {
  return ask("POST", "/api/v1/actions", confirmation);
}

export function annotate(incident: string, text: string): Promise<unknown> {
  return ask("POST", `/api/v1/incidents/${encodeURIComponent(incident)}/annotations`, { text });
}

export function signIn(token: string): Promise<Session> {
  return ask("POST", "/api/v1/session", { token });
}

export function signOut(): Promise<unknown> {
  return ask("DELETE", "/api/v1/session");
}

async function ask<T>(method: string, path: string, body?: object): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        "accept-language": language.peek(),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new RequestError(0, t("link.unreachable"));
  }
  if (!response.ok) throw new RequestError(response.status, await detailOf(response));
  return (await response.json()) as T;
}

/** The sentence of a problem document, or the status line. */
export async function detailOf(response: Response): Promise<string> {
  const line = `${response.status} ${response.statusText}`.trim();
  try {
    const problem = (await response.json()) as Partial<Problem>;
    return problem.detail ?? problem.title ?? line;
  } catch {
    return line;
  }
}
