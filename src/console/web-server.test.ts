import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { request, type IncomingHttpHeaders, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Role } from "./api.ts";
import { HostList } from "./request-guard.ts";
import { json, RouteTable, type Route } from "./routes.ts";
import { sessionRoutes } from "./session-routes.ts";
import { createToken, revokeToken, TokenBook } from "./tokens.ts";
import { WebServer, type DoorEvent } from "./web-server.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-web-"));
const tokensFile = join(folder, "tokens.json");
const tokens = new TokenBook(tokensFile);
const events: DoorEvent[] = [];
const signedIn: string[] = [];
const rules = { tokens, key: Buffer.alloc(32, 7), anonymous: "loopback" as const };
const socket = join(folder, "console.sock");
let tcp: Server;
let unix: Server;
let port = 0;
let reader = "";
let operator = "";

function route(method: Route["method"], path: string, access: Route["access"]): Route {
  const handle: Route["handle"] = ({ viewer, body, query }) =>
    json({ role: viewer.role, who: viewer.who, body, query });
  const body = method === "POST" ? { body: { text: TEXT } } : {};
  const query = method === "GET" ? { query: { limit: LIMIT } } : {};
  return { method, path, access, summary: "", answers: "", ...body, ...query, handle };
}

const TEXT = { type: "string", description: "", required: true, maxLength: 10 } as const;
const LIMIT = { type: "integer", description: "", minimum: 1, maximum: 9 } as const;

before(async () => {
  reader = createToken(tokensFile, { name: "eyes", role: "read" }, Date.now());
  operator = createToken(tokensFile, { name: "ops", role: "operate" }, Date.now());
  const table = new RouteTable([
    route("GET", "/open", "public"),
    route("GET", "/see", "read"),
    route("POST", "/change", "operate"),
    ...sessionRoutes(
      () => rules,
      (who) => signedIn.push(who),
    ),
  ]);
  const web = new WebServer({
    routes: () => table,
    hosts: () => new HostList([]),
    identity: () => rules,
    report: (event) => events.push(event),
  });
  tcp = web.door({ isLocal: false });
  unix = web.door({ isLocal: true });
  await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
  await new Promise<void>((resolve) => unix.listen(socket, resolve));
  ({ port } = tcp.address() as AddressInfo);
});

after(() => {
  tcp.closeAllConnections();
  tcp.close();
  unix.closeAllConnections();
  unix.close();
  rmSync(folder, { recursive: true });
});

interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly unix?: boolean;
}

interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: { role?: Role; who?: string; detail?: string; type?: string };
}

