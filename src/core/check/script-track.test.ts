import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { ScriptSettings } from "../vrrp/settings.ts";
import { KILL_GRACE_MS, ScriptTrack, lastLine, type ScriptAction } from "./script-track.ts";

const SETTINGS: ScriptSettings = {
  name: "chk_nginx",
  command: { argv: ["/usr/bin/true"] },
  intervalMs: 1000,
  timeoutMs: 500,
  rise: 1,
  fall: 3,
  weight: 0,
  reverse: false,
  startFailed: false,
  earlyLook: true,
};

const exited = (code: number, output = "") =>
  ({ type: "script-ended", end: { kind: "exited", code }, output }) as const;
const woken = { type: "woken" } as const;

function reasons(actions: readonly ScriptAction[]): string[] {
  return actions.flatMap((action) => (action.type === "report-track" ? [action.reason] : []));
}

/** Runs once from the next point of the schedule, ending after 10 ms with `code`. */
function runOnce(track: ScriptTrack, code: number, output = ""): string[] {
  const now = track.deadline;
  assert.deepEqual(track.step(now, woken), [{ type: "run-script", command: SETTINGS.command }]);
  return reasons(track.step(now + 10, exited(code, output)));
}

test("three failures in a row are told in one sentence with their count", () => {
  const track = new ScriptTrack(SETTINGS, 0);
  assert.deepEqual(runOnce(track, 0), ["script chk_nginx exited 0 (first run)"]);
  assert.deepEqual(runOnce(track, 1), []);
  assert.deepEqual(runOnce(track, 1), []);
  assert.deepEqual(runOnce(track, 1, "connection\nrefused\n"), [
    "script chk_nginx exited 1 (3 of 3): refused",
  ]);
  assert.deepEqual(track.report?.ok, false);
  assert.deepEqual(runOnce(track, 0), ["script chk_nginx exited 0 (1 of 1)"]);
});

test("a script that is still running is not started a second time", () => {
  const track = new ScriptTrack({ ...SETTINGS, timeoutMs: 2500 }, 0);
  track.step(0, woken);
  assert.equal(track.deadline, 2500);
  assert.deepEqual(track.step(1000, woken), []);
  track.step(1200, exited(0));
  assert.equal(track.deadline, 2000);
});

test("at the deadline the group gets SIGTERM, the failure counts, and SIGKILL follows", () => {
  const track = new ScriptTrack({ ...SETTINGS, fall: 1 }, 0);
  track.step(0, woken);
  assert.deepEqual(track.step(500, woken), [
    { type: "kill-script-group", signal: "SIGTERM" },
    {
      type: "report-track",
      ok: false,
      reason: "script chk_nginx timed out after 500 ms (first run)",
    },
  ]);
  assert.deepEqual(track.step(500 + KILL_GRACE_MS, woken), [
    { type: "kill-script-group", signal: "SIGKILL" },
  ]);
  const end = { kind: "signalled", signal: "SIGKILL" } as const;
  assert.deepEqual(track.step(1501, { type: "script-ended", end, output: "" }), [
    { type: "kill-script-group", signal: "SIGKILL" },
  ]);
  assert.equal(track.deadline, 2000);
});

test("a script that obeys SIGTERM with exit 0 has failed all the same", () => {
  const track = new ScriptTrack({ ...SETTINGS, fall: 1 }, 0);
  track.step(0, woken);
  track.step(500, woken);
  assert.deepEqual(track.step(510, exited(0)), [{ type: "kill-script-group", signal: "SIGKILL" }]);
  assert.equal(track.report?.ok, false);
});

test("a script that cannot be started fails with the reason", () => {
  const track = new ScriptTrack(SETTINGS, 0);
  track.step(0, woken);
  const end = { kind: "not-started", reason: "/x does not exist" } as const;
  assert.deepEqual(reasons(track.step(1, { type: "script-ended", end, output: "" })), [
    "script chk_nginx could not be started: /x does not exist (first run)",
  ]);
});

