/**
 * Planned times over HTTP. Work on a service is work on it for every node that measures it: what is begun or
 * ended at one node is told to the others of the group, and who did not take it is named in the answer.
 */

import { type Fields, mistakeIn } from "./fields.ts";
import { TEXT, textOf, WHO, whoOf } from "./incident-routes.ts";
import { type ForwardedOrder, MAINTENANCE_WORDS, type MaintenanceWord } from "./ledger-news.ts";
import type { LedgerModel } from "./ledger-routes.ts";
import {
  type Answer,
  type Call,
  isProblem,
  json,
  problem,
  type Reply,
  type Route,
} from "./routes.ts";
import type { Problem } from "./api.ts";

const PATH = "/api/v1/maintenance";
const SERVICE = { type: "string", description: "Which service; absent: all." } as const;

const BODIES: Readonly<Record<MaintenanceWord, Fields>> = {
  "maintenance-begin": {
    service: SERVICE,
    reason: { ...TEXT, description: "Why, for the report." },
    forMs: { type: "number", description: "It ends by itself then.", minimum: 1000 },
  },
  "maintenance-end": { service: SERVICE },
};

export function maintenanceRoutes(model: LedgerModel): Route[] {
  const answers = "PlannedList";
  return [
    {
      method: "GET",
      path: PATH,
      access: "read",
      summary: "Planned times: left out of availability and scores.",
      answers,
      handle: () => json(windowsOf(model)),
    },
    {
      method: "POST",
      path: PATH,
      access: "operate",
      summary: "Begins a planned time now, on every node of the group.",
      body: { ...BODIES["maintenance-begin"], who: WHO },
      answers,
      handle: (call) => everywhere(model, "maintenance-begin", call),
    },
    {
      method: "POST",
      path: `${PATH}/end`,
      access: "operate",
      summary: "Ends planned times that were begun by hand, on every node of the group.",
      body: { ...BODIES["maintenance-end"], who: WHO },
      answers,
      handle: (call) => everywhere(model, "maintenance-end", call),
    },
  ];
}

/** Here first: what is wrong with it is wrong everywhere. */
async function everywhere(
  model: LedgerModel,
  what: MaintenanceWord,
  { body: given, viewer, nowMs }: Call,
): Promise<Answer> {
  const { who: _who, ...body } = given;
  const order = { id: "", what, who: whoOf(viewer, given), body };
  const own = carryOut(model, order, nowMs);
  const nothing = isProblem(own) && own.type === "urn:nines:no-maintenance";
  if (isProblem(own) && !nothing) return own;
  const told = await Promise.all(
    model.neighbours().map(async (neighbour) => {
      const node = neighbour.name;
      try {
        await neighbour.ask("/api/v1/node/orders", order);
        return { node };
      } catch (error) {
        return { node, reason: (error as Error).message };
      }
    }),
  );
  // What was begun while this node was away ends all the same.
  if (nothing && told.every(({ reason }) => reason !== undefined)) return own;
  const untold = told.filter(({ reason }) => reason !== undefined && !NOTHING.test(reason));
  return json({ ...windowsOf(model), ...(untold.length === 0 ? {} : { untold }) });
}

/** From another node of the group: checked as what comes over HTTP is. */
export function takeMaintenance(
  model: LedgerModel,
  { what, who, body }: ForwardedOrder,
  { node, nowMs }: { readonly node: string; readonly nowMs: number },
): Answer | undefined {
  const word = MAINTENANCE_WORDS.find((one) => one === what);
  if (word === undefined) return undefined;
  if (typeof who !== "string" || who.length > 64) return problem(400, "mistake", "who is it?");
  const mistake = mistakeIn(body, BODIES[word]);
  if (mistake !== undefined) return problem(400, "mistake", mistake);
  return carryOut(model, { what: word, who: `${who} at ${node}`, body }, nowMs);
}

interface Order {
  readonly what: MaintenanceWord;
  readonly who: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Writes it down on this node. */
function carryOut(model: LedgerModel, { what, who, body }: Order, nowMs: number): Reply | Problem {
  const subject = textOf(body, "service");
  const names = model.settings().services.map(({ name }) => name);
  if (subject !== "" && !names.includes(subject)) {
    const detail = `there is no service '${subject}'; there are: ${names.join(" ")}`;
    return problem(404, "no-service", detail);
  }
  if (what === "maintenance-begin") {
    const { forMs } = body;
    const until = typeof forMs === "number" ? { untilMs: nowMs + forMs } : {};
    const data = { id: `m-${nowMs}`, who, ...until };
    model.say({ kind: "maintenance-started", subject, reason: textOf(body, "reason"), data });
    return json(windowsOf(model));
  }
  const open = model.ledger().openMaintenance(subject, nowMs);
  for (const one of open) {
    const reason = `maintenance is over: ${one.reason}`;
    model.say({
      kind: "maintenance-ended",
      subject: one.subject,
      reason,
      data: { id: one.key, who },
    });
  }
  return open.length > 0 ? json(windowsOf(model)) : problem(409, "no-maintenance", NOTHING_OPEN);
}

const NOTHING_OPEN = "no maintenance that was begun by hand goes on there";
const NOTHING = new RegExp(NOTHING_OPEN, "u");

function windowsOf(model: LedgerModel): object {
  const windows = model.settings().services.flatMap(({ name }) =>
    model
      .ledger()
      .planned(name)
      .map((one) => ({ ...one, service: name })),
  );
  // JSON has no infinity: a window that is open has no end.
  const shown = windows.map(({ toMs, ...one }) => (toMs === Infinity ? one : { ...one, toMs }));
  return { windows: shown };
}
