/** Heads as they go on: what is told of the client, what stays behind, the PROXY header. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ClientOrigin } from "../src/core/proxy/wire.ts";
import { get, head, ok, ProxyRig, type Told } from "./kit/proxy-rig.ts";
import { edits, type FrontendDraft } from "./kit/proxy-settings.ts";

/** What a server gets of this request. */
function forwarded(
  request: string,
  frontend: FrontendDraft = {},
  origin: Partial<ClientOrigin> = {},
): string {
  const rig = new ProxyRig({ frontend });
  rig.client(origin).write(request);
  return rig.server().took();
}

describe("the head of a request", () => {
  it("is written anew: line ends, spaces, empty fields, and nothing between the lines", () => {
    assert.equal(
      forwarded(
        "\r\nGET /a%20b?c#d HTTP/1.1\r\nHost:a.example\r\nX-A: \t b c \t\r\nX-Empty:\r\n\r\n",
      ),
      get("/a%20b?c", "X-A: b c", "X-Empty: "),
    );
  });

  it("in absolute form becomes a path, and its Host must be the same", () => {
    assert.equal(
      forwarded(head("GET http://a.example/x?y HTTP/1.1", "host: a.example")),
      get("/x?y"),
    );
    assert.equal(forwarded(head("GET http://a.example HTTP/1.1", "host: a.example")), get("/"));
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(head("GET http://a.example/ HTTP/1.1", "host: b.example"));
    assert.match(client.took(), /^HTTP\/1\.1 400 /);
  });

  it("loses what is of this connection only, and what Connection names", () => {
    const request = get(
      "/",
      "Connection: keep-alive, X-Hop",
      "Keep-Alive: timeout=5",
      "Proxy-Connection: keep-alive",
      "X-Hop: 1",
      "TE: trailers",
      "Proxy-Authorization: Basic x",
      "X-Kept: 1",
    );
    assert.equal(forwarded(request), get("/", "X-Kept: 1"));
  });

  it("keeps what Connection must not take away", () => {
    const request = get("/", "connection: close, host, cookie, authorization", "cookie: a=b");
    assert.equal(forwarded(request), get("/", "cookie: a=b"));
  });

  it("of a bad name, target, version or method is refused with the status that says so", () => {
    const cases: readonly [string, number][] = [
      ["GET /\x00 HTTP/1.1\r\nhost: a\r\n\r\n", 400],
      ["GET  / HTTP/1.1\r\nhost: a\r\n\r\n", 400],
      ["GET /%zz HTTP/1.1\r\nhost: a\r\n\r\n", 400],
      ["GET a HTTP/1.1\r\nhost: a\r\n\r\n", 400],
      ["GET / HTTP/2.0\r\nhost: a\r\n\r\n", 505],
      ["GET / http/1.1\r\nhost: a\r\n\r\n", 505],
      ["CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n", 501],
      ["GET / HTTP/1.1\nhost: a\n\n", 400],
      ["GET / HTTP/1.1\r\nhost: a\r\n b\r\n\r\n", 400],
      ["GET / HTTP/1.1\r\n\r\n", 400],
      ["GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", 400],
      ["POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n", 501],
      [`GET /${"x".repeat(17_000)} HTTP/1.1\r\nhost: a\r\n\r\n`, 431],
      [head("GET / HTTP/1.1", "host: a", ...Array.from({ length: 101 }, () => "a: b")), 431],
      ["\x16\x03\x01\x02\x00\x01\x00", 400],
    ];
    for (const [request, status] of cases) {
      const rig = new ProxyRig();
      const client = rig.client();
      client.write(request);
      assert.match(client.took(), new RegExp(`^HTTP/1\\.1 ${status} .*connection: close\r\n`, "s"));
      assert.ok(client.hasFin);
      assert.equal(rig.unanswered, 0);
    }
  });
});

describe("a redirect that has no room", () => {
  it("is refused, and the client does not wait for its end", () => {
    const target = { kind: "redirect", status: 301, location: "https://a.example${uri}" } as const;
    const limits = { headBytes: 1024 * 1024 };
    const client = new ProxyRig({ frontend: { routes: [{ target }], limits } }).client();
    client.write(get(`/${"x".repeat(300_000)}`));
    assert.match(client.took(), /^HTTP\/1\.1 431 .*\r\n\r\n431 /su);
    client.write(get("/short"));
    assert.match(client.took(), /^HTTP\/1\.1 301 .*\r\n\r\n$/su);
  });
});

