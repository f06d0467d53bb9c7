import assert from "node:assert/strict";
import { test } from "node:test";
import { readServiceYaml } from "../read-service.ts";

function problems(edits: string, wanted = "error"): string[] {
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
    .filter(({ severity }) => severity === wanted)
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

test("what the balancer writes itself has no value of the client's to be changed", () => {
  const told = problems('request_headers: { replace: { Host: { regex: "a", to: "b" } } }');
  const why = "is written by the balancer itself: a client's own does not pass";
  assert.deepEqual(told, [`6: Host ${why}`]);
  const good = 'response_headers: { replace: { Location: { regex: "^http:", to: "https:" } } }';
  assert.deepEqual(problems(good), []);
});

test("other fields can be set, and any can be removed", () => {
  assert.deepEqual(problems("request_headers: { set: { X-Length: '1' }, remove: [Upgrade] }"), []);
});

test("a path that no request can have is told, since nothing would be guarded by it", () => {
  const told = (path: string): string[] => problems(`path: "${path}"`, "warning");
  const never = "this never holds";
  assert.deepEqual(told("admin*"), [`6: no path begins with 'admin': ${never}`]);
  assert.deepEqual(told("admin"), [`6: no path is 'admin': ${never}`]);
  assert.deepEqual(told("/search?q=*"), [`6: no path holds a query: ${never}`]);
  assert.deepEqual(told("/a//b"), [`6: no path is '/a//b' after normalising: ${never}`]);
  assert.deepEqual(told("/a/../b*"), [
    `6: no path begins with '/a/../b' after normalising: ${never}`,
  ]);
  for (const path of ["/", "/*", "*", "/a/.git*", "/.well-known/*", "~^a", "/路径", "/a b"]) {
    assert.deepEqual(told(path), [], path);
  }
});
