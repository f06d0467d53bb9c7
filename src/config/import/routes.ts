/**
 * Rules in the order in which the old program ran them become routes, of which the first that
 * holds decides. A rule that only changes something under a condition splits the routes after it.
 */

import {
  type Condition,
  conjunction,
  implies,
  missesSecondValue,
  sameCondition,
  type When,
} from "./conditions.ts";
import type { Data } from "./draft.ts";
import {
  addsTwoCookies,
  CHANGED_ONCE,
  changesAgain,
  type Edits,
  mergedEdits,
  TWO_COOKIES,
} from "./edits.ts";

/** What a rule does to the requests that go on. */
export interface Change {
  readonly request?: Edits;
  readonly response?: Edits;
  /** Of a pool's own rules: before `response`. */
  readonly inner?: Edits;
  /** Of every answer, also those that the balancer gives itself. */
  readonly answer?: Edits;
  /** Of a pool's own rules: before `answer`. */
  readonly innerAnswer?: Edits;
  readonly rewrite?: Data;
  readonly limit?: Data;
}

/** In the order in which the old program changed an answer. */
const ANSWERS = ["inner", "response", "innerAnswer", "answer"] as const;
const SIDES = ["request", ...ANSWERS] as const;

export interface Rule {
  /** One is enough. */
  readonly when: readonly When[];
  readonly change?: Change;
  /** The rule decides: `pool`, `respond` or `redirect`. */
  readonly target?: Data;
  /** Goes on with the first rule of another phase. */
  readonly skips?: boolean;
  readonly phase?: string;
  /** Of rules in a row that have the same here only the first that holds counts. */
  readonly once?: string;
  /** For the comment above its route: `haproxy.cfg:12`. */
  readonly origin: string;
  /** Called when routes cannot say it. */
  readonly lose: (why: string) => void;
  /** Called when the rule had something to decide. */
  readonly reach?: () => void;
}

export interface Route {
  readonly when: Condition;
  readonly data: Data;
  readonly origin: string;
}

interface State {
  readonly when: Condition;
  readonly change: Change;
}

/** Conditional changes double what comes after them: more routes than that help nobody. */
const MOST_ROUTES = 1000;
const MOST_STEPS = 100_000;
const LATE_PATH = "routes ask for the path as it came, not as a rule before has rewritten it";
const LATE_HEADER = "routes ask for headers as they came, not as a rule before has changed them";
const SECOND_VALUE =
  "where a name comes twice in a request, one value must meet this condition and all before it";
const TOO_MANY = "its conditions make too many routes";

/** Why it is too late to ask; undefined: it is not. */
function lateOf({ rewrite, request }: Change, asked: readonly Condition[]): string | undefined {
  if (rewrite !== undefined && asked.some((one) => one["path"] !== undefined)) return LATE_PATH;
  if (request === undefined) return undefined;
  const { remove = [], set = {}, add = {}, replace = {} } = request;
  const changed = [...remove, ...[set, add, replace].flatMap((map) => Object.keys(map))].map(
    (name) => name.toLowerCase(),
  );
  const names = asked.flatMap(({ host, headers = {} }) => [
    ...(host === undefined ? [] : ["host"]),
    ...Object.keys(headers as object),
  ]);
  return names.some((name) => changed.includes(name.toLowerCase())) ? LATE_HEADER : undefined;
}

function isEdit({ when, change, target, skips }: Rule): boolean {
  const isAlways = when.length === 1 && Object.keys(when[0]!.all).length === 0;
  const isAll = isAlways && when[0]!.except.length === 0;
  const isRouting = target !== undefined || skips === true || change?.rewrite !== undefined;
  return !isAll && !isRouting && change?.limit === undefined;
}

/**
 * A refusal does not depend on what rules before it write for the server. In front of them it is one route, whatever
 * they ask for; behind them it is one for each of their conditions, not all of which can be said together with its own.
 */
function refusalsFirst(rules: readonly Rule[]): Rule[] {
  const sorted: Rule[] = [];
  for (const rule of rules) {
    let at = sorted.length;
    if (isRefusal(rule)) while (mayStandBehind(sorted[at - 1], rule)) at--;
    sorted.splice(at, 0, rule);
  }
  return sorted;
}

function isRefusal({ target }: Rule): boolean {
  const given = target?.["respond"] as { readonly status?: number } | number | undefined;
  return ((typeof given === "number" ? given : given?.status) ?? 0) >= 400;
}

function mayStandBehind(edit: Rule | undefined, { when, phase, once }: Rule): boolean {
  if (edit?.change?.request === undefined || Object.keys(edit.change).length > 1) return false;
  if (edit.target !== undefined || edit.skips === true || edit.phase !== phase) return false;
  if (edit.once !== undefined || once !== undefined) return false;
  return (
    lateOf(
      edit.change,
      when.flatMap(({ all, except }) => [all, ...except]),
    ) === undefined
  );
}

