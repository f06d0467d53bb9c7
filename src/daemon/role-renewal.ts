/**
 * After the program was exchanged: the vrrp and check processes become fresh ones too, of the program as
 * it is on disk now. No address may be lost by that; where it could be, the process stays what it is,
 * and the answer says how it is renewed.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { monotonicMs } from "../drivers/clock.ts";
import type { RouterStatus } from "../core/vrrp/status.ts";
import type { RenewedRole } from "./control-api.ts";
import type { RoleSupervision } from "./role-supervision.ts";
import type { VrrpSupervision } from "./vrrp-supervision.ts";

const LOOK_MS = 50;
/** A reign that is gone on with is told within a fraction of its lease. */
const GOES_ON_WITHIN_MS = 5_000;

export interface RenewalParts {
  /** Undefined: this node has none. */
  readonly vrrp: VrrpSupervision | undefined;
  readonly check: RoleSupervision | undefined;
  readonly router: () => Promise<RouterStatus | undefined>;
}

export async function renewRoles(parts: RenewalParts): Promise<readonly RenewedRole[]> {
  const renewed: RenewedRole[] = [];
  const { vrrp, check } = parts;
  // First: its successor goes on with the verdicts of a check process that lives.
  if (vrrp !== undefined) renewed.push(await renewVrrp(vrrp, parts.router));
  if (check !== undefined) {
    const trouble = await check.renew();
    renewed.push({ role: "check", ...outcome(trouble, "end it: another is started at once") });
  }
  return renewed;
}

async function renewVrrp(
  vrrp: VrrpSupervision,
  router: RenewalParts["router"],
): Promise<RenewedRole> {
  const before = mastersOf(await router());
  const trouble = await vrrp.renew();
  const byHand = "hand its addresses over (nines handover NAME) and restart the service then";
  if (trouble !== undefined) return { role: "vrrp", ...outcome(trouble, byHand) };
  const untilMs = monotonicMs() + GOES_ON_WITHIN_MS;
  let lost = before;
  while (lost.length > 0 && monotonicMs() < untilMs) {
    await sleep(LOOK_MS);
    const now = mastersOf(await router());
    lost = before.filter((name) => !now.includes(name));
  }
  if (lost.length === 0) return { role: "vrrp" };
  return { role: "vrrp", stays: `a fresh process, but not master any more of ${lost.join(", ")}` };
}

function mastersOf(router: RouterStatus | undefined): string[] {
  const masters = router?.instances.filter(({ state }) => state === "MASTER") ?? [];
  return masters.map(({ name }) => name);
}

function outcome(trouble: string | undefined, byHand: string): Omit<RenewedRole, "role"> {
  return trouble === undefined ? {} : { stays: `stays what it was: ${trouble} - ${byHand}` };
}
