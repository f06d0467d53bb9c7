import assert from "node:assert/strict";
import { test } from "node:test";
import type { Data } from "./draft.ts";
import type { Edits } from "./edits.ts";
import { type Change, compileRules, type Rule } from "./routes.ts";

test("where conditional headers would make too many routes, some go, and every request keeps its way", () => {
  const lost = new Set<number>();
  const edits = Array.from({ length: 12 }, (_, i): Rule => ({
    when: [{ all: { headers: { [`x-${i}`]: "*" } }, except: [] }],
    change: { request: { set: { [`y-${i}`]: "1" } } },
    origin: `f:${i}`,
    lose: () => lost.add(i),
  }));
  const shut: Rule = {
    when: [{ all: { path: ["/shut*"] }, except: [] }],
    target: { respond: 403 },
    origin: "f:20",
    lose: () => lost.add(20),
  };
  const all = [{ all: {}, except: [] }];
  const rest: Rule = {
    when: all,
    target: { pool: "web" },
    origin: "f:21",
    lose: () => lost.add(21),
  };
  const routes = compileRules([...edits, shut, rest], () => []);
  assert.deepEqual(routes.at(-1), { when: {}, data: { pool: "web", ...NOTHING }, origin: "f:21" });
  assert.ok(routes.some(({ data, when }) => data["respond"] === 403 && !("headers" in when)));
  assert.deepEqual([...lost], [6, 7, 8, 9, 10, 11]);
});

/** Of a request that no edit is for. */
const NOTHING = {
  request_headers: undefined,
  response_headers: undefined,
  rewrite: undefined,
  rate_limit: undefined,
};

test("headers that are added twice are both there, and a second Set-Cookie is told", () => {
  const lost: string[] = [];
  const rule = (name: string, value: string): Rule => ({
    when: [{ all: {}, except: [] }],
    change: { response: { add: { [name]: value } } },
    origin: value,
    lose: (why) => lost.push(`${value}: ${why}`),
  });
  const rules = [
    rule("Via", "a"),
    rule("via", "b"),
    rule("Set-Cookie", "c"),
    rule("set-cookie", "d"),
  ];
  const last: Rule = { ...rule("X", "e"), target: { pool: "web" } };
  const [route] = compileRules([...rules, last], () => []);
  assert.deepEqual(route?.data["response_headers"], {
    add: { Via: "a, b", "Set-Cookie": "c", X: "e" },
  });
  assert.deepEqual(lost, ["d: a route adds one Set-Cookie"]);
});

test("a condition on what a rule before has changed is told", () => {
  const lost: string[] = [];
  const rule = (origin: string, given: Partial<Rule>): Rule => ({
    when: [{ all: {}, except: [] }],
    origin,
    lose: (why) => lost.push(`${origin}: ${why.split(" as ")[0]}`),
    ...given,
  });
  const asks = (all: Rule["when"][number]["all"]): Pick<Rule, "when"> => ({
    when: [{ all, except: [] }],
  });
  const target = { pool: "web" };
  compileRules(
    [
      rule("a", { ...asks({ headers: { "x-flag": "*" } }), target }),
      rule("b", { change: { request: { set: { "X-Flag": "1" } }, rewrite: { to: "/" } } }),
      rule("c", { ...asks({ headers: { "x-flag": false } }), target }),
      rule("d", { ...asks({ path: ["/d"] }), target }),
      rule("e", { ...asks({ host: ["e.example"] }), target }),
      rule("f", { target }),
    ],
    () => [],
  );
  assert.deepEqual(lost, ["c: routes ask for headers", "d: routes ask for the path"]);
});

/** A frontend that changes all answers, and its pool. */
function inFrontAndPool(first: Change, second: Change): { data: Data; lost: string[] } {
  const lost: string[] = [];
  const rule = (origin: string, change: Change): Rule => ({
    when: [{ all: {}, except: [] }],
    change,
    origin,
    lose: () => lost.push(origin),
  });
  const front: Rule = { ...rule("front", first), target: { pool: "web" } };
  const [route] = compileRules([front], () => [rule("pool", second)]);
  return { data: route?.data ?? {}, lost };
}

