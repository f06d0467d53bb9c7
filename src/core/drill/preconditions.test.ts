import assert from "node:assert/strict";
import { test } from "node:test";
import { facts, node } from "../../../test/kit/drill-facts.ts";
import { drillKind } from "./catalogue/catalogue.ts";
import { planFor } from "./catalogue/drill-kind.ts";
import type { SiteFacts } from "./facts.ts";
import { refusals, type Circumstances } from "./preconditions.ts";

function against(name: string, change: Partial<Circumstances> = {}): string {
  const given = { facts, minute: 600, allowOutage: false, allowDanger: false, ...change };
  const plan = planFor(drillKind(name)!, given.facts);
  assert.ok(typeof plan !== "string", name);
  return refusals(plan, given).join("; ");
}

const alone: SiteFacts = { ...facts, others: [] };

test("nothing speaks against a drill with a second copy in steady state", () => {
  assert.equal(against("link-down"), "");
  assert.equal(against("backend-killed"), "");
});

test("the last copy is not taken unless that is asked for", () => {
  assert.match(against("link-down", { facts: alone }), /second copy of site/);
  assert.equal(against("link-down", { facts: alone, allowOutage: true }), "");
  assert.equal(against("link-down", { facts: { ...alone, standbys: { site: ["lb2"] } } }), "");
  const faulty = { ...facts, others: [node("lb2", { state: "FAULT" })] };
  assert.match(against("link-down", { facts: faulty, allowOutage: false }), /second copy/);
  const [first] = facts.target.pools[0]!.servers;
  const single = { ...facts.target, pools: [{ name: "web", servers: [first!] }] };
  assert.match(against("backend-killed", { facts: { ...facts, target: single } }), /last copy/);
});

test("a drill waits for the end of incidents, of other drills, and for its window", () => {
  assert.match(
    against("kill-vrrp", { facts: { ...facts, openIncidents: ["2026-17"] } }),
    /incident is open/,
  );
  assert.match(against("kill-vrrp", { running: "mute" }), /'mute' is at work/);
  const window = { from: 540, to: 600 };
  assert.match(against("kill-vrrp", { window }), /window/);
  assert.equal(against("kill-vrrp", { window, minute: 599 }), "");
  const night = { from: 1380, to: 300 };
  assert.equal(against("kill-vrrp", { window: night, minute: 10 }), "");
});

test("what is broken already is not broken further", () => {
  const roles = [{ name: "vrrp", state: "backing-off" }, ...facts.target.roles.slice(1)];
  const limping = { ...facts, target: { ...facts.target, roles } };
  assert.match(against("arp-lost", { facts: limping }), /not in steady state: lb1: the vrrp/);
});

test("what harms more than the service is done only when told so", () => {
  for (const name of ["power-off", "disk-full", "clock-step"]) {
    assert.match(against(name), /--allow-danger/);
    assert.equal(against(name, { allowDanger: true }), "");
  }
});
