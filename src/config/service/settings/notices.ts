/** Scripts and mail of servers and pools. */

import type { PoolSettings, ServerEndpoint } from "../../../core/balance/pool-settings.ts";
import type { CheckSettings } from "../../../core/check/check-settings.ts";
import type { PoolNotices, ServerNotice } from "../../../core/check/server-notices.ts";
import type { Bind, FrontendSettings } from "../../../core/proxy/frontend-settings.ts";
import type { MailSettings } from "../../model.ts";
import type { PoolDocument } from "../schema/pool-schema.ts";
import { type BuildContext, commandOf, optional } from "./context.ts";

interface NoticeFacts {
  readonly pool: PoolSettings;
  readonly checks: readonly CheckSettings[];
  readonly frontends: readonly FrontendSettings[];
  readonly mail: MailSettings;
}

/** Undefined: nobody wants to hear of this pool. */
export function noticesOf(
  document: PoolDocument,
  { pool, checks, frontends, mail }: NoticeFacts,
  context: BuildContext,
): PoolNotices | undefined {
  const { quorum, servers, notify_at_end: atEnd } = document;
  const scripts = [
    quorum?.up,
    quorum?.down,
    ...servers.flatMap((s) => [s.notify_up, s.notify_down]),
  ];
  const mailOf = servers.map((s) => s.smtp_alert ?? document.smtp_alert ?? mail.checker ?? false);
  const quorumMail = quorum?.smtp_alert ?? mail.checker ?? false;
  const wantsMail = quorumMail || mailOf.includes(true);
  if (scripts.every((script) => script === undefined) && !wantsMail) return undefined;
  if (wantsMail && (mail.server === undefined || mail.to.length === 0)) {
    const next = "add smtp_server and notification_email to global";
    context.findings.warn(
      context.places.of(document),
      `pool ${pool.name} wants mail, and none can be sent`,
      next,
    );
  }
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
          ...(mailOf[i] === true ? { mail: endpointName(server.endpoint) } : {}),
        },
      ];
    }),
    quorum: {
      weight,
      hysteresis,
      ...optional("up", quorum?.up && commandOf(quorum.up, context)),
      ...optional("down", quorum?.down && commandOf(quorum.down, context)),
      ...(quorumMail ? { mail: true } : {}),
    },
    ...(wantsMail
      ? { mails: { name: poolName(pool.name, frontends), eachCheck: mail.serversOnly !== true } }
      : {}),
    atEnd,
  };
}

/** As keepalived names it: by the address that clients connect to. */
function poolName(pool: string, frontends: readonly FrontendSettings[]): string {
  const binds = frontends.filter((one) => one.defaultPool === pool).flatMap((one) => one.binds);
  const bind = binds.find(({ kind }) => kind === "ip");
  return bind === undefined ? `[${pool}]` : endpointName(bind);
}

function endpointName(endpoint: ServerEndpoint | Bind): string {
  if (endpoint.kind === "unix") return `[${endpoint.path}]`;
  const host = endpoint.kind === "name" ? endpoint.host : endpoint.address;
  return `[${host}]:tcp:${endpoint.port}`;
}
