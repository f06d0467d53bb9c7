/** What a location does with its requests, as rules: rewrite, then access, then content. */

import { ALWAYS, type Condition, conjunction, type When } from "../conditions.ts";
import type { Data } from "../draft.ts";
import type { Change, Rule } from "../routes.ts";
import { type Access, accessOf, hasLogin, isLogin } from "./access.ts";
import { returnTarget, rewritten } from "./answers.ts";
import { capturedPass } from "./captures.ts";
import { setsGroups, whenOfIf } from "./conditions-of-if.ts";
import { withServerConstants } from "./constants.ts";
import { type NginxContext, origin } from "./context.ts";
import type { Location } from "./locations.ts";
import type { Directive } from "./parse.ts";
import { answerEdits } from "./headers.ts";
import { type Content, type PassFacts, passOfName, passTarget } from "./pass.ts";
import type { Scope } from "./scope.ts";
import { type IfVariant, ifVariants, variantsOf } from "./variants.ts";

export interface ContentFacts extends PassFacts {
  /** Of the server: its names. */
  readonly host: Condition;
}

interface RewritePlace {
  readonly directive: Directive;
  readonly scope: Scope;
  readonly when: Condition;
}

/** The first rules of a server or location: `return`, `rewrite` and `if`, in their order. */
export function rewriteRules(
  place: RewritePlace,
  facts: ContentFacts,
): { readonly rules: Rule[]; readonly rewrite?: Data; readonly isEnd: boolean } {
  const { scope, when } = place;
  const { context } = facts;
  const rules: Rule[] = [];
  let rewrite: Data | undefined;
  for (const line of scope.own) {
    if (line.name === "return") {
      scope.use(line);
      for (const variant of variantsOf(withServerConstants(line, facts), facts)) {
        const target = returnTarget(variant.line, { scope, when }, context);
        if (target === undefined) continue;
        const change = ownAnswer(target, scope, context);
        const whens = within([{ all: variant.when, except: [] }], when, line, context);
        rules.push(rule(line, whens, { target, change, place, facts }));
      }
      return { rules, isEnd: true };
    }
    if (line.name === "rewrite") {
      scope.use(line);
      const found = rewritten(withServerConstants(line, facts), context);
      if (found === undefined) continue;
      if ("redirect" in found) {
        const whens = within([{ all: { path: [found.path] }, except: [] }], when, line, context);
        const change = ownAnswer(found.redirect, scope, context);
        rules.push(rule(line, whens, { target: found.redirect, change, place, facts }));
      } else if (rewrite === undefined) {
        rewrite = found.rewrite;
        if (found.flag !== "break") {
          context.draft.lost(
            { ...line.at, text: `rewrite … ${found.flag}` },
            "locations are not searched again for the new path",
          );
        }
      } else context.draft.lost(line.at, "a route rewrites once");
    } else if (line.name === "if") rules.push(...conditionalRules(line, place, facts));
  }
  return { rules, ...(rewrite === undefined ? {} : { rewrite }), isEnd: false };
}

function conditionalRules(line: Directive, place: RewritePlace, facts: ContentFacts): Rule[] {
  const { scope, when } = place;
  const { context, notes } = facts;
  const mapped = ifVariants(line, facts);
  if (mapped !== undefined) {
    scope.use(line);
    useFirst(line, scope);
    return mappedRules(line, mapped, { scope, place, facts });
  }
  const whens = whenOfCertificate(line, scope, facts) ?? whenOfIf(line, notes.tls);
  if (whens === undefined) {
    const isOpen = firstOf(line)?.name === "return" ? ": these requests are let through" : "";
    const why = `the whole block to line ${line.end}: routes have no such condition${isOpen}`;
    context.draft.lost(line.at, why);
    useAll(line, scope);
    return [];
  }
  scope.use(line);
  return ifRules(line, within(whens, when, line, context), { scope, place, facts });
}

