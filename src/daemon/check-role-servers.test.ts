import assert from "node:assert/strict";
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { plainTiming } from "../../test/kit/plain-timing.ts";
import type { CheckTarget, CheckVerdict } from "../core/check/check-settings.ts";
import { makeFifo } from "../drivers/descriptors.ts";
import { Agenda } from "./agenda.ts";
import { CheckRoleLink } from "./balance-check-link.ts";
import type { FromCheckRole, ToCheckRole } from "./balance-protocol.ts";
import { ServerChecks } from "./check-role-servers.ts";
import type { MailAlerts } from "./notify-mail.ts";
import { connectLines, type LineConnection } from "./line-connection.ts";
import { NotifyLines } from "./notify-lines.ts";

const agenda = new Agenda();
after(() => agenda.close());

type MailSink = Pick<MailAlerts, "configure" | "tell">;
const NO_MAIL: MailSink = { configure: () => {}, tell: () => {} };

const subject = "web/a";
/** Nobody asks it within this test. */
const target = {
  subject,
  check: {
    name: "c",
    protocol: { kind: "tcp" },
    timing: { ...plainTiming(60_000, 1000), warmupMs: 60_000 },
  },
  endpoint: { kind: "ip", address: "127.0.0.1", port: 1 },
} as unknown as CheckTarget;

test("a worker that reaches a new check process before control does hears what control knows", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nines-checks-"));
  const path = join(folder, "check.sock");
  const checks = new ServerChecks(1, new NotifyLines(agenda), NO_MAIL);
  const { promise, resolve } = Promise.withResolvers<CheckVerdict>();
  const early = new CheckRoleLink(path, "balance", {
    verdicts: (heard) => {
      if (heard[0] !== undefined) resolve(heard[0]);
    },
  });
  const known: CheckVerdict[] = [{ subject, up: false, reason: "check failed", latencyMs: 0 }];
  const control = new CheckRoleLink(path, "control", { verdicts: () => {}, known: () => known });
  try {
    await checks.listen(path);
    await early.connect();
    control.configure({ targets: [target], scripts: { enforce: false }, notices: [] });
    await control.connect();
    assert.deepEqual([(await promise).subject, (await promise).up], [subject, false]);
  } finally {
    for (const one of [early, control, checks]) one.close();
    rmSync(folder, { recursive: true });
  }
});

test("a server that moves while no check process lives is unknown to all, whoever connects when", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nines-checks-"));
  const path = join(folder, "check.sock");
  const known: CheckVerdict[] = [{ subject, up: false, reason: "check failed", latencyMs: 0 }];
  const told: string[] = [];
  const worker = (name: string): { link: CheckRoleLink; heard: Promise<void> } => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const unknown = (subjects: readonly string[]): void => {
      told.push(`${name}: ${subjects.join(" ")}`);
      resolve();
    };
    return {
      link: new CheckRoleLink(path, "balance", { verdicts: () => {}, unknown }),
      heard: promise,
    };
  };
  const heard = Promise.withResolvers<void>();
  // To `hello`, and to what it is to ask.
  let answers = 2;
  const control = new CheckRoleLink(path, "control", {
    verdicts: () => {
      if (--answers === 0) heard.resolve();
    },
    known: () => known,
  });
  // Lets itself be asked and never answers.
  const silentPath = join(folder, "silent.sock");
  const silent = createServer((socket) => socket.resume()).listen(silentPath);
  const rules = { scripts: { enforce: false }, notices: [] };
  const [early, late] = [worker("early"), worker("late")];
  const first = new ServerChecks(1, new NotifyLines(agenda), NO_MAIL);
  const second = new ServerChecks(1, new NotifyLines(agenda), NO_MAIL);
  try {
    await first.listen(path);
    control.configure({ targets: [target], ...rules });
    await control.connect();
    await heard.promise;
    first.close();
    const moved = {
      ...target,
      check: {
        ...target.check,
        protocol: { kind: "memcached" },
        timing: plainTiming(60_000, 60_000),
      },
      endpoint: { kind: "unix", path: silentPath },
    } as CheckTarget;
    control.configure({ targets: [moved], ...rules });
    await second.listen(path);
    await early.link.connect();
    // Control comes by itself.
    await early.heard;
    await late.link.connect();
    await late.heard;
    assert.deepEqual(told, ["early: web/a", "late: web/a"]);
  } finally {
    for (const one of [early.link, late.link, control, second, silent]) one.close();
    rmSync(folder, { recursive: true });
  }
});

interface Line {
  readonly connection: LineConnection<ToCheckRole>;
  /** As `verdicts web/a` and `unknown web/a`. */
  readonly told: readonly string[];
  /** So many messages have come. */
  heard(count: number): Promise<void>;
}

