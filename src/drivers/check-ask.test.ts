import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createTlsServer } from "node:tls";
import { freshCertificate } from "../../test/kit/fresh-certificate.ts";
import { plainTiming } from "../../test/kit/plain-timing.ts";
import type { CheckProtocol, CheckTarget } from "../core/check/check-settings.ts";
import type { ProbeResult } from "../core/check/probe.ts";
import { DerivedKeys } from "../core/check/scram.ts";
import { ask, type Asking } from "./check-ask.ts";
import { CheckWires } from "./check-wire.ts";

const wires = new CheckWires();
const asking: Asking = { scripts: { enforce: true }, keys: new DerivedKeys(), wires };
after(() => wires.close());

const TIMING = plainTiming(1000, 1000);

function target(
  protocol: CheckProtocol,
  endpoint: CheckTarget["endpoint"],
  bindAddress?: string,
): CheckTarget {
  const check = { name: "c", protocol, timing: TIMING };
  return {
    subject: "s",
    check: bindAddress === undefined ? check : { ...check, bindAddress },
    endpoint,
  };
}

function result(asked: CheckTarget): Promise<ProbeResult> {
  return new Promise((resolve) => {
    ask(asked, asking, resolve);
  });
}

function http(settings: Partial<Extract<CheckProtocol, { kind: "http" }>>): CheckProtocol {
  const status = [{ from: 200, to: 399 }];
  const request = { kind: "http", method: "GET", path: "/", headers: [] } as const;
  return { ...request, status, maxBodyBytes: 65_536, ...settings };
}

/** A server that says `greeting` and keeps what it heard. */
async function serve(greeting: string): Promise<{ server: Server; port: number; heard: string[] }> {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => heard.push("reset"));
    socket.on("data", (bytes) => heard.push(bytes.toString("latin1")));
    socket.on("end", () => heard.push("end"));
    if (greeting !== "") socket.write(greeting);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port, heard };
}

function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => void (condition() ? resolve() : setImmediate(look));
    look();
  });
}

const fail = (told: ProbeResult): void => assert.fail(told.reason);

const local = (port: number): CheckTarget["endpoint"] => ({
  kind: "ip",
  address: "127.0.0.1",
  port,
});

test("a good answer without a last word ends in a reset: no port waits for its time", async () => {
  for (const bind of [undefined, "127.0.0.1"]) {
    const { server, port, heard } = await serve("VERSION 1.6\r\n");
    const told = await result(target({ kind: "memcached" }, local(port), bind));
    assert.deepEqual(told, { ok: true, reason: "VERSION 1.6" });
    await until(() => heard.includes("reset"));
    server.close();
  }
});

test("a look at a port ends before the server has a connection", async () => {
  const { server, port } = await serve("");
  let accepted = 0;
  server.on("connection", () => accepted++);
  // A machine that stands still in the middle of a look lets the kernel acknowledge after all.
  for (let tries = 0; accepted !== 1 && tries < 10; tries++) {
    accepted = 0;
    const told = await result(target({ kind: "tcp" }, local(port)));
    assert.deepEqual(told, { ok: true, reason: "connected" });
    const bound = await result(target({ kind: "tcp" }, local(port), "127.0.0.1"));
    assert.deepEqual(bound, told);
    await until(() => accepted > 0);
  }
  assert.equal(accepted, 1, "the one that Node's own socket made");
  server.close();
});

test("a last word is sent in full and the connection ends in order", async () => {
  for (const bind of [undefined, "127.0.0.1"]) {
    const refusal = "E\0\0\0\x13SFATAL\0C28000\0\0";
    const { server, port, heard } = await serve(refusal);
    const protocol = { kind: "postgresql", role: "any", maxLagMs: 0 } as const;
    const told = await result(target(protocol, local(port), bind));
    assert.equal(told.reason, "refused a stranger");
    await until(() => heard.includes("end") || heard.includes("reset"));
    server.close();
  }
});

