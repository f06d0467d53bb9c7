/** What a new configuration changes, as events: one a change, the many ones in a word. */

import { diffService } from "../config/service/diff/diff-service.ts";
import type { ServiceModel } from "../config/service/service-model.ts";
import type { EventDraft } from "./event-log.ts";

/** A new file may change thousands of servers. */
const MAX_TOLD = 100;

export function configurationNews(
  before: ServiceModel | undefined,
  after: ServiceModel | undefined,
): EventDraft[] {
  if (before === undefined || after === undefined) return [];
  const changes = diffService(before, after);
  const rest = changes.length - MAX_TOLD;
  const kind = "configuration-changed";
  const base = { source: "control", level: "info", kind } as const;
  return [
    ...changes.slice(0, MAX_TOLD).map(({ subject, text, effect }) => ({
      ...base,
      // `pool web`, `frontend shop`: events name the thing alone.
      instance: subject.slice(subject.indexOf(" ") + 1),
      reason: `${subject}: ${text} (${effect})`,
    })),
    ...(rest > 0 ? [{ ...base, instance: "", reason: `and ${rest} more changes` }] : []),
  ];
}
