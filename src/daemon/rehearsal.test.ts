import assert from "node:assert/strict";
import { test } from "node:test";
import { instance, node } from "../../test/kit/vrrp-settings.ts";
import type { VrrpSettings } from "../core/vrrp/settings.ts";
import { Rehearsal, type RehearsalStage } from "./rehearsal.ts";

function settings(count: number): VrrpSettings {
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  return node(numbers.map((i) => instance({ name: `V${i}`, vrid: i, vips: [`192.0.2.${i}`] })));
}

/** Whatever is asked of it is done; counts the takeovers that were played. */
function stage(): { stage: RehearsalStage; played: () => number } {
  let played = 0;
  const all = {
    acquire: () => played++,
    prepareAddresses: () => true,
    renewLease: () => undefined,
    release: () => [],
    note: () => {},
    rehearse: () => {},
  };
  const parts = { kernel: all, reigns: all, sockets: all, announcer: all };
  return { stage: parts as never, played: () => played };
}

test("takeovers that come together are rehearsed once, many of them not at all, by the settings in force", () => {
  const few = stage();
  const rehearsal = new Rehearsal(settings(2), [], few.stage);
  rehearsal.briefly();
  rehearsal.briefly();
  assert.equal(few.played(), 1);
  const grown = stage();
  const other = new Rehearsal(settings(2), [], grown.stage);
  other.reconfigure(settings(100));
  other.briefly();
  assert.equal(grown.played(), 0);
  other.reconfigure(settings(1));
  other.briefly();
  assert.equal(grown.played(), 1);
});
