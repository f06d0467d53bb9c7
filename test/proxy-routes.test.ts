/** Where requests go and what is answered here: routes, limits, shedding, injected faults. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RouteConditions, RouteTarget } from "../src/core/route/route-settings.ts";
import { get, head, ok, post, ProxyRig } from "./kit/proxy-rig.ts";
import { edits, type FrontendDraft, type RouteDraft } from "./kit/proxy-settings.ts";

const OTHER: RouteTarget = { kind: "pools", pools: [{ pool: "other", weight: 1 }] };
const POOLS = { web: {}, other: { servers: [{ name: "other1" }] } };

function routed(when: RouteConditions): ProxyRig {
  return new ProxyRig({ frontend: { routes: [{ when, target: OTHER }] }, pools: POOLS });
}

/** The server that gets it. */
function serverOf(rig: ProxyRig, request: string, source = "192.0.2.1"): string {
  rig.client({ source }).write(request);
  return rig.server().target.server;
}

function withRoute(route: RouteDraft, frontend: FrontendDraft = {}): ProxyRig {
  return new ProxyRig({ frontend: { routes: [route], ...frontend } });
}

describe("a route", () => {
  const exact = (value: string): { readonly kind: "exact"; readonly value: string } => ({
    kind: "exact",
    value,
  });
  const cases: readonly [string, RouteConditions, yes: string, no: string][] = [
    ["host", { hosts: ["a.example"] }, get(), head("GET / HTTP/1.1", "host: b.example")],
    ["wildcard host", { hosts: ["*.example"] }, get(), head("GET / HTTP/1.1", "host: a.test")],
    ["path", { paths: [{ kind: "prefix", value: "/api/" }] }, get("/api/x"), get("/x/api/")],
    [
      "normalised path",
      { paths: [{ kind: "prefix", value: "/api/" }] },
      get("/x/../%61pi%2F"),
      get("/api;/x"),
    ],
    ["method", { methods: ["POST"] }, post("x"), get()],
    [
      "header",
      { headers: [{ name: "X-Beta", match: exact("1") }] },
      get("/", "x-beta: 1"),
      get("/", "x-beta: 2"),
    ],
    [
      "cookie",
      { cookies: [{ name: "beta", match: exact("1") }] },
      get("/", "cookie: a=b; beta=1"),
      get("/", "cookie: a=beta=1"),
    ],
    ["query", { query: [{ name: "v", match: exact("2") }] }, get("/?u=1&v=2"), get("/v=2?v=1")],
  ];
  it("is not chosen, nor passed over, where a text is too long for its pattern", () => {
    const rig = routed({ paths: [{ kind: "regex", pattern: "^/admin" }] });
    const client = rig.client();
    client.write(get(`/admin/${"x".repeat(4096)}`));
    assert.match(client.took(), /^HTTP\/1.1 414 URI Too Long\r\n/);
    client.write(get("/admin"));
    assert.equal(rig.server().target.server, "other1");
  });
  for (const [what, when, yes, no] of cases) {
    it(`is chosen by ${what}`, () => {
      assert.equal(serverOf(routed(when), yes), "other1");
      assert.equal(serverOf(routed(when), no), "web1");
    });
  }

  it("is chosen by the client's address", () => {
    const when = { sources: ["198.51.100.0/24"] };
    assert.equal(serverOf(routed(when), get(), "198.51.100.7"), "other1");
    assert.equal(serverOf(routed(when), get(), "192.0.2.1"), "web1");
  });

  it("is chosen by the client's certificate, whatever its subject", () => {
    const chosen = (hasCertificate: boolean, clientSubject: string | undefined): string => {
      const rig = routed({ hasCertificate });
      const tls = { version: "TLSv1.3", serverName: "a.example", clientSubject };
      rig.client({ tls }).write(get());
      return rig.server().target.server;
    };
    for (const [subject, isShown] of [
      ["CN=a", true],
      ["", true],
      [undefined, false],
    ] as const) {
      assert.equal(chosen(true, subject), isShown ? "other1" : "web1");
      assert.equal(chosen(false, subject), isShown ? "web1" : "other1");
    }
    assert.equal(serverOf(routed({ hasCertificate: true }), get()), "web1", "without TLS");
  });

  it("is the first whose conditions all hold, and without any the answer is 404", () => {
    const routes = [
      { name: "both", when: { methods: ["POST"], hosts: ["a.example"] }, target: OTHER },
      { name: "host", when: { hosts: ["a.example"] } },
    ];
    const rig = new ProxyRig({ frontend: { routes }, pools: POOLS });
    assert.equal(serverOf(rig, post("x")), "other1");
    assert.equal(serverOf(rig, get()), "web1");
    const { defaultPool: _, ...frontend } = { defaultPool: "", routes };
    const bare = new ProxyRig({ frontend: { ...frontend, defaultPool: "gone" }, pools: POOLS });
    const client = bare.client();
    client.write(head("GET / HTTP/1.1", "host: nobody.example"));
    assert.match(client.took(), /^HTTP\/1\.1 404 Not Found\r\n/);
    assert.equal(bare.ending(), "404 PR no route takes it");
  });

  it("splits clients by weight, and each one keeps its side", () => {
    const pools = [
      { pool: "web", weight: 80 },
      { pool: "other", weight: 20 },
    ];
    const rig = new ProxyRig({
      frontend: { routes: [{ target: { kind: "pools", pools } }] },
      pools: POOLS,
    });
    let canary = 0;
    for (let i = 0; i < 500; i++) {
      const source = `198.51.${i >> 8}.${i & 255}`;
      const side = serverOf(rig, get(), source);
      if (side === "other1") canary++;
      assert.equal(serverOf(rig, get(), source), side);
    }
    assert.ok(canary > 70 && canary < 130, `${canary} of 500`);
  });

  it("redirects", () => {
    const location = "https://${host}${uri}";
    const rig = withRoute({ target: { kind: "redirect", status: 308, location } });
    const client = rig.client();
    client.write(get("/a/b?c=d"));
    assert.equal(
      client.took(),
      head(
        "HTTP/1.1 308 Permanent Redirect",
        "content-length: 0",
        "cache-control: no-store",
        "location: https://a.example/a/b?c=d",
      ),
    );
    assert.equal(rig.ending(), "308 LR");
  });

  it("redirects to a changed path, and never to another host by it", () => {
    const rewrite = { kind: "regex", pattern: "^/old(.*)$", replacement: "$1" } as const;
    const place = (location: string, path: string): string | undefined => {
      const target = { kind: "redirect", status: 301, location } as const;
      const client = withRoute({ target, rewrite }).client();
      client.write(get(path));
      return /location: (.*)\r\n/u.exec(client.took())?.[1];
    };
    assert.equal(place("${uri}", "/old/a/b?c=d"), "/a/b?c=d");
    assert.equal(place("https://new.example${path}", "/old/a/b?c=d"), "https://new.example/a/b");
    assert.equal(place("${uri}", "/old//evil.example/"), "/evil.example/");
    assert.equal(place("${uri}", "/older?x"), "/er?x");
    assert.equal(place("${uri}", "/new?x"), "/new?x", "the expression does not find anything");
    assert.equal(place("${path}/", "//evil.example"), "/evil.example/");
    assert.equal(place("${uri}", "/\\evil.example"), "/evil.example");
    assert.equal(place("/\u4e0a${path}", "/new"), "/%E4%B8%8A/new");
  });

  it("changes the headers of its own answers too, and knows ${search}", () => {
    const responseHeaders = edits({
      remove: ["Cache-Control"],
      set: [{ name: "Content-Type", value: "text/x-own" }],
      add: [{ name: "X-From", value: "${host}" }],
    });
    const target = { kind: "respond", status: 200, body: "hi", contentType: "text/html" } as const;
    const rig = withRoute({ target, responseHeaders });
    const client = rig.client();
    client.write(get());
    const fields = ["content-length: 2", "Content-Type: text/x-own", "X-From: a.example"];
    assert.equal(client.took(), `${head("HTTP/1.1 200 OK", ...fields)}hi`);
    const moved = withRoute({
      target: { kind: "redirect", status: 301, location: "/x/${search}" },
      responseHeaders: edits({ set: [{ name: "cache-control", value: "max-age=60" }] }),
    });
    const other = moved.client();
    other.write(get("/x?a=b"));
    other.write(get("/x"));
    const answer = (place: string): string =>
      head(
        "HTTP/1.1 301 Moved Permanently",
        "content-length: 0",
        `location: ${place}`,
        "cache-control: max-age=60",
      );
    assert.equal(other.took(), answer("/x/?a=b") + answer("/x/"));
  });

  it("answers by itself, to HEAD without the body", () => {
    const target = {
      kind: "respond",
      status: 200,
      body: "hi\n",
      contentType: "text/html",
    } as const;
    const rig = withRoute({ target });
    const client = rig.client();
    client.write(get());
    const said = head(
      "HTTP/1.1 200 OK",
      "content-length: 3",
      "content-type: text/html",
      "cache-control: no-store",
    );
    assert.equal(client.took(), `${said}hi\n`);
    client.write(head("HEAD / HTTP/1.1", "host: a"));
    assert.equal(client.took(), said);
  });

  it("answers with a type that ends no line, and with the phrase of its status", () => {
    const contentType = "text/html; title=\u4e0a";
    const rig = withRoute({ target: { kind: "respond", status: 410, body: "x", contentType } });
    const client = rig.client();
    client.write(get());
    const type = "content-type: text/html; title=\xe4\xb8\x8a";
    const fields = ["content-length: 1", type, "cache-control: no-store"];
    assert.equal(client.took(), `${head("HTTP/1.1 410 Gone", ...fields)}x`);
  });

  it("rewrites paths by prefix and by pattern, and keeps the query", () => {
    const rewrite = { kind: "prefix", from: "/api/", to: "/" } as const;
    const rig = withRoute({ rewrite });
    rig.client().write(get("/api/users?x=%20y"));
    assert.equal(rig.server().took(), get("/users?x=%20y"));
    const pattern = "^/u/(\\d+)$";
    const by = withRoute({ rewrite: { kind: "regex", pattern, replacement: "/users/$1" } });
    by.client().write(get("/u/42"));
    assert.equal(by.server().took(), get("/users/42"));
    by.client().write(get("/u/x"));
    assert.equal(by.server().took(), get("/u/x"));
  });

  it("changes values of fields, each of its name, both ways, and of no others", () => {
    const replace = [
      { name: "Location", pattern: "^http://app:8080(/|$)", replacement: "https://a.example$1" },
      { name: "Set-Cookie", pattern: "; Path=/app", replacement: "; Path=/\u4e0a" },
      { name: "X-Name", pattern: "^\u4e0a", replacement: "up" },
    ];
    const rig = withRoute({
      requestHeaders: edits({ remove: ["X-Gone"], replace: [{ ...replace[2]! }] }),
      responseHeaders: edits({ replace }),
    });
    const client = rig.client();
    client.write(get("/", "x-name: \xe4\xb8\x8a", "x-gone: 1", "X-Name: b"));
    const web = rig.server();
    assert.equal(web.took(), get("/", "x-name: up", "X-Name: b"));
    const cookies = ["Set-Cookie: a=1; Path=/app", "Set-Cookie: b=2", "set-cookie: c=3; Path=/app"];
    web.write(ok("x", "Location: http://app:8080/login", ...cookies, "Via: 1.1 app"));
    const changed = [
      "Location: https://a.example/login",
      "Set-Cookie: a=1; Path=/\xe4\xb8\x8a",
      "set-cookie: c=3; Path=/\xe4\xb8\x8a",
    ];
    const others = ["Set-Cookie: b=2", "Via: 1.1 app", "content-length: 1"];
    assert.equal(client.took(), `${head("HTTP/1.1 200 OK", ...changed, ...others)}x`);
  });

  it("changes values also where the head needs more room than it was given", () => {
    const replace = [{ name: "X-Long", pattern: "a", replacement: "b" }];
    const set = [{ name: "X-Set", value: "s".repeat(4000) }];
    const rig = withRoute({ requestHeaders: edits({ replace, set }) });
    rig.client().write(get("/", "x-long: a"));
    assert.equal(rig.server().took(), get("/", "x-long: b", `X-Set: ${"s".repeat(4000)}`));
  });

  it("edits the fields of requests and answers", () => {
    const rig = withRoute({
      requestHeaders: edits({
        remove: ["X-Secret"],
        set: [{ name: "x-who", value: "${source}" }],
        add: [{ name: "x-tag", value: "b" }],
      }),
      responseHeaders: edits({
        remove: ["Server"],
        set: [{ name: "x-frame-options", value: "DENY" }],
        add: [{ name: "x-path", value: "${path}" }],
      }),
    });
    const client = rig.client();
    client.write(get("/p", "x-secret: 1", "x-who: me", "x-tag: a"));
    const web = rig.server();
    const fields = ["host: a.example", "x-tag: a", "x-who: 192.0.2.1", "x-tag: b"];
    assert.equal(web.took(), head("GET /p HTTP/1.1", ...fields));
    web.write(ok("x", "Server: secret/1", "X-Frame-Options: ALLOW"));
    const told = ["x-frame-options: DENY", "x-path: /p", "content-length: 1"];
    assert.equal(client.took(), `${head("HTTP/1.1 200 OK", ...told)}x`);
  });
});