/** Who has not been asked for one has shown none. */
function whenOfCertificate(
  { args, at }: Directive,
  scope: Scope,
  { context, notes }: ContentFacts,
): When[] | undefined {
  const [, operator, value] =
    /^\(\s*\$ssl_client_verify\s*(!?=)\s*["']?(\w*)["']?\s*\)$/u.exec(args.join(" ")) ?? [];
  if (value === undefined) return undefined;
  const asked = scope.value("ssl_verify_client");
  const isEqual = operator === "=";
  if (asked === "optional" && notes.asksCertificate && ["NONE", "SUCCESS"].includes(value)) {
    const all = { client_certificate: (value === "SUCCESS") === isEqual };
    return [{ all, except: [] }];
  }
  if (asked !== "on") {
    context.draft.lost(
      at,
      "nobody counts as verified: write client_certificate: false in its route",
    );
  }
  const holds = (value === (asked === "on" ? "SUCCESS" : "NONE")) === isEqual;
  return holds ? [ALWAYS] : [];
}

/** Statuses that add_header is for, unless it says `always`. */
const ADDED: readonly number[] = [200, 201, 204, 206, 301, 302, 303, 304, 307, 308];

function ownAnswer(target: Data, scope: Scope, context: NginxContext): Change {
  const { respond, redirect } = target as Record<string, { readonly status?: number } | number>;
  const given = respond ?? redirect;
  const status = typeof given === "number" ? given : given?.status;
  return { answer: answerEdits(scope, context, ADDED.includes(status ?? 0)) };
}

/** It was told as a whole. */
function useAll(directive: Directive, scope: Scope): void {
  scope.use(directive);
  for (const inner of directive.block ?? []) useAll(inner, scope);
}

interface IfPlace {
  readonly scope: Scope;
  readonly place: { readonly directive: Directive };
  readonly facts: ContentFacts;
}

function ifRules(
  line: Directive,
  whens: readonly When[],
  { scope, place, facts }: IfPlace,
): Rule[] {
  const inner = scope.inside(line.block ?? []);
  const found = firstOf(line);
  if (found === undefined) return [];
  inner.use(found);
  const first = withServerConstants(found, facts);
  if (first.name === "return") {
    const isOwn = setsGroups(line) && /\$\{?\d/u.test(first.args.join(" "));
    const when = whens.length === 1 && !isOwn ? whens[0]!.all : {};
    const target = returnTarget(first, { scope: inner, when }, facts.context);
    if (target === undefined) return [];
    const change = ownAnswer(target, inner, facts.context);
    return [rule(line, whens, { target, change, place, facts })];
  }
  if (first.name === "rewrite") {
    const answer = rewritten(first, facts.context);
    if (answer === undefined) return [];
    if ("rewrite" in answer) {
      facts.context.draft.lost(first.at, "a rewrite under a condition needs a location of its own");
      return [];
    }
    const all = { path: [answer.path] };
    const both = whens.flatMap((when) => within([when], all, line, facts.context));
    return [rule(line, both, { target: answer.redirect, place, facts })];
  }
  const target = passTarget({ directive: first, scope: inner }, facts);
  return target === undefined ? [] : [rule(line, whens, { ...target, place, facts })];
}

/** Requests that it is not true of go on behind it. */
function mappedRules(
  line: Directive,
  variants: readonly IfVariant[],
  { scope, place, facts }: IfPlace & { readonly place: { readonly when: Condition } },
): Rule[] {
  const phase = origin(line);
  return variants.flatMap(({ when, line: one }) => {
    const whens = within([{ all: when, except: [] }], place.when, line, facts.context);
    if (one !== undefined) {
      return ifRules(one, whens, { scope, place, facts }).map((found) => ({ ...found, phase }));
    }
    const { target: _, ...bare } = rule(line, whens, { target: {}, place, facts });
    return [{ ...bare, skips: true, phase }];
  });
}

function firstOf({ block = [] }: Directive): Directive | undefined {
  return block.find(({ name }) => ["return", "rewrite", "proxy_pass"].includes(name));
}

/** As it stands there: variants of it are read. */
function useFirst(line: Directive, scope: Scope): void {
  const first = firstOf(line);
  if (first !== undefined) scope.use(first);
}

function within(
  whens: readonly When[],
  condition: Condition,
  line: Directive,
  { draft }: NginxContext,
): When[] {
  return whens.flatMap(({ all, except }) => {
    const both = conjunction([condition, all]);
    if (both === undefined)
      draft.lost(line.at, "its condition and that of its place cannot be said together");
    if (both === undefined || both === "false") return [];
    return [{ all: both === "true" ? {} : both, except }];
  });
}

interface RuleFacts {
  readonly target: Data;
  readonly change?: Change;
  readonly place: { readonly directive: Directive };
  readonly facts: ContentFacts;
}

function rule(line: Directive, when: readonly When[], given: RuleFacts): Rule {
  const { target, change, place, facts } = given;
  const { draft, reached } = facts.context;
  return {
    when,
    target,
    ...(change === undefined ? {} : { change }),
    origin: origin(line),
    lose: (why) => draft.lost(line.at, why),
    reach: () => void reached.add(place.directive),
  };
}

export function locationRules(location: Location, facts: ContentFacts): Rule[] {
  const { directive, scope } = location;
  const { context, host } = facts;
  const both = conjunction([host, location.when]);
  const when = typeof both === "object" ? both : {};
  const place = { directive, scope, when };
  if (location.slashed !== undefined) {
    const target = { redirect: { location: `${location.slashed}\${search}`, status: 301 } };
    const own = ownAnswer(target, scope, context);
    return [rule(directive, [{ all: when, except: [] }], { target, change: own, place, facts })];
  }
  const change = { answer: answerEdits(scope, context, false) };
  if (scope.here("internal").length > 0) {
    for (const inner of directive.block ?? []) useAll(inner, scope);
    const whole = `the whole block to line ${directive.end}`;
    context.draft.unneeded(directive.at, `${whole}: it is closed to clients, they get 404`);
    const target = { respond: 404 };
    return [rule(directive, [{ all: when, except: [] }], { target, change, place, facts })];
  }
  const { rules, rewrite, isEnd } = rewriteRules(place, facts);
  if (isEnd) return rules;
  const methods = methodRules(place, facts);
  const access = accessOf(scope, context);
  const isShut = access.some(({ verdict, source }) => verdict === "deny" && source === undefined);
  const hasAllowed = access.some(({ verdict }) => verdict === "allow");
  // Nobody comes in: what the location would do needs no counterpart.
  const refusal = [{ when: {}, target: { respond: 403 }, change }];
  const content = isShut && !hasAllowed ? refusal : contentsOf(location, rewrite, facts);
  const asksLogin = hasLogin(scope, directive, context);
  // What a condition passes on is shut as the rest is; what it answers itself is not.
  const early = rules.flatMap((one) =>
    one.target?.["pool"] === undefined
      ? [one]
      : guarded(one, access, { isLogin: asksLogin, place, facts }),
  );
  const passes = early.length > rules.length || rules.some((one) => one.target?.["pool"]);
  rules.splice(0, rules.length, ...(passes ? [...methods, ...early] : [...early, ...methods]));
  const add = (all: Condition, contents: readonly ConditionalContent[]): void => {
    for (const { when: own, ...what } of contents) {
      const whens = within([{ all: own, except: [] }], all, directive, context);
      rules.push(rule(directive, whens, { ...what, place, facts }));
    }
  };
  for (const { verdict, source } of access) {
    const all = source === undefined ? when : conjunction([when, { source: [source] }]);
    if (typeof all === "object") add(all, verdict === "allow" ? content : refusal);
  }
  add(when, asksLogin ? refusal : content);
  return rules;
}

interface Guard {
  readonly isLogin: boolean;
  readonly place: { readonly directive: Directive };
  readonly facts: ContentFacts;
}

/** A rule for those that `allow`, `deny` and logins let in, and refusals for the others. */
function guarded(given: Rule, access: readonly Access[], guard: Guard): Rule[] {
  const { directive } = guard.place;
  const { change: _, ...bare } = given;
  const refused: Rule = { ...bare, target: { respond: 403 } };
  const parts = access.map(({ verdict, source }): Rule => {
    const all = source === undefined ? {} : { source: [source] };
    const when = within(given.when, all, directive, guard.facts.context);
    return { ...(verdict === "allow" ? given : refused), when };
  });
  return [...parts, guard.isLogin ? refused : given];
}

/** `limit_except GET { deny all; }`: other methods are refused, but of those that it allows. */
function methodRules(place: RewritePlace, facts: ContentFacts): Rule[] {
  return place.scope.here("limit_except").flatMap((line) => {
    const inner = place.scope.inside(line.block ?? []);
    const all = line.args.includes("GET") ? [...line.args, "HEAD"] : line.args;
    const login = inner.own.find(isLogin);
    const lines = inner.own.filter(({ name }) => name === "allow" || name === "deny");
    for (const one of lines) inner.use(one);
    if (login === undefined && !lines.some(({ name }) => name === "deny")) return [];
    if (login !== undefined) hasLogin(inner, line, facts.context);
    const allowed = lines.flatMap(({ name, args: [source = ""] }) =>
      name === "allow" && source !== "all" && login === undefined ? [{ source: [source] }] : [],
    );
    const except = [{ method: [...new Set(all)] }, ...allowed];
    const target = { respond: 403 };
    const change = ownAnswer(target, place.scope, facts.context);
    return [rule(line, [{ all: place.when, except }], { target, change, place, facts })];
  });
}

/** Of the first whose condition holds. */
interface ConditionalContent extends Content {
  readonly when: Condition;
}

/** A `proxy_pass` to a map's variable has one for each of its values. */
function contentsOf(
  location: Location,
  rewrite: Data | undefined,
  facts: ContentFacts,
): ConditionalContent[] {
  const line = location.scope.here("proxy_pass").at(-1);
  const variants = line === undefined ? [] : variantsOf(line, facts);
  if (line === undefined || variants[0]?.line === line) {
    return [{ when: {}, ...contentOf(location, rewrite, facts) }];
  }
  const { scope } = location;
  return variants.map(({ when, line: { args, ...one } }) => {
    // A computed address without a path passes the path on as it came.
    const address = args[0]!.replace(/\$(?:request_uri|uri\$is_args\$args)$/u, "");
    if (/^https?:\/\/$/u.test(address) || address === "") return { when, target: { respond: 500 } };
    if (/^https?:\/\/[^/]+\/.*$/u.test(address)) {
      facts.context.draft.lost(line.at, "a computed address leaves the path as it came");
    }
    const directive = { ...one, args: [address.replace(/^(https?:\/\/[^/]+)\/.*$/u, "$1")] };
    const found = passTarget({ directive, scope, rewrite }, facts);
    return { when, ...(found ?? { target: { respond: 501 } }) };
  });
}

/** Files, and what other servers speak than HTTP, stay away: these requests are told so. */
function contentOf(location: Location, rewrite: Data | undefined, facts: ContentFacts): Content {
  const { directive, scope } = location;
  const { draft } = facts.context;
  const own = scope.here("proxy_pass").at(-1);
  const { prefix } = location;
  const captured =
    own === undefined || rewrite !== undefined
      ? undefined
      : capturedPass(own, location.when, facts.context);
  const pass = own === undefined ? passOfName(scope, facts) : { directive: own, scope, prefix };
  if (pass !== undefined) {
    return passTarget({ ...pass, rewrite, ...captured }, facts) ?? { target: { respond: 501 } };
  }
  if (scope.here("stub_status").length > 0) {
    draft.unneeded(directive.at, "see nines top, nines metrics and the page of Nines");
    return { target: { respond: 404 } };
  }
  const other = scope.own.find(({ name }) =>
    /^(?:fastcgi|uwsgi|scgi|grpc|memcached)_pass$/u.test(name),
  );
  const why =
    other === undefined
      ? "Nines serves no files"
      : `Nines speaks HTTP to servers, not ${other.name.split("_")[0]}`;
  if (other !== undefined) scope.use(other);
  draft.lost(directive.at, `${why}: these requests get 501`);
  return { target: { respond: 501 } };
}
