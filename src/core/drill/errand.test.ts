import assert from "node:assert/strict";
import { test } from "node:test";
import { readErrand, type Errand } from "./errand.ts";

const good: Errand = { verb: "run", id: "20260101-abc", drill: "mute", who: "ann", reason: "why" };

test("an errand is read as it was written, and nothing else of it", () => {
  assert.deepEqual(readErrand({ ...good, extra: 1 }), good);
  const server = { ...good, server: "web/web1", lastsMs: 30_000 };
  assert.deepEqual(readErrand(JSON.parse(JSON.stringify(server))), server);
});

test("what is no errand is refused: above all a number that would be a path", () => {
  for (const wrong of [
    undefined,
    "run",
    { ...good, verb: "undo" },
    { ...good, id: "../../etc/passwd" },
    { ...good, id: "short" },
    { ...good, who: 7 },
    { ...good, reason: "a\u0000b" },
    { ...good, drill: "x".repeat(501) },
    { ...good, server: {} },
    { ...good, lastsMs: "30s" },
    { ...good, lastsMs: 3_600_001 },
  ]) {
    assert.equal(typeof readErrand(wrong), "string", JSON.stringify(wrong));
  }
});
