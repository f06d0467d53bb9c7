import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { latin1Text, utf8Bytes, utf8Text } from "../../lib/text-bytes.ts";
import type { CheckProtocol, CheckTarget, CheckTiming } from "./check-settings.ts";
import { DnsProbe } from "./datagram-probes.ts";
import { HttpProbe } from "./http-probe.ts";
import { AgentProbe, memcachedProbe, readAgentLine, redisProbe, smtpProbe } from "./line-probes.ts";
import { failure, type Probe, type ProbeResult } from "./probe.ts";
import { ServerCheck, type ServerCheckAction } from "./server-check.ts";

const TIMING: CheckTiming = {
  intervalMs: 2000,
  fastIntervalMs: 500,
  downIntervalMs: 4000,
  timeoutMs: 1000,
  rise: 2,
  fall: 3,
  retry: 0,
  delayBeforeRetryMs: 100,
  warmupMs: 0,
  startDown: false,
};

function targetOf(
  timing: Partial<CheckTiming>,
  protocol: CheckProtocol = { kind: "tcp" },
): CheckTarget {
  return {
    subject: "web/a",
    check: { name: "c", protocol, timing: { ...TIMING, ...timing } },
    endpoint: { kind: "ip", address: "10.0.0.1", port: 80 },
  };
}

/** Answers every probe at once; gives the verdicts with their times. */
function play(check: ServerCheck, answers: readonly boolean[]): string[] {
  const said: string[] = [];
  const note = (now: number, actions: readonly ServerCheckAction[]): boolean => {
    for (const action of actions) {
      if (action.type !== "report") continue;
      said.push(`${now} ${action.verdict.up ? "up" : "down"}: ${action.verdict.reason}`);
    }
    return actions.some((action) => action.type === "start-probe");
  };
  for (let i = 0; i < answers.length;) {
    const now = check.deadline;
    if (!note(now, check.step(now, { type: "woken" }))) continue;
    const result = { ok: answers[i++]!, reason: "x" };
    note(now, check.step(now, { type: "probe-ended", result }));
  }
  return said;
}

/** What an agent's check tells after each of its words; undefined: it was silent. */
function hear(protocol: CheckProtocol, words: readonly (string | undefined)[]): string[] {
  const check = new ServerCheck(targetOf({ rise: 1, fall: 1 }, protocol), 0);
  return words.map((word) => {
    const now = check.deadline;
    check.step(now, { type: "woken" });
    const result = word === undefined ? failure("ECONNREFUSED") : readAgentLine(word);
    check.step(now, { type: "probe-ended", result });
    const {
      up,
      weightPercent = "",
      admin = "",
      maxConnections,
    } = check.verdict ?? { up: "unknown" };
    const most = maxConnections === undefined ? "" : `at most ${maxConnections}`;
    return [up, weightPercent, admin, most].filter((part) => part !== "").join(" ");
  });
}

