import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { TrafficLook } from "../daemon/control-api.ts";
import { ServerMinutes } from "./server-minutes.ts";

const MINUTE = 60_000;
const BEGAN = 1_800_000_000_000 - (1_800_000_000_000 % MINUTE);

/** A control process whose one worker has counted that many. */
function stage() {
  const control = { good: 0, bad: 0, nowMs: BEGAN + 400, isSilent: false };
  const counted = () => {
    const { good, bad } = control;
    const latency = good === 0 ? [] : ([[30, good]] as const);
    return [{ subject: "server web/a", good, bad, inFlight: 0, latency }];
  };
  const client = {
    serverTraffic: async (): Promise<TrafficLook> => {
      if (control.isSilent) throw new Error("nobody is there");
      return { processes: [{ life: "1 1", isEnded: false, counted: counted() }] };
    },
  };
  const minutes = new ServerMinutes({ client }, () => control.nowMs);
  minutes.open(new DatabaseSync(":memory:"));
  const all = { subject: "server web/a", fromMs: 0, toMs: Infinity };
  return {
    control,
    minutes,
    found: () =>
      minutes
        .find({ ...all, limit: 1000 })
        .map(({ fromMs, lengthMs, good, bad }) => [(fromMs - BEGAN) / MINUTE, lengthMs, good, bad]),
    looked: () =>
      minutes.looked({ ...all, stepMs: MINUTE }).map(({ fromMs }) => (fromMs - BEGAN) / MINUTE),
  };
}

test("a minute of a server is what was counted between two looks, from the first look on", async () => {
  const { control, minutes, found, looked } = stage();
  control.good = 1000;
  await minutes.look();
  assert.deepEqual([found(), looked()], [[], []], "nobody knows when that was");
  control.nowMs += MINUTE;
  [control.good, control.bad] = [1010, 2];
  await minutes.look();
  control.nowMs += MINUTE;
  await minutes.look();
  assert.deepEqual(found(), [[0, MINUTE, 10, 2]]);
  assert.deepEqual(looked(), [0, 1], "in the second minute nobody asked");
});

test("what was counted while nobody looked is spread over that time, and it is no look", async () => {
  const { control, minutes, found, looked } = stage();
  await minutes.look();
  control.isSilent = true;
  control.good = 40;
  control.nowMs += 2 * MINUTE;
  await minutes.look();
  control.isSilent = false;
  control.nowMs += 2 * MINUTE;
  await minutes.look();
  const spread = found();
  assert.equal(
    spread.reduce((sum, [, , good]) => sum + good!, 0),
    40,
  );
  assert.ok(spread.length >= 4 && spread.every(([, length]) => length === MINUTE));
  assert.deepEqual(looked(), []);
});

test("a clock that was set back says nothing about the time between", async () => {
  const { control, minutes, found } = stage();
  await minutes.look();
  control.nowMs -= 10 * MINUTE;
  control.good = 5;
  await minutes.look();
  assert.deepEqual(found(), []);
  control.nowMs += MINUTE;
  control.good = 7;
  await minutes.look();
  assert.deepEqual(found(), [[-10, MINUTE, 2, 0]]);
});
