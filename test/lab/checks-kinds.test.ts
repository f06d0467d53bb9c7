/** Each kind of check against the server that it is for: well, hung, gone. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CheckTarget, CheckTls } from "../../src/core/check/check-settings.ts";
import { nginxConf, startNginx } from "../../src/lab/peers/nginx.ts";
import {
  makeCertificate,
  startAgent,
  startEtcd,
  startHaproxy,
  startMailServer,
  startMemcached,
  startNameServer,
  startRedis,
} from "../../src/lab/peers/small-servers.ts";
import type { LabProcess } from "../../src/lab/process.ts";
import { pause } from "../../src/lab/wait.ts";
import { World } from "../../src/lab/world.ts";
import { http, Listener, startCheckRole, targetOf } from "./check-kit.ts";

const SERVER = "10.77.0.2";
const OTHER = "10.77.0.3";
const PLAN = {
  name: "kinds",
  segments: ["lan"],
  hosts: {
    checker: { eth0: { segment: "lan", address: ["10.77.0.1/24", "10.77.0.9/24", "fd00::1/64"] } },
    server: { eth0: { segment: "lan", address: [`${SERVER}/24`, "fd00::2/64"] } },
    other: { eth0: { segment: "lan", address: `${OTHER}/24` } },
  },
};
const PASSWORD = "swordfish";
/** A question for `app.example`, type A, and the start of its answer: id, response, no error. */
const QUESTION = Buffer.from("beef0100000100000000000003617070076578616d706c650000010001", "hex");

let world: World;
let listener: Listener;
const daemons = new Map<string, LabProcess>();
let asked: CheckTarget[] = [];

function ask(...targets: CheckTarget[]): void {
  asked = [...asked.filter((one) => targets.every((t) => t.subject !== one.subject)), ...targets];
  listener.ask(asked);
}

const tlsOf = (ca: string, more: Partial<CheckTls> = {}): CheckTls => ({
  verify: true,
  expiryWarningMs: 14 * 86_400_000,
  serverName: "web.example",
  ca,
  ...more,
});

/** Kinds whose server answers by itself, so that it can hang. */
const KINDS: readonly CheckTarget[] = [
  targetOf("http", http(), `${SERVER}:80`),
  targetOf("haproxy", http({ body: { kind: "contains", text: "at your" } }), `${SERVER}:8080`),
  targetOf(
    "redis",
    { kind: "redis", password: PASSWORD, role: "primary", maxLagMs: 0 },
    `${SERVER}:6379`,
  ),
  targetOf("memcached", { kind: "memcached" }, `${SERVER}:11211`),
  targetOf("smtp", { kind: "smtp", helloName: "nines.example" }, `${SERVER}:25`),
  targetOf("dns", { kind: "dns", name: "app.example", queryType: "A" }, `${SERVER}:53`),
  targetOf("grpc", { kind: "grpc", service: "" }, `${SERVER}:2379`),
  targetOf("agent", { kind: "agent", send: "" }, `${SERVER}:9000`),
];

before(async () => {
  world = await World.create(PLAN);
  const server = world.host("server");
  const checker = world.host("checker");
  server.write("/run/agent", "up 50%\n");
  const { certificate, key } = await makeCertificate(server, "web.example", 5);
  const https = `server {
    listen 443 ssl;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    location / { default_type text/plain; return 200 "safe\\n"; }
  }
  server {
    listen 82 proxy_protocol;
    location / { return 204; }
  }
  server {
    listen 83 http2 proxy_protocol;
    location / { return 204; }
  }
  server {
    listen 444 ssl proxy_protocol;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    location / { return 204; }
  }
  server {
    listen 81;
    location / { allow 10.77.0.9; deny all; root /nowhere; try_files /none =204; }
  }`;
  checker.write("/run/ca.pem", server.read(certificate));
  const started = await Promise.all([
    startNginx(server, nginxConf(server, https)).then((one) => ["http", one] as const),
    startHaproxy(server, 8080, "at your service").then((one) => ["haproxy", one] as const),
    startRedis(server, { password: PASSWORD }).then((one) => ["redis", one] as const),
    startMemcached(server).then((one) => ["memcached", one] as const),
    startMailServer(server).then((one) => ["smtp", one] as const),
    startNameServer(server, "app.example", SERVER).then((one) => ["dns", one] as const),
    startEtcd(server, { certificate, key }).then((one) => ["grpc", one] as const),
    startAgent(server, 9000, "/run/agent").then((one) => ["agent", one] as const),
    startCheckRole(checker).then((one) => ["check", one] as const),
  ]);
  for (const [name, process] of started) daemons.set(name, process);
  listener = new Listener(checker, "control");
});

