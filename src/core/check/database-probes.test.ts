import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { utf8Bytes } from "../../lib/text-bytes.ts";
import type { DatabaseSettings } from "./check-settings.ts";
import { MysqlProbe } from "./mysql-probe.ts";
import { PostgresqlProbe } from "./postgresql-probe.ts";
import type { Probe, ProbeStep } from "./probe.ts";
import { DerivedKeys, ScramClient } from "./scram.ts";

const ANY: Omit<DatabaseSettings, "kind"> = { role: "any", maxLagMs: 0 };
const bytes = (...parts: (string | number | readonly number[])[]): number[] =>
  parts.flatMap((part) =>
    typeof part === "string" ? [...utf8Bytes(part)] : typeof part === "number" ? [part] : part,
  );

/** Feeds what a server says, each part as an answer to what was sent before it. */
function talk(probe: Probe, answers: readonly (readonly number[])[]): ProbeStep {
  let step = probe.connected();
  for (const answer of answers) {
    if (step.result !== undefined) break;
    step = probe.received(Uint8Array.from(answer));
  }
  return step;
}

const said = (step: ProbeStep): string =>
  step.result === undefined ? "waits" : `${step.result.ok} ${step.result.reason}`;

// ---- MySQL ----

const packet = (sequence: number, ...parts: Parameters<typeof bytes>): number[] => {
  const body = bytes(...parts);
  return [body.length & 255, body.length >> 8, 0, sequence, ...body];
};
const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);

function greeting(version: string, plugin = "mysql_native_password"): number[] {
  const salt = "abcdefgh";
  const head = bytes(10, version, 0, [1, 0, 0, 0], salt, 0, [0xff, 0xf7], 45, [2, 0]);
  const tail = bytes([0x0f, 0x80 | 0x08], 21, zeros(10), "ijklmnopqrst", 0, plugin, 0);
  return packet(0, head, tail);
}

const OK = (sequence: number): number[] => packet(sequence, [0, 0, 0, 2, 0, 0, 0]);
const text = (value: string): number[] => bytes(value.length, value);
const column = (name: string): number[] =>
  bytes(text("def"), text(""), text(""), text(""), text(name), text(name), 12, zeros(12));
const EOF = [0xfe, 0, 0, 2, 0];

function rows(names: readonly string[], ...values: readonly (string | null)[][]): number[] {
  const packets = [
    [names.length],
    ...names.map(column),
    EOF,
    ...values.map((row) => row.flatMap((value) => (value === null ? [0xfb] : text(value)))),
    EOF,
  ];
  return packets.flatMap((one, i) => packet(i + 1, one));
}

const mysql = (more: Partial<DatabaseSettings> = {}): MysqlProbe =>
  new MysqlProbe({ ...ANY, ...more, kind: "mysql" });
const WATCH = { user: "watch", password: "secret" } as const;
const READ_ONLY = (value: string): number[] => rows(["@@global.read_only"], [value]);

