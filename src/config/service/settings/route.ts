/** Routes of a frontend. */

import type {
  FaultInjection,
  HeaderEdits,
  NamedMatch,
  PathRewrite,
  RateLimit,
  RouteConditions,
  RouteSettings,
  RouteTarget,
  TextMatch,
} from "../../../core/route/route-settings.ts";
import type { MatchDocument, RouteDocument } from "../schema/route-schema.ts";
import { type BuildContext, given, optional, requireName } from "./context.ts";

export interface RouteSources {
  readonly context: BuildContext;
  readonly poolNames: readonly string[];
}

/** `index` counts from 0; unnamed routes are called by their place. */
export function buildRoute(
  document: RouteDocument,
  index: number,
  sources: RouteSources,
): RouteSettings | undefined {
  const { context } = sources;
  const target = targetOf(document, sources);
  const when = conditionsOf(document, context);
  const rewrite = rewriteOf(document, context);
  const rateLimit = rateLimitOf(document);
  if (target === undefined) return undefined;
  return {
    name: document.name ?? `route ${index + 1}`,
    when,
    target,
    requestHeaders: editsOf(document.request_headers, context),
    responseHeaders: editsOf(document.response_headers, context),
    ...optional("rewrite", rewrite),
    ...optional("rateLimit", rateLimit),
    ...optional("fault", faultOf(document)),
    priority: document.priority,
  };
}

const TARGETS = ["pool", "pools", "redirect", "respond"] as const;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

function targetOf(document: RouteDocument, sources: RouteSources): RouteTarget | undefined {
  const { findings, places } = sources.context;
  const targets = given(document, TARGETS);
  if (targets.length !== 1) {
    const reason = targets.length === 0 ? "this route leads nowhere" : targets.join(" and ");
    const next = "write one of: pool, pools, redirect, respond";
    findings.error(
      places.of(document),
      `${reason}${targets.length > 1 ? " exclude each other" : ""}`,
      next,
    );
    return undefined;
  }
  const { pool, pools, redirect, respond } = document;
  if (redirect !== undefined) {
    if (!REDIRECTS.includes(redirect.status)) {
      const at = places.at(redirect, "status");
      findings.error(at, `${redirect.status} is no redirect`, `write ${REDIRECTS.join(", ")}`);
    }
    return { kind: "redirect", ...redirect };
  }
  if (respond !== undefined) {
    const { status, body, type: contentType } = respond;
    return { kind: "respond", status, body, contentType };
  }
  const shares = pools ?? { [pool!]: 1 };
  for (const name of Object.keys(shares)) {
    const at = pools === undefined ? places.at(document, "pool") : places.key(pools, name);
    requireName(at, "pool", sources.poolNames, { wanted: name, context: sources.context });
  }
  const list = Object.entries(shares).map(([name, weight]) => ({ pool: name, weight }));
  if (list.every((share) => share.weight === 0)) {
    findings.error(places.key(document, "pools"), "no pool has a weight", "write e.g. web: 100");
  }
  return { kind: "pools", pools: list };
}

function conditionsOf(document: RouteDocument, context: BuildContext): RouteConditions {
  const named = (matches: Readonly<Record<string, MatchDocument>> | undefined) =>
    matches === undefined
      ? undefined
      : Object.entries(matches).map(([name, match]): NamedMatch => ({
          name,
          match: matchOf(match, context),
        }));
  const paths = document.path?.map((match) => {
    const { exact, prefix } = match;
    warnOfNoPath(match, { text: exact ?? prefix ?? "", isWhole: exact !== undefined }, context);
    return matchOf(match, context);
  });
  return {
    ...optional("hosts", document.host),
    ...optional("paths", paths),
    ...optional(
      "methods",
      document.method?.map((method) => method.toUpperCase()),
    ),
    ...optional("headers", lowerNames(named(document.headers))),
    ...optional("cookies", named(document.cookies)),
    ...optional("query", named(document.query)),
    ...optional("sources", document.source),
    ...optional("hasCertificate", document.client_certificate),
  };
}

