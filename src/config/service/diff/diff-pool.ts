/** Changes of one pool. */

import type { PoolSettings, ServerSettings } from "../../../core/balance/pool-settings.ts";
import { sameValue } from "../../../core/vrrp/reload.ts";
import { endpointText } from "../schema/kinds.ts";
import { effectOf, type Part } from "./change.ts";
import { changedFields } from "./fields.ts";

export function diffPool(before: PoolSettings, after: PoolSettings): Part[] {
  const parts = changedFields(before, after, ["name", "servers", "stickiness"]).map((field) => ({
    text: field.text,
    effect: effectOf(field),
  }));
  return [...diffServers(before, after), ...diffStickiness(before, after), ...parts];
}

/** Cookies of another name or key are not understood any more: their clients are spread anew. */
function diffStickiness(before: PoolSettings, after: PoolSettings): Part[] {
  const [old, now] = [before.stickiness, after.stickiness];
  const sticks = old.kind !== "none";
  const secret = ({ stickiness: s }: PoolSettings): unknown =>
    s.kind === "cookie" ? [s.name, s.secret, s.mode] : s.kind === "table" ? s.key : s.kind;
  const loses = sticks && (old.kind !== now.kind || !sameValue(secret(before), secret(after)));
  const effect = loses ? "interrupts" : "in place";
  const what = loses ? ": clients lose their server" : "";
  const changed = changedFields({ stickiness: old }, { stickiness: now });
  return changed.map(({ text }) => ({ text: `${text}${what}`, effect }));
}

function diffServers(before: PoolSettings, after: PoolSettings): Part[] {
  const old = new Map(before.servers.map((server) => [server.name, server]));
  const now = new Set(after.servers.map((server) => server.name));
  const kept = after.servers.flatMap((server) => {
    const was = old.get(server.name);
    if (was !== undefined) return diffServer(was, server);
    return [{ text: `server ${server.name} added`, effect: "in place" } as const];
  });
  const gone = before.servers
    .filter((server) => !now.has(server.name))
    .map(({ name }): Part => ({
      text: `server ${name} removed: it drains first`,
      effect: "in place",
    }));
  return [...kept, ...gone];
}

function diffServer(before: ServerSettings, after: ServerSettings): Part[] {
  const { name } = after;
  const moved: Part[] = sameValue(before.endpoint, after.endpoint)
    ? []
    : [
        {
          text: `server ${name} moves from ${endpointText(before.endpoint)} to ${endpointText(after.endpoint)}`,
          effect: "new connections only",
        },
      ];
  const others = changedFields(before, after, ["name", "endpoint"]).map(({ root, text }): Part => {
    const cut = root === "admin" && after.admin === "maint";
    return {
      text: text.replace(/^\S+/u, (word) => `${word} of ${name}`),
      effect: cut ? "interrupts" : "in place",
    };
  });
  return [...moved, ...others];
}