describe("the check of MySQL", () => {
  it("finds a refusal of a stranger in order", () => {
    const denied = packet(2, 0xff, [0x15, 0x04], "#28000Access denied for user 'nines-check'");
    const unsealed = packet(
      2,
      0xff,
      [0x57, 0x0c],
      "#HY000Connections using insecure transport are",
    );
    for (const refusal of [denied, unsealed]) {
      const step = talk(mysql(), [greeting("8.0.36"), refusal]);
      assert.equal(said(step), "true MySQL 8.0.36, refused a stranger");
    }
  });

  it("lets itself be refused as a stranger whatever way to log in it is asked for", () => {
    const change = packet(2, 0xfe, "sha256_password", 0, "abcdefghijklmnopqrst", 0);
    const asked = talk(mysql(), [greeting("8.0.36"), change]);
    assert.equal(said(asked), "waits");
    assert.deepEqual([...(asked.send ?? [])], [0, 0, 0, 3]);
    const denied = packet(4, 0xff, [0x15, 0x04], "#28000Access denied for user 'nines-check'");
    const step = talk(mysql(), [greeting("8.0.36"), change, denied]);
    assert.equal(said(step), "true MySQL 8.0.36, refused a stranger");
    assert.match(
      said(talk(mysql(WATCH), [greeting("8.0.36"), change])),
      /^false .*sha256_password/,
    );
  });

  it("says good-bye, so that the server counts no broken connection", () => {
    const step = talk(mysql(WATCH), [greeting("8.0.36"), OK(2)]);
    assert.deepEqual([...(step.send ?? [])], [1, 0, 0, 0, 1]);
  });

  it("tells too many connections and a blocked host as failures, also to a stranger", () => {
    const full = packet(0, 0xff, [0x10, 0x04], "Too many connections");
    assert.equal(said(talk(mysql(), [full])), "false error 1040: Too many connections");
  });

  it("proves a password to both plugins, also when asked to switch", () => {
    const native = (step: ProbeStep): number => step.send?.at(4 + 32 + "watch".length + 1) ?? -1;
    const probe = mysql(WATCH);
    probe.connected();
    assert.equal(native(probe.received(Uint8Array.from(greeting("8.0.36")))), 20);
    const caching = mysql(WATCH);
    caching.connected();
    const login = caching.received(Uint8Array.from(greeting("8.0.36", "caching_sha2_password")));
    assert.equal(native(login), 32);
    const change = packet(2, 0xfe, "mysql_native_password", 0, "abcdefghijklmnopqrst", 0);
    const again = caching.received(Uint8Array.from(change));
    assert.deepEqual([...(again.send ?? [])].slice(0, 4), [20, 0, 0, 3]);
    assert.equal(said(caching.received(Uint8Array.from(OK(4)))), "true MySQL 8.0.36");
  });

  it("takes the fast path of caching_sha2 and refuses to send the password itself", () => {
    const hello = greeting("8.4.3", "caching_sha2_password");
    assert.equal(
      said(talk(mysql(WATCH), [hello, [...packet(2, 1, 3), ...OK(3)]])),
      "true MySQL 8.4.3",
    );
    assert.match(
      said(talk(mysql(WATCH), [hello, packet(2, 1, 4)])),
      /^false .*log in once over TLS/,
    );
  });

  it("says which plugin it does not speak", () => {
    const step = talk(mysql(WATCH), [
      greeting("11.4"),
      packet(2, 0xfe, "client_ed25519", 0, "x", 0),
    ]);
    assert.match(said(step), /^false the server wants client_ed25519; give the user/);
  });

  it("looks at read_only for the role and at every primary for the lag", () => {
    const replica = mysql({ ...WATCH, role: "replica", maxLagMs: 2000 });
    const status = rows(["Channel", "Seconds_Behind_Source"], ["a", "1"], ["b", "7"]);
    const step = talk(replica, [greeting("8.4.3"), OK(2), READ_ONLY("1"), status]);
    assert.equal(said(step), "false 7 s behind its primary, at most 2 s are allowed");
    const primary = mysql({ ...WATCH, role: "primary" });
    const right = talk(primary, [greeting("8.4.3"), OK(2), READ_ONLY("0")]);
    assert.equal(said(right), "true MySQL 8.4.3 takes writes");
    const word = mysql({ ...WATCH, role: "primary" });
    const late = talk(word, [greeting("12.0.2-MariaDB"), OK(2), READ_ONLY("OFF")]);
    assert.equal(said(late), "true MariaDB 12.0.2-MariaDB takes writes");
  });

  it("asks MariaDB of all its primaries, those with names too", () => {
    const probe = mysql({ ...WATCH, role: "replica" });
    const step = talk(probe, [greeting("10.11.6-MariaDB"), OK(2), READ_ONLY("1")]);
    assert.match(String.fromCharCode(...(step.send ?? [])), /SHOW ALL SLAVES STATUS$/);
  });

  it("asks old servers in their old words", () => {
    const syntax = packet(1, 0xff, [0x28, 0x04], "#42000You have an error in your SQL syntax");
    const asked = (version: string): MysqlProbe => {
      const probe = mysql({ ...WATCH, role: "replica" });
      const step = talk(probe, [greeting(version), OK(2), READ_ONLY("1"), syntax]);
      assert.match(String.fromCharCode(...(step.send ?? [])), /SHOW SLAVE STATUS$/);
      return probe;
    };
    asked("5.5.68-MariaDB");
    const probe = asked("5.7.44");
    const names = [
      "Slave_IO_Running",
      "Slave_SQL_Running",
      "Last_IO_Error",
      "Seconds_Behind_Master",
    ];
    const broken = rows(names, ["Connecting", "Yes", "no route", null]);
    const end = probe.received(Uint8Array.from(broken));
    assert.equal(said(end), "false replication stands still (IO Connecting, SQL Yes): no route");
  });
});

