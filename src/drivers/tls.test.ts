import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, type ConnectionOptions, type PeerCertificate } from "node:tls";
import { once } from "node:events";
import type { FrontendTls } from "../core/proxy/frontend-settings.ts";
import type { ServerPeer } from "../core/proxy/wire.ts";
import { isOsFailure } from "./ffi.ts";
import { localAddress, openListener, StreamListener } from "./stream-listener.ts";
import { StreamLoop } from "./stream-loop.ts";
import { certificateWarnings, tlsFileTroubles } from "./tls-certificates.ts";
import { tlsConnector } from "./tls-connector.ts";
import type { PoolTls } from "./tls-files.ts";
import { TlsFront, type TlsFacts, type TlsFrontOptions } from "./tls-front.ts";

let directory = "";
before(() => {
  directory = mkdtempSync(join(tmpdir(), "nines-test-"));
  const openssl = (...words: string[]): void => {
    execFileSync("openssl", words.join(" ").split(" "), { cwd: directory, stdio: "pipe" });
  };
  const ecdsa = "ec -pkeyopt ec_paramgen_curve:prime256v1";
  const make = (name: string, alternatives: string, kind = ecdsa): void =>
    openssl(
      `req -x509 -newkey ${kind} -nodes -days 2`,
      `-keyout ${name}.key -out ${name}.pem -subj /CN=${name}`,
      `-addext subjectAltName=${alternatives}`,
    );
  make("one", "DNS:one.example,IP:127.0.0.1");
  make("rsa", "IP:127.0.0.1,DNS:ONE.example", "rsa:2048");
  make("two", "DNS:two.example,DNS:*.two.example");
  make("client", "DNS:client.example");
});
after(() => rmSync(directory, { recursive: true }));

function settings(more: Partial<FrontendTls> = {}): FrontendTls {
  const certificates = ["one", "two"].map((name) => ({
    certificate: join(directory, `${name}.pem`),
    key: join(directory, `${name}.key`),
  }));
  const base = { certificates, minimumVersion: "1.2", http2: true } as const;
  return { ...base, clientCertificate: "off", ...more };
}

/** A turn is entered from C: promises that it settled are looked at in the next one of Node's own. */
const settling = { afterTurn: (): void => void setImmediate(() => {}) };

interface Running {
  readonly port: number;
  readonly loop: StreamLoop;
  readonly facts: TlsFacts[];
  readonly refused: string[];
  readonly front: TlsFront;
}

/** Echoes what comes over TLS. */
async function withFront(
  tls: FrontendTls,
  body: (running: Running) => Promise<void>,
  more: Partial<TlsFrontOptions> = {},
): Promise<void> {
  const loop = new StreamLoop(settling);
  const front = new TlsFront(loop, { tls, handshakeMs: 1000, maxHandshakes: 10, ...more });
  const facts: TlsFacts[] = [];
  const refused: string[] = [];
  const fd = openListener({ kind: "ip", address: "127.0.0.1", port: 0 });
  assert.ok(!isOsFailure(Object(fd)));
  const listener = new StreamListener(loop, fd as number, (client) =>
    front.accept(client, {
      secured(wire, known) {
        facts.push(known);
        wire.peer = {
          received: (_now, bytes, from, to) => void wire.send(bytes, from, to),
          drained() {},
          ended: () => wire.end(),
          closed() {},
        };
      },
      securedHttp2(socket, known) {
        facts.push(known);
        socket.pipe(socket);
      },
      refused: (reason) => void refused.push(reason),
    }),
  );
  try {
    await body({ port: localAddress(fd as number).port, loop, facts, refused, front });
  } finally {
    listener.close();
    front.close();
    await new Promise((resolve) => setImmediate(resolve));
    loop.close();
  }
}

/** Connects, says hello, and gives what came back with the server's certificate. */
async function talk(
  port: number,
  options: ConnectionOptions,
): Promise<{ text: string; certificate: PeerCertificate; alpn: string | false | null }> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect");
  const certificate = socket.getPeerCertificate();
  const alpn = socket.alpnProtocol;
  socket.end("hello");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return { text, certificate, alpn };
}

const ways = { OpenSSL: {}, "Node's streams": { through: "node" } } as const;

