import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDiagnostic } from "../../diagnostic.ts";
import type { ConfigurationFiles } from "../../keepalived/lines.ts";
import { readServiceYaml } from "../read-service.ts";
import type { ServiceReading } from "../service-model.ts";

const FRONT = `
frontends: { web: { listen: ":80", pool: web } }
pools: { web: { servers: ["10.0.0.1:80"] } }
`;

function read(text: string): ServiceReading {
  const files: ConfigurationFiles = { readFile: () => FRONT + text, glob: () => [] };
  return readServiceYaml("nines.yaml", { environment: {} }, files);
}

test("a probe gets its defaults; a text alone is what is asked", () => {
  const { service, diagnostics } = read("probes: { home: https://shop.example/ }\n");
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(service?.probes, [
    {
      name: "home",
      ask: "https://shop.example/",
      options: {
        intervalMs: 1000,
        timeoutMs: 3000,
        slowMs: 1000,
        method: "GET",
        headers: [],
        status: [{ from: 200, to: 399 }],
        byHeader: "x-served-by",
        verify: true,
      },
    },
  ]);
});

test("a probe may write as well: the base of the rows' URLs is kept", () => {
  const text = "probes: { home: { ask: 'http://x/', write: 'https://shop.example/probe-rows' } }\n";
  const { service, diagnostics } = read(text);
  assert.deepEqual(diagnostics, []);
  assert.equal(service?.probes[0]?.write, "https://shop.example/probe-rows");
});

test("a probe of which nobody knows whose users it stands for is told: what it sees would be lost", () => {
  const services =
    "services: { web: { frontends: [web], probes: [eye] }, all: { frontends: [web] } }";
  const told = (probes: string): string[] =>
    read(`${services}\nprobes: ${probes}\n`).diagnostics.map((one) => formatDiagnostic(one));
  const [warning = "", ...more] = told("{ home: 'http://x/' }");
  assert.match(warning, /warning: whose users probe home stands for is not clear/);
  assert.match(warning, /add: service: web/);
  assert.deepEqual(more, []);
  const [unlisted = ""] = told("{ home: { ask: 'http://x/', service: web } }");
  assert.match(unlisted, /lists its probes, and home is none of them: what it sees does not count/);
  assert.deepEqual(told("{ eye: 'http://x/', home: { ask: 'http://x/', service: all } }"), []);
});

test("a configuration without probes has none", () => {
  assert.deepEqual(read("").service?.probes, []);
});

for (const [text, wanted] of [
  ["probes: { home: htp://x/ }", "4:17: error: 'htp://x/' cannot be asked - did you mean 'http:'?"],
  [
    "probes: { home: { ask: 'http://x/', service: wbe } }",
    "there is no service 'wbe' - did you mean 'web'?",
  ],
  ["probes: { home: 'script:/bin/true' }", "the console runs no commands"],
  ["probes: { home: { ask: 'http://x/', write: 'redis://x' } }", "'redis://x' is not a URL"],
  ["probes: { home: { ask: 'http://x/', every: 1ms } }", "1ms is out of range"],
] as const) {
  test(`refused with its place: ${text}`, () => {
    const all = read(`${text}\n`).diagnostics.map((one) => formatDiagnostic(one));
    assert.ok(
      all.some((line) => line.includes(wanted)),
      all.join("\n"),
    );
  });
}
