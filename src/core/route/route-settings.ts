/**
 * What a frontend does with a request: ordered rules, the first whose conditions all hold decides.
 * Plain data with every default filled in; times are milliseconds, percent 0-100.
 */

/** A text is compared with what was sent, letter by letter; hosts and header names without case. */
export type TextMatch =
  | { readonly kind: "exact"; readonly value: string }
  | { readonly kind: "prefix"; readonly value: string }
  /** ECMAScript, found anywhere unless anchored; flag `u`. */
  | { readonly kind: "regex"; readonly pattern: string }
  | { readonly kind: "present" }
  | { readonly kind: "absent" };

export interface NamedMatch {
  readonly name: string;
  readonly match: TextMatch;
}

/** All given conditions must hold; within a list one is enough. */
export interface RouteConditions {
  /** Names without port, lower case, and addresses; `*.example.com` covers any depth below. */
  readonly hosts?: readonly string[];
  /** Of the normalised path (RFC 3986 6.2.2: dot segments, unreserved percent codes). */
  readonly paths?: readonly TextMatch[];
  readonly methods?: readonly string[];
  readonly headers?: readonly NamedMatch[];
  readonly cookies?: readonly NamedMatch[];
  readonly query?: readonly NamedMatch[];
  /** Whether the client has shown a certificate that was verified. */
  readonly hasCertificate?: boolean;
  /** Addresses or prefixes (CIDR) of the client. */
  readonly sources?: readonly string[];
}

export type RouteTarget =
  /** Canary: pools by weight; the same client (source) keeps its side. */
  | { readonly kind: "pools"; readonly pools: readonly { pool: string; weight: number }[] }
  /** `location` may hold `${scheme} ${host} ${path} ${query} ${search} ${uri}`. 301, 302, 303, 307, 308. */
  | { readonly kind: "redirect"; readonly status: number; readonly location: string }
  | {
      readonly kind: "respond";
      readonly status: number;
      readonly body: string;
      readonly contentType: string;
    };

/** Done in the order remove, replace, set, add. Values may hold the variables of `location` and `${source}`. */
export interface HeaderEdits {
  readonly remove: readonly string[];
  readonly set: readonly { readonly name: string; readonly value: string }[];
  readonly add: readonly { readonly name: string; readonly value: string }[];
  /** What the pattern finds in a value gets the replacement instead; values are texts of octets. */
  readonly replace?: readonly HeaderReplacement[];
}

export interface HeaderReplacement {
  readonly name: string;
  readonly pattern: string;
  readonly replacement: string;
}

export type PathRewrite =
  | { readonly kind: "prefix"; readonly from: string; readonly to: string }
  | { readonly kind: "regex"; readonly pattern: string; readonly replacement: string };

/** GCRA: `burst` at once, then `perSecond`. Refused with 429 and Retry-After. */
export interface RateLimit {
  /** One bucket per client address or network, per value of a header, or one for the route. */
  readonly per: "source" | "route" | { readonly header: string } | { readonly prefix: number };
  readonly perSecond: number;
  readonly burst: number;
  /** Buckets at most; the least recently used goes first. Default 100000. */
  readonly size: number;
}

/** For drills. */
export interface FaultInjection {
  readonly abort?: { readonly percent: number; readonly status: number };
  readonly delay?: { readonly percent: number; readonly ms: number };
}

/** Refused from the last to the first when overloaded. Default `normal`. */
export type Priority = "critical" | "high" | "normal" | "low";

export interface RouteSettings {
  /** For logs and `explain-request`. */
  readonly name: string;
  readonly when: RouteConditions;
  readonly target: RouteTarget;
  readonly requestHeaders: HeaderEdits;
  readonly responseHeaders: HeaderEdits;
  readonly rewrite?: PathRewrite;
  readonly rateLimit?: RateLimit;
  readonly fault?: FaultInjection;
  readonly priority: Priority;
}