/** `poolRules`: what a pool does with a request before it picks a server. */
export function compileRules(
  given: readonly Rule[],
  givenPoolRules: (pool: string) => readonly Rule[],
): Route[] {
  const rules = refusalsFirst(given);
  const poolRules = (pool: string): Rule[] => refusalsFirst(givenPoolRules(pool));
  let compiler = new Compiler(poolRules, Infinity);
  const start = { rules, rule: 0, alternative: 0, done: () => {} };
  compiler.run(start, { when: {}, change: {} });
  // Where a request goes matters more than the headers that it has there.
  for (let kept = compiler.edits.size; compiler.isFull && kept > 0;) {
    kept = Math.floor(kept / 2);
    compiler = new Compiler(poolRules, kept);
    compiler.run(start, { when: {}, change: {} });
  }
  compiler.tell();
  for (const { change, lose } of rules) {
    const limit = change?.limit;
    const uses = compiler.routes.filter((route) => route.data["rate_limit"] === limit);
    if (limit !== undefined && uses.length > 1)
      lose("each of its routes has that limit for itself");
  }
  return compiler.routes;
}

/** A place among the rules; `done`: what follows the last of them. */
interface Place {
  readonly rules: readonly Rule[];
  readonly rule: number;
  /** Of the rule's `when`. */
  readonly alternative: number;
  readonly done: (state: State) => void;
}

/** One kind of requests after the other is followed to its end; exceptions come first. */
class Compiler {
  readonly routes: Route[] = [];
  /** Places of rules that only change headers of some requests. */
  readonly edits = new Set<string>();
  isFull = false;
  readonly #kept: number;
  readonly #losses: (() => void)[] = [];
  readonly #poolRules: (pool: string) => readonly Rule[];
  /** How many of the routes let such requests pass: they are asked of again at every rule. */
  readonly #passed = new WeakMap<Condition, number>();
  #steps = 0;

  /** `kept`: of so many of the edits. */
  constructor(poolRules: (pool: string) => readonly Rule[], kept: number) {
    this.#poolRules = poolRules;
    this.#kept = kept;
  }

  tell(): void {
    for (const loss of this.#losses) loss();
  }

  #lose({ lose }: Rule, why: string): void {
    this.#losses.push(() => lose(why));
  }

