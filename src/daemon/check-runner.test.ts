import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { CheckProtocol, CheckTarget, CheckVerdict } from "../core/check/check-settings.ts";
import { plainTiming } from "../../test/kit/plain-timing.ts";
import { Prng } from "../lib/prng.ts";
import { type CheckLimits, CheckRunner } from "./check-runner.ts";

const TIMING = plainTiming(20, 30);
const RULES = { enforce: false };

/** Accepts and says nothing; counts who is connected. */
async function silentServer(): Promise<{ server: Server; port: number; most: () => number }> {
  let [now, most] = [0, 0];
  const server = createServer((socket) => {
    most = Math.max(most, ++now);
    socket.on("error", () => {});
    socket.on("close", () => now--);
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port, most: () => most };
}

function targets(
  count: number,
  protocol: CheckProtocol,
  port: number,
  timing: Partial<CheckTarget["check"]["timing"]> = {},
): CheckTarget[] {
  return Array.from({ length: count }, (_, i) => ({
    subject: `web/${i}`,
    check: { name: "c", protocol, timing: { ...TIMING, ...timing } },
    endpoint: { kind: "ip", address: "127.0.0.1", port },
  }));
}

/** Resolves when every target has a verdict. */
function verdicts(
  asked: readonly CheckTarget[],
  limits: CheckLimits,
): Promise<{ runner: CheckRunner; told: Map<string, CheckVerdict> }> {
  return new Promise((resolve) => {
    const told = new Map<string, CheckVerdict>();
    const runner = new CheckRunner(
      new Prng(1),
      (verdict) => {
        told.set(verdict.subject, verdict);
        if (told.size === asked.length) resolve({ runner, told });
      },
      undefined,
      limits,
    );
    runner.configure(asked, RULES);
  });
}

test("more servers hang than may be asked at once, and every one is found", async () => {
  const { server, port, most } = await silentServer();
  const asked = targets(30, { kind: "memcached" }, port);
  const { runner, told } = await verdicts(asked, { probes: 4, scripts: 1 });
  for (const { up, reason } of told.values()) {
    assert.deepEqual([up, reason], [false, "check failed: no answer within 30 ms, 1 of 1"]);
  }
  // The server hears of an end later than of a beginning, on a busy machine by some.
  assert.ok(most() <= 10, `${most()} at once`);
  runner.close();
  server.close();
});

/** As a machine does whose CPU is taken away. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test("a runner that stood still blames nobody, whatever it was about to do", async () => {
  // Answers later than it was asked, so that all are waited for at any time.
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => setTimeout(() => socket.write("VERSION 1\r\n"), 10));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const timing = { timeoutMs: 150, intervalMs: 1, fastIntervalMs: 1 };
  const told: CheckVerdict[] = [];
  const limits = { probes: 1000, scripts: 1 };
  const runner = new CheckRunner(
    new Prng(1),
    (verdict) => void told.push(verdict),
    undefined,
    limits,
  );
  runner.configure(targets(300, { kind: "memcached" }, port, timing), RULES);
  // Again and again, and so also in the middle of a turn, whose parts come one right after the other.
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1 + 7 * i));
    standStill(300);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert.deepEqual(
    told.filter(({ up }) => !up),
    [],
  );
  assert.equal(new Set(told.map(({ subject }) => subject)).size, 300);
  runner.close();
  server.close();
});

test("no more scripts run at once than may", async () => {
  const directory = mkdtempSync(join(tmpdir(), "nines-check-"));
  const script = join(directory, "check.sh");
  const lines = [`cd ${directory}`, "echo b >> log", "sleep 0.1", "echo e >> log"];
  writeFileSync(script, `#!/bin/sh\n${lines.join("\n")}\n`);
  chmodSync(script, 0o755);
  const timing = { timeoutMs: 5000, intervalMs: 60_000 };
  const protocol = { kind: "script", argv: [script], dynamic: false } as const;
  const { runner, told } = await verdicts(targets(8, protocol, 1, timing), {
    probes: 1,
    scripts: 2,
  });
  assert.deepEqual([...told.values()].map(({ up, reason }) => (up ? "" : reason)).join(""), "");
  let [running, most] = [0, 0];
  for (const line of readFileSync(join(directory, "log"), "utf8").trim().split("\n")) {
    running += line === "b" ? 1 : -1;
    most = Math.max(most, running);
  }
  assert.equal(most, 2);
  runner.close();
  rmSync(directory, { recursive: true });
});

test("no script that will not obey outlives the process that asked it", async () => {
  const directory = mkdtempSync(join(tmpdir(), "nines-check-"));
  const [script, note] = [join(directory, "check.sh"), join(directory, "pid")];
  const lines = [`trap "" TERM`, `echo $$ > ${note}.new`, `mv ${note}.new ${note}`];
  writeFileSync(script, `#!/bin/sh\n${lines.join("\n")}\nexec sleep 600\n`);
  chmodSync(script, 0o755);
  const protocol = { kind: "script", argv: [script], dynamic: false } as const;
  const asked = JSON.stringify(targets(1, protocol, 1, { timeoutMs: 60_000 }));
  const program = `
    import { existsSync } from "node:fs";
    import { CheckRunner } from "${new URL("./check-runner.ts", import.meta.url).href}";
    import { Prng } from "${new URL("../lib/prng.ts", import.meta.url).href}";
    const runner = new CheckRunner(new Prng(1), () => {});
    runner.configure(${asked}, { enforce: false });
    while (!existsSync("${note}")) await new Promise((resolve) => setImmediate(resolve));
    runner.close();
    process.exit(0);`;
  execFileSync(process.execPath, ["--input-type=module", "-e", program]);
  const stat = `/proc/${readFileSync(note, "utf8").trim()}/stat`;
  // A zombie that nobody has buried yet is dead too.
  while (existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, "utf8"))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  rmSync(directory, { recursive: true });
});

test("a changed configuration disturbs no check that is the same, and forgets what is gone", async () => {
  const { server, port } = await silentServer();
  const asked = targets(3, { kind: "tcp" }, port, { intervalMs: 60_000 });
  const { runner } = await verdicts(asked, { probes: 10, scripts: 1 });
  const { ended } = runner;
  runner.configure(structuredClone(asked.slice(0, 2)), RULES);
  assert.deepEqual(
    runner.verdicts.map(({ subject }) => subject),
    ["web/0", "web/1"],
  );
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(runner.ended, ended);
  runner.close();
  server.close();
});

type Timing = Partial<CheckTarget["check"]["timing"]>;

/** Checks of one server, each by its name and port; TCP connections are refused at port 1. */
function checksOf(ports: Readonly<Record<string, number>>, timing: Timing = {}): CheckTarget[] {
  return Object.entries(ports).flatMap(([name, port]) =>
    targets(1, { kind: "tcp" }, port, timing).map((target) => ({
      ...target,
      check: { ...target.check, name },
    })),
  );
}

/** A runner, and what it tells, a word each. */
function listenedTo(): { runner: CheckRunner; told: string[]; next: () => Promise<string> } {
  const told: string[] = [];
  let wake = (): void => {};
  const runner = new CheckRunner(new Prng(1), ({ up }) => {
    told.push(up ? "up" : "down");
    wake();
  });
  const next = async (): Promise<string> => {
    while (told.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return told.shift()!;
  };
  return { runner, told, next };
}

test("a server whose checks become other ones is told anew when that changes what they say", async () => {
  const { server, port } = await silentServer();
  const { runner, told, next } = listenedTo();
  runner.configure(checksOf({ b: port }), RULES);
  assert.equal(await next(), "up");
  runner.configure(checksOf({ a: 1, b: port }), RULES);
  assert.equal(await next(), "down");
  // With the check that failed goes what it said; one that comes back is told again.
  assert.deepEqual(runner.configure(checksOf({ b: port }), RULES), []);
  assert.equal(await next(), "up");
  runner.configure(checksOf({ a: 1, b: port }), RULES);
  assert.equal(await next(), "down");
  // The check that still fails: nobody has forgotten it, and nothing is news.
  assert.deepEqual(runner.configure(checksOf({ a: 1 }), RULES), []);
  assert.deepEqual([told, runner.verdicts.map(({ up }) => up)], [[], [false]]);
  runner.close();
  server.close();
});

test("nothing is known of a server that has moved, and all of one whose check asks elsewhere", async () => {
  const { server, port } = await silentServer();
  const { runner, told, next } = listenedTo();
  runner.configure(checksOf({ a: port, b: port }), RULES);
  assert.equal(await next(), "up");
  assert.deepEqual(runner.configure(checksOf({ a: port, b: port }), RULES), []);
  // One of its checks has a port of its own.
  assert.deepEqual(runner.configure(checksOf({ a: port, b: 1 }), RULES), ["web/0"]);
  assert.deepEqual([told, runner.verdicts], [[], []]);
  assert.equal(await next(), "down");
  runner.close();
  server.close();
});

test("a server that moved while its check got another name is unknown, also to a new process", async () => {
  const { server, port } = await silentServer();
  const { runner, told, next } = listenedTo();
  const moved = checksOf({ b: 1 }, { warmupMs: 60_000 });
  runner.configure(checksOf({ a: port }), RULES);
  assert.equal(await next(), "up");
  const fresh = listenedTo();
  fresh.runner.remember(runner.verdicts, checksOf({ a: port }));
  for (const one of [runner, fresh.runner]) {
    assert.deepEqual(one.configure(moved, RULES), ["web/0"]);
    assert.deepEqual([one.verdicts, one.forgotten], [[], ["web/0"]]);
  }
  // A check that asks elsewhere by itself says nothing of where the server is.
  runner.configure(checksOf({ b: port }), RULES);
  assert.equal(await next(), "up");
  const [own] = checksOf({ c: 1 });
  const asked = [{ ...own!, check: { ...own!.check, port: 1 } }];
  assert.deepEqual([runner.configure(asked, RULES), told], [[], []]);
  for (const one of [runner, fresh.runner]) one.close();
  server.close();
});

test("`start_down` is for servers that nobody has judged: not after an edit, nor in a new process", async () => {
  const { server, port } = await silentServer();
  const rare = { startDown: true, intervalMs: 60_000 };
  const first = listenedTo();
  first.runner.configure(checksOf({ a: port }, rare), RULES);
  assert.deepEqual([await first.next(), await first.next()], ["down", "up"]);
  first.runner.configure(checksOf({ a: port }, { ...rare, intervalMs: 50_000 }), RULES);
  first.runner.configure(checksOf({ a: port, b: port }, rare), RULES);
  const fresh = listenedTo();
  fresh.runner.remember(first.runner.verdicts);
  fresh.runner.configure(checksOf({ a: 1 }, { startDown: true, fall: 2 }), RULES);
  assert.deepEqual([first.told, fresh.told], [[], []]);
  assert.deepEqual(
    fresh.runner.verdicts.map(({ up }) => up),
    [true],
  );
  // It is asked all the same, and another machine under its name has to pass first.
  assert.equal(await fresh.next(), "down");
  first.runner.configure(checksOf({ a: 1, b: 1 }, rare), RULES);
  assert.deepEqual(first.told, ["down"]);
  for (const { runner } of [first, fresh]) runner.close();
  server.close();
});

test("the word of an agent that may be silent outlives an edit, and none other is taken for it", async () => {
  const words = createServer((socket) => {
    socket.on("error", () => {});
    socket.end("drain\n");
  });
  await new Promise<void>((resolve) => words.listen(0, "127.0.0.1", resolve));
  const { port } = words.address() as AddressInfo;
  const agent = { kind: "agent", send: "", required: false } as const;
  const { runner, next } = listenedTo();
  const asked = (intervalMs: number): CheckTarget[] => targets(1, agent, port, { intervalMs });
  runner.configure(asked(60_000), RULES);
  assert.equal(await next(), "up");
  words.close();
  assert.deepEqual(runner.configure(asked(20), RULES), []);
  assert.equal(runner.verdicts[0]?.admin, "drain");
  // A check that failed is gone, and who takes its place may never say anything.
  runner.configure(targets(1, { kind: "tcp" }, port), RULES);
  assert.equal(await next(), "down");
  assert.deepEqual(runner.configure(asked(20), RULES), ["web/0"]);
  runner.close();
});

test("the last word of an agent that fell silent holds beside another check in a new process too", async () => {
  const { server, port } = await silentServer();
  let word = "ready up\n";
  const words = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(word);
  });
  await new Promise<void>((resolve) => words.listen(0, "127.0.0.1", resolve));
  const agent = { kind: "agent", send: "", required: false } as const;
  const [web] = targets(1, { kind: "tcp" }, port);
  const [told] = targets(1, agent, (words.address() as AddressInfo).port);
  const asked = [web!, { ...told!, check: { ...told!.check, name: "agent" } }];
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  };
  const first = listenedTo().runner;
  first.configure(asked, RULES);
  for (const [said, isUp] of [
    ["drain 30%\n", true],
    ["down\n", false],
  ] as const) {
    word = said;
    await until(() => first.verdicts[0]?.up === isUp && first.verdicts[0].admin === "drain");
    const known = first.verdicts;
    word = "";
    const { runner, told: news } = listenedTo();
    runner.remember(JSON.parse(JSON.stringify(known)) as CheckVerdict[]);
    runner.configure(asked, RULES);
    await until(() => runner.ended >= 8);
    const [{ up, admin, weightPercent } = {}] = runner.verdicts;
    assert.deepEqual([news, up, admin, weightPercent], [[], isUp, "drain", 30]);
    runner.close();
  }
  first.close();
  server.close();
  words.close();
});

