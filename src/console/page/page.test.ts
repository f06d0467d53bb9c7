/** What of the page needs no browser: words, colours, the stream's text, the clock. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { loadAssets } from "../assets.ts";
import { fixture } from "../fixture.ts";
import { flipsBetween } from "./announcer.ts";
import { EVIDENCE_KINDS } from "../../core/ledger/evidence.ts";
import { EventStreamReader, retryDelayMs, type StreamEvent } from "./event-stream.ts";
import { formatShare, formatSpan } from "./format.ts";
import { aloneIn } from "./gaps.ts";
import { hashOf, routeOf } from "./routes.ts";
import { chineseKinds } from "./kinds-zh.ts";
import { ServerClock } from "./server-clock.ts";
import { english } from "./texts-en.ts";
import { chinese } from "./texts-zh.ts";
import { filled, textIn } from "./texts.ts";
import { isOf } from "./events-page.ts";
import { TrafficHistory } from "./traffic-history.ts";

const here = import.meta.dirname;
const places = (text: string): readonly string[] =>
  [...text.matchAll(/\{(\w+)/gu)].map(([, name]) => name!).toSorted();

test("both languages have the same texts with the same values in them", () => {
  assert.deepEqual(Object.keys(chinese).toSorted(), Object.keys(english).toSorted());
  for (const key of Object.keys(english) as (keyof typeof english)[]) {
    const unique = (text: string): readonly string[] => [...new Set(places(text))];
    assert.deepEqual(unique(chinese[key]), unique(english[key]), key);
    assert.notEqual(chinese[key].trim(), "", key);
  }
});

test("Chinese texts are Chinese", () => {
  for (const [key, text] of Object.entries(chinese)) {
    const isFigures = text.replaceAll(/\{\w+\}/gu, "").trim().length <= 1;
    assert.ok(isFigures || /\p{Script=Han}/u.test(text), key);
  }
});

test("one is told otherwise than many", () => {
  assert.equal(textIn("en", "group.server", { count: 1 }), "1 server");
  assert.equal(textIn("en", "group.server", { count: 2 }), "2 servers");
  assert.equal(textIn("zh", "group.server", { count: 2 }), "2 台服务器");
  assert.equal(filled("{a} {b}", { a: "{b}", b: 1 }), "{b} 1");
});

/** Quoted words of the type or list that begins there. */
function wordsOf(file: string, from: string, to: string): readonly string[] {
  const source = readFileSync(join(here, "../..", file), "utf8");
  const start = source.indexOf(from);
  assert.ok(start >= 0, `${file} has no ${from}`);
  const part = source.slice(start, source.indexOf(to, start + from.length));
  return [...part.matchAll(/"([a-z]+(?:-[a-z]+)*)"/gu)].map(([, word]) => word!);
}

/** What is written down beside control's events: by the console's parts and the drills. */
const KIND =
  /(?:\bkind[:,]? |\bkind = |#say\([^;()]*?|report\()(?:[\w.?! =]+\? )?"([a-z]+(?:-[a-z]+)+|gap|stranger)"(?: : "([a-z-]+)")?/gu;
/** Matched by that, and no kinds of records. */
const OTHERS: ReadonlySet<string> = new Set(["access-refused-by"]);

test("every kind of record has a Chinese name", () => {
  const kinds = new Set<string>([
    ...wordsOf("core/vrrp/router-ports.ts", "export interface RouterEvent", "readonly reason"),
    ...wordsOf("core/balance/pool-ports.ts", "export type PoolEventKind", ";").map(
      (kind) => `server-${kind}`,
    ),
    ...wordsOf("daemon/control-api.ts", "export type BalanceEventKind", ";"),
    ...wordsOf("daemon/control-api.ts", "export type ControlEventKind", ";"),
    ...wordsOf("console/ledger-reading.ts", "const LEDGER_KINDS", "];"),
    ...EVIDENCE_KINDS,
    ...INCIDENT_WORDS_SAID,
  ]);
  const files = readdirSync(join(here, "..")).filter((name) => /(?<!test)\.ts$/u.test(name));
  for (const name of files.filter((one) => !one.startsWith("fixture"))) {
    const source = readFileSync(join(here, "..", name), "utf8");
    if (!/source: "|#say\(|report\(/u.test(source)) continue;
    for (const [, one, other] of source.matchAll(KIND)) {
      for (const kind of [one, other]) {
        if (kind !== undefined && !OTHERS.has(kind)) kinds.add(kind);
      }
    }
  }
  assert.ok(kinds.size > 80, `found ${kinds.size} kinds in the sources`);
  const missing = [...kinds].filter((kind) => !Object.hasOwn(chineseKinds, kind));
  assert.deepEqual(missing.toSorted(), []);
  for (const [kind, words] of Object.entries(chineseKinds)) {
    assert.match(words, /\p{Script=Han}/u, kind);
  }
});

/** Made of a part by `incident-routes.ts`. */
const INCIDENT_WORDS_SAID = ["annotated", "class-changed", "owners-changed", "settled"].map(
  (word) => `incident-${word}`,
);

test("spans are told in their two largest units", () => {
  assert.equal(formatSpan("en", 380), "380 ms");
  assert.equal(formatSpan("en", 3_609), "3.6 s");
  assert.equal(formatSpan("en", 734_000), "12 min 14 s");
  assert.equal(formatSpan("en", 2 * 86_400_000 + 3 * 3_600_000), "2 d 3 h");
  assert.equal(formatSpan("en", 3_600_000), "1 h");
  assert.equal(formatSpan("zh", 734_000), "12 分 14 秒");
  assert.equal(formatSpan("en", -12), "−12 ms");
});

test("no share is rounded up to a hundred percent", () => {
  assert.equal(formatShare("en", 1), "100%");
  assert.equal(formatShare("en", 0.99999), "99.999%");
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (share) => {
      assert.ok(formatShare("en", share) !== "100%");
    }),
  );
});

