/** `virtual_server` blocks become checks, pools and frontends. */

import type { Statement } from "../../keepalived/tree.ts";
import type { MailSettings, Model } from "../../model.ts";
import {
  suspendsElsewhere,
  virtualServerData,
  WEIGHED,
  weighsOtherwise,
} from "../../virtual/server-data.ts";
import type { VirtualServerSettings } from "../../virtual-server.ts";
import type { Draft } from "../draft.ts";
import { lose, statementAt } from "./keywords.ts";
import { accountFor } from "./server-keywords.ts";

/** `tree` and `model` are of the same file: the n-th block is the n-th virtual server. */
export function importVirtualServers(tree: readonly Statement[], model: Model, draft: Draft): void {
  const blocks = tree.filter(({ keyword }) => keyword.text === "virtual_server");
  const usedGroups = new Set<string>();
  for (const [index, block] of blocks.entries()) {
    const server = model.virtualServers[index];
    if (server === undefined) continue;
    const why = notCarried(server);
    if (why === undefined) {
      importServer(server, block, { draft, mail: model.mail });
      if (block.args[0]?.text === "group") usedGroups.add(block.args[1]?.text ?? "");
    } else lose(block, why, draft);
  }
  for (const statement of tree) {
    const { keyword, args, block = [] } = statement;
    if (keyword.text === "SSL") {
      const ca = block.find((line) => line.keyword.text === "ca");
      if (ca !== undefined) {
        draft.unneeded(statementAt(ca), "as with keepalived, SSL_GET believes any certificate");
      }
    } else if (keyword.text === "virtual_server_group") {
      const isUsed = usedGroups.has(args[0]?.text ?? "");
      if (!isUsed) lose(statement, "no service that is carried over uses it", draft);
      else tellMarks(block, draft);
    }
  }
}

function tellMarks(block: readonly Statement[], draft: Draft): void {
  for (const line of block) {
    if (line.keyword.text !== "fwmark") continue;
    lose(line, "a firewall mark is no address to listen on", draft);
  }
}

/** Undefined: connections that a proxy can take. */
function notCarried(server: VirtualServerSettings): string | undefined {
  if (server.protocol !== "tcp") return `Nines carries TCP, not ${server.protocol}`;
  if (server.frontends.every((front) => front.kind === "mark")) {
    return "a firewall mark is no address to listen on";
  }
  return undefined;
}

const HTTP_PORTS: readonly number[] = [80, 8000, 8008, 8080, 8888];

/** keepalived forwards packets. Where they are plain HTTP, Nines balances requests. */
function modeOf(server: VirtualServerSettings): "http" | "tcp" {
  const ports = server.frontends.flatMap((f) => (f.kind === "mark" ? [] : [f.port]));
  if (ports.includes(443)) return "tcp";
  const isAsked = server.realServers.some((real) =>
    real.checks.some((check) => check.kind === "http" && !check.tls),
  );
  return isAsked || ports.every((port) => HTTP_PORTS.includes(port)) ? "http" : "tcp";
}

function importServer(
  server: VirtualServerSettings,
  block: Statement,
  { draft, mail }: { readonly draft: Draft; readonly mail: MailSettings },
): void {
  const mode = modeOf(server);
  const { name, frontend, pool, checks } = virtualServerData(server, mode, mail, (taken) =>
    Object.hasOwn(draft.pools, taken),
  );
  accountFor(block, { kind: "virtual_server", mode }, draft);
  const suspend = block.block?.find(({ keyword }) => keyword.text === "ha_suspend");
  if (suspend !== undefined && !suspendsElsewhere(server)) {
    lose(suspend, "nobody holds a firewall mark", draft);
  }
  const reals = (block.block ?? []).filter(({ keyword }) => keyword.text === "real_server");
  for (const real of reals) accountFor(real, { kind: "real_server", mode }, draft);
  const checkers = reals.flatMap((real) => real.block ?? []);
  const dynamic = checkers
    .flatMap((checker) => checker.block ?? [])
    .find(({ keyword }) => keyword.text === "misc_dynamic");
  if (dynamic !== undefined && weighsOtherwise(server)) lose(dynamic, WEIGHED, draft);
  Object.assign(draft.checks, checks);
  draft.pools[name] = pool;
  draft.frontends[name] = frontend;
}