test("what a pool writes before its frontend changes it is told: here it would be written after", () => {
  const told = (first: Change, second: Change): string[] => inFrontAndPool(first, second).lost;
  const replace = { "Set-Cookie": { regex: "^(.*)$", to: "$1; Secure" } };
  const add = { "set-cookie": "a=1" };
  assert.deepEqual(told({ response: { replace } }, { inner: { add } }), ["pool"]);
  assert.deepEqual(told({ response: { replace } }, { inner: { set: add } }), ["pool"]);
  assert.deepEqual(told({ answer: { replace } }, { inner: { add } }), ["pool"]);
  assert.deepEqual(told({ answer: { replace } }, { response: { add } }), ["pool"]);
  assert.deepEqual(told({ answer: { replace } }, { innerAnswer: { add } }), ["pool"]);
  assert.deepEqual(told({ response: { replace } }, { inner: { add: { Via: "a" } } }), []);
  assert.deepEqual(told({ response: { replace } }, { answer: { add } }), []);
});

test("of two that write a header the frontend's counts, as it comes after the pool's; two cookies are told", () => {
  const set = (X: string): Edits => ({ set: { X } });
  for (const [first, second] of [
    [{ response: set("front") }, { inner: set("pool") }],
    [{ answer: set("front") }, { innerAnswer: set("pool") }],
  ] as const) {
    const { data, lost } = inFrontAndPool(first, second);
    assert.deepEqual([data["response_headers"], lost], [{ set: { X: "front" } }, []]);
  }
  const add = { "Set-Cookie": "a=1" };
  const { lost } = inFrontAndPool({ response: { add } }, { inner: { add } });
  assert.deepEqual(lost, ["pool"]);
});

const EDIT = { request: { set: { "X-Mode": "preview" } } };

function mode(match: unknown): Rule["when"] {
  return [{ all: { query: { mode: match } }, except: [] }];
}

/** The routes, and what was told of which rule. */
function compiled(...rules: Partial<Rule>[]): { routes: string[]; lost: string[] } {
  const lost = new Set<string>();
  const all = [...rules, { target: { pool: "web" } }].map((rule, i): Rule => ({
    when: [{ all: {}, except: [] }],
    origin: String(i),
    lose: (why) => lost.add(`${i}: ${why}`),
    ...rule,
  }));
  const routes = compileRules(all, () => []);
  return { routes: routes.map(({ origin }) => origin), lost: [...lost] };
}

const UNSAYABLE = "its condition and those before it cannot be said together";
const ONE_VALUE =
  "where a name comes twice in a request, one value must meet this condition and all before it";

test("a refusal stands before headers written under a condition: a second parameter is no way around it", () => {
  const edit = { when: mode({ exact: "preview" }), change: EDIT };
  const deny = { when: mode({ exact: "debug" }), target: { respond: 403 } };
  assert.deepEqual(compiled(edit, deny), { routes: ["1", "2", "2"], lost: [] });
  // An answer of its own may be among those that the rule before changes.
  const answer = { ...edit, change: { answer: EDIT.request } };
  assert.deepEqual(compiled(answer, deny).lost, [`1: ${UNSAYABLE}`]);
  const other = { headers: { "x-mode": "*" } };
  const late = { ...deny, when: [{ all: other, except: [] }] };
  assert.match(compiled(edit, late).lost.join(), /^1: routes ask for headers as they came/);
});

test("two expressions for one name are one: of a refusal, and of who is let through, that is told", () => {
  const answer = { when: mode({ regex: "^pre" }), change: { answer: EDIT.request } };
  const deny = { when: mode({ regex: "^de" }), target: { respond: 403 } };
  assert.deepEqual(compiled(answer, deny).lost, [`1: ${ONE_VALUE}`]);
  assert.deepEqual(compiled(answer, { ...deny, target: { pool: "debug" } }).lost, []);
  const but = [{ all: {}, except: [{ query: { mode: { regex: "^de" } } }] }];
  const allow = { when: but, skips: true, phase: "a" };
  assert.deepEqual(compiled({ ...answer, phase: "a" }, allow).lost, [`1: ${ONE_VALUE}`]);
});

test("of alternatives the one that holds for all of them counts, the others are not asked", () => {
  const either = [...mode({ exact: "a" }), ...mode({ exact: "b" })];
  const pool = { when: either, target: { pool: "debug" } };
  assert.deepEqual(compiled({ when: either, change: { answer: EDIT.request } }, pool), {
    routes: ["1", "1", "2"],
    lost: [],
  });
});