describe("the check of a server", () => {
  it("leaves what an agent does not speak of as it was", () => {
    const words = [
      "up 75%",
      "drain",
      "up",
      "50%",
      "ready up 100%",
      "down",
      undefined,
      "75%",
      "up",
      "maxconn:30",
      "maint",
      "MAXCONN:0",
    ];
    assert.deepEqual(hear({ kind: "agent", send: "" }, words), [
      "true 75",
      "true 75 drain",
      "true 75 drain",
      "true 50 drain",
      "true 100 ready",
      "false 100 ready",
      "false 100 ready",
      "false 75 ready",
      "true 75 ready",
      "true 75 ready at most 30",
      "true 75 maint at most 30",
      "true 75 maint at most 0",
    ]);
  });

  it("sends a server that drains no traffic because its agent missed one question", () => {
    const check = new ServerCheck(targetOf({ rise: 1, fall: 3 }, { kind: "agent", send: "" }), 0);
    const heard = [readAgentLine("drain 30%"), failure("ECONNREFUSED")].map((result) => {
      const now = check.deadline;
      check.step(now, { type: "woken" });
      return check.step(now, { type: "probe-ended", result }).length;
    });
    const { up, admin, weightPercent } = check.verdict!;
    assert.deepEqual([heard, up, admin, weightPercent], [[1, 0], true, "drain", 30]);
  });

  it("of an agent that need not answer goes by its last word", () => {
    const words = [undefined, "up 75%", undefined, "what?", "down", undefined, "ready", "up now"];
    assert.deepEqual(hear({ kind: "agent", send: "", required: false }, words), [
      "unknown",
      "true 75",
      "true 75",
      "true 75",
      "false 75",
      "false 75",
      "false 75 ready",
      "true 75 ready",
    ]);
  });

  it("keeps its pace when each question is put late, and does not make up for what it missed", () => {
    const check = new ServerCheck(targetOf({}), 0);
    const due: number[] = [];
    for (const late of [70, 70, 70, 9000, 0, 0]) {
      due.push(check.deadline);
      const now = check.deadline + late;
      check.step(now, { type: "woken" });
      check.step(now + 1, { type: "probe-ended", result: { ok: true, reason: "x" } });
    }
    assert.deepEqual(due, [0, 2000, 4000, 6000, 15_001, 17_001]);
  });

  it("falls after `fall` failures at the fast interval and rises after `rise` at the down one", () => {
    const check = new ServerCheck(targetOf({}), 0);
    assert.deepEqual(play(check, [true, false, false, false, true, true]), [
      "0 up: check passed: x, 1 of 2",
      "3000 down: check failed: x, 3 of 3",
      "7500 up: check passed: x, 2 of 2",
    ]);
  });

  it("tries again inside one check before it counts as failed", () => {
    const check = new ServerCheck(targetOf({ retry: 2, fall: 1 }), 0);
    assert.deepEqual(play(check, [true, false, false, true, false, false, false]).slice(1), [
      "4400 down: check failed: x, 1 of 1",
    ]);
  });

  it("is a failure when no answer comes in time, and a late answer counts for nothing", () => {
    const check = new ServerCheck(targetOf({ fall: 1 }), 0);
    check.step(0, { type: "woken" });
    const actions = check.step(1000, { type: "woken" });
    assert.deepEqual(
      actions.map((action) => action.type),
      ["abandon-probe", "report"],
    );
    assert.match(check.verdict!.reason, /no answer within 1000 ms/);
    assert.deepEqual(
      check.step(1001, { type: "probe-ended", result: { ok: true, reason: "" } }),
      [],
    );
  });
});

/** Feeds the bytes whole, and again one by one: the result is the same. */
function result(
  make: () => Probe,
  replies: readonly string[],
  ends = false,
): ProbeResult | undefined {
  const results = [false, true].map((isPiecewise) => {
    const probe = make();
    let step = probe.connected();
    for (const reply of replies) {
      const bytes = utf8Bytes(reply);
      const pieces = isPiecewise ? Array.from(bytes, (octet) => Uint8Array.of(octet)) : [bytes];
      for (const piece of pieces) if (step.result === undefined) step = probe.received(piece);
    }
    return step.result ?? (ends ? probe.ended().result : undefined);
  });
  assert.deepEqual(results[0], results[1]);
  return results[0];
}

const HTTP: Extract<CheckProtocol, { kind: "http" }> = {
  kind: "http",
  method: "GET",
  path: "/",
  headers: [],
  status: [{ from: 200, to: 399 }],
  maxBodyBytes: 1000,
};