test("a hash names its page and subject again, whatever is in the name", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (subject) => {
      fc.pre(!/[\uD800-\uDFFF]/u.test(subject));
      assert.deepEqual(routeOf(hashOf("server", subject)), { page: "server", subject });
    }),
  );
  assert.deepEqual(routeOf("#/nothing/of/ours"), { page: "overview", subject: "" });
  assert.deepEqual(routeOf("#/pool/%E0%A4"), { page: "pool", subject: "%E0%A4" });
});

test("the server's time is told by the browser's monotonic clock alone", () => {
  const clock = new ServerClock();
  assert.equal(clock.now(5), undefined);
  clock.heard(1_000_000, 100);
  assert.equal(clock.now(1_100), 1_001_000);
  clock.heard(1_000_500, 1_100);
  assert.equal(clock.now(1_100), 1_001_000, "an answer that took long does not turn time back");
  clock.heard(1_002_000, 1_200);
  assert.equal(clock.now(1_200), 1_002_000, "one that took less is nearer to the truth");
  clock.heard(900_000, 1_300);
  assert.equal(clock.now(1_300), 900_000, "a clock that was set is followed");
});

const STREAM =
  ': hello\n\nretry: 1000\n\nevent: snapshot\r\ndata: {"a":\r\ndata: 1}\r\n\r\nid: lb1:7\nevent: record\ndata: {}\n\ndata:x\n\n: still here\n\n';

test("the stream is read the same, however its text is cut", () => {
  const whole = new EventStreamReader().read(STREAM);
  assert.deepEqual(whole, [
    { type: "snapshot", data: '{"a":\n1}', id: "" },
    { type: "record", data: "{}", id: "lb1:7" },
    { type: "message", data: "x", id: "lb1:7" },
  ]);
  for (let at = 0; at <= STREAM.length; at++) {
    const reader = new EventStreamReader();
    const events: StreamEvent[] = [
      ...reader.read(STREAM.slice(0, at)),
      ...reader.read(STREAM.slice(at)),
    ];
    assert.deepEqual(events, whole, `cut at ${at}`);
  }
});

test("a browser asks again soon, then less often, and never all at once", () => {
  assert.ok(retryDelayMs(1, 0) < 200 && retryDelayMs(1, 1) === 250);
  assert.equal(retryDelayMs(50, 1), 8_000);
  for (let failures = 1; failures < 8; failures++) {
    assert.ok(retryDelayMs(failures, 0) < retryDelayMs(failures, 1));
  }
});

test("flips are told with what is, and only of what was known", () => {
  const before = fixture("small");
  const after = fixture("one-server-left");
  assert.deepEqual(
    flipsBetween(before, after).map(({ name, to }) => [name, to]),
    [
      ["web", "DEGRADED"],
      ["web2", "DOWN"],
      ["web3", "DOWN"],
    ],
  );
  assert.deepEqual(flipsBetween(undefined, after), []);
});

test("traffic is remembered for a bounded time, of a thousand servers only the one looked at", () => {
  const history = new TrafficHistory();
  const overview = fixture("thousand-servers");
  history.watch("server web/web3");
  for (let i = 0; i < 700; i++) history.add({ ...overview, nowMs: overview.nowMs + i * 1_000 });
  assert.equal(history.of("server web/web3").length, 600);
  assert.equal(history.of("server web/web4").length, 0);
  assert.equal(history.of("pool web").at(-1)?.requests, 1200);
});

