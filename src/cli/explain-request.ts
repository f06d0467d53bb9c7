/** `nines explain-request 'GET http://www.example/x'`: route, pool, server, and why. */

import type { AskedRequest } from "../core/proxy/request-explanation.ts";
import { canonicalIp } from "../lib/ip-address.ts";
import type { ControlClient } from "../daemon/control-client.ts";
import { paint, type ExitCode, type Terminal } from "./terminal.ts";

export interface ExplainRequestOptions {
  /** `GET http://host/path`; without a method GET. */
  readonly request: string;
  /** `Name: value` each. */
  readonly headers: readonly string[];
  readonly source: string;
  readonly frontend?: string;
  readonly json: boolean;
}

export async function explainRequest(
  client: ControlClient,
  options: ExplainRequestOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const asked = askedRequest(options);
  if (typeof asked === "string") {
    terminal.err(`nines: ${asked}`);
    return 2;
  }
  const explanation = await client.explainRequest(asked);
  const { frontend, route, pool, server, lines } = explanation;
  const code = frontend === "" ? 1 : 0;
  if (options.json) {
    terminal.out(JSON.stringify(explanation, undefined, 2));
    return code;
  }
  for (const line of lines) terminal.out(line);
  const path = [frontend, route, pool, server].filter((part) => part !== "");
  if (code === 0) terminal.out(paint(terminal, "bold", `=> ${path.join(" -> ")}`));
  return code;
}

/** A text is what is wrong with it. */
export function askedRequest(options: ExplainRequestOptions): AskedRequest | string {
  const { request, frontend } = options;
  const source = canonicalIp(options.source);
  if (source === undefined) return `'${options.source}' is no address of a client`;
  const match = /^(?:([A-Za-z]+)\s+)?(\S+)$/.exec(request.trim());
  if (match === null) return `'${request}' is no request; write it as 'GET http://host/path'`;
  const [, method = "GET", url = ""] = match;
  const sent = /^https?:\/\/[^/]/i.test(url) ? sentUrl(url) : undefined;
  if (sent === undefined) return `'${url}' is no address of a request; write http://host/path`;
  const headers: (readonly [string, string])[] = [];
  for (const header of options.headers) {
    const colon = header.indexOf(":");
    if (colon <= 0) return `'${header}' is no header; write it as 'Name: value'`;
    headers.push([header.slice(0, colon).trim(), header.slice(colon + 1).trim()]);
  }
  const asked = { method: method.toUpperCase(), url: sent, headers, source };
  return frontend === undefined ? asked : { ...asked, frontend };
}

/** As it is typed, but for what no client sends as such: Chinese names and paths. */
function sentUrl(url: string): string | undefined {
  return /^[\x21-\x7e]*$/.test(url) ? url : URL.parse(url)?.href;
}
