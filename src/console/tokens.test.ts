import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createToken, digestOf, readTokens, revokeToken, TokenBook } from "./tokens.ts";

const NOW = 1_800_000_000_000;

function inFolder(body: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "nines-tokens-"));
  try {
    body(join(folder, "tokens.json"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a token of 256 bits is shown once; the file keeps its digest, for the owner only", () => {
  inFolder((path) => {
    const token = createToken(path, { name: "ops", role: "operate" }, NOW);
    assert.match(token, /^nines_[\w-]{43}$/u);
    const text = readFileSync(path, "utf8");
    assert.ok(!text.includes(token) && text.includes(digestOf(token)));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(new TokenBook(path).find(token, NOW)?.name, "ops");
  });
});

test("expired, revoked, changed and unknown tokens are worth nothing", () => {
  inFolder((path) => {
    const book = new TokenBook(path);
    const short = createToken(path, { name: "short", role: "read", expiresMs: NOW + 1000 }, NOW);
    const long = createToken(path, { name: "long", role: "read" }, NOW);
    assert.equal(book.find(short, NOW + 999)?.name, "short");
    assert.equal(book.find(short, NOW + 1000), undefined);
    assert.equal(book.find(`${long.slice(0, -1)}x`, NOW), undefined);
    assert.equal(book.find("", NOW), undefined);
    assert.equal(revokeToken(path, "long"), true);
    assert.equal(book.find(long, NOW), undefined, "the book sees the change at once");
    assert.equal(revokeToken(path, "long"), false);
  });
});

test("a file that others can read or that is broken gives nobody anything and says why", () => {
  inFolder((path) => {
    const token = createToken(path, { name: "ops", role: "operate" }, NOW);
    chmodSync(path, 0o640);
    const book = new TokenBook(path);
    assert.equal(book.find(token, NOW), undefined);
    assert.match(book.trouble ?? "", /chmod 600/u);
    assert.throws(() => createToken(path, { name: "two", role: "read" }, NOW), /chmod 600/u);
    chmodSync(path, 0o600);
    assert.equal(book.find(token, NOW)?.role, "operate");
    for (const text of ["", "[]", '{"tokens":[{}]}', '{"tokens":[{"name":"a","role":"root"}]}']) {
      writeFileSync(path, text);
      assert.deepEqual(readTokens(path).tokens, []);
      assert.ok(readTokens(path).trouble !== undefined, text);
    }
  });
});

test("two tokens do not share a name", () => {
  inFolder((path) => {
    createToken(path, { name: "ops", role: "read", expiresMs: NOW + 1 }, NOW);
    assert.throws(() => createToken(path, { name: "ops", role: "read" }, NOW), /there is a token/u);
    createToken(path, { name: "ops", role: "read" }, NOW + 1);
  });
});