test("what cannot be reached is a result with the kernel's word", async () => {
  const gone = await serve("");
  await new Promise((resolve) => gone.server.close(resolve));
  const tcp = { kind: "tcp" } as const;
  const reason = async (endpoint: CheckTarget["endpoint"], bind?: string): Promise<string> =>
    (await result(target(tcp, endpoint, bind))).reason;
  assert.equal(await reason(local(gone.port)), "ECONNREFUSED");
  const elsewhere = await result(target(tcp, local(gone.port), "192.0.2.77"));
  assert.deepEqual(elsewhere, { ok: false, reason: "EADDRNOTAVAIL", isOurs: true });
  assert.equal(await reason({ kind: "unix", path: "/nowhere/socket" }), "ENOENT");
  assert.equal(await reason({ kind: "unix", path: `/${"x".repeat(200)}` }), "EINVAL");
  const dns = target({ kind: "dns", name: "a.b", queryType: "A" }, { kind: "unix", path: "/x" });
  assert.match((await result(dns)).reason, /cannot be asked by datagram/);
  const ping = target({ kind: "ping" }, { kind: "unix", path: "/x" });
  assert.match((await result(ping)).reason, /cannot be pinged/);
});

test("a datagram that has no way to its server is a result, not the end of the process", async () => {
  const dns = { kind: "dns", name: "a.b", queryType: "A" } as const;
  // From the loopback no route leads out; where there is no other interface, none at all.
  const out = { kind: "ip", address: "192.0.2.1", port: 53 } as const;
  const { ok, reason } = await result(target(dns, out, "127.0.0.1"));
  assert.equal(ok, false);
  assert.match(reason, /^(EINVAL|ENETUNREACH)$/);
});

test("a body on which an expression would go back and forth for ever is judged all the same", async () => {
  const text = `${"a".repeat(5000)}b`;
  const { server, port } = await serve(`HTTP/1.1 200 OK\r\nContent-Length: 5001\r\n\r\n${text}`);
  const body = { kind: "regex", pattern: "(a+)+$", inverted: false } as const;
  const told = await result(target(http({ body }), local(port)));
  assert.equal(told.reason, "body does not match /(a+)+$/");
  server.close();
});

const ALONE = "NINES_TEST_ALONE";

test("that no descriptor is left says nothing of the server", async () => {
  if (process.env[ALONE] === undefined) {
    // In a process of its own: whatever else goes on in this one needs descriptors, too.
    const words = ["--test", "--test-isolation=none", "--test-name-pattern=no descriptor is left"];
    const env = { ...process.env, [ALONE]: "1", NODE_TEST_CONTEXT: undefined };
    const alone = spawnSync(process.execPath, [...words, import.meta.filename], { env });
    assert.equal(alone.status, 0, String(alone.stdout));
    assert.match(String(alone.stdout), /^ℹ pass 1$/mu);
    return;
  }
  const limit = (soft: string): void => {
    execFileSync("prlimit", ["--pid", String(process.pid), `--nofile=${soft}:`]);
  };
  const [soft = ""] = execFileSync("sh", ["-c", "ulimit -Sn"], { encoding: "utf8" }).split("\n");
  const taken: number[] = [];
  const note = join(mkdtempSync(join(tmpdir(), "nines-check-")), "pid");
  const argv = ["/bin/sh", "-c", `echo $$ > ${note}.new; mv ${note}.new ${note}; exec sleep 600`];
  const running = ask(target({ kind: "script", argv, dynamic: false }, local(1)), asking, fail);
  await until(() => existsSync(note));
  const pid = readFileSync(note, "utf8").trim();
  limit("128");
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    const script = { kind: "script", argv: ["/bin/true"], user: "nobody", dynamic: false } as const;
    const tls = { verify: true, ca: "/etc/hostname", expiryWarningMs: 0 };
    for (const protocol of [script, { kind: "tcp", tls } as const]) {
      assert.equal((await result(target(protocol, local(1)))).isOurs, true);
    }
    // Nor does it keep a script that hangs from being ended.
    running(true);
    await until(() => !existsSync(`/proc/${pid}/fd/1`));
  } finally {
    running(true);
    for (const fd of taken) closeSync(fd);
    limit(soft);
    rmSync(dirname(note), { recursive: true });
  }
});

