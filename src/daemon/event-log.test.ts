import { test } from "node:test";
import assert from "node:assert/strict";
import type { LoggedEvent } from "./control-api.ts";
import type { RouterEvent } from "../core/vrrp/router-ports.ts";
import { draftOf, eventLine, EventLog } from "./event-log.ts";
import { FailureReports } from "./failure-reports.ts";

test("the log keeps the newest events and forgets the oldest at its bound", () => {
  const written: LoggedEvent[] = [];
  const log = new EventLog(
    (event) => written.push(event),
    () => 0,
  );
  for (let i = 1; i <= 150_000; i++) {
    const reason = `event ${i}`;
    log.add({ source: "control", level: "info", kind: "started", instance: "", reason });
  }
  const kept = log.since(0);
  assert.equal(written.length, 150_000);
  assert.ok(kept.length <= 65_536 && kept.length > 49_000);
  assert.equal(kept.at(-1)?.reason, "event 150000");
  assert.equal(log.since(149_999).length, 1);
});

test("a note that tells of trouble is a warning, another is none", () => {
  const note = { instance: "VI_1", kind: "note", reason: "add route: EHOSTUNREACH" } as const;
  assert.equal(draftOf(note, "vrrp").level, "info");
  const told: RouterEvent[] = [];
  new FailureReports((event) => told.push(event)).add(0, "VI_1", note.reason);
  assert.equal(draftOf(told[0]!, "vrrp").level, "warning");
});

test("an event is one line with its change and its reason", () => {
  const at = new Date(2026, 10, 21, 4, 1, 2, 3);
  const draft = draftOf(
    {
      instance: "VI_1",
      kind: "state-changed",
      reason: "eth0 is down",
      from: "MASTER",
      to: "FAULT",
    },
    "vrrp",
  );
  assert.equal(draft.level, "warning");
  const line = eventLine({ seq: 1, monoMs: 0, time: at.toISOString(), ...draft });
  assert.equal(line, "04:01:02.003 warning VI_1 MASTER -> FAULT: eth0 is down");
});