/** Says and hears each message by itself. */
async function lineTo(path: string, role: "control" | "balance", more: object = {}): Promise<Line> {
  const told: string[] = [];
  const waiting = new Map<number, () => void>();
  const connection = await connectLines<FromCheckRole, ToCheckRole>(path, {
    message: (message) => {
      const subjects =
        message.type === "verdicts" ? message.verdicts.map((one) => one.subject) : [];
      if (message.type === "unknown") subjects.push(...message.subjects);
      told.push(`${message.type} ${subjects.join(" ")}`.trim());
      waiting.get(told.length)?.();
    },
    closed: () => {},
  });
  connection.send({ type: "hello", role, pid: 1, known: [], ...more });
  const heard = (count: number): Promise<void> =>
    told.length >= count
      ? Promise.resolve()
      : new Promise((resolve) => void waiting.set(count, resolve));
  return { connection, told, heard };
}

interface Stage {
  readonly folder: string;
  readonly line: (role: "control" | "balance", more?: object) => Promise<Line>;
  /** Lets itself be asked and never answers. */
  readonly silent: (name: string) => CheckTarget;
  /** The same server by another address. */
  readonly moved: (name: string) => CheckTarget;
}

async function onStage(
  play: (stage: Stage) => Promise<void>,
  mails: MailSink = NO_MAIL,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "nines-checks-"));
  const path = join(folder, "check.sock");
  const server = createServer((socket) => socket.resume()).listen(join(folder, "silent.sock"));
  const fifos = new NotifyLines(agenda);
  const checks = new ServerChecks(1, fifos, mails);
  const lines: Line[] = [];
  const at = (name: string, socket: string): CheckTarget => ({
    subject: name,
    check: { name: "c", protocol: { kind: "memcached" }, timing: plainTiming(60_000, 60_000) },
    endpoint: { kind: "unix", path: `${folder}/${socket}` },
  });
  try {
    await checks.listen(path);
    await play({
      folder,
      line: async (role, more) => {
        const line = await lineTo(path, role, more);
        lines.push(line);
        return line;
      },
      silent: (name) => at(name, "silent.sock"),
      moved: (name) => at(name, "./silent.sock"),
    });
  } finally {
    for (const { connection } of lines) connection.close();
    checks.close();
    await fifos.close();
    server.close();
    rmSync(folder, { recursive: true });
  }
}

const down = (name: string): CheckVerdict => ({
  subject: name,
  up: false,
  reason: "check failed",
  latencyMs: 0,
});
const asks = (...targets: CheckTarget[]): ToCheckRole => ({
  type: "configure-checks",
  targets,
  scripts: { enforce: false },
  notices: [],
});

test("a worker that connects is told to forget only what had been said, not all that is not judged yet", () =>
  onStage(async ({ line, silent, moved }) => {
    const control = await line("control", { known: [down("web/b")] });
    control.connection.send(asks(silent("web/a"), silent("web/b")));
    await control.heard(2);
    const worker = await line("balance");
    await worker.heard(1);
    control.connection.send(asks(silent("web/a"), moved("web/b")));
    await worker.heard(2);
    assert.deepEqual(worker.told, ["verdicts web/b", "unknown web/b"]);
    const late = await line("balance");
    await late.heard(2);
    assert.deepEqual(late.told, ["verdicts", "unknown web/b"]);
  }));

test("a worker that speaks between control's two messages does not hide that a server has moved", () =>
  onStage(async ({ line, silent, moved }) => {
    const control = await line("control", { known: [down("web/a")], asked: [silent("web/a")] });
    await control.heard(1);
    const worker = await line("balance");
    await worker.heard(1);
    control.connection.send(asks(moved("web/a")));
    await worker.heard(2);
    assert.deepEqual(worker.told.slice(0, 2), ["verdicts", "unknown web/a"]);
  }));

test("changes of servers and pools reach a FIFO, and its script as that of keepalived does", () =>
  onStage(async ({ line, silent, folder }) => {
    const [path, log] = [join(folder, "lvs"), join(folder, "log")];
    const [rs, vs] = ["[10.0.0.1]:tcp:80", "[192.0.2.10]:tcp:80"];
    const control = await line("control");
    const server = { server: "a", fifoName: rs, weight: 1, startsDown: false };
    const quorum = { weight: 1, hysteresis: 0 };
    // The path is the last argument; `sh` has it as $0 here.
    const argv = ["/bin/sh", "-c", `cat "$0" > ${log}`];
    control.connection.send({
      type: "configure-checks",
      targets: [silent("web/a")],
      scripts: { user: userInfo().username, enforce: false },
      notices: [{ pool: "web", fifoName: vs, servers: [server], quorum, atEnd: true }],
      fifos: {
        all: {},
        vrrp: {},
        lvs: { target: { path }, script: { argv } },
        writeStatesOnReload: false,
      },
    });
    control.connection.send({ type: "tell-end" });
    await control.heard(3);
    assert.equal(control.told.at(-1), "end-told");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const all = `VS ${vs} UP\nRS ${rs} ${vs} DOWN\nVS ${vs} DOWN\n`;
    while (!existsSync(log) || readFileSync(log, "utf8").length < all.length) await sleep(10);
    assert.equal(readFileSync(log, "utf8"), all);
  }));