test("a pool is as fast as its servers, by how much each of them does", () => {
  const history = new TrafficHistory();
  const overview = fixture("small");
  const edge = overview.topology.edges.find(({ from }) => from === "pool web")!;
  const flow = (to: string, requestsPerSecond: number, latencyMs: number): typeof edge => {
    return { ...edge, to, requestsPerSecond, latencyMs };
  };
  const others = overview.topology.edges.filter(({ from }) => from !== "pool web");
  const flows = [flow("server web/web1", 30, 10), flow("server web/web2", 10, 50)];
  const idle = flow("server web/web3", 0, 5000);
  const topology = { ...overview.topology, edges: [...others, ...flows, idle] };
  history.add({ ...overview, topology });
  assert.equal(history.of("pool web").at(-1)?.latencyMs, 20);
});

test("records of a pool are those of its servers, too", () => {
  const subjects = ["web", "web/web1", "web2", "web2/web1", ""];
  const shown = (wanted: string): string[] => subjects.filter((one) => isOf(one, wanted));
  assert.deepEqual(shown("web/*"), ["web", "web/web1"]);
  assert.deepEqual(shown("web"), ["web"]);
  assert.deepEqual(shown(""), subjects);
});

test("the last minutes have a gap where no overview came, and where control was silent", () => {
  const history = new TrafficHistory();
  const overview = fixture("small");
  const at = (second: number, state: "live" | "stale" = "live"): void =>
    history.add({
      ...overview,
      source: { ...overview.source, state },
      nowMs: overview.nowMs + second * 1000,
    });
  at(0);
  at(1);
  at(2, "stale");
  at(3);
  at(60);
  const samples = history.of("pool web");
  assert.deepEqual(
    samples.map(({ requests, errors }) => requests !== null && errors !== null),
    [true, true, false, true, false, true],
  );
  assert.deepEqual(
    samples.map((sample) => sample.at),
    samples.map((sample) => sample.at).toSorted((a, b) => a - b),
  );
});

test("a value between two gaps is drawn as a point, a line is not", () => {
  assert.deepEqual(aloneIn([1, null, 2, 3, null, 4, null, null]), [0, 5]);
  assert.deepEqual(aloneIn([null, 0, null]), [1]);
  assert.equal(aloneIn([1, 2, null, 3, 4]), null);
  assert.equal(aloneIn([]), null);
});

// ---- colours ----

const style = readFileSync(join(here, "style.css"), "utf8");
const colours = new Map(
  [...style.matchAll(/--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)/gu)].map(
    ([, name, light, dark]) => [name!, [light!, dark!] as const],
  ),
);

/** WCAG 2.2, relative luminance. */
function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

test("every text can be read on every ground, by day and by night", () => {
  const tones = ["good", "warn", "bad", "idle", "drain", "maint", "unknown"];
  const pairs = [
    ...["ink", "muted", "accent", ...tones].flatMap((text) =>
      ["ground", "panel", "raised"].map((ground) => [text, ground, 4.5] as const),
    ),
    ...tones.map((tone) => ["on-tone", tone, 4.5] as const),
    ["on-accent", "accent", 4.5] as const,
    ["edge", "panel", 3] as const,
  ];
  for (const [text, ground, least] of pairs) {
    for (const scheme of [0, 1] as const) {
      const ratio = contrast(colours.get(text)![scheme], colours.get(ground)![scheme]);
      const where = scheme === 0 ? "light" : "dark";
      assert.ok(ratio >= least, `${text} on ${ground}, ${where}: ${ratio.toFixed(2)} < ${least}`);
    }
  }
});

test("colours stand in one place", () => {
  const rest = style.slice(style.indexOf(".tone-good"));
  assert.deepEqual(rest.match(/#[0-9a-f]{3,8}\b/gu) ?? [], []);
});

// ---- what is served ----

test("the whole page is less than 100 KB compressed", async () => {
  const { files, index } = await loadAssets();
  let bytes = index.gzip.length;
  for (const asset of files.values()) bytes += asset.gzip.length;
  assert.ok(bytes < 100 * 1024, `${bytes} bytes`);
});

test("nothing is fetched from elsewhere, and no text becomes markup", () => {
  for (const file of readdirSync(here)) {
    if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
    const source = readFileSync(join(here, file), "utf8").replaceAll(
      "http://www.w3.org/2000/svg",
      "",
    );
    assert.doesNotMatch(source, /https?:\/\//u, file);
    assert.doesNotMatch(
      source,
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/u,
      file,
    );
    assert.doesNotMatch(
      source,
      /\bstyle: (?!"percent")/u,
      `${file}: the policy forbids inline styles`,
    );
    assert.doesNotMatch(
      source,
      /Date\.now\(\)|new Date\(\)/u,
      `${file}: the browser's clock may be wrong`,
    );
  }
});