function ask(path: string, { method = "GET", headers = {}, body, unix }: Asking): Promise<Got> {
  const where = unix === true ? { socketPath: socket } : { host: "127.0.0.1", port };
  const sent = body === undefined ? headers : { "content-type": "application/json", ...headers };
  const named = { host: `localhost:${port}`, ...sent };
  return new Promise((resolve, reject) => {
    const asked = request({ ...where, path, method, headers: named, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => {
        const { statusCode: status = 0, headers: got } = response;
        resolve({ status, headers: got, body: text === "" ? {} : JSON.parse(text) });
      });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const CHANGE = { method: "POST", body: '{"text":"x"}' };

test("who reads on this machine needs no token and may change nothing", async () => {
  const seen = await ask("/see", {});
  assert.deepEqual([seen.status, seen.body.who, seen.body.role], [200, "anonymous", "read"]);
  const change = await ask("/change", CHANGE);
  assert.equal(change.status, 403);
  assert.equal(change.headers["content-type"], "application/problem+json");
  assert.match(change.body.detail ?? "", /may only read/u);
});

test("a token of a reader reads, of an operator changes, any other is refused", async () => {
  assert.equal((await ask("/see", { headers: bearer(reader) })).body.who, "eyes");
  assert.equal((await ask("/change", { ...CHANGE, headers: bearer(reader) })).status, 403);
  assert.equal((await ask("/change", { ...CHANGE, headers: bearer(operator) })).status, 200);
  const wrong = await ask("/see", { headers: bearer(`${operator.slice(0, -2)}xx`) });
  assert.equal(wrong.status, 401, "a wrong token is not an anonymous reader");
  assert.equal(wrong.headers["www-authenticate"], "Bearer");
});

test("the unix socket belongs to operators", async () => {
  const { status, body } = await ask("/change", { ...CHANGE, unix: true });
  assert.deepEqual([status, body.who], [200, "local"]);
});

test("a token buys a cookie that no script reads and no other site sends, until it is revoked", async () => {
  const made = createToken(tokensFile, { name: "visitor", role: "operate" }, Date.now());
  const signIn = { method: "POST", body: JSON.stringify({ token: made }) };
  const { status, headers } = await ask("/api/v1/session", signIn);
  assert.equal(status, 200);
  const [field = ""] = headers["set-cookie"] ?? [];
  assert.match(field, /; HttpOnly; SameSite=Strict/u);
  assert.ok(!field.includes(made));
  assert.deepEqual(signedIn, ["visitor"], "somebody is told");
  const cookie = { cookie: field.split(";", 1)[0]! };
  assert.equal((await ask("/change", { ...CHANGE, headers: cookie })).body.who, "visitor");
  const forged = { cookie: cookie.cookie.replace(/.$/u, (last) => (last === "0" ? "1" : "0")) };
  assert.equal((await ask("/see", { headers: forged })).body.who, "anonymous");
  const later = {
    cookie: cookie.cookie.replace(/\.(\d+)\./u, (_all, ms) => `.${Number(ms) + 1}.`),
  };
  assert.equal((await ask("/see", { headers: later })).body.who, "anonymous");
  revokeToken(tokensFile, "visitor");
  assert.equal((await ask("/change", { ...CHANGE, headers: cookie })).status, 403);
});

test("a stranger's page gets nothing with a visitor's cookie", async () => {
  const { headers } = await ask("/api/v1/session", {
    method: "POST",
    body: JSON.stringify({ token: operator }),
  });
  const cookie = (headers["set-cookie"]?.[0] ?? "").split(";", 1)[0]!;
  for (const attack of [
    { origin: "http://evil.example" },
    { "sec-fetch-site": "cross-site" },
    { "content-type": "text/plain" },
    { host: "evil.example" },
  ]) {
    const { status } = await ask("/change", { ...CHANGE, headers: { cookie, ...attack } });
    assert.ok([403, 415, 421].includes(status), JSON.stringify(attack));
  }
  assert.equal((await ask("/change", { ...CHANGE, headers: { cookie } })).status, 200);
});

test("what does not fit the table is refused with the next move", async () => {
  const post = (body: string): Promise<Got> =>
    ask("/change", { method: "POST", body, headers: bearer(operator), unix: true });
  for (const [body, detail] of [
    ["{}", "'text' is missing"],
    ['{"text":7}', "'text' is a text"],
    ['{"text":"long long long"}', "longer than 10"],
    ['{"text":"a","more":1}', "there is no 'more'"],
    ["[]", "send a JSON object"],
    ["{", "send a JSON object"],
    ['{"text":"a\\u001b[31m"}', "control characters"],
  ] as const) {
    const got = await post(body);
    assert.equal(got.status, 400, body);
    assert.ok(got.body.detail?.includes(detail), `${body}: ${got.body.detail}`);
  }
  assert.equal((await post(JSON.stringify({ text: "x".repeat(70_000) }))).status, 413);
  for (const query of ["limit=0", "limit=10", "limit=x", "limit=", "limit=1.5", "other=1"]) {
    assert.equal((await ask(`/see?${query}`, {})).status, 400, query);
  }
  assert.equal((await ask("/see?limit=3", {})).status, 200);
  assert.equal((await ask("/nothing", {})).status, 404);
  const put = await ask("/change", { method: "PUT", body: "{}", unix: true });
  assert.deepEqual([put.status, put.headers.allow], [405, "POST"]);
});

test("every answer carries the headers that keep browsers safe", async () => {
  for (const path of ["/open", "/see", "/nothing"]) {
    const { headers } = await ask(path, {});
    assert.match(String(headers["content-security-policy"]), /frame-ancestors 'none'/u);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["cache-control"], "no-store");
  }
});

test("one address may have so many connections, and others still get in", async () => {
  const sockets = Array.from({ length: 60 }, () => connect(port, "127.0.0.1"));
  await Promise.all(
    sockets.map((one) => new Promise((done) => one.on("connect", done).on("error", done))),
  );
  const closed = await Promise.all(
    sockets.slice(48).map((one) => new Promise((done) => one.on("close", () => done(true)))),
  );
  assert.equal(closed.length, 12);
  assert.equal((await ask("/see", { unix: true })).status, 200);
  for (const one of sockets) one.destroy();
  const left = (): Promise<number> =>
    new Promise((resolve) => tcp.getConnections((_error, count) => resolve(count)));
  while ((await left()) > 0) await new Promise((resolve) => setImmediate(resolve));
});

test("wrong tokens get rare, right ones do not, and somebody is told", async () => {
  const statuses: number[] = [];
  for (let i = 0; i < 14; i++) {
    statuses.push((await ask("/see", { headers: bearer("nines_wrong") })).status);
  }
  assert.ok(statuses.includes(429), statuses.join(" "));
  assert.equal((await ask("/see", { headers: bearer(reader) })).status, 200);
  const told = events.filter(({ reason }) => reason.includes("unknown, expired or revoked"));
  assert.ok(told.length >= 1 && events.length < 10, `${events.length} events`);
  assert.ok(!JSON.stringify(events).includes(reader));
});
