/**
 * What a route is. One table of them is the server's dispatch, the access rules, and the OpenAPI
 * document.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Problem, Role } from "./api.ts";
import type { Fields } from "./fields.ts";
import type { Identity } from "./identity.ts";

export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  /** `/api/v1/incidents/{id}`; `/assets/{path*}` takes the rest of the path. */
  readonly path: string;
  /** `public`: whoever reaches us. */
  readonly access: "public" | Role;
  readonly summary: string;
  readonly query?: Fields;
  readonly body?: Fields;
  /** Its type in `api.ts`, or what else comes. */
  readonly answers: string;
  /** Default `application/json`. */
  readonly type?: string;
  handle(call: Call): Answer | Promise<Answer>;
}

export interface Call {
  readonly params: Readonly<Record<string, string>>;
  /** Checked against `query`. */
  readonly query: Readonly<Record<string, string | number | undefined>>;
  /** Checked against `body`. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly viewer: Identity;
  /** Address of the caller, `unix` for the socket. */
  readonly from: string;
  readonly nowMs: number;
  readonly isTls: boolean;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** `undefined`: the handler answers by itself (a stream). */
export type Answer = Reply | Problem | undefined;

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

export function json(value: object, headers: Readonly<Record<string, string>> = {}): Reply {
  const type = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" };
  return { status: 200, headers: { ...type, ...headers }, body: JSON.stringify(value) };
}

export function problem(status: number, code: string, detail: string): Problem {
  return { type: `urn:nines:${code}`, title: TITLES[status] ?? "Trouble", status, detail };
}

export function isProblem(answer: Reply | Problem): answer is Problem {
  return "detail" in answer;
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Not understood",
  401: "Who are you?",
  403: "Not allowed",
  404: "Not found",
  405: "Not done that way",
  408: "Too slow",
  409: "Something changed meanwhile",
  413: "Too large",
  415: "Not JSON",
  421: "Not our name",
  422: "Refused",
  429: "Too often",
  500: "A mistake of ours",
  503: "Not now",
};

export interface Found {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds by method and path; several routes may share a path. */
export class RouteTable {
  readonly routes: readonly Route[];
  readonly #patterns: readonly { readonly route: Route; readonly parts: readonly string[] }[];

  constructor(routes: readonly Route[]) {
    this.routes = routes;
    this.#patterns = routes.map((route) => ({ route, parts: route.path.split("/") }));
  }

  /** The methods that there are, when the path is known and the method is not. */
  find(method: string, path: string): Found | { readonly allow: readonly string[] } | undefined {
    const words = path.split("/");
    const allow: string[] = [];
    for (const { route, parts } of this.#patterns) {
      const params = matched(parts, words);
      if (params === undefined) continue;
      if (route.method === method || (route.method === "GET" && method === "HEAD")) {
        return { route, params };
      }
      allow.push(route.method);
    }
    return allow.length === 0 ? undefined : { allow };
  }
}

function matched(
  parts: readonly string[],
  words: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const params: Record<string, string> = {};
  for (const [i, part] of parts.entries()) {
    const name = /^\{(\w+)(\*?)\}$/u.exec(part);
    const word = words[i];
    if (word === undefined) return undefined;
    if (name?.[2] === "*") {
      params[name[1]!] = words.slice(i).join("/");
      return params;
    }
    if (name === null) {
      if (word !== part) return undefined;
      continue;
    }
    const text = decoded(word);
    if (text === undefined || text === "") return undefined;
    params[name[1]!] = text;
  }
  return parts.length === words.length ? params : undefined;
}

function decoded(word: string): string | undefined {
  try {
    return decodeURIComponent(word);
  } catch {
    return undefined;
  }
}