test("certificates of one name with keys of two kinds serve clients of either", async () => {
  const certificates = ["two", "one", "rsa"].map((file) => ({
    certificate: join(directory, `${file}.pem`),
    key: join(directory, `${file}.key`),
  }));
  await withFront(settings({ certificates }), async ({ port }) => {
    const common = { servername: "one.example", maxVersion: "TLSv1.2" } as const;
    for (const [kind, name] of Object.entries({ ECDSA: "one", RSA: "rsa" })) {
      const ciphers = `ECDHE-${kind}-AES128-GCM-SHA256`;
      const { certificate } = await talk(port, { ...common, ciphers });
      assert.equal(certificate.subject.CN, name, kind);
    }
    const both = { servername: "one.example", ALPNProtocols: ["h2"] };
    assert.equal((await talk(port, both)).certificate.subject.CN, "one");
  });
});

test("certificates that end soon, have ended or are shown to nobody are told", () => {
  const certificates = ["one", "rsa", "two", "two"].map((file) => ({
    certificate: join(directory, `${file}.pem`),
    key: join(directory, `${file}.key`),
  }));
  // One that goes while all are looked at hides nothing of the others.
  const gone = { name: "b", tls: settings({ clientCa: join(directory, "gone.pem") }) };
  const told = (wallMs: number): string[] =>
    certificateWarnings([gone, { name: "a", tls: settings({ certificates }) }], wallMs).map(
      ({ reason }) => reason.replaceAll(`${directory}/`, "").replace(/\d.*Z/u, "then"),
    );
  const day = 86_400_000;
  const nobody = "two.pem is shown to nobody: others before it have its names";
  assert.deepEqual(told(Date.now() - 20 * day), [nobody]);
  const all = (word: string): string[] =>
    ["one", "rsa", "two"].map((file) => `the certificate ${file}.pem ${word} at then`);
  assert.deepEqual(told(Date.now()), [...all("ends"), nobody, all("ends")[2]]);
  assert.deepEqual(told(Date.now() + 3 * day), [...all("ended"), nobody, all("ended")[2]]);
});

