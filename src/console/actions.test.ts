import assert from "node:assert/strict";
import { test } from "node:test";
import { Actions, type Action, type Asker, type Audit, type Prospect } from "./actions.ts";
import type { ActionConfirmation, ActionOutcome, ActionPreview, Problem } from "./api.ts";

const NOW = 1_800_000_000_000;
const OPS: Asker = { role: "operate", who: "ops", from: "127.0.0.1" };
const DRAIN = { action: "drain", subject: "web/s1" } as const;

interface Stage {
  readonly actions: Actions;
  readonly audits: Audit[];
  readonly performed: string[];
  prospect: Prospect;
  stale: string | undefined;
  fails: string | undefined;
}

function stage(): Stage {
  const audits: Audit[] = [];
  const performed: string[] = [];
  const made: Stage = {
    audits,
    performed,
    stale: undefined,
    fails: undefined,
    prospect: { moves: [], left: [], command: "nines backend drain web/s1", basis: ["up", "up"] },
    actions: new Actions({
      key: Buffer.alloc(32, 1),
      find: (name) => (name === "drain" ? action : undefined),
      refresh: () => Promise.resolve(made.stale),
      audit: (entry) => audits.push(entry),
    }),
  };
  const action: Action = {
    look: () => made.prospect,
    perform: ({ subject }, { who, reason }) => {
      if (made.fails !== undefined) return Promise.reject(new Error(made.fails));
      performed.push(`${subject} ${who} ${reason}`);
      return Promise.resolve({ code: "order-given", args: {}, text: "drained" });
    },
  };
  return made;
}

async function previewed({ actions }: Stage): Promise<ActionPreview> {
  return (await actions.preview(DRAIN, OPS, NOW)) as ActionPreview;
}

function perform(
  { actions }: Stage,
  given: Partial<ActionConfirmation>,
  { asker = OPS, atMs = NOW }: { readonly asker?: Asker; readonly atMs?: number } = {},
): Promise<ActionOutcome | Problem> {
  const all = { ...DRAIN, confirm: "", reason: "new kernel", ...given };
  return actions.perform(all, asker, atMs);
}

function codeOf(answer: ActionOutcome | Problem): string {
  return "type" in answer ? `${answer.status} ${answer.type.replace("urn:nines:", "")}` : "done";
}

const DANGER = {
  why: { code: "order-last-server", args: {}, text: "web/s1 is the last server" },
  override: true,
};

test("an order that was looked at is carried out once, and all of it is in the journal", async () => {
  const one = stage();
  const { confirm = "", command } = await previewed(one);
  assert.equal(command, "nines backend drain web/s1");
  assert.equal(codeOf(await perform(one, { confirm })), "done");
  assert.equal(codeOf(await perform(one, { confirm })), "409 used-preview");
  assert.deepEqual(one.performed, ["web/s1 ops new kernel"]);
  assert.deepEqual(
    one.audits.map(({ kind }) => kind),
    ["operator-asked", "operator-done", "operator-refused"],
  );
  const { who, from, why } = one.audits[0]!.data;
  assert.deepEqual([who, from, why], ["ops", "127.0.0.1", "new kernel"]);
});

test("without a preview, with a forged one or an old one nothing is done", async () => {
  const one = stage();
  const { confirm = "" } = await previewed(one);
  assert.equal(codeOf(await perform(one, { confirm: "" })), "400 no-preview");
  const forged = confirm.replace(/.$/u, (last) => (last === "0" ? "1" : "0"));
  assert.equal(codeOf(await perform(one, { confirm: forged })), "409 changed");
  const later = confirm.replace(/^\d+/u, (ms) => String(Number(ms) + 60_000));
  assert.equal(codeOf(await perform(one, { confirm: later })), "409 changed");
  const late = await perform(one, { confirm }, { atMs: NOW + 120_000 });
  assert.equal(codeOf(late), "409 old-preview");
  assert.deepEqual(one.performed, []);
});