describe("probes", () => {
  const http = (body?: Extract<CheckProtocol, { kind: "http" }>["body"]) => (): Probe =>
    new HttpProbe(body === undefined ? HTTP : { ...HTTP, body }, "h");

  it("HTTP: judge status and body, also chunked, and say what was wanted", () => {
    const bad = result(http(), ["HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"]);
    assert.deepEqual(bad, { ok: false, reason: "status 503, wanted 200-399" });
    const chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nall\r\n5\r\n good\r\n0\r\n\r\n";
    assert.equal(result(http({ kind: "contains", text: "all good" }), [chunked])?.ok, true);
    assert.equal(
      result(http({ kind: "regex", pattern: "^all", inverted: true }), [chunked])?.ok,
      false,
    );
    const md5 = {
      kind: "digest",
      algorithm: "md5",
      hex: "5d41402abc4b2a76b9719d911017c592",
    } as const;
    assert.equal(result(http(md5), ["HTTP/1.0 200 OK\r\n\r\nhello"], true)?.ok, true);
    assert.equal(result(http(), ["SSH-2.0-x\r\n"])?.ok, false);
    const cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell";
    assert.match(result(http({ kind: "contains", text: "x" }), [cut], true)!.reason, /cut off/);
  });

  it("HTTP: want the end of the body where it is asked for, whatever is in it", () => {
    const whole = (): Probe => new HttpProbe({ ...HTTP, wholeBody: true }, "h");
    const part = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell";
    assert.equal(result(http(), [part])?.ok, true);
    assert.equal(result(whole, [part]), undefined);
    assert.deepEqual(result(whole, [part, "o you"]), { ok: true, reason: "status 200" });
    assert.equal(result(whole, ["HTTP/1.0 200 OK\r\n\r\nx".padEnd(1100, "x")])?.ok, true);
    assert.equal(result(whole, ["HTTP/1.1 204 No\r\n\r\n"])?.ok, true);
    // Nobody knows where this one ends.
    const odd = "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nx";
    assert.equal(result(whole, [odd])?.ok, true);
  });

  it("HTTP: look for an expression in the head as well where that is asked for", () => {
    const answer = "HTTP/1.1 200 OK\r\nServer: shop\r\nContent-Length: 4\r\n\r\nwell";
    const found = (pattern: string, withHead?: true): boolean | undefined =>
      result(http({ kind: "regex", pattern, inverted: false, ...(withHead && { withHead }) }), [
        answer,
      ])?.ok;
    assert.deepEqual([found("shop"), found("shop", true)], [false, true]);
    assert.deepEqual(
      [found("^HTTP/1.1 200.*well$"), found("^HTTP/1.1 200.*well$", true)],
      [false, true],
    );
    assert.deepEqual([found("^well"), found("^well", true)], [true, false]);
  });

  it("HTTP: read the body as UTF-8, whatever it is cut at", () => {
    const all = "HTTP/1.0 200 OK\r\n\r\n数据库: 正常 😀";
    const regex = (pattern: string) => () => http({ kind: "regex", pattern, inverted: false })();
    for (const pattern of ["库: 正.", "[常]", "\\p{L} ", "[😀]$"]) {
      assert.equal(result(regex(pattern), [all], true)?.ok, true, pattern);
    }
    const text = utf8Text(Uint8Array.from([0xe6, 0xad, 0x41, 0xff, 0xc3, 0xa9, 0xe6, 0xad]));
    assert.equal(text, "\u00e6\u00adA\u00ff\u00e9\u00e6\u00ad");
  });

  it("HTTP: take no digest of a part, and send a Host of their own once", () => {
    const digest = { kind: "digest", algorithm: "md5", hex: "" } as const;
    const long = `HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n${"x".repeat(1001)}`;
    assert.match(result(http(digest), [long])!.reason, /longer than 1000 bytes: raise max_body/);
    const headers = [{ name: "host", value: "shop" }];
    const probe = new HttpProbe({ ...HTTP, headers }, "h");
    const asked = latin1Text(probe.connected().send!, 0, probe.connected().send!.length);
    assert.deepEqual(asked.match(/^host:.*/gim), ["host: shop"]);
  });

  it("HTTP: pass over interim answers, and take 101 for the last one", () => {
    const headers = ["Connection: Upgrade", "Upgrade: websocket"].map((line) => {
      const [name = "", value = ""] = line.split(": ");
      return { name, value };
    });
    const upgrade = { ...HTTP, headers, status: [{ from: 101, to: 101 }] };
    const switched = ["HTTP/1.1 103 Hints\r\n\r\n", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"];
    const told = result(() => new HttpProbe(upgrade, "h"), switched);
    assert.deepEqual(told, { ok: true, reason: "status 101" });
    assert.equal(result(http(), switched)?.reason, "status 101, wanted 200-399");
    const { send = new Uint8Array() } = new HttpProbe(upgrade, "h").connected();
    const asked = latin1Text(send, 0, send.length);
    assert.match(asked, /Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n$/);
  });

  it("SMTP, memcached and Redis: hold their conversations", () => {
    const smtp = () => smtpProbe("me");
    assert.equal(result(smtp, ["220 hi\r\n", "250-a\r\n250 b\r\n", "221 bye\r\n"])?.ok, true);
    assert.match(result(smtp, ["554 no\r\n"])!.reason, /554 no, wanted 220/);
    // One that is older than EHLO.
    const old = ["220 hi\r\n", "502 what\r\n", "250 b\r\n", "221 bye\r\n"];
    assert.equal(result(smtp, old)?.ok, true);
    assert.match(
      result(smtp, ["220 hi\r\n", "550 no\r\n", "550 no\r\n"])!.reason,
      /550 no, wanted 250/,
    );
    assert.equal(result(memcachedProbe, ["VERSION 1.6\r\n"])?.ok, true);
    const redis = (role: "primary" | "replica") => () =>
      redisProbe({ kind: "redis", role, maxLagMs: 0 });
    const info = "role:slave\r\nmaster_link_status:up\r\nmaster_last_io_seconds_ago:1\r\n";
    const replies = ["+PONG\r\n", `$${info.length}\r\n${info}\r\n`];
    assert.equal(result(redis("replica"), replies)?.ok, true);
    assert.match(result(redis("primary"), replies)!.reason, /it is a replica, wanted a primary/);
  });

  it("DNS: believe only the answer to the own question", () => {
    const probe = new DnsProbe("example.com", "A", 0x1234);
    const query = probe.connected().send!;
    assert.deepEqual([...query.subarray(0, 2)], [0x12, 0x34]);
    const reply = (id: number, code: number, answers: number): Uint8Array =>
      Uint8Array.of(id >> 8, id & 255, 0x80, code, 0, 1, 0, answers, 0, 0, 0, 0);
    assert.equal(probe.received(reply(1, 0, 1)).result, undefined);
    assert.equal(probe.received(reply(0x1234, 3, 0)).result?.ok, false);
    assert.equal(probe.received(reply(0x1234, 0, 1)).result?.ok, true);
  });
});

describe("a check that starts down", () => {
  it("says so before the first answer, and needs `rise` successes", () => {
    const check = new ServerCheck(targetOf({ startDown: true }), 0);
    assert.equal(check.verdict?.up, false);
    assert.equal(check.verdict?.reason, "has not passed a check yet");
    assert.deepEqual(play(check, [true, true]), ["500 up: check passed: x, 2 of 2"]);
  });

  it("goes on from what was known, in both directions", () => {
    const known = { subject: "web/a", reason: "y", latencyMs: 7 };
    const up = new ServerCheck(targetOf({ startDown: true }), 0, { ...known, up: true });
    assert.deepEqual(up.verdict, { ...known, up: true });
    assert.deepEqual(play(up, [true]), []);
    const failing = new ServerCheck(targetOf({ startDown: true }), 0, { ...known, up: true });
    assert.deepEqual(play(failing, [false, false, false]), ["1000 down: check failed: x, 3 of 3"]);
    for (const startDown of [true, false]) {
      const down = new ServerCheck(targetOf({ startDown }), 0, { ...known, up: false });
      assert.deepEqual(play(down, [true, true]), ["500 up: check passed: x, 2 of 2"]);
    }
  });
});

describe("trouble that is ours", () => {
  const asked = (check: ServerCheck, result: ProbeResult): readonly ServerCheckAction[] => {
    const now = check.deadline;
    check.step(now, { type: "woken" });
    return check.step(now, { type: "probe-ended", result });
  };

  it("leaves the verdict as it is, however often, with a warning that goes when it goes", () => {
    const check = new ServerCheck(targetOf({ fall: 1 }), 0);
    asked(check, { ok: true, reason: "x" });
    const [told] = asked(check, failure("EMFILE"));
    assert.ok(told?.type === "report");
    assert.deepEqual([told.verdict.up, told.verdict.warning], [true, "could not be asked: EMFILE"]);
    for (let i = 0; i < 5; i++) assert.deepEqual(asked(check, failure("EMFILE")), []);
    const [back] = asked(check, { ok: true, reason: "x" });
    assert.ok(back?.type === "report");
    assert.equal(back.verdict.warning, undefined);
  });

  it("is no verdict where there is none yet, and no trouble of the server's is ours", () => {
    const check = new ServerCheck(targetOf({}), 0);
    assert.deepEqual(asked(check, failure("EADDRNOTAVAIL")), []);
    assert.equal(check.verdict, undefined);
    for (const errno of ["ECONNREFUSED", "EHOSTUNREACH", "ECONNRESET", "ETIMEDOUT"]) {
      assert.equal(failure(errno).isOurs, undefined);
    }
  });
});

it("what a server says cannot order the operator's terminal about, and keeps its letters", () => {
  const probe = new AgentProbe("");
  const said = utf8Bytes("down#\u001B[2J维护\u0007 x\u009B31m\n");
  const check = new ServerCheck(targetOf({ rise: 1, fall: 1 }), 0);
  const now = check.deadline;
  check.step(now, { type: "woken" });
  const { result } = probe.received(said);
  const [report] = check.step(now, {
    type: "probe-ended",
    result: { ...result!, warning: "old\r\nnew" },
  });
  assert.ok(report?.type === "report");
  assert.equal(
    report.verdict.reason,
    'check failed: the agent said "down" ( [2J维护  x 31m), 1 of 1',
  );
  assert.equal(report.verdict.warning, "old new");
});
