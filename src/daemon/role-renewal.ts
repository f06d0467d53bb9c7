/**
 * After the program was exchanged: the vrrp, check and console processes become fresh ones too, of the program as
 * it is on disk now. No address may be lost by that; where it could be, the process stays what it is,
 * and the answer says how it is renewed.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { monotonicMs } from "../drivers/clock.ts";
import type { RouterStatus } from "../core/vrrp/status.ts";
import type { ConsoleKeeper } from "./console-keeper.ts";
import type { RenewedRole } from "./control-api.ts";
import { drillAtWork } from "./drill-lock.ts";
import type { RoleSupervision } from "./role-supervision.ts";
import type { VrrpSupervision } from "./vrrp-supervision.ts";

const LOOK_MS = 50;
/** A reign that is gone on with is told within a fraction of its lease. */
const GOES_ON_WITHIN_MS = 5_000;
const END_IT = "end it: another is started at once";

export interface RenewalParts {
  /** Undefined: this node has none. */
  readonly vrrp: VrrpSupervision | undefined;
  readonly check: Pick<RoleSupervision, "renew"> | undefined;
  readonly console: Pick<ConsoleKeeper, "renew"> | undefined;
  readonly runDirectory: string;
  readonly router: () => Promise<RouterStatus | undefined>;
}

export async function renewRoles(parts: RenewalParts): Promise<readonly RenewedRole[]> {
  const renewed: RenewedRole[] = [];
  const { vrrp, check, console } = parts;
  // First: its successor goes on with the verdicts of a check process that lives.
  if (vrrp !== undefined) renewed.push(await renewVrrp(vrrp, parts.router));
  if (check !== undefined) {
    const trouble = await check.renew();
    renewed.push({ role: "check", ...outcome(trouble, END_IT) });
  }
  // Last: it writes down what became of the others, and whoever looks at the page waits for a moment.
  if (console !== undefined) {
    // A drill that another node ordered would lose the line to it, and end.
    const isDrilled = drillAtWork(parts.runDirectory) !== undefined;
    const trouble = isDrilled ? "a drill is at work" : await console.renew();
    renewed.push({ role: "console", ...outcome(trouble, END_IT) });
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
