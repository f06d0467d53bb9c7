import assert from "node:assert/strict";
import { test } from "node:test";
import { alertMail } from "./alert-message.ts";
import { BURN_RULES } from "./burn.ts";
import { parseCompactTime } from "./civil-time.ts";
import type { Incident } from "./incident.ts";

const AT = parseCompactTime("20261121T132134Z")!;

test("a mail about an incident is for people: times, spans, and where to look next", () => {
  const incident = {
    id: "shop-20261121T132130Z",
    service: "shop",
    class: "accident",
    severity: "down",
    layer: "server",
    startMs: AT - 4000,
    detectedMs: AT - 3500,
    harmMs: 20_075,
    score: 31.9067,
  } as unknown as Incident;
  const reason = "shop-20261121T132130Z opened: check failed";
  const news = { stage: "opened", incident, reason } as const;
  const { subject, text } = alertMail({ kind: "incident", news }, "lb1", AT);
  assert.match(subject, /^\[lb1\] shop: incident-opened - shop-/u);
  assert.match(text, /^Time: 2026-11-21 13:21:34 UTC$/mu);
  assert.match(text, /^Began: 2026-11-21 13:21:30 UTC, detected after 500 ms$/mu);
  assert.match(text, /^Users without service: 20\.1 s, score 31\.9$/mu);
  assert.match(text, /^nines incidents show shop-20261121T132130Z@lb1$/mu);
  assert.doesNotMatch(text, /\d{13}/u, "nobody reads milliseconds since 1970");
});

test("a mail about a burning budget says how fast, how urgent, and where to look", () => {
  const rule = BURN_RULES[0]!;
  const burn = {
    service: "shop",
    vantage: "balancer",
    rule,
    state: "firing" as const,
    sinceMs: AT,
    long: 21.06,
    short: 30,
    reason: "the budget burns",
  };
  const { text } = alertMail({ kind: "burn-started", burn }, "lb1", AT);
  assert.match(text, /^Burn rate: 21\.1 over 1h 00m, 30\.0 over 5m 00s, limit 14\.4$/mu);
  assert.match(text, /^Urgency: now$/mu);
  assert.match(text, /^nines objectives; nines incidents list --service shop$/mu);
});
