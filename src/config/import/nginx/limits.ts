/** `limit_req` as the rate limit of a route. Source: nginx, ngx_http_limit_req_module. */

import type { Data } from "../draft.ts";
import type { NginxContext } from "./context.ts";
import type { Scope } from "./scope.ts";

export function limitOf(scope: Scope, context: NginxContext): Data | undefined {
  const { draft, zones, limited, used } = context;
  const lines = scope.all("limit_req");
  const [line] = lines;
  const status = scope.last("limit_req_status");
  if (line === undefined) return undefined;
  for (const other of lines.slice(1)) draft.lost(other.at, "a route has one limit: the first");
  if (status !== undefined && status.args[0] !== "429") {
    draft.lost(status.at, "who is refused gets 429");
  }
  const after = (name: string): string | undefined =>
    line.args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
  const zone = zones.get(`limit_req_zone ${after("zone") ?? ""}`);
  const rate = zone?.args
    .find((arg) => arg.startsWith("rate="))
    ?.slice(5)
    .replace("r/", "/");
  if (zone === undefined || rate === undefined) {
    draft.lost(line.at, "there is no such zone");
    return undefined;
  }
  used.add(zone);
  const per = keyOf(zone.args[0] ?? "");
  if (per === undefined) {
    draft.lost(line.at, "requests are counted by address, by header or all together");
    return undefined;
  }
  const uses = (limited.get(line) ?? 0) + 1;
  limited.set(line, uses);
  if (uses === 2) draft.lost(line.at, "each of its routes has that limit for itself");
  const delay = line.args.includes("nodelay");
  if (!delay && after("burst") !== undefined) {
    draft.lost(
      { ...line.at, text: `${line.at.text} (without nodelay)` },
      "requests of a burst are not delayed",
    );
  }
  return { rate, burst: 1 + Number(after("burst") ?? 0), per };
}

export function keyOf(key: string): string | undefined {
  if (["$binary_remote_addr", "$remote_addr"].includes(key)) return "source";
  if (["$server_name", "$server_port", "$host", "1"].includes(key)) return "route";
  const header = /^\$http_(\w+)$/u.exec(key)?.[1];
  return header === undefined ? undefined : `header:${header.replaceAll("_", "-")}`;
}
