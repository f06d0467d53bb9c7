import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckVerdict } from "./check-settings.ts";
import { type NoticeOrder, type PoolNotices, ServerNotices } from "./server-notices.ts";

const command = (word: string): { readonly argv: readonly string[] } => ({ argv: [word] });

function pool(draft: Partial<PoolNotices> = {}): PoolNotices {
  const server = (name: string, weight: number): PoolNotices["servers"][number] => ({
    server: name,
    weight,
    startsDown: false,
    up: command(`${name} up`),
    down: command(`${name} down`),
  });
  const quorum = { weight: 3, hysteresis: 1, up: command("gained"), down: command("lost") };
  return { pool: "web", servers: [server("a", 3), server("b", 2)], quorum, atEnd: false, ...draft };
}

const words = (orders: readonly NoticeOrder[]): string[] =>
  orders.map((order) => {
    if ("mail" in order) return order.mail.subject;
    return "line" in order ? order.line : order.command.argv[0]!;
  });

test("only changes are told, each with the quorum that it brings or takes", () => {
  const notices = new ServerNotices();
  assert.deepEqual(words(notices.configure([pool()])), ["gained"]);
  assert.deepEqual(words(notices.heard("web/a", true, "")), []);
  assert.deepEqual(words(notices.heard("web/b", false, "")), ["b down"]);
  // 3 of 3 - 1: still enough; without a nothing is left.
  assert.deepEqual(words(notices.heard("web/a", false, "")), ["a down", "lost"]);
  assert.deepEqual(words(notices.heard("web/a", true, "")), ["a up"]);
  // 3 of 3 + 1 was not enough.
  assert.deepEqual(words(notices.heard("web/b", true, "")), ["b up", "gained"]);
  assert.deepEqual(words(notices.heard("web/stranger", false, "")), []);
});

test("who starts down is told when it comes up, and a reload tells nothing again", () => {
  const { servers } = pool();
  const draft = pool({ servers: servers.map((server) => ({ ...server, startsDown: true })) });
  const notices = new ServerNotices();
  assert.deepEqual(words(notices.configure([draft])), []);
  assert.deepEqual(words(notices.heard("web/a", true, "")), ["a up"]);
  assert.deepEqual(words(notices.configure([draft])), []);
  assert.deepEqual(words(notices.heard("web/b", true, "")), ["b up", "gained"]);
  // A pool that was away begins anew.
  assert.deepEqual(words(notices.configure([])), ["a down", "b down", "lost"]);
  assert.deepEqual(words(notices.configure([pool()])), ["gained"]);
});

test("with rs_init_notifies servers that are up from the start are told, new ones of a reload too, none twice", () => {
  const [a, b] = pool().servers;
  const draft = pool({ tellsStart: true, servers: [a!, { ...b!, startsDown: true }] });
  const c = { ...a!, server: "c", up: command("c up") };
  const wider = { ...draft, servers: [...draft.servers, c] };
  const notices = new ServerNotices();
  assert.deepEqual(words(notices.configure([draft])), ["a up"]);
  assert.deepEqual(words(notices.configure([draft])), []);
  assert.deepEqual(words(notices.configure([wider])), ["c up", "gained"]);
  // Another process goes on: whom the earlier one has told of, however little checks have said.
  const next = new ServerNotices();
  next.rememberPools(["web"]);
  assert.deepEqual(words(next.configure([wider])), []);
});

test("a pool that nobody wants to hear of any more has not gone down", () => {
  const notices = new ServerNotices();
  notices.configure([pool()], ["web"]);
  assert.deepEqual(words(notices.configure([], ["web"])), []);
  notices.configure([pool()], ["web"]);
  assert.deepEqual(words(notices.configure([], ["other"])), ["a down", "b down", "lost"]);
});

test("what a reload removes goes down: servers that were up, and the quorum that goes with them", () => {
  const notices = new ServerNotices();
  const { servers } = pool();
  const [a, b] = servers as [PoolNotices["servers"][number], PoolNotices["servers"][number]];
  notices.configure([pool()]);
  // 2 of 3 - 1 is enough.
  assert.deepEqual(words(notices.configure([pool({ servers: [b] })])), ["a down"]);
  assert.deepEqual(words(notices.configure([pool()])), []);
  assert.deepEqual(words(notices.configure([pool({ servers: [] })])), ["a down", "b down", "lost"]);
  notices.configure([pool()]);
  notices.heard("web/a", false, "");
  assert.deepEqual(words(notices.configure([])), ["b down", "lost"]);
  // Down already, and without a quorum already: nobody hears it twice.
  notices.configure([pool()]);
  for (const subject of ["web/a", "web/b"]) notices.heard(subject, false, "");
  assert.deepEqual(words(notices.configure([])), []);
  // Under the same name at another address: another one, of which nothing is known.
  const at = (fifoName: string, startsDown: boolean): PoolNotices => {
    return pool({ fifoName: "vs", servers: [{ ...a, fifoName, startsDown }] });
  };
  notices.configure([at("one", false)]);
  assert.deepEqual(words(notices.configure([at("one", true)])), []);
  const gone = ["a down", "RS one vs DOWN\n"];
  assert.deepEqual(words(notices.configure([at("two", true)])), gone);
  assert.deepEqual(words(notices.heard("web/a", true, "")), ["a up", "RS two vs UP\n"]);
});

