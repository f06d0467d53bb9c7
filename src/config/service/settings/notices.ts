/** Scripts of servers and pools. */

import type { PoolSettings, ServerSettings } from "../../../core/balance/pool-settings.ts";
import type { CheckSettings } from "../../../core/check/check-settings.ts";
import type { PoolNotices, ServerNotice } from "../../../core/check/server-notices.ts";
import type { FrontendSettings } from "../../../core/proxy/frontend-settings.ts";
import type { PoolDocument } from "../schema/pool-schema.ts";
import { type BuildContext, commandOf, optional } from "./context.ts";

interface Told {
  readonly pool: PoolSettings;
  readonly checks: readonly CheckSettings[];
  /** As FIFOs call it; absent: there is no FIFO. */
  readonly fifoName: string | undefined;
}

/** Undefined: nobody wants to hear of this pool. */
export function noticesOf(
  document: PoolDocument,
  { pool, checks, fifoName }: Told,
  context: BuildContext,
): PoolNotices | undefined {
  const { quorum, servers, notify_at_end: atEnd } = document;
  const scripts = [
    quorum?.up,
    quorum?.down,
    ...servers.flatMap((s) => [s.notify_up, s.notify_down]),
  ];
  if (fifoName === undefined && scripts.every((script) => script === undefined)) return undefined;
  const { weight = 1, hysteresis = 0 } = quorum ?? {};
  const lowest = Math.min(...pool.servers.map(({ tier }) => tier));
  return {
    pool: pool.name,
    ...optional("fifoName", fifoName),
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
          ...(fifoName === undefined ? {} : { fifoName: serverFifoName(server) }),
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

/** As keepalived: by the address, where there is just one; as its groups are called otherwise. */
export function poolFifoName(pool: string, frontends: readonly FrontendSettings[]): string {
  const binds = frontends.flatMap(({ binds: all }) => all);
  const [first] = binds;
  if (first?.kind !== "ip" || binds.length > 1) return `[${pool}]:0`;
  return fifoAddress(first.address, first.port);
}

function serverFifoName({ name, endpoint }: ServerSettings): string {
  if (endpoint.kind === "unix") return `[${name}]:0`;
  return fifoAddress(endpoint.kind === "ip" ? endpoint.address : endpoint.host, endpoint.port);
}

function fifoAddress(address: string, port: number): string {
  return `[${address}]:tcp:${port}`;
}
