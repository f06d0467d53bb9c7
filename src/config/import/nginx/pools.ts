/** `proxy_pass` with everything that nginx says about the way to the servers. */

import { durationText } from "../../service/schema/kinds.ts";
import type { Data } from "../draft.ts";
import { type NginxContext, namedPool, whole } from "./context.ts";
import type { Directive } from "./parse.ts";
import { type Scope, timeMs } from "./scope.ts";
import { upstreamData, withPort } from "./upstreams.ts";

export interface Passed {
  readonly pool: string;
  /** As nginx names it to the servers when nobody sets Host. */
  readonly host: string;
  /** What replaces the location's path. */
  readonly uri: string | undefined;
}

/** Undefined: it cannot be carried over; that was told. */
export function poolOf(pass: Directive, scope: Scope, context: NginxContext): Passed | undefined {
  const [text = ""] = pass.args;
  const [, scheme, address, uri] =
    /^(https?):\/\/(unix:[^:]+|[^/]+?)(?::?(\/.*))?$/u.exec(text) ?? [];
  if (scheme === undefined || address === undefined || text.includes("$")) {
    context.draft.lost(pass.at, "a pool is named, not computed: write a route for each");
    return undefined;
  }
  const tls = scheme === "https";
  const upstream = context.upstreams.get(address);
  const base: Data =
    upstream === undefined
      ? { servers: [withPort(address, tls)] }
      : upstreamData(upstream, context.draft, tls);
  const times = { ...timeoutsOf(scope), ...(base["timeouts"] as Data | undefined) };
  const data = {
    ...base,
    timeouts: times,
    retry: retryOf(scope, context),
    tls: tls ? tlsOf(scope, context) : undefined,
    send_proxy: scope.value("proxy_protocol") === "on" ? "v1" : undefined,
    sorry: sorryOf(scope, context),
  };
  const name = address.replace(/[^\w.-]+/gu, "-").replace(/^-|-$/gu, "");
  return { pool: namedPool(name, data, context), host: address, uri };
}

function duration(text: string | undefined): string | undefined {
  const ms = timeMs(text);
  return ms === undefined ? undefined : durationText(ms);
}

function timeoutsOf(scope: Scope): Data {
  const read = duration(scope.value("proxy_read_timeout"));
  const upgrades = scope
    .all("proxy_set_header")
    .some(({ args }) => args[0]?.toLowerCase() === "upgrade");
  return {
    connect: duration(scope.value("proxy_connect_timeout")),
    response: read,
    idle: read,
    tunnel: upgrades ? read : undefined,
  };
}

const CASES: readonly string[] = ["error", "timeout", "off", "updating"];

function retryOf(scope: Scope, { draft }: NginxContext): Data | undefined {
  const line = scope.last("proxy_next_upstream");
  const tries = scope.value("proxy_next_upstream_tries");
  const words = line?.args ?? [];
  if (words.includes("off")) return { attempts: 0 };
  for (const word of words) {
    if (CASES.includes(word) || /^http_[45]\d\d$/u.test(word)) continue;
    const why =
      word === "non_idempotent"
        ? "a request that a server may have carried out is never sent twice"
        : "answers like that are refused anyway";
    draft.lost({ ...line!.at, text: `proxy_next_upstream ${word}` }, why);
  }
  const statuses = words
    .filter((word) => word.startsWith("http_"))
    .map((word) => Number(word.slice(5)));
  const attempts =
    tries === undefined || tries === "0" ? undefined : Math.min(10, Number(tries) - 1);
  return { attempts, on_status: line === undefined ? undefined : statuses };
}

export function tlsOf(scope: Scope, context: Pick<NginxContext, "base">): Data {
  const file = (directive: string): string | undefined => {
    const name = scope.value(directive);
    return name === undefined ? undefined : whole(name, context);
  };
  const verify = scope.value("proxy_ssl_verify") === "on";
  const name = scope.value("proxy_ssl_name");
  scope.all("proxy_ssl_server_name");
  return {
    verify: verify ? undefined : false,
    ca: file("proxy_ssl_trusted_certificate"),
    server_name: name === undefined || name.includes("$") ? undefined : name,
    certificate: file("proxy_ssl_certificate"),
    key: file("proxy_ssl_certificate_key"),
  };
}

const GATEWAY: readonly string[] = ["502", "503", "504"];

/** `error_page 502 503 /50x.html` with a file that can be read here. */
function sorryOf(scope: Scope, { files, draft, base }: NginxContext): Data | undefined {
  const line = scope
    .all("error_page")
    .find(({ args }) => args.some((arg) => GATEWAY.includes(arg)));
  for (const other of scope.all("error_page")) {
    if (other !== line)
      draft.lost(other.at, "only the page for 502 to 504 has a counterpart (sorry)");
  }
  if (line === undefined) return undefined;
  const [uri = ""] = line.args.slice(-1);
  const root = scope.value("root") ?? "html";
  const directory = root.startsWith("/") ? root : `${base}/${root}`;
  const body = uri.startsWith("/") ? files.readFile(`${directory}${uri}`) : undefined;
  if (body === undefined) {
    draft.lost(line.at, "the page cannot be read here: write it into sorry of the pool");
    return undefined;
  }
  return { body };
}
