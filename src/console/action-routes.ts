/** Orders over HTTP: look first, then confirm. */

import type { Actions, Asker } from "./actions.ts";
import type { ActionConfirmation, ActionName, ActionRequest } from "./api.ts";
import type { Fields } from "./fields.ts";
import { json, type Answer, type Call, type Route } from "./routes.ts";

export const ACTION_NAMES: readonly ActionName[] = [
  "handover",
  "drain",
  "ready",
  "maintenance",
  "weight",
  "drill-run",
  "drill-stop",
];

const REQUEST: Fields = {
  action: { type: "string", description: "What to do.", required: true, choices: ACTION_NAMES },
  subject: {
    type: "string",
    description: "Instance or group, pool/server, or a drill.",
    required: true,
    maxLength: 260,
  },
  weight: {
    type: "integer",
    description: "For weight; null: as configured.",
    nullable: true,
    minimum: 0,
    maximum: 256,
  },
  node: { type: "string", description: "For drill-run: where; default: here.", maxLength: 260 },
  deadlineMs: {
    type: "integer",
    description: "For drain and maintenance: what still runs then is cut.",
    minimum: 0,
    maximum: 86_400_000,
  },
};

const CONFIRMATION: Fields = {
  ...REQUEST,
  confirm: { type: "string", description: "`confirm` of the preview.", required: true },
  reason: { type: "string", description: "Why, for the journal.", required: true, maxLength: 500 },
  override: { type: "string", description: "`override` of the preview, typed by a person." },
};

export function actionRoutes(actions: Actions): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/api/v1/actions/preview",
      access: "operate",
      summary: "What an order would move and what would be left; gives the token to confirm it.",
      body: REQUEST,
      answers: "ActionPreview",
      handle: async (call) => {
        const request = call.body as unknown as ActionRequest;
        return answer(await actions.preview(request, askerOf(call), call.nowMs));
      },
    },
    {
      method: "POST",
      path: "/api/v1/actions",
      access: "operate",
      summary: "Carries a previewed order out; 409 when anything changed since.",
      body: CONFIRMATION,
      answers: "ActionOutcome",
      handle: async (call) => {
        const given = call.body as unknown as ActionConfirmation;
        return answer(await actions.perform(given, askerOf(call), call.nowMs));
      },
    },
  ];
}

function askerOf({ viewer: { role, who }, from }: Call): Asker {
  return { role, who, from };
}

function answer(value: object): Answer {
  return "detail" in value ? (value as Exclude<Answer, undefined>) : json(value);
}
