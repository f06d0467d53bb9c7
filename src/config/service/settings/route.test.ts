import assert from "node:assert/strict";
import { test } from "node:test";
import { readServiceYaml } from "../read-service.ts";

function problems(edits: string): string[] {
  const text = `
frontends:
  www:
    listen: ":80"
    routes:
      - { pool: web, ${edits} }
pools:
  web: { servers: ["10.0.0.1:80"] }
`;
  const { diagnostics } = readServiceYaml("/n.yaml", {}, { readFile: () => text, glob: () => [] });
  return diagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ line, reason }) => `${line}: ${reason}`);
}

test("a field that says where messages end cannot be set or added, by any spelling", () => {
  for (const name of ["Content-Length", "transfer-encoding", "Connection", "Expect", "upgrade"]) {
    for (const side of ["request_headers", "response_headers"]) {
      for (const how of ["set", "add"]) {
        const said = problems(`${side}: { ${how}: { ${name}: "x" } }`);
        const why = "is written by the balancer itself: it says where messages end";
        assert.deepEqual(said, [`6: ${name} ${why}`], `${side} ${how}`);
      }
    }
  }
});

test("other fields can be set, and any can be removed", () => {
  assert.deepEqual(problems("request_headers: { set: { X-Length: '1' }, remove: [Upgrade] }"), []);
});
