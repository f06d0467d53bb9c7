/** The rules of a proxy, in the order in which HAProxy runs them. */

import type { Draft } from "../draft.ts";
import { ALWAYS } from "../conditions.ts";
import type { Rule } from "../routes.ts";
import { type AclContext, alternativesOf, conditionsOf, fetchesIn } from "./acls.ts";
import { type Action, redirection, requestAction, responseAction } from "./actions.ts";
import { PROOFS } from "./criteria.ts";
import { type Bag, type Line, timeMs } from "./lines.ts";
import { type Variant, variantsOf } from "./mapped-lines.ts";

export interface RuleFacts {
  readonly draft: Draft;
  readonly context: AclContext;
  /** Existing backends. */
  readonly pools: readonly string[];
  /** Seen from a frontend that leads here: nobody is led on. */
  readonly isBackend?: boolean;
  /** Lines that became rules, and those of them that had something to decide. */
  readonly made: Set<Line>;
  readonly reached: Set<Line>;
  /** Stick tables by their sections; and lines that were used. */
  readonly tables: ReadonlyMap<string, Line>;
  readonly taken: Set<Line>;
}

const RULES = [
  "http-response",
  "http-after-response",
  "tcp-request",
  "block",
  "http-request",
  "redirect",
];

/** Section 4.3: connection, content, http-request, redirect, then the choice of a backend. */
export function rulesOf(bag: Bag, facts: RuleFacts): Rule[] {
  const { ports } = facts.context;
  const [port] = ports.length === 1 ? ports : [];
  const known = (word: string): string =>
    port === undefined ? word : word.replaceAll("%[dst_port]", `${port}`);
  const read = (words: readonly string[]): Action => actionOf(words.map(known), facts);
  const keywords = facts.isBackend === true ? RULES : [...RULES, "use_backend"];
  const lines = keywords.flatMap((keyword) => bag.all(keyword));
  const limits = limitsOf(bag, facts);
  const rules = lines.flatMap((line) => {
    return limitRule(line, limits, facts) ?? lineRules(line, line, facts, read);
  });
  const last = facts.isBackend === true ? undefined : bag.lastLine("default_backend");
  if (last === undefined) return rules;
  const action = useBackend(last.words, facts.pools);
  return [...rules, ...ruleOf(last, action, facts)];
}

function actionOf(words: readonly string[], facts: RuleFacts): Action {
  const { context, pools, isBackend = false } = facts;
  switch (words[0]) {
    case "http-request":
      return requestAction(words.slice(1), context.tls);
    case "block":
      return requestAction(["deny", ...words.slice(1)], context.tls);
    case "tcp-request":
      return connectionAction(words.slice(1));
    case "redirect":
      return redirection(words.slice(1));
    case "use_backend":
      return useBackend(words, pools);
    default:
      return responseAction(words, isBackend);
  }
}

