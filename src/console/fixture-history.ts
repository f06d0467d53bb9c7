/** What the made-up overviews remember. */

import type { IncidentView, Level, RecordView, State, VerdictState } from "./api.ts";

/** 2026-11-21T12:00:00Z. */
export const FIXTURE_NOW_MS = 1_795_262_400_000;
export const DAY_MS = 86_400_000;

export const REASONS: Readonly<Record<State, string>> = {
  UP: "HTTP 200 in 1.2 ms",
  DEGRADED: "5 errors in a row of real answers: out for 30 s",
  "GOING-DOWN": "1 of 3 checks failed: HTTP 500",
  DOWN: "connect ECONNREFUSED, 3 times in a row",
  DRAINING: "ops: new kernel; left: 3 requests, 41 s",
  MAINTENANCE: "ops: new disk",
  STANDBY: "serves when all before it are down",
  UNKNOWN: "nothing was heard yet",
};

export function fixtureIncidents(verdict: VerdictState): readonly IncidentView[] {
  const startMs = FIXTURE_NOW_MS - 734_000;
  const old = {
    id: "web-1",
    service: "web",
    severity: "B",
    startMs: startMs - 19 * DAY_MS,
    detectedMs: startMs - 19 * DAY_MS + 2_100,
    switchedMs: startMs - 19 * DAY_MS + 3_700,
    endMs: startMs - 19 * DAY_MS + 720_000,
    isPlanned: false,
    score: 60,
    reason: "web1 and web2 refused connections",
    segments: [],
    annotations: [{ atMs: startMs - 18 * DAY_MS, who: "ops", text: "the new kernel" }],
  };
  if (verdict !== "down") return [old];
  const segments = [{ severity: "A", startMs }];
  const { endMs: _endMs, switchedMs: _switchedMs, ...rest } = old;
  const open = { ...rest, id: "web-2", severity: "A", startMs, score: 244.7, segments };
  return [{ ...open, detectedMs: startMs + 2_100, annotations: [] }, old];
}

export function fixtureRecords(serverState: (i: number) => State): readonly RecordView[] {
  const record = (
    i: number,
    level: Level,
    rest: Pick<RecordView, "kind" | "subject" | "reason">,
  ) => ({
    node: i % 3 === 0 ? "lb2" : "lb1",
    seq: 1000 - i,
    wallMs: FIXTURE_NOW_MS - i * 31_000,
    source: rest.kind.startsWith("server") ? "balance" : "vrrp",
    level,
    ...rest,
  });
  return Array.from({ length: 50 }, (_, i) => {
    if (i % 2 === 0) {
      const reason = "no advert from 192.0.2.2 for 3609 ms (limit 3609 ms)";
      return record(i, "info", { kind: "state-changed", subject: "VI_1", reason });
    }
    const state = serverState(i % 3);
    const kind = state === "UP" ? "server-up" : "server-down";
    const level = state === "UP" ? "info" : "warning";
    return record(i, level, { kind, subject: `web/web${(i % 3) + 1}`, reason: REASONS[state] });
  });
}
