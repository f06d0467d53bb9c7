/** The page's doors, while its certificate is missing, wrong, or being replaced. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, statSync, utimesSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { connect } from "node:tls";
import { DEFAULT_CONSOLE } from "../config/service/service-model.ts";
import { Doors } from "./doors.ts";
import { tlsOptions } from "./web-server.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-doors-"));
after(() => rmSync(folder, { recursive: true }));
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const skip = hasOpenssl ? false : "openssl is not installed: sudo scripts/lab-setup";
const [certificate, key] = [join(folder, "page.pem"), join(folder, "page.key")];
/** It looks at the turn of each fifth second, and a moment after. */
const LOOK_MS = 5_010;
let copies = 0;

interface Stage {
  readonly servers: readonly Server[];
  readonly troubles: readonly string[];
  configure(): void;
  /** When the files have been looked at again. */
  later(): void;
}

function stage(context: TestContext): Stage {
  const { mock } = context;
  rmSync(certificate, { force: true });
  rmSync(key, { force: true });
  const servers: Server[] = [];
  const troubles: string[] = [];
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const doors = new Doors({
    socketPath: join(folder, "console.sock"),
    open: ({ isLocal, tls }) => {
      const server = tls === undefined ? createServer() : createTlsServer(tlsOptions(tls));
      if (!isLocal) servers.push(server);
      return server;
    },
    report: (_place, trouble) => {
      if (trouble !== undefined) troubles.push(trouble);
    },
  });
  context.after(() => {
    doors.close();
    mock.timers.reset();
  });
  const listen = [{ kind: "ip", address: "127.0.0.1", port: 0 }] as const;
  return {
    servers,
    troubles,
    configure: () => doors.configure({ ...DEFAULT_CONSOLE, listen, tls: { certificate, key } }),
    later: () => mock.timers.tick(LOOK_MS),
  };
}

function pair(name: string): void {
  const what = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const files = ["-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.pem`)];
  const subject = ["-subj", `/CN=${name}`, "-days", "2"];
  execFileSync("openssl", [...what, ...files, ...subject], { stdio: "ignore" });
}

function put(name: string, ...parts: readonly ("pem" | "key")[]): void {
  for (const part of parts) {
    const path = part === "pem" ? certificate : key;
    copyFileSync(join(folder, `${name}.${part}`), path);
    // However coarse the clock of the file system is, it is another moment.
    const atS = 1_800_000_000 + ++copies;
    utimesSync(path, atS, atS);
  }
}

/** Whose certificate a visitor sees. */
async function shown({ servers }: Stage): Promise<string> {
  const server = servers.at(-1)!;
  if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      resolve(String(subject.CN));
    });
    socket.once("error", reject);
  });
}

test("a certificate that came before its key counts when both are there", { skip }, async (t) => {
  const door = stage(t);
  pair("old");
  pair("new");
  put("old", "pem", "key");
  door.configure();
  assert.equal(await shown(door), "old");
  put("new", "pem");
  door.later();
  assert.equal(await shown(door), "old");
  assert.equal(door.troubles.length, 1);
  put("new", "key");
  door.later();
  assert.equal(await shown(door), "new");
});

test("a page whose certificate is wrong at first opens when it is right", { skip }, async (t) => {
  const door = stage(t);
  pair("one");
  pair("other");
  door.configure();
  assert.deepEqual([door.servers.length, door.troubles.length], [0, 1]);
  put("one", "pem");
  put("other", "key");
  door.later();
  assert.deepEqual([door.servers.length, door.troubles.length], [0, 2]);
  put("one", "key");
  door.later();
  assert.equal(await shown(door), "one");
});

test("the socket beside the page is its user's alone, as all that lies there", async (context) => {
  stage(context);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(statSync(join(folder, "console.sock")).mode & 0o777, 0o600);
});