/** Without `req.` they are those of the answer, where there is one. */
const OF_ANSWERS = /^(?:f?hdr|cook)(?:_\w+)?\(/u;

function ruleOf(line: Line, action: Action, facts: RuleFacts): Rule[] {
  const { draft, reached } = facts;
  const lose = (why: string): void => draft.lost(line.at, why);
  if ("lost" in action) {
    lose(action.lost);
    return [];
  }
  if ("unneeded" in action) {
    draft.unneeded(line.at, action.unneeded);
    reached.add(line);
    return [];
  }
  const fetches = fetchesIn(action.rest, facts.context);
  if (line.words[0]!.includes("-response") && fetches.some((fetch) => OF_ANSWERS.test(fetch))) {
    lose("routes do not look at answers");
    return [];
  }
  const used = new Set<string>();
  const found = conditionsOf(action.rest, { ...facts.context, used });
  if (found?.isWhole !== true) {
    const why =
      found === undefined
        ? "routes have no such condition"
        : "routes have no such condition as one of its alternatives";
    const isOpen = "target" in action && action.target["respond"] !== undefined;
    lose(`${why}${isOpen ? ": these requests are let through" : ""}`);
  }
  if (found === undefined) return [];
  const when = found.whens;
  facts.made.add(line);
  for (const name of used) facts.context.used.add(name);
  if (line.words.includes("auth") && line.words[0] === "http-request") {
    lose("Nines asks for no passwords: these requests get 403");
  } else if (fetches.some((fetch) => isUnknown(fetch, facts))) {
    lose("nobody logs in to Nines, and only with a client_ca somebody shows a certificate");
  }
  const origin = `${line.at.file}:${line.at.line}`;
  const reach = (): void => void reached.add(line);
  const rule = { when, origin, lose, reach, phase: line.words[0]! };
  if ("skips" in action) return [{ ...rule, skips: true }];
  const target = "target" in action ? { target: action.target } : {};
  const { change } = action;
  return [{ ...rule, ...target, ...(change === undefined ? {} : { change }) }];
}

/** Whether somebody has proved who it is. */
function isUnknown(fetch: string, { context }: RuleFacts): boolean {
  return (
    PROOFS.test(fetch) &&
    (fetch.startsWith("http_auth") || (context.tls && context.certificates === "none"))
  );
}

function connectionAction(words: readonly string[]): Action {
  const [, action = "", ...rest] = words;
  if (action === "reject" || action === "silent-drop")
    return requestAction([action, ...rest], false);
  if (action === "accept") return { lost: "requests are routed one by one" };
  if (/^(?:track-sc|sc-)/u.test(action)) return { lost: "see rate_limit of a route" };
  return { lost: "it has no counterpart" };
}

function useBackend(words: readonly string[], pools: readonly string[]): Action {
  const [, name = "", ...rest] = words;
  if (name.includes("%[")) return { lost: "a pool is named, not computed: write a route for each" };
  if (!pools.includes(name)) return { lost: `there is no HTTP backend ${name}` };
  return { target: { pool: name }, rest };
}

/** The rule of a line; with a map in it those of its values. */
function lineRules(
  line: Line,
  variant: Variant,
  facts: RuleFacts,
  read: (words: readonly string[]) => Action,
): Rule[] {
  const { words, at, isNothing } = variant;
  const { draft, pools, context } = facts;
  const variants = variantsOf(words, at, context);
  if (typeof variants === "string") {
    draft.lost(line.at, variants);
    return [];
  }
  if (variants !== undefined) {
    const once = `${line.at.file}:${line.at.line}`;
    const rules = variants.flatMap((one) => lineRules(line, one, facts, read));
    return rules.map((rule) => ({ ...rule, once }));
  }
  const [keyword, name = ""] = words;
  const isLost = keyword === "use_backend" && words !== line.words && !pools.includes(name);
  if (isLost) {
    const why = `there is no HTTP backend ${name}: default_backend takes these requests`;
    if (isNothing !== true) draft.lost(at, why);
    // A name that leads nowhere ends the search.
    return ruleOf(line, { skips: true, rest: words.slice(2) }, facts);
  }
  const isHeader = /^(?:set|add)-header$/u.test(name);
  if (isNothing === true && keyword !== "use_backend" && !isHeader) {
    draft.lost(line.at, "requests that its map does not know go on as they are");
    return [];
  }
  return ruleOf(line, read(words), facts);
}

/** Period of `http_req_rate` in the stick table of this proxy, and the lines that count into it. */
interface Limits {
  readonly periodMs: number | undefined;
  readonly track: Line | undefined;
  readonly table: Line | undefined;
}

function limitsOf(bag: Bag, { tables }: RuleFacts): Limits {
  const isTrack = ({ words }: Line): boolean =>
    /^track-sc\d$/u.test(words[0] === "tcp-request" ? (words[2] ?? "") : (words[1] ?? ""));
  const track = bag.lines.find(
    (line) => ["http-request", "tcp-request"].includes(line.words[0]!) && isTrack(line),
  );
  const words = track?.words ?? [];
  const other = words.includes("table") ? words[words.indexOf("table") + 1] : undefined;
  const own = bag.lines.find((line) => line.words[0] === "stick-table");
  const table = other === undefined ? own : tables.get(other);
  const period = /http_req_rate\((\w+)\)/u.exec(table?.words.join(" ") ?? "")?.[1];
  const isSource = words.includes("src");
  return { periodMs: timeMs(period), track: isSource ? track : undefined, table };
}

const RATE = /^(?:src|sc\d?)_http_req_rate(?:\(\d(?:,[\w.-]+)?\)|\([\w.-]+\))?$/u;

/** `track-sc0 src` and `deny if { sc_http_req_rate(0) gt 100 }` are a rate limit. */
function limitRule(line: Line, limits: Limits, facts: RuleFacts): Rule[] | undefined {
  const { periodMs, track, table } = limits;
  if (periodMs === undefined || track === undefined || table === undefined) return undefined;
  if (line === track) {
    facts.draft.unneeded(line.at, "a rate limit counts by itself");
    facts.reached.add(line);
    return [];
  }
  const isDenial = line.words[0] === "http-request" && line.words[1] === "deny";
  const start = line.words.indexOf("if");
  if (!isDenial || start < 0) return undefined;
  const terms = alternativesOf(line.words.slice(start + 1));
  const [term, ...others] = terms.flat();
  if (term === undefined || others.length > 0 || term.negated) return undefined;
  const name = term.words[0]!;
  const acl = facts.context.acls.get(name);
  const words = term.anonymous ? term.words : (acl?.[0]?.words.slice(2) ?? []);
  const [fetch = "", operator, count] = words;
  if (!RATE.test(fetch) || !["gt", "ge"].includes(operator ?? "")) return undefined;
  if (!term.anonymous) facts.context.used.add(name);
  facts.taken.add(table);
  facts.made.add(line);
  const limit = { rate: rateText((Number(count) * 1000) / periodMs), burst: Number(count) };
  const lose = (why: string): void => facts.draft.lost(line.at, why);
  const origin = `${line.at.file}:${line.at.line}`;
  return [
    { when: [ALWAYS], change: { limit }, origin, lose, reach: () => void facts.reached.add(line) },
  ];
}

/** `10/s`, or what is a whole number in a minute or an hour. */
function rateText(perSecond: number): string {
  const units = [
    ["s", 1],
    ["m", 60],
    ["h", 3600],
  ] as const;
  const found = units.find(([, factor]) => Number.isInteger(perSecond * factor)) ?? ["h", 3600];
  return `${Math.round(perSecond * found[1] * 1000) / 1000}/${found[0]}`;
}
