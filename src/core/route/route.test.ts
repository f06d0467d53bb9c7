import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "../../lib/prng.ts";
import { HeadWriter } from "../http/head-writer.ts";
import { RequestHead } from "../http/request-head.ts";
import { AddressSet } from "./address-set.ts";
import { choosePool } from "./canary.ts";
import { drawFault } from "./fault-draw.ts";
import { ForwardingFields } from "./forwarding-fields.ts";
import { HeadEdits, rewriter } from "./head-edits.ts";
import { isDegraded, shed } from "./load-shedding.ts";
import { normalPath } from "./normal-path.ts";
import { LoneCells, RateLimiter } from "./rate-limiter.ts";
import { RequestFacts } from "./request-facts.ts";
import type { RouteConditions, RouteSettings } from "./route-settings.ts";
import { RouteTable } from "./route-table.ts";
import { template } from "./template.ts";

const NO_EDITS = { remove: [], set: [], add: [] };

function facts(
  target: string,
  fields = "",
  source = "10.1.2.3",
  host = "Shop.Example.com:8080",
): RequestFacts {
  const text = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`;
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const head = new RequestHead();
  head.clear();
  assert.equal(head.parse(bytes, 0, bytes.length, { bytes: 9999, fields: 50 }), bytes.length);
  const made = new RequestFacts(head);
  made.source = made.sender = source;
  return made;
}

function route(name: string, when: RouteConditions): RouteSettings {
  return {
    name,
    when,
    target: { kind: "pools", pools: [{ pool: name, weight: 1 }] },
    requestHeaders: NO_EDITS,
    responseHeaders: NO_EDITS,
    priority: "normal",
  };
}

const matched = (when: RouteConditions, request: RequestFacts): boolean =>
  typeof new RouteTable([route("r", when)]).match(request) === "object";

describe("the route table", () => {
  it("takes the first rule whose conditions all hold, and says why not the earlier ones", () => {
    const table = new RouteTable([
      route("api", { hosts: ["shop.example.com"], paths: [{ kind: "prefix", value: "/api/" }] }),
      route("posts", { methods: ["POST"] }),
      route("rest", {}),
    ]);
    assert.equal((table.match(facts("/api/x")) as RouteSettings).name, "api");
    assert.deepEqual(table.explain(facts("/x")), [
      { route: "api", matched: false, reason: 'not: path prefix "/api/"' },
      { route: "posts", matched: false, reason: "not: method POST" },
      { route: "rest", matched: true, reason: "takes everything" },
    ]);
  });

  it("knows hosts, headers, cookies, query and sources", () => {
    const name = (kind: "exact", value: string) => ({ kind, value });
    assert.equal(matched({ hosts: ["*.example.com"] }, facts("/")), true);
    assert.equal(matched({ hosts: ["*.shop.example.com"] }, facts("/")), false);
    const request = facts("/?a=%62&c", "X-Kind: beta\r\nCookie: s=1; t=2\r\n");
    assert.equal(
      matched({ headers: [{ name: "x-kind", match: name("exact", "beta") }] }, request),
      true,
    );
    assert.equal(matched({ cookies: [{ name: "t", match: name("exact", "2") }] }, request), true);
    assert.equal(matched({ query: [{ name: "a", match: name("exact", "b") }] }, request), true);
    assert.equal(matched({ query: [{ name: "z", match: { kind: "absent" } }] }, request), true);
    assert.equal(matched({ headers: [{ name: "x", match: { kind: "present" } }] }, request), false);
    assert.equal(matched({ sources: ["10.1.0.0/16"] }, request), true);
    assert.equal(matched({ sources: ["10.2.0.0/16"] }, request), false);
    assert.equal(matched({ paths: [{ kind: "regex", pattern: "^/a[0-9]$" }] }, facts("/a7")), true);
  });

  it("takes a host with the dot of an absolute name, and all fields of cookies", () => {
    const request = facts(
      "/",
      "Cookie: s=1\r\nCookie: t=2\r\n",
      "10.1.2.3",
      "Shop.Example.com.:80",
    );
    assert.equal(request.host, "shop.example.com");
    const cookies = [{ name: "t", match: { kind: "exact", value: "2" } as const }];
    assert.equal(matched({ cookies }, request), true);
    const toAddress = facts("/", "", "", "[2001:DB8:0::1]:8080");
    assert.equal(toAddress.host, "[2001:db8::1]");
    assert.equal(matched({ hosts: ["2001:db8::1"] }, toAddress), true);
    assert.equal(matched({ hosts: ["2001:db8::2"] }, toAddress), false);
  });

  it("is not passed by many parameters before the one that counts", () => {
    const query = [{ name: "debug", match: { kind: "present" } as const }];
    assert.equal(matched({ query }, facts(`/?${"a&".repeat(2000)}debug=1`)), true);
  });

  it("refuses what is too long for a pattern, whichever end that looks at", () => {
    const long = "x".repeat(4097);
    const like = (pattern: string) => ({ kind: "regex", pattern }) as const;
    const rest = route("rest", {});
    for (const pattern of ["^/public/x*$", "^/admin", "\\.(env|git)$"]) {
      const paths = [like(pattern)];
      const table = new RouteTable([
        route("pattern", { hosts: ["shop.example.com"], paths }),
        rest,
      ]);
      for (const path of [`/public/${long}/secret`, `/admin/;${long}`, `/${long}/.env`]) {
        assert.equal(table.match(facts(path)), 414, path);
        assert.equal(table.match(facts(path, "", "", "other.example")), rest);
      }
      assert.equal(table.match(facts(`/?${long}`)), rest);
    }
    const named = [{ name: "n", match: like("a$") }];
    const status = (when: RouteConditions, request: RequestFacts) =>
      new RouteTable([route("pattern", when), rest]).match(request);
    assert.equal(status({ query: named }, facts(`/?n=${long}a`)), 414);
    assert.equal(status({ headers: named }, facts("/", `N: ${long}a\r\n`)), 431);
    assert.equal(status({ cookies: named }, facts("/", `Cookie: n=${long}a\r\n`)), 431);
    assert.equal(status({ cookies: named }, facts("/", `Cookie: m=${long}a\r\n`)), rest);
    const plain = { kind: "prefix", value: "/b" } as const;
    const mixed = new RouteTable([route("pattern", { paths: [like("^/a"), plain] }), rest]);
    assert.equal(mixed.match(facts(`/${long}`)), 414);
    assert.equal((mixed.match(facts(`/b${long}`)) as RouteSettings).name, "pattern");
    const table = new RouteTable([route("pattern", { paths: [like("^/a")] }), rest]);
    assert.deepEqual(table.explain(facts(`/${long}`)), [
      { route: "pattern", matched: false, reason: "not: path of at most 4096 letters" },
    ]);
  });

  it("decodes what is UTF-8 and leaves the rest as it stands, without an exception", ({ mock }) => {
    const decode = decodeURIComponent;
    const asked = mock.method(globalThis, "decodeURIComponent");
    const prng = new Prng(1);
    const octets = ["41", "7f", "80", "8f", "90", "9f", "A0", "bf", "c1", "c2", "dF", "e0", "e1"];
    octets.push("ec", "ed", "ee", "ef", "f0", "f1", "f3", "f4", "f5", "ff", "2b");
    const pieces = [...octets.map((octet) => `%${octet}`), "%", "%4", "%x0", "a", "+", "\xe9"];
    const all = ["%f4%8f%bf%bf", "%f0%90%80%80", "%ed%9f%bf", "%e0%a0%80", "%ef%bf%bd"];
    const piece = () => pieces[Math.floor(prng.fraction() * pieces.length)];
    for (let i = 0; i < 5000; i++) all.push(Array.from({ length: 1 + (i % 4) }, piece).join(""));
    const expected = (text: string): string => {
      try {
        return decode(text.replaceAll("+", " "));
      } catch {
        return text;
      }
    };
    for (const text of all) {
      const head = { queryText: () => `n=${text}` } as unknown as RequestHead;
      assert.equal(new RequestFacts(head).query.get("n")?.[0], expected(text), text);
    }
    assert.equal(asked.mock.calls.filter(({ error }) => error !== undefined).length, 0);
  });

  it("is not passed by another spelling of the path", () => {
    const admin: RouteConditions = { paths: [{ kind: "prefix", value: "/admin" }] };
    for (const path of ["/%61dmin", "/x/../admin", "//admin", "/./admin/"]) {
      assert.equal(matched(admin, facts(path)), true, path);
    }
    assert.equal(normalPath("/a/b/.."), "/a/");
    assert.equal(normalPath("/%2e%2e/%2f"), "/%2F");
  });

  it("takes an encoded slash for a slash, as most servers do", () => {
    const admin: RouteConditions = { paths: [{ kind: "prefix", value: "/admin/" }] };
    for (const path of ["/admin%2fx", "/admin%2F/x", "/%2fadmin/x"]) {
      assert.equal(matched(admin, facts(path)), true, path);
    }
    assert.equal(matched({ paths: [{ kind: "exact", value: "/a%2fb" }] }, facts("/a%2Fb")), true);
  });

  it("finds a path in whatever spelling it was written down", () => {
    const spellings = {
      "/\u8def/\u5f84": "/%E8%B7%AF/%e5%be%84",
      "/a b": "/a%20b",
      "/%7eu": "/~u",
    };
    for (const [value, path] of Object.entries({ ...spellings, "/caf%c3%a9": "/caf\xc3\xa9" })) {
      for (const kind of ["exact", "prefix"] as const) {
        assert.equal(matched({ paths: [{ kind, value }] }, facts(path)), true, value);
      }
    }
    const pattern = "^/[\u8def\u5f84]{2}\\.php$";
    const like: RouteConditions = { paths: [{ kind: "regex", pattern }] };
    assert.equal(matched(like, facts("/%E8%B7%AF%E5%BE%84.php")), true);
    assert.equal(matched(like, facts("/%E8%B7%AF%E5%BE.php")), false);
  });
});

describe("addresses and prefixes", () => {
  it("cover both families, also IPv4 seen through IPv6", () => {
    const set = new AddressSet(["10.0.0.0/9", "fd00::/8", "192.0.2.1"]);
    assert.equal(set.has("10.127.0.1"), true);
    assert.equal(set.has("10.128.0.1"), false);
    assert.equal(set.has("::ffff:192.0.2.1"), true);
    assert.equal(set.has("fd12::1"), true);
    assert.equal(set.has("fe80::1"), false);
    assert.equal(set.has("nonsense"), false);
  });
});

describe("canary", () => {
  const pools = [
    { pool: "old", weight: 90 },
    { pool: "new", weight: 10 },
  ];

  it("divides clients by weight and keeps each on its side", () => {
    const prng = new Prng(1);
    let fresh = 0;
    for (let i = 0; i < 10_000; i++) {
      const hash = prng.uint32();
      const side = choosePool(pools, hash);
      assert.equal(choosePool(pools, hash), side);
      if (side === "new") fresh++;
    }
    assert.ok(fresh > 850 && fresh < 1150, String(fresh));
  });

  it("sends nobody anywhere when all weights are 0", () => {
    assert.equal(
      choosePool(
        [
          { pool: "a", weight: 0 },
          { pool: "b", weight: 0 },
        ],
        5,
      ),
      undefined,
    );
  });
});

describe("edits", () => {
  const written = (edits: HeadEdits, request: RequestFacts): string => {
    const writer = new HeadWriter();
    writer.begin(new Uint8Array(1024), 0);
    edits.strike(request.head);
    writer.fields(request.head);
    edits.write(writer, request);
    return String.fromCharCode(...writer.bytes.subarray(0, writer.at));
  };

  it("remove, set and add fields, with variables", () => {
    const edits = new HeadEdits({
      remove: ["X-Secret"],
      set: [{ name: "X-Who", value: "${source} ${host}${path}" }],
      add: [{ name: "X-More", value: "1" }],
    });
    const request = facts("/a?b", "x-secret: 1\r\nx-who: me\r\nX-More: 0\r\n");
    const text = "X-More: 0\r\nX-Who: 10.1.2.3 shop.example.com/a\r\nX-More: 1\r\n";
    assert.equal(written(edits, request), text);
  });

  it("write letters beyond ASCII as UTF-8, in which no line ends", () => {
    const value = "\u4e0a\u6d77 ${host}";
    const edits = new HeadEdits({ remove: [], set: [{ name: "X-City", value }], add: [] });
    const text = "X-City: \xe4\xb8\x8a\xe6\xb5\xb7 shop.example.com\r\n";
    assert.equal(written(edits, facts("/")), text);
    const always = { name: "X-City", value: "po\u010d" };
    const constant = new HeadEdits({ remove: [], set: [], add: [always] });
    assert.equal(written(constant, facts("/")), "X-City: po\xc4\x8d\r\n");
  });

  it("leave no second field of a name that a route sets or removes", () => {
    const set = [{ name: "X-Forwarded-Proto", value: "https" }];
    const edits = new HeadEdits({ remove: ["X-Forwarded-For"], set, add: [] });
    const writer = new HeadWriter();
    writer.begin(new Uint8Array(1024), 0);
    const request = facts("/", "x-forwarded-for: 6.6.6.6\r\n");
    new ForwardingFields("x-forwarded", []).write(writer, request, edits);
    edits.write(writer, request);
    const text = String.fromCharCode(...writer.bytes.subarray(0, writer.at));
    assert.deepEqual(text.match(/^x-forwarded-(?:for|proto).*$/gimu), ["X-Forwarded-Proto: https"]);
    const host = [{ name: "Host", value: "a" }];
    assert.equal(new HeadEdits({ remove: [], set: host, add: [] }).setsHost, true);
  });

  it("rewrite paths and keep the query", () => {
    const prefix = rewriter({ kind: "prefix", from: "/api", to: "" });
    assert.equal(prefix(facts("/api/x?y=1")), "/x?y=1");
    assert.equal(prefix(facts("/other")), undefined);
    const regex = rewriter({ kind: "regex", pattern: "^/u/(\\d+)$", replacement: "/user?id=$1" });
    assert.equal(regex(facts("/u/7")), "/user?id=7");
    assert.equal(regex(facts("/u/7?y=1")), "/user?id=7&y=1");
    const letters = rewriter({ kind: "prefix", from: "/\u8def/", to: "/\xe9/" });
    assert.equal(letters(facts("/%e8%b7%af/x?y=\xff")), "/%C3%A9/x?y=\xff");
    const byLetter = rewriter({ kind: "regex", pattern: "^/(\u8def)", replacement: "/r/$1" });
    assert.equal(byLetter(facts("/%E8%B7%AF%2Fx")), "/r/%E8%B7%AF%2Fx");
    const folder = rewriter({ kind: "prefix", from: "/api/", to: "/" });
    assert.equal(folder(facts("/api/a%2Fb")), "/a%2Fb");
    assert.equal(folder(facts("/api%2Fa")), "/a");
    assert.equal(template("https://${host}${uri}")(facts("/a?b")), "https://shop.example.com/a?b");
  });
});

describe("forwarding fields", () => {
  const told = (trusted: string[], fields: string): string => {
    const request = facts("/", fields);
    const made = new ForwardingFields("both", trusted);
    const writer = new HeadWriter();
    writer.begin(new Uint8Array(1024), 0);
    writer.fields(request.head, made.without);
    made.write(writer, request);
    return String.fromCharCode(...writer.bytes.subarray(0, writer.at));
  };

  it("replace what a stranger says and extend what a trusted proxy says", () => {
    const said = "X-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\n";
    assert.match(told([], said), /^x-forwarded-for: 10\.1\.2\.3\r\n/);
    assert.match(told([], said), /\r\nforwarded: for=10\.1\.2\.3;proto=http/);
    assert.match(told(["10.0.0.0/8"], said), /^x-forwarded-for: 1\.2\.3\.4, 10\.1\.2\.3\r\n/);
    assert.match(told(["10.0.0.0/8"], said), /forwarded: for=1\.2\.3\.4, for=10\.1\.2\.3;/);
  });

  it("find the client behind trusted proxies only", () => {
    const made = new ForwardingFields("off", ["10.0.0.0/8"]);
    const chain = "X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.9.9.9\r\n";
    assert.equal(made.clientOf(facts("/", chain)), "1.2.3.4");
    assert.equal(made.clientOf(facts("/", chain, "9.9.9.9")), "9.9.9.9");
  });
});

describe("limits", () => {
  it("is one limit for several that keep it in the same place", () => {
    const limits = { perSecond: 10, burst: 3, size: 100 };
    const cells = new LoneCells(100);
    const workers = [1, 2, 3].map(() => new RateLimiter(limits));
    for (const worker of workers) worker.share(cells);
    let taken = 0;
    for (let now = 1000; now < 11_000; now += 10) {
      for (const worker of workers) if (worker.take(now, "a") === 0) taken++;
      if (now === 1000) assert.equal(taken, 3);
    }
    // One burst, and then the rate of one.
    assert.equal(taken, 3 + 99);
  });

  it("let a burst through, then the rate, and tell how long to wait", () => {
    const limiter = new RateLimiter({ perSecond: 10, burst: 3, size: 2 });
    const cells = new LoneCells(2);
    limiter.share(cells);
    assert.deepEqual(
      [0, 0, 0].map((now) => limiter.take(now, "a")),
      [0, 0, 0],
    );
    assert.equal(limiter.take(0, "a"), 100);
    assert.equal(limiter.take(100, "a"), 0);
    assert.equal(limiter.take(100, "b"), 0);
    limiter.take(100, "c");
    assert.equal(cells.size, 2);
  });

  it("refuse low classes first and never the critical one", () => {
    const limits = {
      enabled: true,
      maxInFlight: 100,
      startPercent: { low: 70, normal: 85, high: 95 },
    };
    assert.match(shed(limits, 70, "low")!, /class low is refused from 70/);
    assert.equal(shed(limits, 70, "normal"), undefined);
    assert.equal(shed(limits, 1000, "critical"), undefined);
    assert.equal(isDegraded(limits, 69), false);
    assert.equal(isDegraded(limits, 70), true);
  });

  it("inject faults by percent, the same with the same seed", () => {
    const fault = { abort: { percent: 50, status: 503 } };
    const draw = (seed: number): number[] => {
      const prng = new Prng(seed);
      return Array.from({ length: 200 }, () => drawFault(fault, prng).abortStatus);
    };
    assert.deepEqual(draw(7), draw(7));
    const hit = draw(7).filter((status) => status === 503).length;
    assert.ok(hit > 70 && hit < 130, String(hit));
    assert.equal(drawFault(undefined, new Prng(1)).abortStatus, 0);
  });
});
