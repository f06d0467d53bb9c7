/** Where the page is and who may see it. */

import type { Bind } from "../../../core/proxy/frontend-settings.ts";
import type { ServiceDocument } from "../schema/service-schema.ts";
import type { ConsoleSettings } from "../service-model.ts";
import { type BuildContext, optional, remember } from "./context.ts";

export function buildConsole(
  document: Pick<ServiceDocument, "console">,
  context: BuildContext,
): ConsoleSettings {
  const given = document.console;
  const { findings, places } = context;
  const at = places.of(given);
  remember(context, "console", at);
  for (const bind of given.listen) {
    if (bind.kind === "unix") {
      const next = "it is always at RUNDIR/console.sock; leave this out";
      findings.error(at, "the console listens on addresses only", next);
    } else if (given.tls === undefined && !isLoopback(bind.address)) {
      // A token that travels in the clear belongs to whoever sees it.
      const reason = `others can reach ${bind.address}:${bind.port}, and tokens would travel in the clear`;
      findings.error(
        at,
        reason,
        "add tls: { certificate: FILE, key: FILE }, or listen on 127.0.0.1",
      );
    }
  }
  const { tls } = given;
  return {
    enabled: given.enabled,
    listen: given.listen.filter((bind: Bind) => bind.kind === "ip"),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            certificate: tls.certificate,
            key: tls.key ?? tls.certificate,
            ...optional("clientCa", tls.client_ca),
          },
        }),
    ...optional("tokensFile", given.tokens_file),
    allowedHosts: given.allowed_hosts,
    anonymous: given.anonymous,
    drillsFrom: given.drills_from,
    groupPort: given.group_port,
  };
}

/** Also for `nines run --console ADDRESS`. */
export function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