describe("overload", () => {
  it("refuses the lowest classes first, never critical ones, and tells servers", () => {
    const routes = (["critical", "high", "normal", "low"] as const).map((priority) => ({
      when: { paths: [{ kind: "exact", value: `/${priority}` } as const] },
      priority,
    }));
    const shedding = { enabled: true, degradedHeader: "x-degraded" };
    const rig = new ProxyRig({ frontend: { routes, shedding } });
    const served = (path: string): boolean => {
      const client = rig.client();
      client.write(get(path));
      const said = client.took();
      if (said !== "") assert.match(said, /^HTTP\/1\.1 503 .*retry-after: 1\r\n/s);
      return said === "";
    };
    for (let i = 0; i < 7; i++) assert.ok(served("/low"), `${i} in flight`);
    assert.deepEqual(["/low", "/normal"].map(served), [false, true]);
    assert.ok(served("/normal"));
    assert.deepEqual(["/normal", "/high"].map(served), [false, true]);
    assert.deepEqual(["/high", "/critical"].map(served), [false, true]);
    const told = rig.told();
    assert.deepEqual(
      told.map(({ ended, reason }) => [ended, reason.replace(/ in flight.*/, "")]),
      [
        ["RR", "overload: 7 requests"],
        ["RR", "overload: 9 requests"],
        ["RR", "overload: 10 requests"],
      ],
    );
    const heads = Array.from({ length: rig.unanswered }, () => rig.server().took());
    assert.deepEqual(
      heads.map((one) => one.includes("x-degraded: 1")),
      [false, false, false, false, false, false, true, true, true, true, true],
    );
  });

  it("is told to servers by nobody else", () => {
    const rig = new ProxyRig({ frontend: { shedding: { degradedHeader: "X-Degraded" } } });
    rig.client().write(get("/", "x-degraded: 1"));
    assert.equal(rig.server().took(), get("/"));
  });
});