test("who is abandoned tells nothing and leaves no descriptor behind", async () => {
  const { server, port } = await serve("");
  const silent = createSocket("udp4");
  await new Promise<void>((resolve) => silent.bind(port, "127.0.0.1", resolve));
  const kinds: readonly CheckProtocol[] = [
    { kind: "memcached" },
    { kind: "tcp", tls: { verify: false, expiryWarningMs: 0 } },
    { kind: "grpc", service: "" },
    { kind: "udp", payload: Uint8Array.of(1), requireReply: true },
    { kind: "script", argv: ["/bin/sleep", "60"], dynamic: false },
  ];
  const open = (): number => readdirSync("/proc/self/fd").length;
  for (const kind of kinds) ask(target(kind, local(port)), asking, fail)();
  await until(() => server.listening);
  const before = open();
  for (let i = 0; i < 20; i++) {
    for (const kind of kinds) {
      if (kind.kind === "script") continue;
      ask(target(kind, local(port)), asking, fail)();
      const abandon = ask(target(kind, local(port)), asking, fail);
      await new Promise((resolve) => setImmediate(resolve));
      abandon();
    }
  }
  await new Promise((resolve) => server.close(resolve));
  silent.close();
  await until(() => open() <= before);
});

test("a check over TLS asks a server that is configured by name for that name", async () => {
  const directory = mkdtempSync(join(tmpdir(), "nines-check-"));
  const file = join(directory, "one.pem");
  freshCertificate(file, "one", "DNS:one.example,IP:192.0.2.9");
  const pair = { cert: readFileSync(file), key: readFileSync(file) };
  const server = createTlsServer(pair, (socket) => socket.on("error", () => {}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const tls = { verify: true, ca: file, expiryWarningMs: 0 };
  const endpoint = { kind: "ip", address: "127.0.0.1", port } as const;
  const named = await result(target({ kind: "tcp", tls }, { ...endpoint, host: "one.example" }));
  assert.deepEqual([named.ok, named.reason], [true, "connected"]);
  const other = await result(target({ kind: "tcp", tls }, { ...endpoint, host: "two.example" }));
  assert.equal(other.ok, false);
  // An address is verified, and never sent: RFC 6066 section 3.
  const asked = (serverName: string): Promise<ProbeResult> =>
    result(target({ kind: "tcp", tls: { ...tls, serverName } }, endpoint));
  assert.deepEqual(await asked("192.0.2.9"), { ok: true, reason: "connected" });
  assert.equal(
    (await asked("192.0.2.8")).reason,
    "its certificate is for one.example, 192.0.2.9, not for 192.0.2.8 (ERR_TLS_CERT_ALTNAME_INVALID)",
  );
  const stranger = join(directory, "stranger.pem");
  freshCertificate(stranger, "two");
  const unknown = { ...tls, ca: stranger, serverName: "one.example" };
  assert.equal(
    (await result(target({ kind: "tcp", tls: unknown }, endpoint))).reason,
    "its certificate is signed by nobody we trust: see ca (DEPTH_ZERO_SELF_SIGNED_CERT)",
  );
  server.close();
  rmSync(directory, { recursive: true });
});

test("a check shows a certificate of its own to a server that wants to see one", async () => {
  const directory = mkdtempSync(join(tmpdir(), "nines-check-"));
  const [file, key] = [join(directory, "own.pem"), join(directory, "own.key")];
  freshCertificate(file, "one.example");
  const encrypt = ["pkcs8", "-topk8", "-in", file, "-out", key, "-passout", "pass:open"];
  execFileSync("openssl", encrypt, { stdio: "pipe" });
  const pem = readFileSync(file);
  const wants = { cert: pem, key: pem, ca: pem, requestCert: true, rejectUnauthorized: true };
  const server = createHttpsServer(wants, (_request, response) => response.end("well"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const endpoint = { kind: "ip", address: "127.0.0.1", port } as const;
  const http = {
    kind: "http",
    method: "GET",
    path: "/",
    headers: [],
    status: [{ from: 200, to: 200 }],
    maxBodyBytes: 100,
  } as const;
  const asked = (own: object): Promise<ProbeResult> =>
    result(target({ ...http, tls: { verify: false, expiryWarningMs: 0, ...own } }, endpoint));
  assert.equal((await asked({})).ok, false);
  assert.equal((await asked({ certificate: file })).ok, true);
  assert.equal((await asked({ certificate: file, key, keyPassword: "open" })).ok, true);
  assert.match((await asked({ certificate: file, key })).reason, /^TLS: .*own\.pem: /u);
  server.close();
  server.closeAllConnections();
  rmSync(directory, { recursive: true });
});
