import assert from "node:assert/strict";
import { test } from "node:test";
import { readEither } from "../read-either.ts";
import type { ServiceReading } from "./service-model.ts";

const BASE = `
frontends: { www: { listen: ":80", pool: web }, api: { listen: ":81", pool: web } }
pools: { web: { servers: ["10.0.0.1:80"] } }
`;

function read(text: string, path = "nines.yaml"): ServiceReading {
  const files = {
    readFile: (name: string) => (name === path ? text : undefined),
    glob: () => [],
  };
  return readEither(path, { environment: {}, hostName: "a" }, files);
}

/** `LINE:COLUMN severity: reason - next` of everything that is said. */
function said(text: string): string[] {
  return read(BASE + text).diagnostics.map(
    ({ line, column, severity, reason, next }) =>
      `${line - 3}:${column} ${severity}: ${reason}${next === "" ? "" : ` - ${next}`}`,
  );
}

test("without services there is one for each frontend, else for each address", () => {
  const { service } = read(BASE);
  assert.deepEqual(
    service!.ledger.services.map(({ name, pools, objectives }) => [name, pools, objectives]),
    ["www", "api"].map((name) => [name, ["web"], { availability: 0.999, windowMs: 2_592_000_000 }]),
  );
  const conf =
    "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress { 10.0.0.9 }\n}\n";
  const { ledger } = read(conf, "k.conf").service!;
  assert.deepEqual(
    ledger.services.map(({ name, instances }) => [name, instances]),
    [["VI_1", ["VI_1"]]],
  );
});

test("a service is read with all that belongs to it", () => {
  const { service, diagnostics } = read(`${BASE}
services:
  shop:
    frontends: [www, api]
    critical: false
    availability: 99.95
    window: 7d
    latency: { below: 300ms, share: 95 }
    rto: 30s
    rpo: 0
    layers: { address: { availability: 99.99, rto: 5s } }
    owners: { platform: 60, network: 40 }
    probes: home
    min_events: 7
ledger:
  classes: { accident: 200 }
  timezone: Asia/Shanghai
  maintenance:
    - { from: "2026-11-22T02:00:00+01:00", to: "2026-11-22T03:00:00+01:00", services: shop, reason: disks }
  alerts:
    webhooks: [{ url: "https://x.example/a", secret: s }, "http://127.0.0.1:9/b"]
    commands: ["/usr/bin/page me"]
`);
  assert.deepEqual(diagnostics, []);
  const { ledger } = service!;
  assert.deepEqual(ledger.services, [
    {
      name: "shop",
      critical: false,
      frontends: ["www", "api"],
      pools: ["web"],
      instances: [],
      probes: ["home"],
      objectives: {
        availability: 0.9995,
        windowMs: 604_800_000,
        latency: { belowMs: 300, share: 0.95 },
        rtoMs: 30_000,
        rpoMs: 0,
      },
      layers: [{ layer: "address", availability: 0.9999, rtoMs: 5000 }],
      owners: [
        { name: "platform", share: 60 },
        { name: "network", share: 40 },
      ],
      minEvents: 7,
    },
  ]);
  assert.deepEqual(ledger.classes, { accident: 200, A: 20, B: 5, C: 1 });
  const [fromMs, toMs] = [Date.UTC(2026, 10, 22, 1), Date.UTC(2026, 10, 22, 2)];
  assert.deepEqual(ledger.planned, [{ service: "shop", fromMs, toMs, reason: "disks" }]);
  assert.deepEqual(ledger.alerts, {
    mail: true,
    webhooks: [{ url: "https://x.example/a", secret: "s" }, { url: "http://127.0.0.1:9/b" }],
    commands: [{ argv: ["/usr/bin/page", "me"] }],
  });
});

test("mistakes are told where they were written", () => {
  assert.deepEqual(said("services: { shop: { frontends: wwww } }"), [
    "1:32 error: there is no frontend 'wwww' - did you mean 'www'?",
  ]);
  assert.deepEqual(said("services: { shop: {} }"), [
    "1:13 error: service shop is made of nothing - " +
      "add: frontends: [NAME] or addresses: [NAME]",
  ]);
  assert.deepEqual(said("services: { www: { owners: { a: 60, b: 30 } } }"), [
    "1:20 error: the shares add up to 90 %, not to 100 % - write shares that make 100",
  ]);
  assert.deepEqual(said("ledger: { timezone: Mars/Base }"), [
    "1:21 error: there is no time zone 'Mars/Base' - write UTC, Europe/Berlin, Asia/Shanghai",
  ]);
  const late = "2026-11-22T02:00:00Z";
  assert.deepEqual(said(`ledger: { maintenance: [{ from: "${late}", to: "${late}" }] }`), [
    "1:61 error: it ends before it begins",
  ]);
  assert.match(said(`ledger: { maintenance: [{ from: tomorrow, to: "${late}" }] }`)[0]!, /offset/);
  assert.match(said("ledger: { alerts: { webhooks: ftp://x } }")[0]!, /'ftp:\/\/x' is not a URL/);
});

test("an objective with alerts that can never fire is told as a warning", () => {
  const [first, ...more] = said("services: { www: { availability: 90 } }");
  assert.equal(more.length, 0);
  assert.match(first!, /^1:34 warning: the fast alert needs 14.4 times .* only 10 times/);
});
