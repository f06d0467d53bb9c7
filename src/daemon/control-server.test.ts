import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer, get, type IncomingMessage, type Server } from "node:http";
import { once } from "node:events";
import { createConnection, createServer as createNetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AF_UNIX, bindSocket, closeFd, openSocket } from "../drivers/ffi.ts";
import { unixSockaddr } from "../drivers/stream-address.ts";
import { listenStream, SOCK_STREAM } from "../drivers/stream-calls.ts";
import { noCounters } from "../core/vrrp/status.ts";
import type { LoggedEvent, NodeStatus } from "./control-api.ts";
import { ControlClient, ControlFailure } from "./control-client.ts";
import { serveControl } from "./control-server.ts";
import { EventLog } from "./event-log.ts";
import { isServed } from "./line-connection.ts";

const STATUS: NodeStatus = {
  version: "1.2.3",
  pid: 7,
  startedWallMs: 1_000_000,
  wallMs: 2_000_000,
  configuration: { file: "/etc/x.conf", loadedWallMs: 1_500_000, warnings: 0, refused: "line 3" },
  roles: [{ name: "vrrp", state: "running", pid: 8, sinceWallMs: 1_000_000, restarts: 2 }],
  router: {
    nowMs: 5_000,
    instances: [
      {
        name: 'V"1',
        state: "MASTER",
        sinceMs: 2_000,
        reason: "no master heard",
        interface: "eth0",
        family: "ipv4",
        version: 3,
        vrid: 51,
        basePriority: 100,
        effectivePriority: 90,
        advertIntervalMs: 1000,
        masterDownIntervalMs: 3609,
        addresses: ["192.0.2.9/24"],
        peers: [],
        tracks: [{ kind: "script", name: "c", weight: -10, ok: false, effect: -10, reason: "no" }],
        witnesses: [],
        lease: { enabled: true, durationMs: 3000, renewedMs: 4_900 },
        counters: { ...noCounters(), advertsSent: 12 },
      },
    ],
    groups: [],
    rejected: { checksum: 4 },
    lateness: { lastMs: 0.1, maxMs: 2, p99Ms: 0.5 },
  },
  routerAgeMs: 10,
};

const folder = mkdtempSync(join(tmpdir(), "nines-control-"));
const path = join(folder, "control.sock");
const events = new EventLog(
  () => {},
  () => 1_700_000_000_000,
);
const client = new ControlClient(path);
let server: Server;

function say(reason: string): void {
  events.add({ source: "control", level: "info", kind: "started", instance: "", reason });
}

before(async () => {
  server = await serveControl(path, {
    events,
    service: () => undefined,
    traffic: async () => ({ processes: [] }),
    status: async () => STATUS,
    why: async (instance) => ({ error: `no instance '${instance}'` }),
    handOver: async () => ({ done: true }),
    balance: {
      status: async () => undefined,
      absence: "this node does not balance",
      order: async (server) => (server === "web/1" ? { done: true } : { error: "no such server" }),
      explain: async () => ({ error: "no worker is running" }),
      plan: (file) => ({ refused: false, diagnostics: [file], changes: [] }),
      apply: async () => ({ error: "not now" }),
      confirm: async () => ({ error: "nothing waits" }),
      replaceWorkers: async () => ({ done: true }),
    },
    reload: async () => ({ reloaded: false, diagnostics: ["a.conf:1:1: error: no"] }),
    upgrade: async () => ({ error: "the program on disk does not start: no" }),
    renewRoles: async () => [],
  });
});

after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

test("the socket is for its owner only", () => {
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a request that names no place is told so, and nothing of our insides", async () => {
  const [answer] = (await once(get({ socketPath: path, path: "//" }), "response")) as [
    IncomingMessage,
  ];
  assert.equal(answer.statusCode, 400);
  assert.match((await answer.toArray()).join(""), /^\{"error":"the request names no place"\}/);
});

test("status comes back as it went in", async () => {
  assert.deepEqual(await client.status(), STATUS);
});

test("an unknown instance is a failure that names it, odd letters included", async () => {
  await assert.rejects(client.why("a/b c"), new ControlFailure("no instance 'a/b c'"));
});

test("a node that hangs is found before it gets an order, also when nobody fits into its queue any more", async () => {
  const hung = join(folder, "hung.sock");
  let said = "";
  const never = createNetServer((socket) => socket.on("data", (bytes) => (said += String(bytes))));
  await new Promise<void>((resolve) => never.listen(hung, resolve));
  const impatient = new ControlClient(hung, "me", 50);
  never.unref();
  const wanted = /does not answer on \S+: it hangs or is stopped\. .* start it again/;
  for (const asking of [impatient.status(), impatient.reload(), impatient.confirm()]) {
    await assert.rejects(asking, wanted);
  }
  assert.match(said, /^GET /);
  assert.doesNotMatch(said, /POST/);
  never.close();

  const full = join(folder, "full.sock");
  const listener = openSocket(AF_UNIX, SOCK_STREAM, 0);
  assert.equal(bindSocket(listener, unixSockaddr(full)!), 0);
  assert.equal(listenStream(listener, 0), 0);
  const waiting = createConnection(full);
  await once(waiting, "connect");
  assert.equal(await isServed(full), true);
  await assert.rejects(new ControlClient(full).status(), wanted);
  waiting.destroy();
  closeFd(listener);
  assert.equal(await isServed(full), false);
});