for (const [name, way] of Object.entries(ways)) {
  const withThis: typeof withFront = (tls, body) => withFront(tls, body, way);

  test(`${name}: the certificate is chosen by name: exact, wildcard, else the first`, async () => {
    await withThis(settings(), async ({ port, facts }) => {
      const cases = [
        ["one.example", "one"],
        ["TWO.example", "two"],
        ["a.two.example", "two"],
        ["a.b.two.example", "one"],
        ["unknown.example", "one"],
      ] as const;
      for (const [servername, name] of cases) {
        const { text, certificate } = await talk(port, { servername });
        assert.equal(text, "hello");
        assert.equal(certificate.subject.CN, name, servername);
      }
      const { certificate } = await talk(port, {});
      assert.equal(certificate.subject.CN, "one");
      assert.equal(facts[0]!.serverName, "one.example");
      assert.equal(facts.at(-1)!.serverName, "");
      assert.equal(facts[0]!.version, "TLSv1.3");
    });
  });

  test(`${name}: h2 is offered unless it is switched off`, async () => {
    const ALPNProtocols = ["h2", "http/1.1"];
    await withThis(settings(), async ({ port }) => {
      assert.equal((await talk(port, { ALPNProtocols })).alpn, "h2");
    });
    await withThis(settings({ http2: false }), async ({ port }) => {
      assert.equal((await talk(port, { ALPNProtocols })).alpn, "http/1.1");
    });
  });

  test(`${name}: a version below the minimum is refused, and the refusal is told once`, async () => {
    await withThis(settings({ minimumVersion: "1.3" }), async ({ port, refused, front }) => {
      await assert.rejects(talk(port, { maxVersion: "TLSv1.2" }));
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(refused.length, 1);
      assert.equal(front.handshakes, 0);
    });
  });

  test(`${name}: client certificates: demanded, or checked when given, with their subject`, async () => {
    const clientCa = join(directory, "client.pem");
    const read = async (name: string): Promise<string> =>
      (await import("node:fs")).readFileSync(join(directory, name), "utf8");
    const good = { cert: await read("client.pem"), key: await read("client.key") };
    const bad = { cert: await read("one.pem"), key: await read("one.key") };
    await withThis(settings({ clientCa, clientCertificate: "required" }), async (running) => {
      assert.equal((await talk(running.port, good)).text, "hello");
      assert.equal(running.facts[0]!.clientSubject, "CN=client");
      await assert.rejects(async () => {
        const { text } = await talk(running.port, {});
        assert.equal(text, "hello");
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(running.facts.length, 1);
    });
    await withThis(settings({ clientCa, clientCertificate: "optional" }), async (running) => {
      assert.equal((await talk(running.port, {})).text, "hello");
      assert.equal(running.facts[0]!.clientSubject, undefined);
      await assert.rejects(async () => {
        const { text } = await talk(running.port, bad);
        assert.equal(text, "hello");
      });
      assert.equal(running.facts.length, 1);
      assert.match(running.refused[0]!, /client certificate/);
    });
  });
}

test("a certificate that does not fit its key is named before anything is served", () => {
  const certificates = [
    { certificate: join(directory, "one.pem"), key: join(directory, "two.key") },
  ];
  const loop = new StreamLoop(settling);
  const make = (tls: FrontendTls): TlsFront =>
    new TlsFront(loop, { tls, handshakeMs: 1000, maxHandshakes: 1 });
  assert.throws(() => make(settings({ certificates })), /one\.pem: .*key/);
  const missing = [{ certificate: "/nonexistent.pem", key: "/nonexistent.key" }];
  assert.throws(() => make(settings({ certificates: missing })), /\/nonexistent\.pem/);
  loop.close();
});

for (const [name, { through, untrusted }] of Object.entries({
  OpenSSL: { through: undefined, untrusted: "server certificate: self-signed certificate" },
  "Node's streams": { through: "node", untrusted: "DEPTH_ZERO_SELF_SIGNED_CERT" },
} as const)) {
  test(`${name}: TLS to a server is verified, and a refused connect is told by its errno`, async () => {
    await withFront(settings(), async ({ port, loop }) => {
      const outcome = (verify: boolean, to: number): Promise<string> => {
        const ca = join(directory, "one.pem");
        const connector = tlsConnector(loop, verify ? { verify } : { verify, ca }, through);
        const endpoint = { kind: "ip", address: "127.0.0.1", port: to } as const;
        const done = Promise.withResolvers<string>();
        const peer: ServerPeer = {
          connected: () => wire.send(Buffer.from("ping"), 0, 4),
          received(_now, bytes, from, start) {
            done.resolve(Buffer.from(bytes.subarray(from, start)).toString());
            wire.destroy(false);
          },
          drained() {},
          ended() {},
          closed: (_now, reason) => done.resolve(reason),
        };
        const wire = connector.connect({ pool: "p", server: "s", endpoint }, peer);
        return done.promise;
      };
      assert.equal(await outcome(false, port), "ping");
      assert.equal(await outcome(true, port), untrusted);
      assert.equal(await outcome(false, 1), "ECONNREFUSED");
    });
  });
}

for (const through of [undefined, "node"] as const) {
  test(`a server that is configured by name is asked for that name: ${through ?? "OpenSSL"}`, async () => {
    await withFront(settings(), async ({ port, loop, facts }) => {
      const outcome = (host: string): Promise<string> => {
        const tls = { verify: true, ca: join(directory, "two.pem") };
        const connector = tlsConnector(loop, tls, through);
        const endpoint = { kind: "ip", address: "127.0.0.1", port, host } as const;
        const done = Promise.withResolvers<string>();
        const peer: ServerPeer = {
          connected: () => wire.send(Buffer.from("ping"), 0, 4),
          received() {
            done.resolve("answered");
            wire.destroy(false);
          },
          drained() {},
          ended() {},
          closed: (_now, reason) => done.resolve(reason),
        };
        const wire = connector.connect({ pool: "p", server: "s", endpoint }, peer);
        return done.promise;
      };
      assert.equal(await outcome("a.two.example"), "answered");
      assert.notEqual(await outcome("other.example"), "answered");
      assert.equal(facts[0]!.serverName, "a.two.example");
    });
  });
}

test("a ticket of a frontend that asks for no certificate is no way around one that demands it", async () => {
  const more = { ticketKeys: new Uint8Array(48).fill(7) };
  const base = { host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] };
  const ca = join(directory, "client.pem");
  const strict = settings({ clientCertificate: "required", clientCa: ca });
  let session: Buffer | undefined;
  await withFront(
    settings(),
    async ({ port }) => {
      const socket = connect({ ...base, port });
      const told = once(socket, "session") as Promise<[Buffer]>;
      socket.write("hello");
      [session] = await told;
      socket.destroy();
    },
    more,
  );
  await withFront(
    strict,
    async ({ port, facts, refused, front }) => {
      for (const resumed of [session, undefined]) {
        const socket = connect({ ...base, port, ...(resumed ? { session: resumed } : {}) });
        socket.on("error", () => {}).resume();
        await new Promise((gone) => socket.once("close", gone));
        while (front.handshakes > 0) await new Promise((go) => setImmediate(go));
      }
      assert.deepEqual(facts, []);
      assert.equal(refused.length, 2);
    },
    more,
  );
});

test("HTTP/2 resumes a session only where the same is asked of clients", async () => {
  const more = { ticketKeys: new Uint8Array(48).fill(7) };
  const base = { host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] };
  const known = { servername: "two.example", ...clientFiles() };
  const meet = async (tls: FrontendTls, session?: Buffer): Promise<Met> => {
    let met: Met | undefined;
    await withFront(
      tls,
      async ({ port }) => {
        const socket = connect({ ...base, ...known, port, ...(session ? { session } : {}) });
        let own: Buffer | undefined;
        socket.on("session", (fresh: Buffer) => (own = fresh));
        socket.write("hello");
        await once(socket, "data");
        met = [own, socket.isSessionReused()];
        socket.destroy();
      },
      more,
    );
    return met!;
  };
  const strict = settings({
    clientCertificate: "required",
    clientCa: join(directory, "client.pem"),
  });
  const [session] = await meet(settings());
  assert.equal((await meet(settings(), session))[1], true);
  const [own, isReused] = await meet(strict, session);
  assert.equal(isReused, false);
  assert.equal((await meet(strict, own))[1], true);
});