after(() => {
  listener.close();
  world.destroy();
});

/** Adds what the hosts logged to what `body` throws. */
function check(name: string, body: () => Promise<void>): void {
  test(name, async () => {
    try {
      await body();
    } catch (error) {
      if (error instanceof Error) error.message += `\n${daemons.get("check")?.log}`;
      throw error;
    }
  });
}

check("every kind finds its server well, and says how", async () => {
  ask(...KINDS);
  const said = await Promise.all(
    KINDS.map(async ({ subject }) => `${subject}: ${(await listener.untilUp(subject)).reason}`),
  );
  assert.deepEqual(
    said.map((line) => line.replace(/, 1 of 1$/, "").replace(/\d+(\.\d+)+\S*/, "N")),
    [
      "http: check passed: status 200",
      "haproxy: check passed: body as wanted",
      "redis: check passed: a primary",
      "memcached: check passed: VERSION N",
      "smtp: check passed: 221 Bye",
      "dns: check passed: 1 answers",
      "grpc: check passed: SERVING",
      'agent: check passed: the agent said "up 50%"',
    ],
  );
  assert.equal((await listener.untilUp("agent")).weightPercent, 50);
});

check("a server that hangs is told by the time-out, and is back when it goes on", async () => {
  for (const { subject } of KINDS) daemons.get(subject)!.stop();
  for (const { subject } of KINDS) {
    const { reason } = await listener.untilDown(subject);
    assert.equal(reason, "check failed: no answer within 400 ms, 2 of 2", subject);
  }
  for (const { subject } of KINDS) daemons.get(subject)!.resume();
  for (const { subject } of KINDS) await listener.untilUp(subject);
});

