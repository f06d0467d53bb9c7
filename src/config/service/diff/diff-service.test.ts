import assert from "node:assert/strict";
import { test } from "node:test";
import { readServiceYaml } from "../read-service.ts";
import type { ServiceModel } from "../service-model.ts";
import { diffService, planLines } from "./diff-service.ts";

const BASE = `
nodes: {web1: 10.0.0.11, web2: 10.0.0.12}
addresses: {www: {ip: 10.0.0.100/24, interface: eth0, router_id: 51, prefer: [web1, web2]}}
checks: {web: {http: /health, every: 2s}}
frontends: {www: {listen: ":80", pool: web, routes: [{path: /api/*, pool: api}]}}
pools:
  web:
    servers: {web1: 10.0.0.21:80, web2: 10.0.0.22:80}
    check: web
    sticky: {cookie: {secret: 0123456789abcdef}}
  api: {servers: [10.0.0.31:80]}
  old: {servers: [10.0.0.41:80]}
`;

function service(text: string): ServiceModel {
  const files = { readFile: () => text, glob: () => [] };
  const { service: read, diagnostics } = readServiceYaml("x.yaml", { hostName: "web1" }, files);
  assert.ok(read !== undefined, JSON.stringify(diagnostics));
  return read;
}

/** What changing one text of the base into another one changes. */
function changes(from: string, to: string): string[] {
  assert.ok(BASE.includes(from), from);
  const after = service(BASE.replace(from, to));
  return diffService(service(BASE), after).map((c) => `${c.effect}: ${c.subject}: ${c.text}`);
}