test("servers are asked while this machine has one of the addresses, and stay what they were meanwhile", async () => {
  let asked = 0;
  const server = createServer((socket) => {
    asked++;
    socket.on("error", () => {});
    socket.end("VERSION 1\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const [a, b] = targets(2, { kind: "memcached" }, port);
  const whileHeld = ["10.0.0.100", "10.0.0.101"];
  const waits = { ...a!, check: { ...a!.check, whileHeld } };
  const elsewhere = { ...b!, endpoint: { ...b!.endpoint, port: 1 } } as CheckTarget;
  const told: string[] = [];
  const note = ({ subject, up }: CheckVerdict): void => void told.push(`${subject} ${up}`);
  const runner = new CheckRunner(new Prng(1), note);
  runner.lookAtAddresses(() => false);
  const until = (done: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = setInterval(() => {
        if (!done()) return;
        clearInterval(look);
        resolve();
      }, 5);
    });
  runner.configure([waits, elsewhere], RULES);
  await until(() => told.length > 0);
  assert.deepEqual([asked, told], [0, ["web/1 false"]]);
  const reason = "checks suspended: 10.0.0.100 and 1 more are elsewhere";
  assert.deepEqual(runner.suspended, [{ subject: "web/0", reason }]);

  runner.lookAtAddresses((address) => address === "10.0.0.101");
  assert.deepEqual(runner.suspended, []);
  await until(() => told.length > 1);
  assert.deepEqual(told, ["web/1 false", "web/0 true"]);

  runner.lookAtAddresses(() => false);
  const before = asked;
  const { ended } = runner;
  await until(() => runner.ended > ended + 3);
  // One may have been under way.
  assert.ok(asked <= before + 1, `${asked - before} more`);
  assert.deepEqual(
    runner.verdicts.map(({ up }) => up),
    [true, false],
  );
  runner.close();
  server.close();
});
