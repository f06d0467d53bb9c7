import assert from "node:assert/strict";
import { test } from "node:test";
import { readServiceYaml } from "./read-service.ts";
import { serviceWarnings } from "./service-hurts.ts";

test("scripts of checks, pools and alerts that everybody can change are mistakes", () => {
  const text = `
checks:
  one: { script: /opt/x deep }
frontends:
  web: { listen: ":8080", pool: web }
pools:
  web:
    servers:
      - { address: "192.0.2.1:80", notify_up: /opt/x up, notify_down: [/opt/x, down] }
    check: one
    quorum: { weight: 1, up: /opt/x more, down: /opt/x less }
ledger:
  alerts: { commands: [/opt/x page] }
`;
  const files = { readFile: () => text, glob: () => [] };
  const { service, diagnostics } = readServiceYaml("f.yaml", { environment: {} }, files);
  assert.ok(service !== undefined, JSON.stringify(diagnostics));
  const file = (path: string): { mode: number; uid: number; gid: number; directory: boolean } => ({
    mode: path === "/opt/x" ? 0o757 : 0o755,
    uid: 0,
    gid: 0,
    directory: path !== "/opt/x",
  });
  const told = serviceWarnings(service, () => undefined, { file });
  assert.deepEqual(
    told.map(({ severity, line }) => `${severity} ${line}`),
    ["error 3", "error 11", "error 11", "error 9", "error 9", "error 13"],
  );
  assert.match(told[0]!.reason, /everybody can change \/opt\/x/u);
});
