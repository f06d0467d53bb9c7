import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { actionRoutes } from "./action-routes.ts";
import type { Actions } from "./actions.ts";
import { ANSWER_SCHEMAS } from "./answer-schemas.ts";
import { apiRoutes, type PageModel } from "./api-routes.ts";
import { type LedgerModel, ledgerRoutes } from "./ledger-routes.ts";
import { openApi } from "./open-api.ts";
import { pageRoutes } from "./page-routes.ts";
import { type SeriesModel, type SeriesReader, seriesRoutes } from "./series.ts";
import { sessionRoutes } from "./session-routes.ts";

const ROUTES = [
  ...apiRoutes({} as PageModel),
  ...actionRoutes({} as Actions),
  ...sessionRoutes(() => {
    throw new Error("nobody signs in here");
  }),
  ...pageRoutes(),
  ...ledgerRoutes({} as LedgerModel),
  ...seriesRoutes({} as SeriesReader, {} as SeriesModel),
];

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: object;
  }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Record<string, { readonly description: string }>;
}

interface Described {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const described = openApi(ROUTES, "1.0.0") as Described;

test("every route is described, and nothing else", () => {
  const routes = ROUTES.map(({ method, path }) => `${method} ${path.replaceAll("*}", "}")}`);
  const paths = Object.entries(described.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(paths.toSorted(), routes.toSorted());
  assert.match(described.openapi, /^3\.1\./u);
});

test("every operation has its own name, a summary, its parameters and its answers", () => {
  const all = Object.entries(described.paths).flatMap(([path, operations]) =>
    Object.values(operations).map((operation) => ({ path, operation })),
  );
  const ids = all.map(({ operation }) => operation.operationId);
  assert.equal(new Set(ids).size, ids.length);
  for (const { path, operation } of all) {
    assert.match(operation.operationId, /^[a-z][A-Za-z0-9]*$/u);
    assert.ok(operation.summary.length > 5, path);
    const inPath = [...path.matchAll(/\{(\w+)\}/gu)].map(([, name]) => name);
    const named = operation.parameters.filter((one) => one.in === "path").map(({ name }) => name);
    assert.deepEqual(named, inPath);
    assert.ok("200" in operation.responses && "default" in operation.responses);
  }
});

test("every answer in JSON has a schema", () => {
  const bare = ROUTES.filter(({ type, answers }) => {
    const isJson = type === undefined || type === "application/json";
    return isJson && !Object.hasOwn(ANSWER_SCHEMAS, answers);
  });
  assert.deepEqual(
    bare.map(({ path }) => path),
    ["/openapi.json"],
    "it is a schema itself",
  );
});

test("its schemas are JSON Schema 2020-12", () => {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  for (const operations of Object.values(described.paths)) {
    for (const { parameters, requestBody } of Object.values(operations)) {
      for (const { schema } of parameters) ajv.compile(schema);
      for (const { schema } of Object.values(requestBody?.content ?? {})) ajv.compile(schema);
    }
  }
});
