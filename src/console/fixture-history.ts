/** What the made-up overviews remember. */

import type { IncidentView, Level, RecordView, State, VerdictState } from "./api.ts";

/** 2026-11-21T12:00:00Z. */
export const FIXTURE_NOW_MS = 1_795_262_400_000;
export const DAY_MS = 86_400_000;

export const REASONS: Readonly<Record<State, string>> = {
  UP: "check passed: status 200, 2 of 2",
  DEGRADED: "5 errors in a row; out for 30 s",
  "GOING-DOWN": "check failed: status 500, wanted 200-399, 1 of 3",
  DOWN: "check failed: ECONNREFUSED, 3 of 3",
  DRAINING: "left: 3 requests, 41 s",
  MAINTENANCE: "neue Platten",
  STANDBY: "tier 0 serves with 2 of 2",
  UNKNOWN: "nothing was heard yet",
};

/** Seen by both nodes, and then, when the world is down, one that goes on. */
export function fixtureIncidents(verdict: VerdictState): readonly IncidentView[] {
  const startMs = FIXTURE_NOW_MS - 734_000;
  const oldMs = startMs - 19 * DAY_MS;
  const old = incident("web-20261102T114746Z", oldMs, {
    class: "B",
    state: "closed",
    switchedMs: oldMs + 3_700,
    restoredMs: oldMs + 700_000,
    repairedMs: oldMs + 720_000,
    closedMs: oldMs + 720_000,
    score: 60,
    annotations: [{ atMs: oldMs + DAY_MS, who: "ops", text: "the new kernel" }],
    vantages: ["lb1", "lb2"].map((node, i) => ({
      node,
      id: "web-20261102T114746Z",
      state: "closed",
      startMs: oldMs + i * 400,
      closedMs: oldMs + 720_000,
      harmMs: 720_000 - i * 400,
    })),
  });
  if (verdict !== "down") return [old];
  const segment = { severity: "down", class: "A", fromMs: startMs, toMs: FIXTURE_NOW_MS } as const;
  const open = { class: "A", score: 244.7, segments: [segment] };
  return [incident("web-20261121T114746Z", startMs, open), old];
}

function incident(id: string, startMs: number, more: Partial<IncidentView>): IncidentView {
  return {
    id,
    node: "lb1",
    service: "web",
    layer: "server",
    cause: "check failed: ECONNREFUSED, 3 of 3",
    parts: ["server web/web1", "server web/web2"],
    state: "open",
    startMs,
    detectedMs: startMs + 2_100,
    detectedBy: "check",
    recovery: "not yet",
    segments: [],
    severity: "down",
    class: "A",
    classBy: "rule",
    harmMs: 720_000,
    rtoMs: 720_000,
    goodRequests: 0,
    badRequests: 7_200,
    score: 0,
    scoreFromStart: 0,
    owners: [],
    annotations: [],
    vantages: [{ node: "lb1", id, state: "open", startMs, harmMs: 720_000 }],
    ...more,
  };
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
