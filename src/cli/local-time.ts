/** Times as people compare them: the clock of this machine, the day only where it is not today. */

import { wallMs } from "../drivers/clock.ts";

/** `2026-11-22 `, or nothing for today: most of what is looked at happened just now. */
export function dayOf(at: number): string {
  const day = new Date(at);
  if (day.toDateString() === new Date(wallMs()).toDateString()) return "";
  const parts = [day.getFullYear(), day.getMonth() + 1, day.getDate()];
  return `${parts.map((part) => String(part).padStart(2, "0")).join("-")} `;
}