/** It would be believed to guard something, and never hold. */
function warnOfNoPath(
  match: object,
  { text, isWhole }: { readonly text: string; readonly isWhole: boolean },
  { findings, places }: BuildContext,
): void {
  if (text === "" || (isWhole && text === "*")) return;
  const never = (reason: string, next: string): void =>
    findings.warn(places.of(match), `no path ${reason}: this never holds`, next);
  const how = isWhole ? "is" : "begins with";
  if (!text.startsWith("/")) never(`${how} '${text}'`, `write /${text}`);
  else if (/[?#]/u.test(text)) never("holds a query", "compare its parameters in query");
  else if (/\/(?:\.{0,2})\//u.test(text) || (isWhole && /\/\.{1,2}$/u.test(text))) {
    never(`${how} '${text}' after normalising`, "leave empty and dot segments out");
  }
}

function lowerNames(matches: NamedMatch[] | undefined): NamedMatch[] | undefined {
  return matches?.map(({ name, match }) => ({ name: name.toLowerCase(), match }));
}

const MATCHES = ["exact", "prefix", "regex", "present"] as const;

function matchOf(match: MatchDocument, { findings, places }: BuildContext): TextMatch {
  const keys = given(match, MATCHES);
  if (keys.length !== 1) {
    const next = "write one of: exact, prefix, regex, present";
    findings.error(places.of(match), `a text is compared in one way, not ${keys.length}`, next);
  }
  if (match.exact !== undefined) return { kind: "exact", value: match.exact };
  if (match.prefix !== undefined) return { kind: "prefix", value: match.prefix };
  if (match.regex !== undefined) return { kind: "regex", pattern: match.regex };
  return { kind: match.present === false ? "absent" : "present" };
}

type EditsDocument = RouteDocument["request_headers"];

/** They say where a message ends and how a connection goes on: the balancer's own business. */
const FRAMING: readonly string[] = [
  "connection",
  "content-length",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Written anew for each request. */
const OWN: readonly string[] = [
  "forwarded",
  "host",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
];

function editsOf(edits: EditsDocument, { findings, places }: BuildContext): HeaderEdits {
  for (const map of [edits.set, edits.add, edits.replace]) {
    for (const name of Object.keys(map ?? {})) {
      const lower = name.toLowerCase();
      if (map === edits.replace && OWN.includes(lower)) {
        const reason = `${name} is written by the balancer itself: a client's own does not pass`;
        findings.error(places.key(map!, name), reason, "write its value with set");
      }
      if (!FRAMING.includes(lower)) continue;
      const reason = `${name} is written by the balancer itself: it says where messages end`;
      findings.error(places.key(map!, name), reason, "remove it");
    }
  }
  const pairs = (map: Readonly<Record<string, string>> | undefined) =>
    Object.entries(map ?? {}).map(([name, value]) => ({ name, value }));
  const replace = Object.entries(edits.replace ?? {}).map(([name, { regex, to }]) => ({
    name,
    pattern: regex,
    replacement: to,
  }));
  return {
    remove: edits.remove,
    set: pairs(edits.set),
    add: pairs(edits.add),
    ...(replace.length > 0 && { replace }),
  };
}

function rewriteOf(document: RouteDocument, context: BuildContext): PathRewrite | undefined {
  const { rewrite } = document;
  if (rewrite === undefined) return undefined;
  const { prefix, regex, to } = rewrite;
  if ((prefix === undefined) === (regex === undefined)) {
    const at = context.places.of(rewrite);
    context.findings.error(at, "rewrite needs prefix or regex, not both", "keep one of them");
  }
  if (regex !== undefined) return { kind: "regex", pattern: regex, replacement: to };
  return { kind: "prefix", from: prefix ?? "", to };
}

function rateLimitOf({ rate_limit: limit }: RouteDocument): RateLimit | undefined {
  if (limit === undefined) return undefined;
  const { rate: perSecond, per, size } = limit;
  const burst = limit.burst ?? Math.max(1, Math.ceil(perSecond));
  return { per, perSecond, burst, size };
}

function faultOf({ fault }: RouteDocument): FaultInjection | undefined {
  if (fault === undefined) return undefined;
  const { abort, delay } = fault;
  return {
    ...optional("abort", abort),
    ...(delay === undefined ? {} : { delay: { percent: delay.percent, ms: delay.time } }),
  };
}