// ---- PostgreSQL ----

const message = (type: string, ...parts: Parameters<typeof bytes>): number[] => {
  const body = bytes(...parts);
  return bytes(type, [0, 0, (body.length + 4) >> 8, (body.length + 4) & 255], body);
};
const int = (value: number): number[] => [0, 0, value >> 8, value & 255];
const LOGGED_IN = [...message("R", int(0)), ...message("S", "a", 0, "b", 0), ...message("Z", "I")];

function answerOf(recovery: string, lag: string | null, readOnly = "f"): number[] {
  const value = lag === null ? [255, 255, 255, 255] : bytes(int(lag.length), lag);
  const row = message("D", [0, 3], int(1), recovery, value, int(1), readOnly);
  return [...message("T", [0, 0]), ...row, ...message("C", "SELECT 1", 0), ...message("Z", "I")];
}

const postgresql = (more: Partial<DatabaseSettings> = {}): PostgresqlProbe =>
  new PostgresqlProbe(
    { ...ANY, ...more, kind: "postgresql" },
    { random: (count) => new Uint8Array(count).fill(7), keys: new DerivedKeys() },
  );

describe("the check of PostgreSQL", () => {
  it("finds a question for the password and a refusal in order, but not a server that starts", () => {
    const asked = talk(postgresql(), [message("R", int(10), "SCRAM-SHA-256", 0, 0)]);
    assert.equal(said(asked), "true it asks who we are");
    assert.equal(asked.send?.length, 0, "whatever else is said goes to the server's log");
    const error = (code: string, why: string): number[] =>
      message("E", "SFATAL", 0, `C${code}`, 0, `M${why}`, 0, 0);
    assert.equal(said(talk(postgresql(), [error("28000", "no entry")])), "true refused a stranger");
    const starting = error("57P03", "the database system is starting up");
    assert.equal(
      said(talk(postgresql(), [starting])),
      "false FATAL 57P03: the database system is starting up",
    );
    assert.match(said(talk(postgresql(WATCH), [error("28P01", "no")])), /^false FATAL 28P01/);
  });

  it("is content with a question for the password of a user who has none, unless more is asked", () => {
    const asks = [message("R", int(10), "SCRAM-SHA-256", 0, 0)];
    const { user } = WATCH;
    assert.equal(said(talk(postgresql({ user }), asks)), "true it asks who we are");
    assert.equal(talk(postgresql({ user, role: "primary" }), asks).result, undefined);
    const noDatabase = message("E", "SFATAL", 0, "C3D000", 0, "Mno database", 0, 0);
    const trusted = [[...message("R", int(0)), ...noDatabase]];
    assert.equal(said(talk(postgresql({ user }), trusted)), "true it lets us in");
    assert.match(said(talk(postgresql({ user, database: "d" }), trusted)), /^false FATAL 3D000/);
    const none = message("E", "SFATAL", 0, "C28000", 0, "Mno entry", 0, 0);
    assert.match(said(talk(postgresql({ user }), [none])), /^false FATAL 28000/);
  });

  it("answers md5 as its documentation says", () => {
    const step = talk(postgresql(WATCH), [message("R", int(5), [1, 2, 3, 4])]);
    assert.match(String.fromCharCode(...(step.send ?? [])), /^p...\(md5[0-9a-f]{32}\0$/s);
  });

  it("tells the lag of a replica, and that it is not known", () => {
    const settings = { ...WATCH, role: "replica", maxLagMs: 1000 } as const;
    const ask = (answer: number[]): string => said(talk(postgresql(settings), [LOGGED_IN, answer]));
    assert.equal(ask(answerOf("t", "0.25")), "true a replica, 0.25 s behind");
    assert.equal(
      ask(answerOf("t", "12.5")),
      "false 12.5 s behind its primary, at most 1 s are allowed",
    );
    assert.match(ask(answerOf("t", null)), /^false its lag is not known/);
    assert.equal(ask(answerOf("f", null)), "false it is a primary, wanted a replica");
  });

  it("finds that a primary takes no writes, which only matters where it has to", () => {
    const ask = (role: DatabaseSettings["role"]): string => {
      const settings = { ...WATCH, role, maxLagMs: 1000 };
      return said(talk(postgresql(settings), [LOGGED_IN, answerOf("f", null, "t")]));
    };
    const reason = "it is read-only by default_transaction_read_only, wanted a primary";
    assert.equal(ask("primary"), `false ${reason}`);
    assert.equal(ask("any"), "true a primary");
  });

  it("does not believe a server that cannot prove to know the password", () => {
    const probe = postgresql(WATCH);
    probe.connected();
    const first = probe.received(Uint8Array.from(message("R", int(10), "SCRAM-SHA-256", 0, 0)));
    const nonce = /r=([^,]+)$/.exec(String.fromCharCode(...(first.send ?? [])))?.[1] ?? "";
    const next = message("R", int(11), `r=${nonce}x,s=QSXCR+Q6sek8bf92,i=4096`);
    assert.ok(probe.received(Uint8Array.from(next)).send !== undefined);
    const end = [...message("R", int(12), "v=AAAA"), ...LOGGED_IN];
    assert.match(said(probe.received(Uint8Array.from(end))), /^false the server does not know/);
  });
});

describe("SCRAM-SHA-256", () => {
  it("agrees with the example of RFC 7677 section 3", () => {
    const random = Uint8Array.fromBase64("rOprNGfwEbeRWgbNEkqO");
    const client = new ScramClient("pencil", random, new DerivedKeys());
    assert.equal(client.firstMessage, "n,,n=,r=rOprNGfwEbeRWgbNEkqO");
    const serverFirst =
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    const final = client.finalMessage(serverFirst);
    // The name of the user is empty here, so that the proof is another than in the RFC.
    assert.ok("message" in final);
    assert.match(
      final.message,
      /^c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj\)hNlF\$k0,p=.{44}$/,
    );
    assert.equal(client.verifies(utf8Bytes("v=AAAA")), false);
  });

  it("refuses a server that repeats our nonce, or wants us to calculate for minutes", () => {
    const first = (rest: string): unknown => {
      const client = new ScramClient("x", new Uint8Array(18), new DerivedKeys());
      const nonce = "A".repeat(24);
      return client.finalMessage(`r=${nonce}${rest}`);
    };
    assert.ok("error" in (first(",s=QUFB,i=4096") as object));
    assert.ok("error" in (first("x,s=QUFB,i=900000000") as object));
    assert.ok("error" in (first("x,s=!,i=1") as object));
  });
});