describe("the log of a refused request", () => {
  it("says what it asked for, as far as that was understood", () => {
    const log = (request: string): string => {
      const rig = new ProxyRig({ frontend: { accessLog: { format: "json", file: "-" } } });
      rig.client().write(request);
      const [{ line, status }] = rig.told() as [Told];
      return `${line} ${status}`;
    };
    const twoLengths = ["host: a", "content-length: 1", "transfer-encoding: chunked"];
    assert.equal(log(head("POST /a?b=c HTTP/1.1", ...twoLengths)), "POST /a?b=c 400");
    assert.equal(log(`\r\n${head("GET /d HTTP/1.1", "a : b")}`), "GET /d 400");
    assert.equal(log(head("GET /%zz HTTP/1.1", "host: a")), "  400");
  });
});

describe("who the client is", () => {
  const claims = ["x-forwarded-for: 203.0.113.9", "forwarded: for=203.0.113.9"];

  it("is told to servers, and what a stranger says of itself is dropped", () => {
    const told = forwarded(get("/", ...claims), { forwarded: "both" });
    assert.equal(
      told,
      get(
        "/",
        "x-forwarded-for: 192.0.2.1",
        "x-forwarded-proto: http",
        "x-forwarded-host: a.example",
        "x-forwarded-port: 80",
        'forwarded: for=192.0.2.1;proto=http;host="a.example"',
      ),
    );
    assert.equal(forwarded(get("/", ...claims)), get("/"));
  });

  it("is added to what a trusted proxy says", () => {
    const frontend = { forwarded: "both", trustedProxies: ["192.0.2.0/24"] } as const;
    const says = [
      "x-forwarded-proto: https",
      "x-forwarded-host: b.example",
      "x-forwarded-port: 443",
    ];
    assert.equal(
      forwarded(get("/", ...claims, ...says), frontend),
      get(
        "/",
        "x-forwarded-for: 203.0.113.9, 192.0.2.1",
        ...says,
        'forwarded: for=203.0.113.9, for=192.0.2.1;proto=http;host="a.example"',
      ),
    );
  });

  it("is the first one behind trusted proxies, for routes and limits", () => {
    const routes = [
      {
        when: { sources: ["203.0.113.9"] },
        target: { kind: "respond", status: 200, body: "you", contentType: "text/plain" } as const,
      },
    ];
    const rig = new ProxyRig({ frontend: { routes, trustedProxies: ["192.0.2.0/24"] } });
    const client = rig.client();
    client.write(get("/", "x-forwarded-for: 198.51.100.1, 203.0.113.9, 192.0.2.7"));
    assert.match(client.took(), /you$/);
    const stranger = rig.client({ source: "198.51.100.2" });
    stranger.write(get("/", "x-forwarded-for: 203.0.113.9"));
    assert.equal(stranger.took(), "");
  });

  it("is an address, however a trusted proxy writes it, and one of the trusted at least", () => {
    const edits = { remove: [], set: [{ name: "x-real-ip", value: "${source}" }], add: [] };
    const routes = [{ requestHeaders: edits }];
    const frontend = { routes, trustedProxies: ["192.0.2.0/24"] };
    const realOf = (list: string): string | undefined =>
      /x-real-ip: (.*)\r\n/.exec(forwarded(get("/", `x-forwarded-for: ${list}`), frontend))?.[1];
    assert.equal(realOf("203.0.113.9:4711"), "203.0.113.9");
    assert.equal(realOf("[2001:DB8::1]:4711, 192.0.2.7"), "2001:db8::1");
    assert.equal(realOf("2001:DB8:0::1"), "2001:db8::1");
    assert.equal(realOf("::ffff:203.0.113.9"), "203.0.113.9");
    assert.equal(realOf("203.0.113.9, unknown"), "192.0.2.1");
    assert.equal(realOf("203.0.113.9, unknown, 192.0.2.7"), "192.0.2.7");
    assert.equal(realOf("192.0.2.9, 192.0.2.7"), "192.0.2.9");
  });

  it("is told in several lists when the trusted proxy sent several fields", () => {
    const frontend = { forwarded: "x-forwarded", trustedProxies: ["192.0.2.0/24"] } as const;
    const lists = ["x-forwarded-for: 203.0.113.9", "x-forwarded-for: 198.51.100.1"];
    assert.match(
      forwarded(get("/", ...lists), frontend),
      /x-forwarded-for: 203\.0\.113\.9, 198\.51\.100\.1, 192\.0\.2\.1\r\n/,
    );
  });

  it("cannot be made up in front of what a trusted proxy adds in a field of its own", () => {
    const routes = [
      {
        when: { sources: ["10.0.0.0/8"] },
        target: { kind: "respond", status: 200, body: "in", contentType: "text/plain" } as const,
      },
    ];
    const rig = new ProxyRig({ frontend: { routes, trustedProxies: ["192.0.2.0/24"] } });
    const client = rig.client();
    client.write(get("/", "x-forwarded-for: 10.1.1.1", "x-forwarded-for: 203.0.113.9"));
    assert.equal(client.took(), "");
    rig.server();
  });

  it("is told without a host when HTTP/1.0 names none", () => {
    const names = forwarded("GET / HTTP/1.0\r\n\r\n", { forwarded: "both" });
    assert.match(names, /-proto: http\r\nx-forwarded-port: 80\r\nforwarded: .*proto=http\r\n/);
  });

  it("over TLS and IPv6 is told with its scheme, and in brackets", () => {
    const tls = { version: "TLSv1.3", serverName: "a.example", clientSubject: undefined };
    const origin = { tls, source: "2001:db8::1", localPort: 443 };
    assert.match(
      forwarded(get(), { forwarded: "both" }, origin),
      /-for: 2001:db8::1\r\n.*-proto: https\r\n.*-port: 443\r\nforwarded: for="\[2001:db8::1\]";proto=https;/s,
    );
  });

  it("over a Unix socket has neither address nor port", () => {
    const origin = { source: "", localPort: 0 };
    const told = get("/", "x-forwarded-proto: http", "x-forwarded-host: a.example");
    assert.equal(forwarded(get(), { forwarded: "x-forwarded" }, origin), told);
    const edited = { routes: [{ requestHeaders: edits({ remove: ["x-other"] }) }] };
    assert.equal(forwarded(get(), { forwarded: "x-forwarded", ...edited }, origin), told);
  });

  it("is named by its certificate where a route says so, and by nobody else", () => {
    const set = [{ name: "x-client", value: "${client_subject}" }];
    const frontend = { routes: [{ requestHeaders: edits({ set }) }] };
    const named = (clientSubject: string | undefined): string => {
      const tls = { version: "TLSv1.3", serverName: "a.example", clientSubject };
      return forwarded(get("/", "x-client: CN=root"), frontend, { tls });
    };
    assert.match(named("O=\u00d6l, CN=alice"), /\r\nx-client: O=\xc3\x96l, CN=alice\r\n/);
    assert.match(named("CN=a\r\nx-evil: 1"), /\r\nx-client: CN=a {2}x-evil: 1\r\n/);
    assert.match(named(undefined), /\r\nx-client: \r\n/);
    assert.doesNotMatch(named(undefined), /root/);
  });

  it("is not somebody else who has signed in on the same connection with NTLM or Negotiate", () => {
    for (const scheme of ["NTLM", "negotiate"]) {
      const rig = new ProxyRig();
      const client = rig.client();
      client.write(get("/mine", `authorization: ${scheme} TlRMTVNTUAAB`));
      const mine = rig.server("web1");
      mine.write(ok("one"));
      assert.equal(client.took(), ok("one"));
      assert.equal(mine.gone, "");
      const stranger = rig.client();
      stranger.write(get("/yours", "authorization: Bearer x"));
      const theirs = rig.server("web1");
      theirs.write(ok("two"));
      assert.equal(theirs.gone, "");
      // Nor does a connection outlive who has signed in on it.
      client.breakOff();
      assert.equal(mine.gone, "closed");
    }
  });
});