test("the last pool goes down in the FIFO that closes with it", () =>
  onStage(async ({ line, silent, folder }) => {
    const path = join(folder, "lvs");
    assert.equal(makeFifo(path), 0);
    const [rs, vs] = ["[10.0.0.1]:tcp:80", "[192.0.2.10]:tcp:80"];
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const control = await line("control");
    const server = { server: "a", fifoName: rs, weight: 1, startsDown: false };
    const quorum = { weight: 1, hysteresis: 0 };
    const fifos = { all: {}, vrrp: {}, lvs: { target: { path } }, writeStatesOnReload: false };
    const notices = [{ pool: "web", fifoName: vs, servers: [server], quorum, atEnd: false }];
    const order = { ...asks(silent("web/a")), fifos } as const;
    control.connection.send({ ...order, notices } as ToCheckRole);
    control.connection.send({ ...order, targets: [] } as ToCheckRole);
    control.connection.send({ type: "tell-end" });
    await control.heard(3);
    const read = Buffer.alloc(4096);
    const all = read.toString("utf8", 0, readSync(reader, read));
    closeSync(reader);
    assert.equal(all, `VS ${vs} UP\nRS ${rs} ${vs} DOWN\nVS ${vs} DOWN\n`);
  }));

test("mail tells of a server that goes down, and of its other check that fails after it", async () => {
  const sent: string[] = [];
  const both = Promise.withResolvers<void>();
  await onStage(
    async ({ line, silent }) => {
      const control = await line("control");
      const { endpoint } = silent("web/a");
      const timing = { ...plainTiming(60_000, 1000), warmupMs: 0, fall: 1 };
      const targets = ["one", "two"].map((name): CheckTarget => {
        const check = { name, protocol: { kind: "memcached" }, timing } as const;
        return { subject: "web/a", check, endpoint: { ...endpoint, path: "/nobody" } as never };
      });
      const server = { server: "a", weight: 1, startsDown: false, mail: "[10.0.0.1]:tcp:80" };
      const quorum = { weight: 1, hysteresis: 0 };
      const mails = { name: "[192.0.2.1]:tcp:80", eachCheck: true };
      const notices = [{ pool: "web", servers: [server], quorum, mails, atEnd: false }];
      control.connection.send({
        type: "configure-checks",
        targets,
        scripts: { enforce: false },
        notices,
        mail: {
          mail: { to: [], from: "", tls: "off", connectTimeoutMs: 1, onFault: true },
          vrrp: { routerId: "r1" },
        },
      });
      await both.promise;
    },
    {
      configure: ({ vrrp }) => sent.push(vrrp.routerId),
      tell: ({ subject: about, text }) => {
        sent.push(`${about}: ${text}`);
        if (sent.length === 3) both.resolve();
      },
    },
  );
  assert.equal(sent.shift(), "r1");
  const wanted =
    /^Realserver \[10\.0\.0\.1\]:tcp:80 of virtual server \[192\.0\.2\.1\]:tcp:80 - DOWN: => CHECK failed on service : (?!check failed).+ <=\n$/u;
  for (const mail of sent) assert.match(mail, wanted);
});

test("a failure that changes nothing is told to control, where that is wanted", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nines-checks-"));
  const path = join(folder, "check.sock");
  const checks = new ServerChecks(1, new NotifyLines(agenda), NO_MAIL);
  const { promise, resolve } = Promise.withResolvers<string>();
  const control = new CheckRoleLink(path, "control", {
    verdicts: () => {},
    known: () => [{ subject, up: true, reason: "check passed", latencyMs: 0 }],
    note: (about, reason) => resolve(`${about} ${reason}`),
  });
  const timing = { ...plainTiming(60_000, 1000), fall: 2, warmupMs: 0 };
  const fails = { ...target, check: { ...target.check, timing, logFailures: true } };
  try {
    await checks.listen(path);
    control.configure({ targets: [fails], scripts: { enforce: false }, notices: [] });
    await control.connect();
    assert.equal(await promise, `${subject} check failed: ECONNREFUSED, 1 of 2`);
  } finally {
    for (const one of [control, checks]) one.close();
    rmSync(folder, { recursive: true });
  }
});
