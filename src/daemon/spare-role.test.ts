import assert from "node:assert/strict";
import { test } from "node:test";
import { instance, node } from "../../test/kit/vrrp-settings.ts";
import type { RoleModel } from "./role-protocol.ts";
import { briefing, readBriefing } from "./spare-role.ts";

const model = { vrrp: node([instance()]) } as RoleModel;

test("a spare is briefed with the configuration, by a control process of its own version only", () => {
  const line = briefing({ model, realtime: true }).trimEnd();
  const heard = readBriefing(line);
  assert.deepEqual([heard?.model, heard?.realtime], [model, true]);
  assert.equal(readBriefing(line.replace(/"protocol":\d+/, '"protocol":0')), undefined);
  assert.equal(readBriefing("no message"), undefined);
});