test("a preview is for one order and one visitor", async () => {
  const one = stage();
  const { confirm = "" } = await previewed(one);
  for (const change of [{ subject: "web/s2" }, { deadlineMs: 5 }, { weight: 3 }]) {
    assert.equal(codeOf(await perform(one, { confirm, ...change })), "409 changed");
  }
  const other = { ...OPS, who: "somebody" };
  assert.equal(codeOf(await perform(one, { confirm }, { asker: other })), "409 changed");
  assert.deepEqual(one.performed, []);
});

test("something changed since the preview: 409, and nothing is done", async () => {
  const one = stage();
  const { confirm = "" } = await previewed(one);
  one.prospect = { ...one.prospect, basis: ["up", "down"] };
  assert.equal(codeOf(await perform(one, { confirm })), "409 changed");
  const two = stage();
  const calm = await previewed(two);
  two.prospect = { ...two.prospect, refused: DANGER };
  const override = "web/s1";
  assert.equal(codeOf(await perform(two, { confirm: calm.confirm!, override })), "409 changed");
  assert.deepEqual([...one.performed, ...two.performed], []);
});

test("what is unsafe is done only for who types the name", async () => {
  const one = stage();
  one.prospect = { ...one.prospect, refused: DANGER };
  const { confirm = "", refused, override = "" } = await previewed(one);
  assert.equal(refused?.text, "web/s1 is the last server");
  assert.equal(override, "web/s1");
  assert.equal(codeOf(await perform(one, { confirm })), "422 order-last-server");
  assert.equal(codeOf(await perform(one, { confirm, override: "web" })), "422 order-last-server");
  assert.equal(codeOf(await perform(one, { confirm, override })), "done");
  assert.match(one.audits.at(-2)?.reason ?? "", /although web\/s1 is the last server/u);
});

test("what makes no sense is not to be confirmed by anybody", async () => {
  const one = stage();
  one.prospect = { ...one.prospect, refused: { ...DANGER, override: false } };
  const { confirm, override, refused } = await previewed(one);
  assert.deepEqual([confirm, override, refused?.code], [undefined, undefined, "order-last-server"]);
});

test("nothing is ordered on old news, and nothing that does not exist", async () => {
  const one = stage();
  one.stale = "the control process: ENOENT";
  assert.equal(((await one.actions.preview(DRAIN, OPS, NOW)) as Problem).status, 503);
  const other = { ...DRAIN, action: "handover" } as const;
  assert.equal(((await one.actions.preview(other, OPS, NOW)) as Problem).status, 404);
});

test("an order that fails says why and is in the journal", async () => {
  const one = stage();
  const { confirm = "" } = await previewed(one);
  one.fails = "nobody answers";
  const answer = await perform(one, { confirm });
  assert.equal(codeOf(answer), "422 failed");
  assert.equal(one.audits.at(-1)?.kind, "operator-failed");
});

test("of two orders that are confirmed at the same moment the second is judged after the first", async () => {
  let left = 2;
  const drain: Action = {
    oneByOne: true,
    look: () => ({ moves: [], left: [], command: "drain", basis: left }),
    perform: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      left--;
      return { code: "order-given", args: {}, text: "drained" };
    },
  };
  const actions = new Actions({
    key: Buffer.alloc(32, 1),
    find: () => drain,
    refresh: () => Promise.resolve(undefined),
    audit: () => undefined,
  });
  const order = async (subject: string): Promise<() => Promise<string>> => {
    const request = { action: "drain", subject } as const;
    const { confirm = "" } = (await actions.preview(request, OPS, NOW)) as ActionPreview;
    return async () =>
      codeOf(await actions.perform({ ...request, confirm, reason: "both" }, OPS, NOW));
  };
  const [first, second] = [await order("web/s1"), await order("web/s2")];
  assert.deepEqual(await Promise.all([first(), second()]), ["done", "409 changed"]);
  assert.equal(left, 1);
});
