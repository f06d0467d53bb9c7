import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseProbeUrl, type ProbedTarget, type ProbeOptions } from "./probe-url.ts";

const OPTIONS: ProbeOptions = {
  intervalMs: 1000,
  timeoutMs: 3000,
  slowMs: 1000,
  method: "GET",
  headers: [],
  status: [{ from: 200, to: 399 }],
  byHeader: "X-Served-By",
  verify: true,
};

function parsed(text: string): ProbedTarget {
  const target = parseProbeUrl(text, OPTIONS);
  assert.ok(typeof target !== "string", JSON.stringify(target));
  return target;
}

const KINDS: readonly (readonly [string, string, string, number])[] = [
  ["http://www.example/path?x=1", "http", "www.example", 80],
  ["https://www.example:8443/", "http", "www.example", 8443],
  ["http://[2001:db8::1]:81/", "http", "2001:db8::1", 81],
  ["tcp://10.0.0.1:3000", "tcp", "10.0.0.1", 3000],
  ["tls://db.example", "tcp", "db.example", 443],
  ["ping://10.0.0.1", "ping", "10.0.0.1", 0],
  ["udp://10.0.0.1:514", "udp", "10.0.0.1", 514],
  ["dns://10.0.0.53/www.example?type=AAAA", "dns", "10.0.0.53", 53],
  ["smtp://mail.example", "smtp", "mail.example", 25],
  ["redis://10.0.0.1?role=primary", "redis", "10.0.0.1", 6379],
  ["memcached://10.0.0.1", "memcached", "10.0.0.1", 11211],
  ["mysql://app:secret@10.0.0.1/shop", "mysql", "10.0.0.1", 3306],
  ["postgres://10.0.0.1", "postgresql", "10.0.0.1", 5432],
  ["grpc://10.0.0.1/health.Service", "grpc", "10.0.0.1", 50051],
  ["agent://10.0.0.1:9999", "agent", "10.0.0.1", 9999],
  ["script:/usr/bin/check --all", "script", "127.0.0.1", 0],
];

for (const [text, kind, host, port] of KINDS) {
  test(`${text} is asked as ${kind}`, () => {
    const target = parsed(text);
    assert.deepEqual([target.check.protocol.kind, target.host, target.port], [kind, host, port]);
  });
}

test("a password is used and never shown", () => {
  const { name, check } = parsed("mysql://app:secret@10.0.0.1/shop");
  assert.equal(name, "mysql://app@10.0.0.1/shop");
  assert.deepEqual(check.protocol, {
    kind: "mysql",
    user: "app",
    password: "secret",
    database: "shop",
    role: "any",
    maxLagMs: 0,
  });
});

test("HTTP gets path, host, headers and the name of the answering server", () => {
  const { protocol } = parsed("http://www.example:8080/a?b").check;
  assert.ok(protocol.kind === "http");
  assert.deepEqual([protocol.path, protocol.host], ["/a?b", "www.example:8080"]);
  assert.equal(protocol.byHeader, "x-served-by");
});

test("a unix socket is connected to, or asked by HTTP", () => {
  assert.equal(parsed("unix:/run/x.sock").check.protocol.kind, "tcp");
  const asked = parsed("unix:/run/x.sock:/health");
  assert.ok(asked.check.protocol.kind === "http" && asked.check.protocol.path === "/health");
  assert.equal(asked.unixPath, "/run/x.sock");
});

for (const [text, wanted] of [
  ["www.example", "cannot be asked"],
  ["htp://www.example", "did you mean 'http:'?"],
  ["tcp://10.0.0.1", "names no port"],
  ["http://", "names no host"],
  ["dns://10.0.0.1", "name what is asked for"],
  ["redis://10.0.0.1?role=king", "role is any, primary or replica"],
  ["script:rm", "names no command"],
  ["mysql://%ff:%@10.0.0.1", "user or password has a wrong escape"],
] as const) {
  test(`${text} is refused with a reason`, () => {
    const reason = parseProbeUrl(text, OPTIONS);
    assert.ok(typeof reason === "string" && reason.includes(wanted), JSON.stringify(reason));
  });
}

test("no text makes it throw", () => {
  const scheme = fc.constantFrom("http:", "tcp:", "mysql:", "unix:", "script:", "");
  fc.assert(
    fc.property(scheme, fc.string(), (start, rest) => {
      void parseProbeUrl(start + rest, OPTIONS);
    }),
  );
});
