/** The OpenAPI 3.1 document, from the very table that requests are dispatched by. */

import { ANSWER_SCHEMAS } from "./answer-schemas.ts";
import { schemaOf, type Fields } from "./fields.ts";
import type { Route } from "./routes.ts";

export function openApi(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    // A rest of a path is one parameter here.
    const path = route.path.replaceAll("*}", "}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Nines console",
      version,
      description:
        "What a node of Nines knows of its service, and what operators may ask of it. " +
        "Schemas have the names of the types in src/console/api.ts; times are Unix ms. " +
        "`Accept-Language: zh` asks for sentences in Chinese.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://127.0.0.1:7600" }],
    security: [{ token: [] }, { cookie: [] }, {}],
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "From `nines token create`." },
        cookie: { type: "apiKey", in: "cookie", name: "nines", description: "From POST session." },
      },
      schemas: { ...ANSWER_SCHEMAS, Problem: PROBLEM },
    },
  };
}

const PROBLEM = {
  type: "object",
  description: "RFC 9457.",
  required: ["type", "title", "status", "detail"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string", description: "What is wrong, and the next move." },
  },
};

function operation(route: Route): object {
  const { method, path, summary, access, query = {}, body, answers, type } = route;
  const inPath = [...path.matchAll(/\{(\w+)\*?\}/gu)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query).map(([name, field]) => ({
    name,
    in: "query",
    required: field.required === true,
    schema: schemaOf(field),
  }));
  return {
    operationId: `${method.toLowerCase()}${path.replaceAll(/[^A-Za-z0-9]+(\w?)/gu, (_all, first: string) => first.toUpperCase())}`,
    summary,
    description: `For ${access === "public" ? "everybody" : access === "read" ? "readers" : "operators"}.`,
    ...(access === "public" ? { security: [{}] } : {}),
    parameters: [...inPath, ...inQuery],
    ...(body === undefined ? {} : { requestBody: requestBody(body) }),
    responses: {
      "200": {
        description: answers,
        content: { [type ?? "application/json"]: { schema: schemaOfAnswer(type, answers) } },
      },
      default: {
        description: "Why not.",
        content: {
          "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
        },
      },
    },
  };
}

function schemaOfAnswer(type: string | undefined, answers: string): object {
  const isJson = type === undefined || type === "application/json";
  if (isJson && Object.hasOwn(ANSWER_SCHEMAS, answers)) {
    return { $ref: `#/components/schemas/${answers}` };
  }
  return isJson ? { type: "object", title: answers } : { type: "string" };
}

function requestBody(body: Fields): object {
  const required = Object.entries(body)
    .filter(([, field]) => field.required === true)
    .map(([name]) => name);
  const properties = Object.fromEntries(
    Object.entries(body).map(([name, field]) => [name, schemaOf(field)]),
  );
  const schema = { type: "object", properties, required, additionalProperties: false };
  return { required: required.length > 0, content: { "application/json": { schema } } };
}
