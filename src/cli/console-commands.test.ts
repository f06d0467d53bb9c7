import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { TokenBook, tokensPath } from "../console/tokens.ts";
import { main } from "./main.ts";

async function nines(
  ...words: readonly string[]
): Promise<{ code: number; out: string; err: string }> {
  const said = { out: [] as string[], err: [] as string[] };
  const terminal = {
    color: false,
    out: (text: string) => void said.out.push(text),
    err: (text: string) => void said.err.push(text),
  };
  const code = await main(words, terminal);
  return { code, out: said.out.join("\n"), err: said.err.join("\n") };
}

async function inFolder(body: (state: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "nines-cli-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a token that is created works until it is revoked; the list does not show it", async () => {
  await inFolder(async (state) => {
    const where = ["--state-dir", state];
    const made = await nines("token", "create", "anna", "--role", "operate", ...where);
    assert.equal(made.code, 0);
    assert.match(made.out, /^nines_[\w-]{43}$/u);
    assert.match(made.err, /anna may operate; this is shown once/u);
    const book = new TokenBook(tokensPath(state));
    assert.equal(book.find(made.out, Date.now())?.role, "operate");
    const short = await nines("token", "create", "eyes", "--expires", "90d", ...where);
    assert.equal(short.code, 0);
    const { out } = await nines("token", "list", ...where);
    assert.match(out, /^anna +operate +never$/mu);
    assert.match(out, /^eyes +read +89d 23h$/mu);
    assert.ok(!out.includes(made.out.slice(6, 20)));
    assert.doesNotMatch((await nines("token", "list", "--json", ...where)).out, /sha256/u);
    assert.equal((await nines("token", "revoke", "anna", ...where)).code, 0);
    assert.equal(book.find(made.out, Date.now()), undefined);
    assert.equal((await nines("token", "revoke", "anna", ...where)).code, 1);
  });
});

test("mistakes on the command line start nothing and say the next move", async () => {
  await inFolder(async (state) => {
    const where = ["--state-dir", state];
    assert.equal((await nines("token", "create", "x", "--role", "root", ...where)).code, 2);
    assert.equal((await nines("token", "create", "x", "--expires", "soon", ...where)).code, 2);
    const alone = await nines("cert", "invite", "b", ...where);
    assert.deepEqual([alone.code, /nines cert init/u.test(alone.err)], [1, true]);
    const none = await nines("cert", "show", ...where);
    assert.deepEqual([none.code, /in no group/u.test(none.err)], [1, true]);
    const open = await nines("run", "--console", "0.0.0.0:7600");
    assert.deepEqual([open.code, /for others: console/u.test(open.err)], [2, true]);
  });
});