type Met = readonly [session: Buffer | undefined, isReused: boolean];

function clientFiles(): Pick<ConnectionOptions, "cert" | "key"> {
  const read = (name: string): Buffer => readFileSync(join(directory, name));
  return { cert: read("client.pem"), key: read("client.key") };
}

test("files for TLS that cannot be used are named before anything changes, those of pools, too", () => {
  const at = (name: string): string => join(directory, name);
  const key = at("two.key");
  writeFileSync(at("cut.pem"), readFileSync(at("one.pem")).subarray(0, 100));
  const none = { frontends: [], pools: [] };
  const said = (of: Partial<Parameters<typeof tlsFileTroubles>[0]>): string | undefined =>
    tlsFileTroubles({ ...none, ...of })[0]?.reason;
  const web = (tls: FrontendTls): string | undefined => said({ frontends: [{ name: "web", tls }] });
  const app = (tls: Partial<PoolTls>): string | undefined =>
    said({ pools: [{ name: "app", tls: { verify: true, ...tls } }] });

  assert.equal(app({ ca: at("one.pem"), certificate: at("two.pem"), key }), undefined);
  assert.match(app({ ca: key })!, /^pool app: \S+two\.key: it holds no certificate$/u);
  assert.match(app({ ca: at("cut.pem") })!, /^pool app: \S+cut\.pem: /u);
  assert.match(app({ certificate: at("one.pem"), key })!, /^pool app: \S+one\.pem: .*key/u);
  assert.match(app({ certificate: at("one.pem") })!, /^pool app: \S+one\.pem: /u);

  const clientCertificate = "required";
  assert.equal(web(settings({ clientCertificate, clientCa: at("one.pem") })), undefined);
  assert.match(web(settings({ clientCertificate, clientCa: key }))!, /two\.key: it holds no/u);
  const pair = { certificate: at("one.pem"), key: at("one.key") };
  const second = { certificate: at("rsa.pem"), key: at("one.key") };
  assert.match(web(settings({ certificates: [pair, second] }))!, /rsa\.pem: .*key/u);
});
