/** Changes of one frontend. */

import type { FrontendSettings } from "../../../core/proxy/frontend-settings.ts";
import type { RouteSettings } from "../../../core/route/route-settings.ts";
import { endpointText } from "../schema/kinds.ts";
import { effectOf, type Part } from "./change.ts";
import { changedFields } from "./fields.ts";

export function diffFrontend(before: FrontendSettings, after: FrontendSettings): Part[] {
  const parts = changedFields(before, after, ["name", "binds", "routes"]).map((field) => ({
    text: field.text,
    effect: effectOf(field),
  }));
  return [...diffBinds(before, after), ...diffRoutes(before.routes, after.routes), ...parts];
}

function diffBinds(before: FrontendSettings, after: FrontendSettings): Part[] {
  const text = (one: FrontendSettings): string[] => one.binds.map(endpointText);
  const [old, now] = [text(before), text(after)];
  const added = now.filter((bind) => !old.includes(bind));
  const gone = old.filter((bind) => !now.includes(bind));
  return [
    ...added.map((bind): Part => ({ text: `listens on ${bind} too`, effect: "in place" })),
    ...gone.map((bind): Part => ({
      text: `listens on ${bind} no more`,
      effect: "new connections only",
    })),
  ];
}

function diffRoutes(before: readonly RouteSettings[], after: readonly RouteSettings[]): Part[] {
  const effect = "in place";
  const old = new Map(before.map((route) => [route.name, route]));
  const now = new Map(after.map((route) => [route.name, route]));
  const parts = after.flatMap((route): Part[] => {
    const was = old.get(route.name);
    if (was === undefined) return [{ text: `${nameOf(route)} added`, effect }];
    return changedFields(was, route, ["name"]).map(({ text }) => {
      return { text: `${nameOf(route)}: ${text}`, effect };
    });
  });
  const gone = before.filter((route) => !now.has(route.name));
  const order = (routes: readonly RouteSettings[], others: ReadonlyMap<string, unknown>): string =>
    routes
      .map((route) => route.name)
      .filter((name) => others.has(name))
      .join("\n");
  if (order(before, now) !== order(after, old))
    parts.push({ text: "routes in another order", effect });
  return [...parts, ...gone.map((route): Part => ({ text: `${nameOf(route)} removed`, effect }))];
}

/** Routes without a name are called `route 1` already. */
function nameOf({ name }: RouteSettings): string {
  return /^route \d+$/u.test(name) ? name : `route ${name}`;
}