test("init_fail is known before the first run", () => {
  const track = new ScriptTrack({ ...SETTINGS, startFailed: true, rise: 2 }, 0);
  assert.equal(track.report?.ok, false);
  assert.deepEqual(runOnce(track, 0), []);
  assert.deepEqual(runOnce(track, 0), ["script chk_nginx exited 0 (2 of 2)"]);
});

test("what an earlier process knew holds until rise or fall say otherwise, init_fail or not", () => {
  for (const startFailed of [false, true]) {
    const well = new ScriptTrack({ ...SETTINGS, startFailed }, 0, { ok: true, reason: "was well" });
    assert.deepEqual(well.report, { ok: true, reason: "was well" });
    assert.deepEqual([runOnce(well, 1), runOnce(well, 1)], [[], []]);
    assert.deepEqual(runOnce(well, 1), ["script chk_nginx exited 1 (3 of 3)"]);
    const ill = new ScriptTrack({ ...SETTINGS, startFailed, rise: 2 }, 0, {
      ok: false,
      reason: "",
    });
    assert.deepEqual(runOnce(ill, 0), []);
    assert.deepEqual(runOnce(ill, 0), ["script chk_nginx exited 0 (2 of 2)"]);
  }
});

test("what a script printed is quoted as one printable line of bounded length", () => {
  assert.equal(lastLine("a\nb\u0007\u001b[31m!\n\n"), "b [31m!");
  assert.equal(lastLine("x".repeat(5000)).length, 160);
  assert.equal(lastLine(""), "");
});

test("whatever happens, at most one run is under way and every run gets an end", () => {
  const event = fc.record({
    waitMs: fc.integer({ min: 0, max: 3000 }),
    kind: fc.constantFrom("wake", "end", "early-end"),
    code: fc.integer({ min: 0, max: 3 }),
  });
  const property = fc.property(fc.array(event, { maxLength: 80 }), (events) => {
    const track = new ScriptTrack(SETTINGS, 0);
    let now = 0;
    let running = 0;
    for (const { waitMs, kind, code } of events) {
      now = kind === "wake" ? Math.max(now, track.deadline) + waitMs / 100 : now + waitMs;
      const actions = kind === "wake" ? track.step(now, woken) : track.step(now, exited(code));
      if (kind !== "wake") running = 0;
      running += actions.filter((action) => action.type === "run-script").length;
      assert.ok(running <= 1);
      assert.equal(track.running, running === 1);
      assert.ok(track.deadline < Infinity);
    }
  });
  fc.assert(property);
});

test("when a service ends, the script runs at once and, if that was too early, once more", () => {
  const track = new ScriptTrack({ ...SETTINGS, intervalMs: 3000, fall: 1 }, 0);
  runOnce(track, 0);
  const run = [{ type: "run-script", command: SETTINGS.command }];
  assert.deepEqual(track.step(500, { type: "service-ended" }), run);
  assert.deepEqual(track.step(510, exited(0)), []);
  assert.equal(track.deadline, 610);
  assert.deepEqual(track.step(610, woken), run);
  assert.deepEqual(reasons(track.step(620, exited(1))), ["script chk_nginx exited 1 (1 of 1)"]);
  assert.equal(track.deadline, 3000, "the schedule goes on as before");
});

test("sockets that end all the time do not make the script run all the time", () => {
  const track = new ScriptTrack({ ...SETTINGS, intervalMs: 3000 }, 0);
  runOnce(track, 0);
  let runs = 0;
  for (let now = 20; now < 3000; now += 10) {
    const input = now >= track.deadline ? woken : ({ type: "service-ended" } as const);
    if (track.step(now, input).length > 0) {
      runs++;
      track.step(now, exited(0));
    }
  }
  assert.equal(runs, 4);
});

test("`early_look off` leaves the script to its interval", () => {
  const track = new ScriptTrack({ ...SETTINGS, earlyLook: false }, 0);
  runOnce(track, 0);
  assert.deepEqual(track.step(500, { type: "service-ended" }), []);
  assert.equal(track.deadline, 1000);
});
