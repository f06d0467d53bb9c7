import assert from "node:assert/strict";
import { test } from "node:test";
import { eventDraft } from "./balance-worker-event.ts";

function level(reason: string): string {
  return eventDraft("shop", { at: 0, kind: "tier", server: undefined, reason }).level;
}

test("backups that serve are a warning, and the first tier that serves again is none", () => {
  assert.equal(level("tier 1 serves with 1 of 1"), "warning");
  assert.equal(level("no server can serve"), "warning");
  assert.equal(level("tier 0 serves with 2 of 2"), "info");
});
