/** Scripts of servers and pools. */

import type { PoolSettings } from "../../../core/balance/pool-settings.ts";
import type { CheckSettings } from "../../../core/check/check-settings.ts";
import type { PoolNotices, ServerNotice } from "../../../core/check/server-notices.ts";
import type { PoolDocument } from "../schema/pool-schema.ts";
import { type BuildContext, commandOf, optional } from "./context.ts";

/** Undefined: nobody wants to hear of this pool. */
export function noticesOf(
  document: PoolDocument,
  { pool, checks }: { readonly pool: PoolSettings; readonly checks: readonly CheckSettings[] },
  context: BuildContext,
): PoolNotices | undefined {
  const { quorum, servers, notify_at_end: atEnd } = document;
  const scripts = [
    quorum?.up,
    quorum?.down,
    ...servers.flatMap((s) => [s.notify_up, s.notify_down]),
  ];
  if (scripts.every((script) => script === undefined)) return undefined;
  const { weight = 1, hysteresis = 0 } = quorum ?? {};
  const lowest = Math.min(...pool.servers.map(({ tier }) => tier));
  return {
    pool: pool.name,
    servers: pool.servers.flatMap((server, i): ServerNotice[] => {
      // Backups are what serves when the quorum is lost: they do not count towards it.
      if (server.tier !== lowest) return [];
      const names = [server.check, ...(server.alsoChecks ?? [])];
      const own = checks.filter(({ name }) => names.includes(name));
      const { notify_up: up, notify_down: down } = servers[i]!;
      return [
        {
          server: server.name,
          weight: server.weight,
          startsDown: own.some(({ timing }) => timing.startDown),
          ...optional("up", up && commandOf(up, context)),
          ...optional("down", down && commandOf(down, context)),
        },
      ];
    }),
    quorum: {
      weight,
      hysteresis,
      ...optional("up", quorum?.up && commandOf(quorum.up, context)),
      ...optional("down", quorum?.down && commandOf(quorum.down, context)),
    },
    atEnd,
  };
}