describe("whatever a server says", () => {
  const conversations: readonly (readonly [() => Probe, readonly number[][]])[] = [
    [
      () => mysql({ ...WATCH, role: "replica", maxLagMs: 1 }),
      [greeting("8.4.3"), OK(2), READ_ONLY("1"), rows(["Seconds_Behind_Source"], ["0"])],
    ],
    [() => postgresql({ ...WATCH, role: "replica" }), [LOGGED_IN, answerOf("t", "0")]],
  ];

  it("comes to the same end in pieces of any size", () => {
    for (const [make, answers] of conversations) {
      const whole = said(talk(make(), answers));
      assert.match(whole, /^true /);
      const probe = make();
      probe.connected();
      let last: ProbeStep = {};
      for (const octet of answers.flat()) last = probe.received(Uint8Array.of(octet));
      assert.equal(said(last), whole);
    }
  });

  it("never throws, whatever bytes are changed, cut off or made up", () => {
    for (const [make, answers] of conversations) {
      const stream = Uint8Array.from(answers.flat());
      for (let i = 0; i < stream.length; i++) {
        for (const flip of [1, 0x80, 0xff]) {
          const broken = stream.slice();
          broken[i]! ^= flip;
          const probe = make();
          probe.connected();
          probe.received(broken);
          probe.ended();
        }
      }
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
          const probe = make();
          probe.connected();
          probe.received(noise);
        }),
      );
    }
  });
});
