/** What is told of servers and pools, by scripts, FIFOs and mail. */

import type { PoolSettings, ServerSettings } from "../../../core/balance/pool-settings.ts";
import type { CheckSettings } from "../../../core/check/check-settings.ts";
import type { PoolNotices, ServerNotice } from "../../../core/check/server-notices.ts";
import type { FrontendSettings } from "../../../core/proxy/frontend-settings.ts";
import type { MailSettings } from "../../model.ts";
import type { PoolDocument } from "../schema/pool-schema.ts";
import { type BuildContext, commandOf, optional } from "./context.ts";

interface Told {
  readonly pool: PoolSettings;
  readonly checks: readonly CheckSettings[];
  /** As FIFOs and mails call it. */
  readonly name: string;
  readonly hasFifo: boolean;
  readonly mail: MailSettings;
  readonly startNotices?: true;
}

/** Undefined: nobody wants to hear of this pool. */
export function noticesOf(
  document: PoolDocument,
  { pool, checks, name, hasFifo, mail, startNotices }: Told,
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
  if (wantsMail && (mail.server === undefined || mail.to.length === 0)) {
    const reason = `pool ${pool.name} wants mail, and none can be sent`;
    const next = "add smtp_server and notification_email to global";
    context.findings.warn(context.places.of(document), reason, next);
  }
  const hasNoScript = scripts.every((script) => script === undefined);
  if (hasNoScript && !hasFifo && !wantsMail) return undefined;
  const { weight = 1, hysteresis = 0 } = quorum ?? {};
  const lowest = Math.min(...pool.servers.map(({ tier }) => tier));
  return {
    pool: pool.name,
    ...(hasFifo ? { fifoName: name } : {}),
    ...optional("tellsStart", startNotices),
    ...(wantsMail ? { mails: { name, eachCheck: mail.serversOnly !== true } } : {}),
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
          ...(hasFifo ? { fifoName: serverName(server) } : {}),
          ...(mailOf[i] === true ? { mail: serverName(server) } : {}),
          ...optional("up", up && commandOf(up, context)),
          ...optional("down", down && commandOf(down, context)),
        },
      ];
    }),
    ...(pool.servers.some(({ tier }) => tier !== lowest) ? { hasSorry: true } : {}),
    quorum: {
      weight,
      hysteresis,
      ...optional("up", quorum?.up && commandOf(quorum.up, context)),
      ...optional("down", quorum?.down && commandOf(quorum.down, context)),
      ...(quorumMail ? { mail: true } : {}),
    },
    atEnd,
  };
}

/** As keepalived: by the address, where there is just one; as its groups are called otherwise. */
export function poolName(pool: string, frontends: readonly FrontendSettings[]): string {
  const binds = frontends.flatMap(({ binds: all }) => all);
  const [first] = binds;
  if (first?.kind !== "ip" || binds.length > 1) return `[${pool}]:0`;
  return addressName(first.address, first.port);
}

function serverName({ name, endpoint }: ServerSettings): string {
  if (endpoint.kind === "unix") return `[${name}]:0`;
  return addressName(endpoint.kind === "ip" ? endpoint.address : endpoint.host, endpoint.port);
}

function addressName(address: string, port: number): string {
  return `[${address}]:tcp:${port}`;
}