test("an upgrade to a program that does not start is refused with its reason", async () => {
  await assert.rejects(client.upgrade(), /the program on disk does not start: no/);
});

test("a refused reload is an answer", async () => {
  assert.equal((await client.reload()).reloaded, false);
  assert.deepEqual(await client.handOver("x"), { done: true });
});

test("metrics carry type, help, escaped labels and values", async () => {
  const text = await client.metrics();
  assert.match(text, /^# TYPE nines_vrrp_adverts_sent_total counter$/m);
  const labels = 'vrrp_instance="V\\\\"1",interface="eth0",vrid="51",family="ipv4"';
  assert.match(text, new RegExp(`^nines_vrrp_adverts_sent_total\\{${labels}\\} 12$`, "m"));
  assert.match(text, /^nines_vrrp_rejected_total\{reason="checksum"\} 4$/m);
  assert.match(text, /^nines_configuration_ok 0$/m);
  assert.match(text, /^nines_vrrp_state\{.*state="BACKUP"\} 0$/m);
  const names = text.split("\n").filter((line) => line.startsWith("# TYPE "));
  assert.equal(new Set(names).size, names.length, "no metric twice");
});

test("a follower gets what was and what comes, once each", async () => {
  say("one");
  say("two");
  assert.deepEqual(
    (await client.events(1)).slice(-1).map((event) => event.reason),
    ["two"],
  );
  const seen: string[] = [];
  const stop = new AbortController();
  const following = client.follow(
    0,
    (event: LoggedEvent) => {
      if (event.source === "operator") return;
      seen.push(event.reason);
      if (event.reason === "two") say("three");
      if (event.reason === "three") stop.abort();
    },
    stop.signal,
  );
  await following;
  assert.deepEqual(seen, ["one", "two", "three"]);
});

test("asking with a number from an earlier life gives all events", async () => {
  const all = await client.events(99_999);
  assert.equal(all.filter(({ source }) => source === "control").length, 3);
});

test("nonsense on the socket is answered or dropped, and the next user is served", async () => {
  for (const text of ["GET / HTTP/1.1\r\n\r\n", "\0\0\0", "POST /v1/%zz/%zz HTTP/1.1\r\n\r\n"]) {
    await new Promise<void>((resolve) => {
      const socket = createConnection(path, () => socket.end(text));
      socket.on("error", () => {});
      socket.on("close", () => resolve());
      socket.resume();
    });
  }
  assert.equal((await client.status()).pid, 7);
});

test("nobody there is told with the next move", async () => {
  const absent = new ControlClient(join(folder, "absent.sock"));
  await assert.rejects(absent.status(), /is nines running\? start it with: nines run -f/);
  assert.equal(await isServed(join(folder, "absent.sock")), false);
  assert.equal(await isServed(path), true);
});

test("who gives an order stands before it, and a refusal after it", async () => {
  const eve = new ControlClient(path, "eve");
  await assert.rejects(eve.order({ server: "web/9", state: "drain" }));
  const [asked, refused] = events.since(0).slice(-2);
  assert.deepEqual([asked?.kind, asked?.who], ["operator-asked", "eve"]);
  assert.equal(asked?.reason, "eve asked for an order to a server over the control socket");
  assert.deepEqual([refused?.kind, refused?.level], ["operator-refused", "warning"]);
  await client.plan("x");
  assert.equal(events.since(0).at(-1), refused, "a question is no order");
});

test("an order reaches the balancer, and a wrong one is refused with its reason", async () => {
  const drain = { state: "drain", reason: "upgrade" } as const;
  assert.deepEqual(await client.order({ server: "web/1", ...drain }), { done: true });
  await assert.rejects(client.order({ server: "web/9", ...drain }), /no such server/);
  await assert.rejects(client.order({ server: "web/1", weight: 300 }), /from 0 to 256/);
  await assert.rejects(client.order({ server: "web/1" }), /a state or a weight/);
  for (const reason of ["two\nlines", "\u001B[2J", "x".repeat(501)]) {
    await assert.rejects(
      client.order({ server: "web/1", ...drain, reason }),
      /one line of at most/,
    );
  }
  await assert.rejects(client.balance(), /does not balance/);
  assert.deepEqual((await client.plan("/etc/nines.yaml")).diagnostics, ["/etc/nines.yaml"]);
});

test("a node that ends in the middle of its answer is trouble that is told, as one that does not answer", async () => {
  const dying = join(folder, "dying.sock");
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-length": 1000 });
    response.write("{", () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(dying, resolve));
  const of = new ControlClient(dying);
  await assert.rejects(of.status(), ControlFailure);
  await assert.rejects(of.eventsOfLife({ seq: 0 }), ControlFailure);
  server.close();
});