describe("ids", () => {
  it("are made for each request, stand in the log, and a client's own is kept", () => {
    const rig = new ProxyRig({ frontend: { requestIdHeader: "X-Request-Id", traceparent: true } });
    const client = rig.client();
    client.write(get());
    const web = rig.server();
    const first = web.took();
    const id = /^x-request-id: ([0-9a-f]{32})\r$/m.exec(first)?.[1];
    assert.match(first, /^traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]\r$/m);
    web.write(ok("x"));
    assert.equal(rig.told()[0]!.requestId, id);
    const own = ["x-request-id: mine", `traceparent: 00-${"a".repeat(32)}-${"b".repeat(16)}-01`];
    client.write(get("/", ...own));
    assert.equal(web.took(), get("/", ...own));
    web.write(ok("y"));
    assert.equal(rig.told()[0]!.requestId, "mine");
  });

  it("are told where a route says so, once, whoever answers", () => {
    const add = [{ name: "x-id", value: "${request_id}" }];
    const set = [{ name: "X-Request-Id", value: "a-${request_id}" }];
    const own = { name: "own", when: { paths: [{ kind: "exact", value: "/own" }] } } as const;
    const target = { kind: "respond", status: 200, body: "", contentType: "" } as const;
    const routes = [
      { ...own, target, responseHeaders: edits({ add }) },
      { requestHeaders: edits({ set }), responseHeaders: edits({ add }) },
    ];
    const rig = new ProxyRig({ frontend: { requestIdHeader: "x-request-id", routes } });
    const client = rig.client();
    client.write(get("/own"));
    const told = (): string | undefined => /\r\nx-id: (.*)\r\n/u.exec(client.took())?.[1];
    assert.equal(told(), rig.told()[0]!.requestId);
    client.write(get());
    const web = rig.server();
    const sent = web.took().match(/^x-request-id: .*$/gimu);
    web.write(ok("x"));
    const id = told();
    assert.match(id!, /^[0-9a-f]{32}$/u);
    assert.deepEqual(sent, [`X-Request-Id: a-${id}`]);
  });

  it("stand on the error page", () => {
    const rig = new ProxyRig({ frontend: { requestIdHeader: "x-request-id" } });
    const client = rig.client();
    client.write(get());
    rig.asked().breakOff("ECONNREFUSED");
    const { requestId } = rig.told()[0]!;
    assert.ok(client.took().endsWith(`\r\n\r\n502 Bad Gateway\nrequest ${requestId}\n`));
    rig.configure({ frontend: { requestIdHeader: "x-request-id", defaultPool: "gone" } });
    client.write(get());
    const [{ requestId: other }] = rig.told() as [Told];
    assert.ok(client.took().endsWith(`\r\n\r\n404 Not Found\nrequest ${other}\n`));
  });
});

