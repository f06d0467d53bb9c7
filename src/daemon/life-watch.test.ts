import assert from "node:assert/strict";
import { test } from "node:test";
import { LifeWatch } from "./life-watch.ts";

const PATIENCE = { lookMs: 1000, looks: 3 };

function watched(fromFirstSign: boolean) {
  const status = { name: "check", state: "running", sinceWallMs: 0, restarts: 0, pid: 1 } as const;
  const life = { status, shownMs: 1, replaced: 0, replaceHung: () => void life.replaced++ };
  return { life, watch: new LifeWatch(life, { ...PATIENCE, fromFirstSign }) };
}

test("who has never shown a sign of life may know of none, unless it is one that must", () => {
  for (const fromFirstSign of [true, false]) {
    const { life, watch } = watched(fromFirstSign);
    for (let i = 0; i < 10; i++) watch.look();
    assert.equal(life.replaced > 0, !fromFirstSign);
  }
});

test("who has shown one and shows no other is replaced, at the last of so many looks", () => {
  const { life, watch } = watched(true);
  watch.look();
  life.shownMs = 2;
  for (let i = 0; i < 3; i++) watch.look();
  assert.equal(life.replaced, 0);
  watch.look();
  assert.equal(life.replaced, 1);
});

test("who lived and whose sign is gone is left alone: the directory may have gone", () => {
  const { life, watch } = watched(true);
  const signs: { shownMs: number | undefined } = life;
  watch.look();
  signs.shownMs = 2;
  watch.look();
  signs.shownMs = undefined;
  for (let i = 0; i < 10; i++) watch.look();
  assert.equal(life.replaced, 0);
});
