/** `upstream` blocks: servers and how one is picked. Source: nginx, ngx_http_upstream_module. */

import { durationText } from "../../service/schema/kinds.ts";
import type { Data, Draft } from "../draft.ts";
import type { Directive } from "./parse.ts";
import { type Scope, timeMs } from "./scope.ts";

/** What an upstream says of a pool; locations add the rest. */
export function upstreamData(scope: Scope, draft: Draft, tls: boolean): Data {
  const servers = scope.here("server");
  const texts = servers.map((server) => serverText(server, tls, draft));
  const keepAlive = scope.here("keepalive").at(-1)?.args[0];
  const idle = timeMs(scope.here("keepalive_timeout").at(-1)?.args[0]);
  return {
    servers: texts,
    balance: balanceOf(scope, draft),
    sticky: stickyOf(scope, draft),
    outlier: outlierOf(servers, draft),
    slow_start: slowStartOf(servers, draft),
    queue: queueOf(scope),
    max_idle_per_server: keepAlive === undefined ? undefined : Number(keepAlive),
    timeouts: idle === undefined ? undefined : { keep_alive: durationText(idle) },
  };
}

const UNNEEDED: Readonly<Record<string, string>> = {
  resolve: "names are resolved again and again",
};

const LOST: Readonly<Record<string, string>> = {
  drain: "see nines backend drain, or admin=drain",
  route: "stickiness needs no names of servers",
  service: "SRV records are not read",
};

function serverText({ args, at }: Directive, tls: boolean, draft: Draft): string {
  const [address = "", ...options] = args;
  const words = [withPort(address, tls)];
  for (const option of options) {
    const [name = "", value = ""] = option.split("=");
    if (name === "weight" && value !== "1") words.push(`weight=${value}`);
    else if (name === "max_conns" && value !== "0") words.push(`max=${value}`);
    else if (name === "backup") words.push("backup");
    else if (name === "down") words.push("admin=maint");
    else if (UNNEEDED[name] !== undefined) draft.unneeded({ ...at, text: option }, UNNEEDED[name]);
    else if (!["max_fails", "fail_timeout", "slow_start", "weight", "max_conns"].includes(name)) {
      draft.lost({ ...at, text: option }, LOST[name] ?? "servers have no such option");
    }
  }
  return words.join(" ");
}

export function withPort(address: string, tls: boolean): string {
  if (address.startsWith("unix:") || /:\d+$/u.test(address.replace(/\[.*\]/u, ""))) return address;
  return `${address}:${tls ? 443 : 80}`;
}

function optionOf({ args }: Directive, name: string): string | undefined {
  return args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Said for each server in nginx, for the pool here. */
function common(servers: readonly Directive[], name: string, draft: Draft): string | undefined {
  const [first, ...others] = servers.map((server) => optionOf(server, name));
  for (const [index, other] of others.entries()) {
    if (other === first) continue;
    const { at } = servers[index + 1]!;
    draft.lost(
      { ...at, text: `${name}=${other ?? ""}` },
      `${name} is the pool's: that of the first server counts`,
    );
  }
  return first;
}

function outlierOf(servers: readonly Directive[], draft: Draft): unknown {
  const fails = common(servers, "max_fails", draft);
  const timeout = timeMs(common(servers, "fail_timeout", draft));
  // Out for no time at all is never out.
  if (fails === "0" || timeout === 0) return false;
  return {
    consecutive_errors: fails === undefined ? undefined : Number(fails),
    base_ejection: timeout === undefined ? undefined : durationText(timeout),
  };
}

function slowStartOf(servers: readonly Directive[], draft: Draft): string | undefined {
  const window = timeMs(common(servers, "slow_start", draft));
  return window === undefined ? undefined : durationText(window);
}

function queueOf(scope: Scope): Data | undefined {
  const words = scope.here("queue").at(-1)?.args;
  if (words === undefined) return undefined;
  const timeout = timeMs(words.find((word) => word.startsWith("timeout="))?.slice(8));
  return {
    limit: Number(words[0]),
    timeout: timeout === undefined ? undefined : durationText(timeout),
  };
}

/** nginx picks by turns when nobody says anything. */
function balanceOf(scope: Scope, draft: Draft): string {
  const hash = scope.here("hash").at(-1);
  if (hash !== undefined) {
    const key = keyOf(hash.args[0] ?? "");
    if (key === undefined)
      draft.lost(hash.at, "this key is unknown: the client's address was taken");
    if (hash.args[1] !== "consistent") {
      draft.unneeded(
        { ...hash.at, text: `${hash.at.text} (not consistent)` },
        "hashing always is consistent: clients are spread anew once",
      );
    }
    return `hash ${key ?? "source"}`;
  }
  const [ipHash] = scope.here("ip_hash");
  if (ipHash !== undefined) {
    draft.unneeded(ipHash.at, "each address counts, not each network of 256");
    return "hash source";
  }
  if (scope.here("least_conn").length > 0) return "least-connections";
  if (scope.here("least_time").length > 0) return "peak-ewma";
  const random = scope.here("random").at(-1);
  if (random === undefined) return "round-robin";
  return random.args[0] === "two" ? "two-choices" : "random";
}

function keyOf(text: string): string | undefined {
  const plain = text.replace(/^\$\{(\w+)\}$/u, "$$$1");
  if (["$remote_addr", "$binary_remote_addr"].includes(plain)) return "source";
  if (["$request_uri", "$uri$is_args$args"].includes(plain)) return "uri";
  if (["$uri", "$document_uri"].includes(plain)) return "path";
  const [, kind, name] = /^\$(http|cookie|arg)_(\w+)$/u.exec(plain) ?? [];
  if (name === undefined) return undefined;
  if (kind === "http") return `header:${name.replaceAll("_", "-")}`;
  return `${kind === "arg" ? "query" : "cookie"}:${name}`;
}

function stickyOf(scope: Scope, draft: Draft): Data | undefined {
  const sticky = scope.here("sticky").at(-1);
  if (sticky === undefined) return undefined;
  draft.lost(sticky.at, "write sticky: { cookie: { name, secret } } of the pool");
  return undefined;
}