test("who starts down is told of when its first check fails, and the quorum where another steps in", () => {
  const says = (up: boolean): CheckVerdict => {
    return { subject: "web/a", up, reason: "check failed: no", latencyMs: 0 };
  };
  const { servers, quorum } = pool();
  const down = servers.map((server) => ({ ...server, startsDown: true }));
  const notices = new ServerNotices();
  const draft = pool({ servers: down, hasSorry: true, quorum: { ...quorum, hysteresis: 0 } });
  assert.deepEqual(words(notices.configure([draft])), ["lost"]);
  // What it begins with is nobody's finding.
  assert.deepEqual(words(notices.heard("web/a", false, "has not passed a check yet")), []);
  assert.deepEqual(words(notices.heardCheck("tcp", says(false), false)), ["a down"]);
  assert.deepEqual(words(notices.heardCheck("http", says(false), false)), []);
  assert.deepEqual(words(notices.configure([draft])), []);
  assert.deepEqual(words(notices.heard("web/b", true, "")), ["b up"]);
  assert.deepEqual(
    words(notices.heardCheck("tcp", { ...says(false), subject: "web/b" }, true)),
    [],
  );
  assert.deepEqual(words(notices.heard("web/a", true, "")), ["a up", "gained"]);
  const heir = new ServerNotices();
  heir.remember("web/a", false);
  assert.deepEqual(words(heir.configure([draft])), []);
  assert.deepEqual(words(heir.heardCheck("tcp", says(false), false)), []);
});

test("what an earlier process has told is not told again", () => {
  const notices = new ServerNotices();
  notices.remember("web/a", false);
  assert.deepEqual(words(notices.configure([pool()])), []);
  assert.deepEqual(words(notices.heard("web/a", false, "")), []);
  assert.deepEqual(words(notices.heard("web/a", true, "")), ["a up", "gained"]);
  const other = new ServerNotices();
  for (const subject of ["web/a", "web/b"]) other.remember(subject, true);
  assert.deepEqual(words(other.configure([pool(), pool({ pool: "new" })])), ["gained"]);
  assert.deepEqual(words(other.heard("web/a", false, "")), ["a down"]);
  assert.deepEqual(words(other.heard("web/b", false, "")), ["b down", "lost"]);
  // Of a pool without checks nothing is ever known but that it was told of.
  const third = new ServerNotices();
  third.rememberPools(["web"]);
  assert.deepEqual(words(third.configure([pool(), pool({ pool: "new" })])), ["gained"]);
  assert.deepEqual(words(third.configure([pool({ pool: "new" })])), ["a down", "b down", "lost"]);
});

test("the end is told of those that are up, where it was asked for", () => {
  const notices = new ServerNotices();
  notices.configure([pool({ atEnd: true }), pool({ pool: "other" })]);
  notices.heard("web/b", false, "");
  assert.deepEqual(words(notices.end()), ["a down", "lost"]);
  // The last requests may take a while, and the checks go on for them.
  assert.deepEqual(words(notices.heard("web/b", true, "")), []);
  assert.deepEqual(words(notices.heard("other/b", false, "")), ["b down"]);
});

test("a FIFO gets a line of each change, whether or not a script is run for it", () => {
  const [vs, a, b] = ["[192.0.2.10]:tcp:80", "[10.0.0.1]:tcp:80", "[10.0.0.2]:tcp:80"];
  const server = (name: string, fifoName: string): PoolNotices["servers"][number] => ({
    server: name,
    fifoName,
    weight: 1,
    startsDown: false,
  });
  const quorum = { weight: 1, hysteresis: 0, down: command("lost") };
  const servers = [server("a", a), { ...server("b", b), up: command("b up") }];
  const draft = pool({ fifoName: vs, servers, quorum, atEnd: true });
  const notices = new ServerNotices();
  assert.deepEqual(words(notices.configure([draft])), [`VS ${vs} UP\n`]);
  assert.deepEqual(words(notices.heard("web/a", false, "")), [`RS ${a} ${vs} DOWN\n`]);
  assert.deepEqual(words(notices.heard("web/a", false, "")), []);
  assert.deepEqual(words(notices.heard("web/b", false, "")), [
    `RS ${b} ${vs} DOWN\n`,
    "lost",
    `VS ${vs} DOWN\n`,
  ]);
  assert.deepEqual(words(notices.heard("web/b", true, "")), [
    "b up",
    `RS ${b} ${vs} UP\n`,
    `VS ${vs} UP\n`,
  ]);
  assert.deepEqual(words(notices.end()), [`RS ${b} ${vs} DOWN\n`, "lost", `VS ${vs} DOWN\n`]);
});