const ROWS: readonly [string, string, ...string[]][] = [
  ["web1, web2", "web1, web2"],
  [
    "web2: 10.0.0.22:80",
    "web2: 10.0.0.22:80 weight=2, web3: 10.0.0.23:80",
    "in place: pool web: weight of web2 1 -> 2",
    "in place: pool web: server web3 added",
  ],
  ["web1: 10.0.0.21:80, ", "", "in place: pool web: server web1 removed: it drains first"],
  [
    "10.0.0.21:80",
    "10.0.0.29:80",
    "new connections only: pool web: server web1 moves from 10.0.0.21:80 to 10.0.0.29:80",
  ],
  [
    "10.0.0.21:80",
    "10.0.0.21:80 admin=maint",
    "interrupts: pool web: admin of web1 ready -> maint",
  ],
  ['":80"', '[":80", ":8080"]', "in place: frontend www: listens on [::]:8080 too"],
  [
    '":80"',
    '":81"',
    "in place: frontend www: listens on [::]:81 too",
    "new connections only: frontend www: listens on [::]:80 no more",
  ],
  [
    "pool: api}",
    "pool: web}",
    "in place: frontend www: route 1: target.pools [{pool: api, weight: 1}] -> [{pool: web, weight: 1}]",
  ],
  [
    "every: 2s",
    "every: 1s",
    "in place: check web: every 2s -> 1s",
    "in place: check web: fast_every 500ms -> 250ms",
    "in place: check web: down_every 2s -> 1s",
    "in place: check web: warmup 2s -> 1s",
  ],
  [
    "http: /health",
    'http: {path: /health, status: [200-299, 304], contains: "fine", headers: {X-A: b}}, bind: 10.0.0.9',
    "in place: check web: http.headers [] -> [X-A: b]",
    "in place: check web: http.status [200-399] -> [200-299, 304]",
    "in place: check web: http.contains none -> fine",
    "in place: check web: bind none -> 10.0.0.9",
  ],
  [
    "http: /health",
    "https: /health, tls: {server_name: web.example}",
    "in place: check web: http -> https",
    "in place: check web: tls none -> {server_name: web.example, verify: true, expiry_warning: 14d}",
  ],
  ["http: /health", "script: [/bin/true]", "in place: check web: http -> script"],
  ["cdef", "cdee", "interrupts: pool web: sticky.secret changed: clients lose their server"],
  [
    "    sticky:",
    "    timeouts: {connect: 1s, response: 5s}\n    sticky:",
    "new connections only: pool web: timeouts.connect 3s -> 1s",
    "in place: pool web: timeouts.response 1m -> 5s",
  ],
  [
    "  old: {servers: [10.0.0.41:80]}\n",
    "workers: 2\n",
    "new connections only: pool old: removed: its requests end first",
    "in place: workers: 1 -> 2",
  ],
  [
    "10.0.0.100/24",
    "10.0.0.101/24",
    "interrupts: address www: addresses [10.0.0.100/24] -> [10.0.0.101/24]",
  ],
  [
    "ip: 10.0.0.100/24",
    "ip: [10.0.0.100/24, 10.0.0.101/24]",
    "in place: address www: addresses [10.0.0.100/24] -> [10.0.0.100/24, 10.0.0.101/24]",
  ],
  [
    "  old: {servers: [10.0.0.41:80]}\n",
    "  old: {servers: [10.0.0.41:80]}\nconsole: {listen: 127.0.0.1:7700}\njournal: {age: 30d}\n",
    "in place: console: listen [127.0.0.1:7600] -> [127.0.0.1:7700]",
    "in place: journal: age 400d -> 30d",
  ],
  [
    "web2: 10.0.0.12",
    "web2: 10.0.0.13, web3: 10.0.0.14",
    "in place: node web2: address 10.0.0.12 -> 10.0.0.13",
    "in place: node web3: added",
  ],
  [
    "checks:",
    "global: {script_user: nobody, net_namespace: blue, notification_email: [a@b.example]}\nchecks:",
    "in place: global: mail.to [] -> [a@b.example]",
    "in place: global: script_security.user none -> nobody",
    "in place: global: net_namespace none -> blue (at the next start of the node)",
  ],
  [
    "router_id: 51",
    "router_id: 52",
    "interrupts: address www: vrid 51 -> 52 (the router starts anew)",
  ],
  ["{www: {ip", "{site: {ip", "in place: address site: was called www"],
  [
    "interface: eth0",
    "interface: eth1",
    "interrupts: address www: interface eth0 -> eth1 (the router starts anew)",
    "interrupts: address www: addresses changed in detail (the router starts anew)",
  ],
  [
    "router_id: 51",
    "router_id: 51, preempt_delay: 5s",
    "in place: address www: preempt_delay 0 -> 5s",
  ],
];

for (const [from, to, ...wanted] of ROWS) {
  test(`'${from.trim()}' written as '${to.trim()}' changes ${wanted.length} things`, () => {
    assert.deepEqual(changes(from, to), wanted);
  });
}

test("a plan tells each change with its effect, and counts what stays", () => {
  const after = service(
    BASE.replace("10.0.0.22:80", "10.0.0.22:80 weight=0").replace('":80"', '":81"'),
  );
  assert.deepEqual(planLines(service(BASE), after), [
    "in place              frontend www: listens on [::]:81 too",
    "new connections only  frontend www: listens on [::]:80 no more",
    "in place              pool web: weight of web2 1 -> 0",
    "unchanged: 1 address, 1 check, 2 pools",
  ]);
});

test("the same file twice changes nothing, and a secret is never shown", () => {
  assert.equal(planLines(service(BASE), service(BASE))[0], "nothing changes");
  const other = service(BASE.replaceAll("0123456789abcdef", "fedcba9876543210"));
  assert.doesNotMatch(planLines(service(BASE), other).join("\n"), /fedc|0123456789/u);
  const hook = "ledger: {alerts: {webhooks: [{url: https://h.example/, secret: fedcba}]}}\n";
  const told = planLines(service(BASE), service(BASE + hook)).join("\n");
  assert.match(told, /webhooks.*h\.example/u);
  assert.doesNotMatch(told, /fedcba/u);
});
