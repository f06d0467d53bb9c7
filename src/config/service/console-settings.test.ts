import assert from "node:assert/strict";
import { test } from "node:test";
import { readEither } from "../read-either.ts";
import { DEFAULT_CONSOLE, type ServiceReading } from "./service-model.ts";

const BASE = `
frontends: { www: { listen: ":80", pool: web } }
pools: { web: { servers: ["10.0.0.1:80"] } }
`;

function read(text: string, path = "nines.yaml"): ServiceReading {
  const files = {
    readFile: (name: string) => (name === path ? text : undefined),
    glob: () => [],
  };
  return readEither(path, { environment: {}, hostName: "a" }, files);
}

function said(text: string): readonly string[] {
  return read(BASE + text).diagnostics.map(({ severity, reason, next }) =>
    [severity, reason, next].join(": "),
  );
}

test("the console is on by default, on this machine only, in both languages", () => {
  assert.deepEqual(read(BASE).service!.console, DEFAULT_CONSOLE);
  const conf =
    "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress { 10.0.0.9 }\n}\n";
  assert.deepEqual(read(conf, "k.conf").service!.console, DEFAULT_CONSOLE);
});

test("off and false switch it off; a map or on leave it on", () => {
  for (const [text, enabled] of [
    ["off", false],
    ["false", false],
    ["on", true],
    ["true", true],
    ["{ anonymous: nobody }", true],
    ["{ enabled: false }", false],
  ] as const) {
    assert.equal(read(`${BASE}console: ${text}\n`).service!.console.enabled, enabled, text);
  }
});

test("others reach it by TLS only: tokens do not travel in the clear", () => {
  for (const listen of ["0.0.0.0:7600", ":7600", "10.0.0.1:7600", "'[2001:db8::1]:7600'"]) {
    const [first = ""] = said(`console: { listen: ${listen} }\n`);
    assert.match(
      first,
      /^error: others can reach .*in the clear: add tls: \{ certificate/u,
      listen,
    );
  }
  const tls = "tls: { certificate: page.pem, client_ca: people.pem }";
  const { console } = read(`${BASE}console: { listen: 0.0.0.0:7600, ${tls} }\n`).service!;
  const [certificate, key] = ["page.pem", "page.pem"];
  assert.deepEqual(console.tls, { certificate, key, clientCa: "people.pem" });
  for (const listen of ["127.0.0.1:80", "127.9.9.9:1", "'[::1]:7600'"]) {
    assert.deepEqual(said(`console: { listen: ${listen} }\n`), []);
  }
});

test("what it does not understand is told with the next move", () => {
  assert.match(
    said("console: { listen: unix:/run/x }\n")[0] ?? "",
    /always at RUNDIR\/console.sock/u,
  );
  assert.match(said("console: { listen: here }\n")[0] ?? "", /^error/u);
  assert.match(said("console: { anonymus: nobody }\n")[0] ?? "", /anonymous/u);
  assert.match(said("console: { anonymous: everybody }\n")[0] ?? "", /loopback/u);
  assert.match(said("console: { group_port: 70000 }\n")[0] ?? "", /65535/u);
});