const MAILS = { name: "[192.0.2.1]:tcp:80", eachCheck: true };

function mailing(mails: NonNullable<PoolNotices["mails"]> = MAILS): PoolNotices {
  const server = { weight: 1, startsDown: false };
  return {
    pool: "web",
    servers: [
      { ...server, server: "a", mail: "[10.0.0.1]:tcp:80" },
      { ...server, server: "b" },
    ],
    quorum: { weight: 2, hysteresis: 0, mail: true },
    mails,
    atEnd: true,
  };
}

const letters = (orders: readonly NoticeOrder[]): string[] =>
  orders.map((one) => ("mail" in one ? `${one.mail.subject}: ${one.mail.text}` : "a script"));

const OF_A = "Realserver [10.0.0.1]:tcp:80 of virtual server [192.0.2.1]:tcp:80";
const OF_ALL = "Virtualserver [192.0.2.1]:tcp:80";

test("mail tells of servers that want it, of the quorum, and of the end, in keepalived's words", () => {
  const notices = new ServerNotices();
  const gained = `${OF_ALL} - UP: => Gained quorum 2+0=2 <= 2 <=\n`;
  const started = gained.replace("Gained quorum", "Starting with quorum up");
  assert.deepEqual(letters(notices.configure([mailing()])), [started]);
  assert.deepEqual(letters(notices.heard("web/a", false, "check failed: refused, 3 of 3")), [
    `${OF_A} - DOWN: => CHECK failed on service : refused, 3 of 3 <=\n`,
    `${OF_ALL} - DOWN: => Lost quorum 2-0=2 > 1 <=\n`,
  ]);
  assert.deepEqual(letters(notices.heard("web/a", true, "fine")), [
    `${OF_A} - UP: => CHECK succeed on service <=\n`,
    gained,
  ]);
  assert.deepEqual(letters(notices.configure([])), [
    `${OF_A} - DOWN: => Removing <=\n`,
    `${OF_ALL} - DOWN: => Lost quorum 2-0=2 > 0 <=\n`,
  ]);
  notices.configure([mailing()]);
  assert.deepEqual(letters(notices.end()), [
    `${OF_A} - DOWN: => Shutting down <=\n`,
    `${OF_ALL} - DOWN: => Shutting down <=\n`,
  ]);
  const sorry = new ServerNotices();
  const draft: PoolNotices = { ...mailing(), hasSorry: true };
  const servers = draft.servers.map((server) => ({ ...server, startsDown: true }));
  assert.deepEqual(letters(sorry.configure([{ ...draft, servers }])), [
    `${OF_ALL} - DOWN: => Starting with quorum down 2+0=2 > 0 <=\n`,
  ]);
});

test("of a server with several checks mail tells of each, once, unless only of servers", () => {
  const says = (up: boolean): CheckVerdict => {
    return { subject: "web/a", up, reason: "no answer", latencyMs: 0 };
  };
  const notices = new ServerNotices();
  notices.configure([mailing()]);
  notices.heard("web/a", false, "no answer");
  assert.deepEqual(letters(notices.heardCheck("tcp", says(false), true)), []);
  const failed = `${OF_A} - DOWN: => CHECK failed on service : no answer <=\n`;
  assert.deepEqual(letters(notices.heardCheck("http", says(false), false)), [failed]);
  assert.deepEqual(letters(notices.heardCheck("http", says(false), false)), []);
  const succeeded = `${OF_A} - DOWN: => CHECK succeed on service <=\n`;
  assert.deepEqual(letters(notices.heardCheck("tcp", says(true), false)), [succeeded]);

  const quiet = new ServerNotices();
  quiet.configure([mailing({ ...MAILS, eachCheck: false })]);
  quiet.heard("web/a", false, "no answer");
  assert.deepEqual(letters(quiet.heardCheck("http", says(false), false)), []);

  const heir = new ServerNotices();
  heir.remember("web/a", false);
  heir.configure([mailing()]);
  // An earlier process has told of what it said then.
  assert.deepEqual(letters(heir.heardCheck("tcp", says(false), false)), []);
  assert.deepEqual(letters(heir.heardCheck("tcp", says(true), false)), [succeeded]);
});
