import assert from "node:assert/strict";
import { test } from "node:test";
import { readServiceYaml } from "../read-service.ts";

function problems(words: string): string[] {
  const text = `
frontends:
  www: { listen: ":80", pool: web, ${words} }
pools:
  web: { servers: ["10.0.0.1:80"] }
`;
  const { diagnostics } = readServiceYaml("/n.yaml", {}, { readFile: () => text, glob: () => [] });
  return diagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ line, reason }) => `${line}: ${reason}`);
}

test("what a frontend calls its own headers are names, or nothing", () => {
  const why = "'X Id:' is not one word";
  assert.deepEqual(problems('request_id: "X Id:"'), [`3: request_id: ${why}`]);
  assert.deepEqual(problems('request_id: "X-Id"'), []);
  assert.deepEqual(problems('request_id: ""'), []);
  const shedding = (name: string) => problems(`shedding: { degraded_header: "${name}" }`);
  assert.deepEqual(shedding("X Id:"), [`3: degraded_header: ${why}`]);
  assert.deepEqual(shedding("X-Degraded"), []);
  assert.deepEqual(shedding(""), []);
});

test("paths that a frontend answers itself begin with a slash", () => {
  for (const key of ["health_path", "ready_path"]) {
    assert.deepEqual(problems(`${key}: healthz`), [`3: ${key}: 'healthz' is not a path`]);
    assert.deepEqual(problems(`${key}: /healthz`), []);
    assert.deepEqual(problems(`${key}: ""`), []);
  }
});

test("a route asks for certificates only where clients can show them", () => {
  const route = "routes: [{ client_certificate: false, respond: 403 }]";
  const reason = "client_certificate asks for what nobody shows: this frontend has no client_ca";
  assert.deepEqual(problems(route), [`3: ${reason}`]);
  assert.deepEqual(problems(`${route}, tls: a.pem`), [`3: ${reason}`]);
  const tls = "tls: { certificates: a.pem, client_ca: ca.pem, client_certificate: optional }";
  assert.deepEqual(problems(`${route}, ${tls}`), []);
});
