/** Which of control's events are asked for: what the journal's file finds by its indexes. */

import type { LoggedEvent } from "../daemon/control-api.ts";

export interface EventFilter {
  readonly subject?: string;
  readonly kind?: string;
  readonly level?: LoggedEvent["level"];
}

const LEVELS: readonly LoggedEvent["level"][] = ["info", "warning", "error"];

export function isListed(event: LoggedEvent, { subject, kind, level }: EventFilter): boolean {
  if (kind !== undefined && event.kind !== kind) return false;
  if (level !== undefined && LEVELS.indexOf(event.level) < LEVELS.indexOf(level)) return false;
  if (subject === undefined) return true;
  // `pool/*`: it, and everything below it.
  if (!subject.endsWith("/*")) return event.instance === subject;
  const pool = subject.slice(0, -2);
  return event.instance === pool || event.instance.startsWith(`${pool}/`);
}
