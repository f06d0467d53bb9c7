import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8Bytes } from "../../lib/text-bytes.ts";
import { hashBytes, hashText, mixed } from "./hash.ts";

test("the hash is MurmurHash3 by its published vectors", () => {
  assert.equal(hashText(""), 0);
  assert.equal(hashText("", 1), 0x514e28b7);
  assert.equal(hashText("test"), 0xba6bd213);
  assert.equal(hashText("Hello, world!"), 0xc0363e43);
  assert.equal(hashText("The quick brown fox jumps over the lazy dog"), 0x2e4ff723);
});

test("a part of a buffer hashes like a buffer of its own", () => {
  const bytes = utf8Bytes("xx192.0.2.17yy");
  assert.equal(hashBytes(bytes, 2, 12), hashText("192.0.2.17"));
});

test("addresses next to each other are spread evenly", () => {
  const places = Array.from({ length: 16 }, () => 0);
  for (let i = 0; i < 16_000; i++) places[hashText(`10.0.${i >> 8}.${i & 255}`) % 16]!++;
  for (const count of places) assert.ok(Math.abs(count - 1000) < 130, `${count}`);
});

test("mixing again and again does not fall into a short circle", () => {
  const seen = new Set<number>();
  for (let i = 0, hash = 1; i < 10_000; i++, hash = mixed(hash + 0x9e3779b9)) seen.add(hash);
  assert.equal(seen.size, 10_000);
});
