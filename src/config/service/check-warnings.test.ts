import assert from "node:assert/strict";
import { test } from "node:test";
import { DISK } from "../disk.ts";
import { readServiceYaml } from "./read-service.ts";

test("a lag of Redis that a quiet primary exceeds by itself is warned about", () => {
  const warnings = (maxLag: string): readonly string[] => {
    const yaml = `
frontends: { db: { mode: tcp, listen: ":6379", pool: db } }
pools: { db: { servers: ["10.0.0.1:6379"], check: { redis: { role: replica, max_lag: ${maxLag} } } } }
`;
    const read = readServiceYaml("nines.yaml", {}, { ...DISK, readFile: () => yaml });
    return read.diagnostics.map(({ reason }) => reason);
  };
  assert.deepEqual(warnings("10s"), []);
  assert.match(
    warnings("9s").join(),
    /^max_lag 9.*: a primary without writes speaks .* every 10 s/,
  );
});

function read(check: string): ReturnType<typeof readServiceYaml> {
  const yaml = `
frontends: { db: { mode: tcp, listen: ":3306", pool: db } }
pools: { db: { servers: ["10.0.0.1:3306"], check: ${check} } }
`;
  return readServiceYaml("nines.yaml", {}, { ...DISK, readFile: () => yaml });
}

/** What is told of a pool with this check. */
function told(check: string): readonly string[] {
  return read(check).diagnostics.map(
    ({ severity, reason, next }) => `${severity}: ${reason} - ${next}`,
  );
}

test("a role or a lag that nobody can see without a login is a mistake", () => {
  assert.deepEqual(told("{ mysql: true }"), []);
  assert.deepEqual(told("{ mysql: { role: primary, user: check } }"), []);
  for (const kind of ["mysql", "postgresql"]) {
    assert.match(told(`{ ${kind}: { role: primary } }`).join(), /^error: role .* add: user: NAME$/);
    assert.match(
      told(`{ ${kind}: { max_lag: 5s } }`).join(),
      /^error: max_lag .* add: user: NAME$/,
    );
  }
});

test("a key without a certificate is a mistake", () => {
  assert.deepEqual(told("{ https: /, tls: { certificate: /c.pem, key: /k.pem } }"), []);
  assert.match(
    told("{ https: /, tls: { key: /k.pem } }").join(),
    /^error: key .* certificate: FILE$/,
  );
  assert.match(told("{ https: /, tls: { key_password: x } }").join(), /^error: key_password /);
});

test("a record that cannot be asked for is no question for an address", () => {
  assert.deepEqual(told("{ dns: { name: x.example, type: AAAA } }"), []);
  assert.match(
    told("{ dns: { name: x.example, type: HTTPS } }").join(),
    /^error: type cannot be 'HTTPS'/,
  );
  assert.match(told("{ dns: { name: x.example, type: aaaa } }").join(), /did you mean 'AAAA'/);
});

test("a command is split at spaces wherever it is written", () => {
  const argvOf = (check: string): unknown => {
    const protocol = read(check).service?.checks[0]?.protocol;
    return protocol?.kind === "script" ? protocol.argv : undefined;
  };
  const wanted = ["/bin/ask", "-x", "two words"];
  assert.deepEqual(argvOf(`{ script: "/bin/ask -x 'two words'" }`), wanted);
  assert.deepEqual(argvOf(`{ script: { command: "/bin/ask -x 'two words'" } }`), wanted);
  assert.deepEqual(argvOf(`{ script: [/bin/ask, -x, two words] }`), wanted);
  assert.deepEqual(argvOf(`{ script: { command: [/bin/ask, -x, two words] } }`), wanted);
});

test("a check that decides who has an address cannot wait for one", () => {
  const reasons = (heldIn: "own" | "other"): readonly string[] => {
    const held = "while_held: 192.0.2.10";
    const yaml = `
checks: { web: { tcp: true, port: 80, ${heldIn === "own" ? held : ""} }, other: { tcp: true, ${heldIn === "other" ? held : ""} } }
addresses: { vip: { router_id: 51, interface: eth0, ip: 192.0.2.10/24, track: check:web } }
frontends: { web: { listen: "192.0.2.10:8080", pool: web } }
pools: { web: { servers: ["10.0.0.1:80"], check: other } }
`;
    const { diagnostics } = readServiceYaml("nines.yaml", {}, { ...DISK, readFile: () => yaml });
    return diagnostics.flatMap(({ severity, reason }) => (severity === "error" ? [reason] : []));
  };
  assert.deepEqual(reasons("other"), []);
  assert.deepEqual(reasons("own"), [
    "an address tracks check web: it would wait for what it decides",
  ]);
});

test("checker_log_all_failures is the default of log_failures", () => {
  const logged = (global: string, own: string): unknown => {
    const yaml = `
global: { ${global} }
frontends: { web: { listen: ":80", pool: web } }
pools: { web: { servers: ["10.0.0.1:80"], check: { tcp: true, ${own} } } }
`;
    const { service } = readServiceYaml("nines.yaml", {}, { ...DISK, readFile: () => yaml });
    return service?.checks[0]?.logFailures;
  };
  assert.equal(logged("", ""), undefined);
  assert.equal(logged("checker_log_all_failures: true", ""), true);
  assert.equal(logged("checker_log_all_failures: true", "log_failures: false"), false);
  assert.equal(logged("", "log_failures: true"), true);
});

test("a check in clear text of a port that requests reach by TLS is warned about", () => {
  const warnings = (pool: string): readonly string[] => {
    const yaml = `
frontends: { web: { listen: ":80", pool: web } }
checks: { named: { grpc: true } }
pools: { web: { servers: ["10.0.0.1:443"], ${pool} } }
`;
    const { diagnostics } = readServiceYaml("x.yaml", {}, { ...DISK, readFile: () => yaml });
    return diagnostics.map(({ severity, reason, next }) => `${severity}: ${reason} - ${next}`);
  };
  const told = "pool web speaks TLS to its servers, check";
  assert.deepEqual(warnings("tls: true, check: { http: /health }"), [
    `warning: ${told} web asks the same port without - write https, or the port without TLS`,
  ]);
  assert.deepEqual(warnings("tls: true, check: named"), [
    `warning: ${told} named asks the same port without - add: tls: true, or the port without TLS`,
  ]);
  for (const well of ["{ https: / }", "{ http: /, port: 80 }", "{ tcp: true }"]) {
    assert.deepEqual(warnings(`tls: true, check: ${well}`), []);
  }
  assert.deepEqual(warnings("check: { http: / }"), []);
});