describe("injected faults", () => {
  it("abort with the status asked for", () => {
    const rig = withRoute({ fault: { abort: { percent: 100, status: 500 } } });
    const client = rig.client();
    client.write(get());
    assert.match(client.took(), /^HTTP\/1\.1 500 Internal Server Error\r\n/);
    assert.equal(rig.ending(), "500 PT injected fault");
    assert.equal(rig.unanswered, 0);
  });

  it("delay, and a client that leaves meanwhile is not served", () => {
    const rig = withRoute({ fault: { delay: { percent: 100, ms: 500 } } });
    const [client, gone] = [rig.client(), rig.client()];
    client.write(get());
    gone.write(get());
    rig.wait(100);
    gone.breakOff();
    assert.equal(rig.ending(), "0 CT the client left: ECONNRESET");
    rig.wait(300);
    assert.equal(rig.unanswered, 0);
    rig.wait(200);
    rig.server().write(ok("x"));
    assert.equal(client.took(), ok("x"));
    assert.equal(rig.unanswered, 0);
  });

  it("hit the share of requests that was asked for", () => {
    const rig = withRoute({ fault: { abort: { percent: 30, status: 500 } } });
    let hits = 0;
    for (let i = 0; i < 1000; i++) {
      const client = rig.client();
      client.write(get());
      if (client.took() !== "") hits++;
    }
    assert.ok(hits > 250 && hits < 350, `${hits} of 1000`);
  });
});