describe("the PROXY header", () => {
  const origin = { source: "203.0.113.9", sourcePort: 51_000, localAddress: "198.51.100.1" };

  it("of version 1 is text", () => {
    const rig = new ProxyRig({ pools: { web: { sendProxy: "v1" } } });
    rig.client(origin).write(get());
    const web = rig.server();
    const line = Buffer.from(web.target.head!).toString("latin1");
    assert.equal(line, "PROXY TCP4 203.0.113.9 198.51.100.1 51000 80\r\n");
    assert.equal(web.took(), get("/", "connection: close"));
  });

  it("of version 2 is binary", () => {
    const rig = new ProxyRig({ pools: { web: { sendProxy: "v2" } } });
    rig.client({ ...origin, source: "2001:db8::1", localAddress: "2001:db8::2" }).write(get());
    assert.equal(
      Buffer.from(rig.server().target.head!).toString("hex"),
      "0d0a0d0a000d0a515549540a21210024" +
        "20010db8000000000000000000000001" +
        "20010db8000000000000000000000002" +
        "c7380050",
    );
    rig.client({ ...origin, source: "203.0.113.9" }).write(get());
    const short = Buffer.from(rig.server().target.head!).toString("hex");
    assert.equal(short, "0d0a0d0a000d0a515549540a2111000ccb007109c6336401c7380050");
  });

  it("of a client without an address says so", () => {
    const rig = new ProxyRig({ pools: { web: { sendProxy: "v1" } } });
    rig.client({ source: "", localAddress: "" }).write(get());
    const line = Buffer.from(rig.server().target.head!).toString("latin1");
    assert.equal(line, "PROXY UNKNOWN\r\n");
  });

  it("belongs to one client: its connection is not kept for another", () => {
    const rig = new ProxyRig({ pools: { web: { sendProxy: "v1" } } });
    const client = rig.client(origin);
    client.write(get());
    const web = rig.server();
    web.write(ok("x"));
    assert.equal(web.gone, "closed");
    client.write(get());
    rig.server().write(ok("y"));
    assert.equal(client.took(), ok("x") + ok("y"));
  });
});