  /** Each such rule may double the routes after it. */
  #isTooMuch(rule: Rule): boolean {
    if (!isEdit(rule)) return false;
    this.edits.add(rule.origin);
    return [...this.edits].indexOf(rule.origin) >= this.#kept;
  }

  run(place: Place, state: State): void {
    const { rules, rule: index, alternative, done } = place;
    const rule = rules[index];
    if (rule === undefined) return done(state);
    if (this.#isDecided(state.when)) return;
    if (++this.#steps > MOST_STEPS || this.routes.length >= MOST_ROUTES) {
      this.isFull = true;
      return this.#lose(rule, TOO_MANY);
    }
    if (this.#isTooMuch(rule)) {
      this.#lose(rule, TOO_MANY);
      rule.reach?.();
      return this.run({ ...place, rule: index + 1, alternative: 0 }, state);
    }
    const when = rule.when[alternative];
    if (alternative === 0) {
      // One that holds for all of them leaves nothing to the others, which may be unsayable here.
      const whole = rule.when.findIndex(
        ({ all, except }) => except.length === 0 && implies(state.when, all),
      );
      if (whole > 0) return this.run({ ...place, alternative: whole }, state);
    }
    if (when === undefined) return this.run({ ...place, rule: index + 1, alternative: 0 }, state);
    const late = lateOf(state.change, [when.all, ...when.except]);
    if (late !== undefined) this.#lose(rule, late);
    const inside = this.#meet(state, when.all, rule);
    const next = { ...place, alternative: alternative + 1 };
    if (inside === undefined || this.#isDecided(inside.when)) return this.run(next, state);
    rule.reach?.();
    if (isRefusal(rule) && missesSecondValue(state.when, when.all)) {
      this.#lose(rule, SECOND_VALUE);
    }
    for (const exception of when.except) {
      const without = this.#meet(inside, exception, rule);
      if (rule.skips === true && missesSecondValue(inside.when, exception)) {
        this.#lose(rule, SECOND_VALUE);
      }
      if (without !== undefined) this.run(next, without);
    }
    this.#apply(rule, inside, { ...place, rule: index + 1, alternative: 0 });
    if (!sameCondition(inside.when, state.when)) this.run(next, state);
  }

  /** A route before takes them all. */
  #isDecided(when: Condition): boolean {
    const fresh = this.routes.slice(this.#passed.get(when) ?? 0);
    if (fresh.some((route) => implies(when, route.when))) return true;
    this.#passed.set(when, this.routes.length);
    return false;
  }

  /** Undefined: no request is both. */
  #meet(state: State, condition: Condition, rule: Rule): State | undefined {
    const both = conjunction([state.when, condition]);
    if (both === undefined) {
      this.#lose(rule, "its condition and those before it cannot be said together");
      rule.reach?.();
    }
    if (both === undefined || both === "false") return undefined;
    return { ...state, when: both === "true" ? {} : both };
  }

  #apply(rule: Rule, state: State, next: Place): void {
    const { change = {}, target } = rule;
    const after = together(state.change, change);
    const isLost = typeof after === "string";
    if (isLost) this.#lose(rule, after);
    const changed = { ...state, change: isLost ? state.change : after };
    if (rule.skips === true) {
      const after = next.rules.findIndex((one, i) => i >= next.rule && one.phase !== rule.phase);
      return this.run({ ...next, rule: after < 0 ? next.rules.length : after }, changed);
    }
    if (target === undefined) return this.run(afterThis(next, rule), changed);
    const pool = target["pool"];
    if (typeof pool !== "string") return this.#decide(changed, rule, target);
    const place = { rules: this.#poolRules(pool), rule: 0, alternative: 0 };
    this.run({ ...place, done: (left) => this.#decide(left, rule, target) }, changed);
  }

  #decide({ when, change }: State, rule: Rule, target: Data): void {
    if (this.#isDecided(when)) return;
    const { limit, innerAnswer, answer } = change;
    const isOwn = target["pool"] === undefined;
    // A redirect may bring its own; else it sends to the path that rules before it have made.
    const own = target["rewrite"] as Data | undefined;
    const earlier = sendsToPath(target) ? change.rewrite : undefined;
    if (own !== undefined && earlier !== undefined) this.#lose(rule, REWRITES_ONCE);
    const told = isOwn ? { limit, innerAnswer, answer, rewrite: own ?? earlier } : change;
    const data = { ...when, ...target, ...changeData(told) };
    this.routes.push({ when, data, origin: rule.origin });
  }
}

function sendsToPath({ redirect }: Data): boolean {
  const { location = "" } = (redirect ?? {}) as { readonly location?: string };
  return /\$\{(?:path|uri)\}/u.test(location);
}

const REWRITES_ONCE = "a route rewrites once";

/** A text says why a route cannot do both. */
function together(a: Change, b: Change): Change | string {
  if (a.rewrite !== undefined && b.rewrite !== undefined) return REWRITES_ONCE;
  const answers = ANSWERS.map((side) => a[side]);
  const later = ANSWERS.map((side) => b[side]);
  const pairs = answers.flatMap((one) => later.map((other) => [one, other] as const));
  if ([...pairs, [a.request, b.request] as const].some((pair) => addsTwoCookies(...pair))) {
    return TWO_COOKIES;
  }
  const again = later.some((edits) => changesAgain(answers, edits ?? {}));
  // Rules of a pool come later here and run before those of the frontend.
  const late = answers.some((edits, i) => changesAgain(later.slice(0, i), edits ?? {}));
  if (again || late || changesAgain([a.request], b.request ?? {})) return CHANGED_ONCE;
  const edits = SIDES.map((side): [string, Edits | undefined] => [
    side,
    mergedEdits(a[side], b[side]),
  ]);
  const used = edits.filter(([, edit]) => edit !== undefined);
  return { ...a, ...b, ...(Object.fromEntries(used) as Change) };
}

function afterThis(next: Place, { once }: Rule): Place {
  if (once === undefined) return next;
  const after = next.rules.findIndex((one, i) => i >= next.rule && one.once !== once);
  return { ...next, rule: after < 0 ? next.rules.length : after };
}

/** What was not given may be undefined here. */
type Told = { readonly [K in keyof Change]?: Change[K] | undefined };

function changeData(told: Told): Data {
  const answers = ANSWERS.map((side) => told[side]).reduce(mergedEdits, undefined);
  return {
    request_headers: editsData(told.request),
    response_headers: editsData(answers),
    rewrite: told.rewrite,
    rate_limit: told.limit,
  };
}

function editsData(edits: Edits | undefined): Data | undefined {
  if (edits === undefined) return undefined;
  const { remove = [], set = {}, add = {}, replace = {} } = edits;
  const data: Data = {};
  if (remove.length > 0) data["remove"] = remove.length === 1 ? remove[0] : remove;
  if (Object.keys(replace).length > 0) data["replace"] = replace;
  if (Object.keys(set).length > 0) data["set"] = set;
  if (Object.keys(add).length > 0) data["add"] = add;
  return Object.keys(data).length === 0 ? undefined : data;
}

/** Writes the routes into a frontend; a last one that only names a pool is its `pool`. */
export function routesData(routes: readonly Route[]): Data {
  const last = routes.at(-1);
  const plain = Object.entries(last?.data ?? {}).filter(([, value]) => value !== undefined);
  const isDefault = plain.length === 1 && plain[0]![0] === "pool";
  const others = isDefault ? routes.slice(0, -1) : routes;
  return {
    ...(others.length === 0 ? {} : { routes: others.map((route) => route.data) }),
    ...(isDefault ? { pool: plain[0]![1] } : {}),
  };
}
