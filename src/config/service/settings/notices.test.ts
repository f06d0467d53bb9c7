import assert from "node:assert/strict";
import { test } from "node:test";
import { readServiceYaml } from "../read-service.ts";

function told(global: string): unknown {
  const text = `
global: { ${global} }
frontends:
  www: { listen: "192.0.2.10:80", routes: [{ path: /api/, pool: api }], pool: web }
  more: { listen: ["192.0.2.11:80", "192.0.2.12:80"], pool: web }
pools:
  web:
    servers: ["10.0.0.1:80", "10.0.0.9:80 backup"]
  api:
    servers: ["app.example.com:81", { address: "unix:/run/app.sock", name: local, notify_up: /bin/up }]
`;
  const files = { readFile: () => text, glob: () => [] };
  const { service, diagnostics } = readServiceYaml("nines.yaml", { environment: {} }, files);
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error"),
    [],
  );
  return service?.notices.map(({ pool, fifoName, servers, hasSorry }) => [
    pool,
    ...(hasSorry === true ? ["has a sorry server"] : []),
    fifoName,
    ...servers.map((server) => server.fifoName),
  ]);
}

test("with a FIFO for them all pools are told, each by its one address or by its name", () => {
  assert.deepEqual(told(""), [["api", undefined, undefined, undefined]]);
  const all = [
    ["web", "has a sorry server", "[web]:0", "[10.0.0.1]:tcp:80"],
    ["api", "[192.0.2.10]:tcp:80", "[app.example.com]:tcp:81", "[local]:0"],
  ];
  assert.deepEqual(told("lvs_notify_fifo: /run/lvs"), all);
  assert.deepEqual(told("notify_fifo: /run/all nobody"), all);
});