check("HTTP answers are judged by status, text, expression and digest", async () => {
  const where = `${SERVER}:80`;
  const md5 = "d2a1a05e8dc6d0a3c2e4ae53f1d5b5f5";
  ask(
    targetOf("status", http({ status: [{ from: 500, to: 599 }] }), where),
    targetOf("contains", http({ body: { kind: "contains", text: "nothing" } }), where),
    targetOf(
      "regex",
      http({ body: { kind: "regex", pattern: "^ser.er", inverted: false } }),
      where,
    ),
    targetOf("inverted", http({ body: { kind: "regex", pattern: "^ser", inverted: true } }), where),
    targetOf("digest", http({ body: { kind: "digest", algorithm: "md5", hex: md5 } }), where),
    targetOf("bound", http(), `${SERVER}:81`, { bindAddress: "10.77.0.9" }),
    targetOf("unbound", http(), `${SERVER}:81`),
    targetOf("v6", http(), "fd00::2:80"),
  );
  const reason = async (subject: string, up: boolean): Promise<string> => {
    return (await listener.until(subject, (one) => one.up === up)).reason;
  };
  assert.equal(await reason("status", false), "check failed: status 200, wanted 500-599, 1 of 2");
  assert.match(await reason("contains", false), /body lacks "nothing"/);
  assert.match(await reason("regex", true), /body as wanted/);
  assert.match(await reason("inverted", false), /body matches \/\^ser\//);
  const wrong = await reason("digest", false);
  const digest = /md5 of the body is ([0-9a-f]{32}), wanted d2a1/.exec(wrong)?.[1] ?? wrong;
  ask(targetOf("digest", http({ body: { kind: "digest", algorithm: "md5", hex: digest } }), where));
  assert.match(await reason("digest", true), /digest as wanted/);
  assert.match(await reason("bound", true), /status 204/);
  assert.match(await reason("unbound", false), /status 403/);
  assert.match(await reason("v6", true), /status 200/);
});

check("TLS is verified by name and authority, and an end that is near is a warning", async () => {
  const where = `${SERVER}:443`;
  const ca = "/run/ca.pem";
  ask(
    targetOf("tls", http({ tls: tlsOf(ca) }), where),
    targetOf("tls-tcp", { kind: "tcp", tls: tlsOf(ca, { expiryWarningMs: 0 }) }, where),
    targetOf("tls-grpc", { kind: "grpc", service: "", tls: tlsOf(ca) }, `${SERVER}:2381`),
    targetOf("tls-name", http({ tls: tlsOf(ca, { serverName: "other.example" }) }), where),
    targetOf("tls-no-ca", http({ tls: tlsOf("/run/none.pem") }), where),
    targetOf("tls-plain", http({ tls: tlsOf(ca) }), `${SERVER}:80`),
  );
  assert.match(
    (await listener.untilUp("tls")).warning ?? "",
    /^its certificate ends in [45] days$/,
  );
  assert.equal((await listener.untilUp("tls-tcp")).warning, undefined);
  assert.match((await listener.untilUp("tls-grpc")).warning ?? "", /ends in [45] days/);
  assert.match((await listener.untilDown("tls-name")).reason, /ERR_TLS_CERT_ALTNAME_INVALID/);
  assert.match((await listener.untilDown("tls-no-ca")).reason, /ENOENT.*\/run\/none\.pem/);
  assert.match((await listener.untilDown("tls-plain")).reason, /ERR_SSL/);
});

check("a server that expects a PROXY header gets one, before any handshake", async () => {
  const tls = tlsOf("/run/ca.pem");
  const bound = { bindAddress: "10.77.0.9" };
  const targets = (["v1", "v2"] as const).flatMap((sendProxy) => [
    targetOf(`${sendProxy}-http`, http(), `${SERVER}:82`, { sendProxy }),
    targetOf(`${sendProxy}-bound`, http(), `${SERVER}:82`, { sendProxy, ...bound }),
    targetOf(`${sendProxy}-https`, http({ tls }), `${SERVER}:444`, { sendProxy }),
    targetOf(`${sendProxy}-tls`, { kind: "tcp", tls }, `${SERVER}:444`, { sendProxy }),
  ]);
  ask(...targets, targetOf("no-header", http(), `${SERVER}:82`));
  for (const { subject } of targets) await listener.untilUp(subject);
  await listener.untilDown("no-header");
  // It speaks HTTP/2 and no gRPC.
  const grpc = { kind: "grpc", service: "" } as const;
  ask(targetOf("v2-grpc", grpc, `${SERVER}:83`, { sendProxy: "v2" }));
  assert.match((await listener.untilDown("v2-grpc")).reason, /204/);
  // A refused connection is one, whatever was to be said first.
  ask(targetOf("v1-gone", http({ tls }), `${SERVER}:445`, { sendProxy: "v1" }));
  assert.match((await listener.untilDown("v1-gone")).reason, /ECONNREFUSED/);
});

check("answers that are wrong in themselves are told in the server's words", async () => {
  const reply = { value: Uint8Array.of(0xbe, 0xef, 0x80), mask: Uint8Array.of(255, 255, 0x80) };
  const udp = { kind: "udp", payload: new Uint8Array(QUESTION), requireReply: true } as const;
  ask(
    targetOf("dns-none", { kind: "dns", name: "no.example", queryType: "A" }, `${SERVER}:53`),
    targetOf("grpc-none", { kind: "grpc", service: "shop" }, `${SERVER}:2379`),
    targetOf("grpc-http", { kind: "grpc", service: "" }, `${SERVER}:80`),
    targetOf(
      "redis-login",
      { kind: "redis", password: "no", role: "any", maxLagMs: 0 },
      `${SERVER}:6379`,
    ),
    targetOf(
      "redis-role",
      { kind: "redis", password: PASSWORD, role: "replica", maxLagMs: 0 },
      `${SERVER}:6379`,
    ),
    targetOf("udp", { ...udp, reply }, `${SERVER}:53`),
    targetOf("udp-closed", { ...udp, requireReply: false }, `${SERVER}:54`),
    targetOf("smtp-web", { kind: "smtp", helloName: "x" }, `${SERVER}:11211`),
  );
  const wrong = async (subject: string): Promise<string> => {
    const { reason } = await listener.untilDown(subject);
    return reason.replace(/^check failed: /, "").replace(/, \d of \d$/, "");
  };
  assert.match(await wrong("dns-none"), /no such name|refused/);
  assert.match(await wrong("grpc-none"), /^grpc-status 5 \(unknown service\), wanted 0$/);
  assert.match(await wrong("grpc-http"), /ERR_HTTP2|ECONNRESET|closed/);
  assert.match(await wrong("redis-login"), /WRONGPASS/);
  assert.equal(await wrong("redis-role"), "it is a primary, wanted a replica");
  assert.match((await listener.untilUp("udp")).reason, /reply as wanted/);
  assert.equal(await wrong("udp-closed"), "ECONNREFUSED");
  assert.match(await wrong("smtp-web"), /no answer within/);
});

check("an agent drains, weighs and takes out its server", async () => {
  const server = world.host("server");
  server.write("/run/agent", "drain\n");
  assert.equal((await listener.until("agent", (one) => one.admin === "drain")).up, true);
  server.write("/run/agent", "ready,75%\n");
  assert.equal((await listener.until("agent", (one) => one.admin === "ready")).weightPercent, 75);
  server.write("/run/agent", "down#disk is full\n");
  assert.match((await listener.untilDown("agent")).reason, /"down" \(disk is full\), 2 of 2/);
});

check(
  "a script is told which server, weighs it by its code, and dies at the time-out",
  async () => {
    const checker = world.host("checker");
    const text = `#!/bin/sh
echo "asked about $NINES_ADDRESS port $NINES_PORT" >&2
if [ -e /run/hang ]; then exec sleep 100; fi
exit $(cat /run/code)
`;
    const argv = [checker.write("/run/ask.sh", text, 0o755)];
    checker.write("/run/code", "52\n");
    ask(
      targetOf("dynamic", { kind: "script", argv, dynamic: true }, `${SERVER}:80`),
      targetOf("plain", { kind: "script", argv, dynamic: false }, `${SERVER}:80`),
      targetOf(
        "absent",
        { kind: "script", argv: ["/run/none.sh"], dynamic: false },
        `${SERVER}:80`,
      ),
    );
    const half = await listener.untilUp("dynamic");
    assert.equal(half.weightPercent, 50);
    assert.match(half.reason, /the script exited 52, weight 50 %/);
    const failed = await listener.untilDown("plain");
    assert.match(failed.reason, /the script exited 52 \("asked about 10.77.0.2 port 80"\)/);
    assert.match((await listener.untilDown("absent")).reason, /\/run\/none.sh does not exist/);
    checker.write("/run/hang", "");
    assert.match((await listener.untilDown("dynamic")).reason, /no answer within 400 ms/);
    checker.write("/run/ask.new", text, 0o777);
    await checker.run(["chmod", "777", "/run/ask.new"]);
    // Not in place: it may be about to be run.
    await checker.run(["mv", "/run/ask.new", "/run/ask.sh"]);
    await listener.until("dynamic", ({ reason }) => !reason.includes("0 of"));
  },
);

check("a check process that stood still blames no server for it", async () => {
  // Long enough that a busy machine is not blamed either.
  const timing = { intervalMs: 20, fastIntervalMs: 20, timeoutMs: 1000, fall: 1 };
  const many = Array.from({ length: 100 }, (_, i) => `many${i}`);
  ask(...many.map((name) => targetOf(name, http(), `${SERVER}:80`, { timing })));
  for (const name of many) await listener.untilUp(name);
  const known = listener.heard.length;
  daemons.get("check")!.stop();
  await pause(1500);
  daemons.get("check")!.resume();
  await pause(500);
  const blamed = listener.heard
    .slice(known)
    .filter(({ subject, up }) => !up && many.includes(subject));
  assert.deepEqual(blamed, []);
  asked = asked.filter(({ subject }) => !many.includes(subject));
  ask();
});

check("a unix socket is asked like a port", async () => {
  const checker = world.host("checker");
  const redis = await startRedis(checker, { socket: "/run/redis.sock" });
  ask(targetOf("unix", { kind: "redis", role: "any", maxLagMs: 0 }, "/run/redis.sock"));
  await listener.untilUp("unix");
  redis.kill();
  assert.match((await listener.untilDown("unix")).reason, /ECONNREFUSED|ENOENT/);
});

check("a server that has gone is told at once, each kind in its way", async () => {
  for (const { subject } of KINDS) daemons.get(subject)!.kill();
  for (const { subject } of KINDS) {
    if (subject === "agent") continue;
    const { reason } = await listener.untilDown(subject);
    // A kernel tells closed UDP ports to one asker a few times only (icmp_ratelimit).
    const wanted = subject === "dns" ? /ECONNREFUSED|no answer/ : /^check failed: ECONNREFUSED, 2/;
    assert.match(reason, wanted, subject);
  }
});

check("a machine that is switched off answers no ping any more", async () => {
  ask(
    targetOf("ping", { kind: "ping" }, `${SERVER}:0`),
    targetOf("ping6", { kind: "ping" }, "fd00::2:0"),
    targetOf("ping-from", { kind: "ping" }, `${OTHER}:0`, { bindAddress: "10.77.0.9" }),
  );
  for (const subject of ["ping", "ping6", "ping-from"]) {
    assert.match((await listener.untilUp(subject)).reason, /echo reply/);
  }
  await world.powerOff("server");
  for (const subject of ["ping", "ping6"]) {
    assert.match((await listener.untilDown(subject)).reason, /no answer within|EHOSTUNREACH/);
  }
});
