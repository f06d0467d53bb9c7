/** The balancer's routes of the control API: JSON in, JSON out. Decides nothing. */

import type { IncomingMessage } from "node:http";
import { printable } from "../lib/printable.ts";
import type { BalanceControl } from "./balance-control.ts";
import type { AskedRequest } from "../core/proxy/request-explanation.ts";
import type { Failure, ServerOrder } from "./control-api.ts";

/** Who answers. */
export type BalanceBackend = Pick<
  BalanceControl,
  "status" | "absence" | "order" | "explain" | "plan" | "apply" | "confirm" | "replaceWorkers"
>;

const MAX_BODY = 1024 * 1024;
const MAX_WEIGHT = 256;
/** As in the page's API: it ends up in terminals. */
const MAX_REASON = 500;

type Answering = (balance: BalanceBackend, body: object) => object | Promise<object>;

export type BalanceRoute =
  | "GET balance"
  | "POST server"
  | "POST explain-request"
  | "POST plan"
  | "POST apply"
  | "POST confirm"
  | "POST replace-workers";

const ROUTES: Readonly<Record<BalanceRoute, Answering>> = {
  "GET balance": async (balance) => (await balance.status(false)) ?? { error: balance.absence },
  "POST server": (balance, body) => {
    const order = body as ServerOrder;
    return problemOf(order) ?? balance.order(order.server, order);
  },
  "POST explain-request": (balance, body) => balance.explain(body as AskedRequest),
  "POST plan": (balance, body) => balance.plan(fileOf(body)),
  "POST apply": (balance, body) => {
    const { confirmWithinMs } = body as { readonly confirmWithinMs?: unknown };
    if (confirmWithinMs === undefined) return balance.apply(fileOf(body), undefined);
    // A number in quotes would be put behind the time of day, and nothing would ever go back.
    if (isSpan(confirmWithinMs) && confirmWithinMs > 0) {
      return balance.apply(fileOf(body), confirmWithinMs);
    }
    return { error: "confirmWithinMs is a number of milliseconds above 0" };
  },
  "POST confirm": (balance) => balance.confirm(),
  "POST replace-workers": (balance) => balance.replaceWorkers(),
};

export function isBalanceRoute(route: string): route is BalanceRoute {
  return Object.hasOwn(ROUTES, route);
}

export async function answerBalance(
  balance: BalanceBackend,
  route: BalanceRoute,
  request: IncomingMessage,
): Promise<{ readonly code: number; readonly body: object }> {
  const asked = await readJson(request);
  if (asked === undefined) {
    return { code: 400, body: { error: "the request has no JSON object as its body" } };
  }
  const body: object = await ROUTES[route](balance, asked);
  return { code: "error" in body ? 422 : 200, body };
}

/** An empty body is an empty object. */
async function readJson(request: IncomingMessage): Promise<object | undefined> {
  request.setEncoding("utf8");
  let text = "";
  for await (const chunk of request) {
    text += chunk as string;
    if (text.length > MAX_BODY) return undefined;
  }
  try {
    const value: unknown = text === "" ? {} : JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function fileOf(body: unknown): string {
  const { file } = body as { readonly file?: unknown };
  return typeof file === "string" ? file : "";
}

function problemOf({
  server,
  state,
  weight,
  reason = "",
  deadlineMs,
}: ServerOrder): Failure | undefined {
  if (typeof server !== "string") return { error: "say which server: POOL/SERVER" };
  if (state === undefined && weight === undefined) return { error: "say a state or a weight" };
  if (state !== undefined && !["ready", "drain", "maint"].includes(state)) {
    return { error: "the state is ready, drain or maint" };
  }
  if (typeof reason !== "string" || reason.length > MAX_REASON || reason !== printable(reason)) {
    return { error: `the reason is one line of at most ${MAX_REASON} letters` };
  }
  const isWeight = (value: number): boolean =>
    Number.isInteger(value) && value >= 0 && value <= MAX_WEIGHT;
  if (weight !== undefined && weight !== null && !isWeight(weight)) {
    return { error: `the weight is a whole number from 0 to ${MAX_WEIGHT}` };
  }
  if (deadlineMs !== undefined && !isSpan(deadlineMs)) {
    return { error: "the deadline is a number of milliseconds, 0 or more" };
  }
  return undefined;
}

function isSpan(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}
