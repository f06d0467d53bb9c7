/** `proxy_pass` of a location as the target of a route. */

import type { Data } from "../draft.ts";
import { withConstants } from "./constants.ts";
import type { Edits } from "../edits.ts";
import type { Change } from "../routes.ts";
import type { FrontendNotes, NginxContext } from "./context.ts";
import { fateOf } from "./fates.ts";
import { passedEdits, requestEdits, responseEdits } from "./headers.ts";
import { limitOf } from "./limits.ts";
import type { Directive } from "./parse.ts";
import { poolOf } from "./pools.ts";
import type { Scope } from "./scope.ts";

export interface Content {
  readonly target: Data;
  readonly change?: Change;
}

/** A `proxy_pass` and the place whose settings hold for it. */
export interface Pass {
  readonly directive: Directive;
  readonly scope: Scope;
  /** Path of the location, which a path in `proxy_pass` replaces. */
  readonly prefix?: string | undefined;
  /** Of a `rewrite` before it. */
  readonly rewrite?: Data | undefined;
}

export interface PassFacts {
  readonly context: NginxContext;
  readonly notes: FrontendNotes;
  /** Where named locations are. */
  readonly server: Scope;
}

/** Undefined: it cannot be carried over; that was told. */
export function passTarget(pass: Pass, facts: PassFacts): Content | undefined {
  const { context, notes } = facts;
  const { scope } = pass;
  const directive = plainAddress(pass, facts);
  const found = poolOf(directive, scope, context);
  if (found === undefined) return undefined;
  const redirects = redirectEdits({ ...pass, directive }, found, context);
  const request = requestEdits(scope, {
    context,
    notes,
    server: facts.server,
    proxyHost: found.host,
  });
  const replaced = prefixRewrite(pass, found.uri, context);
  if (pass.rewrite !== undefined && replaced !== undefined) {
    const why = "paths that the rewrite before it leaves alone keep the location's beginning";
    context.draft.lost({ ...directive.at, text: `the path of ${directive.at.text}` }, why);
  }
  const rewrite = pass.rewrite ?? replaced;
  const limit = limitOf(scope, context);
  const change = {
    request,
    response: { ...responseEdits(scope), ...redirects },
    answer: passedEdits(scope, context),
    ...(rewrite === undefined ? {} : { rewrite }),
    ...(limit === undefined ? {} : { limit }),
  };
  return { target: { pool: found.pool }, change };
}

/**
 * Servers that are asked for the upstream's name send clients to it; nginx turns that back
 * (proxy_redirect default).
 */
function redirectEdits(
  { directive, scope, prefix }: Pass,
  { host, uri }: { readonly host: string; readonly uri?: string | undefined },
  { draft }: NginxContext,
): Edits {
  const lines = scope.all("proxy_redirect");
  for (const { name, args, at } of lines) {
    const { severity, why } = fateOf(name, args);
    if (severity === "lost") draft.lost(at, why);
    else draft.unneeded(at, why);
  }
  const isDefault = lines.every(({ args }) => args[0] === "default");
  const names = scope.all("proxy_set_header").map(({ args: [name] }) => name?.toLowerCase());
  if (!isDefault || names.includes("host")) return {};
  const [address = ""] = directive.args;
  const base = /^https?:\/\/(?!unix:)[^/$]+/u.exec(address)?.[0];
  const to = uri === undefined ? "/" : prefix;
  if (base === undefined || to === undefined || /[$?]/u.test(address)) {
    const next = "set request_headers: { set: { Host: … } } to a name that clients know";
    const line = { ...directive.at, text: `redirects to ${host}` };
    draft.lost(line, `Location headers pass as they are: ${next}`);
    return {};
  }
  const regex = `^${literally(base + (uri ?? "/"))}`;
  return { replace: { Location: { regex, to: to.replaceAll("$", "$$$$") } } };
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/gu, "\\$&");
}

/** A computed address without a path passes the path on as it came. */
function plainAddress({ directive, scope }: Pass, { context, server }: PassFacts): Directive {
  const known = withConstants(directive, [scope, server]);
  const [given = ""] = known.args;
  const address = given.replace(/\$(?:request_uri|uri\$is_args\$args)$/u, "");
  const plain = address.replace(/^(https?:\/\/[^/]+)\/.*$/u, "$1");
  const isComputed = known.args[0] !== directive.args[0] || address !== given;
  if (!isComputed || address.includes("$")) return directive;
  if (plain !== address) {
    context.draft.lost(directive.at, "a computed address leaves the path as it came");
  }
  return { ...known, args: [plain] };
}

function prefixRewrite(
  { directive, prefix }: Pass,
  uri: string | undefined,
  { draft }: NginxContext,
): Data | undefined {
  if (uri === undefined || prefix === undefined || uri === prefix) return undefined;
  if (!uri.includes("?")) return { prefix, to: uri };
  draft.lost(directive.at, "a rewrite changes the path only, not the query");
  return undefined;
}

/** `try_files $uri @app`: everything goes on to @app, since Nines looks for no files. */
export function passOfName(scope: Scope, { context, server }: PassFacts): Pass | undefined {
  const line = scope.here("try_files").at(-1);
  const name = line?.args.at(-1) ?? "";
  if (line === undefined || !name.startsWith("@")) return undefined;
  const named = server.here("location").find(({ args }) => args[0] === name);
  if (named === undefined) return undefined;
  const inner = server.inside(named.block ?? []);
  const directive = inner.here("proxy_pass").at(-1);
  if (directive === undefined) return undefined;
  context.draft.lost(line.at, `no files are looked for: all requests go on to ${name}`);
  context.reached.add(named);
  return { directive, scope: inner };
}
