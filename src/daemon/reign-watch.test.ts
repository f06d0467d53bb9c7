import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs, { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { instance } from "../../test/kit/vrrp-settings.ts";
import { ReignReader, ReignRecord, type WrittenReign } from "../drivers/reign-record.ts";
import { conditionIn, ReignWatch, Suspicion, type Silence } from "./reign-watch.ts";

function reign(renewedMs: number, durationMs = 3000, instance = "A"): WrittenReign {
  const leaseUntilMs = renewedMs + durationMs;
  const rest = { identity: "", sequence: 0, alone: false };
  return { instance, renewedMs, durationMs, leaseUntilMs, ...rest };
}

const three = new Map([
  ["A", 3],
  ["B", 3],
]);

/** Looks when it wants to, `lateMs` late each time, until a silence or `untilMs`. */
function watch(
  notes: (now: number) => readonly WrittenReign[],
  { untilMs, lateMs = 1 }: { readonly untilMs: number; readonly lateMs?: number },
): { silence: Silence | undefined; atMs: number; looks: number } {
  const suspicion = new Suspicion(0);
  let now = 0;
  for (let looks = 1; ; looks++) {
    const silence = suspicion.look(now, notes(now), three);
    if (silence !== undefined || suspicion.lookAtMs > untilMs) return { silence, atMs: now, looks };
    now = Math.max(now, suspicion.lookAtMs) + lateMs;
  }
}

test("a master that renews is never suspected, and seldom looked at", () => {
  const every = 1000;
  const { silence, looks } = watch((now) => [reign(Math.floor(now / every) * every)], {
    untilMs: 60_000,
  });
  assert.equal(silence, undefined);
  assert.ok(looks <= 62, `${looks} looks in a minute`);
});

test("one that stops is told of with half of its lease left, after a second look", () => {
  for (const durationMs of [300, 3000, 30_000]) {
    const { silence, atMs } = watch(() => [reign(0, durationMs)], { untilMs: durationMs });
    assert.equal(silence?.instance, "A");
    assert.ok(atMs >= durationMs * 0.5 && atMs <= durationMs * 0.5 + 3, `${atMs}`);
  }
});

test("looks in between put the second look off for no one", () => {
  for (const everyMs of [1, 130, 999]) {
    const suspicion = new Suspicion(0);
    for (const durationMs of [3000, 30_000]) {
      let now = 0;
      let toldMs = Infinity;
      for (let beat = 0; toldMs === Infinity && now < durationMs;) {
        if (suspicion.look(now, [reign(0, durationMs)], three) !== undefined) toldMs = now;
        if (now >= beat) beat += everyMs;
        now = Math.min(beat, Math.max(now + 0.5, suspicion.lookAtMs + 1));
      }
      assert.ok(toldMs <= durationMs * 0.5 + 3, `each ${everyMs} ms: ${toldMs}`);
    }
  }
});

test("of several instances the one that is silent counts", () => {
  const notes = (now: number): WrittenReign[] => [
    reign(Math.floor(now / 1000) * 1000, 3000, "A"),
    reign(0, 3000, "B"),
  ];
  assert.equal(watch(notes, { untilMs: 3000 }).silence?.instance, "B");
});

test("who looks late cannot tell who hangs: it looks again", () => {
  const suspicion = new Suspicion(0);
  suspicion.look(1, [reign(0)], three);
  // The machine stood still for 2 s; both of us wake up.
  assert.equal(suspicion.look(2000, [reign(0)], three), undefined);
  assert.ok(suspicion.lookAtMs < 2200);
  assert.equal(suspicion.look(suspicion.lookAtMs + 1, [reign(2001)], three), undefined);
  const late = watch(() => [reign(0)], { untilMs: 2900, lateMs: 400 });
  assert.equal(late.silence, undefined, "never in time for a second look");
});

test("with a lease too short for patience the kernel is asked as soon as an advert is late", () => {
  const suspicion = new Suspicion(0);
  const seen = (now: number, renewedMs: number): unknown[] => {
    assert.equal(suspicion.look(now, [reign(renewedMs, 30)], three), undefined);
    return [suspicion.isHastyLate, suspicion.hasty?.instance, suspicion.lookAtMs];
  };
  assert.deepEqual(seen(4, 4), [false, "A", 15]);
  assert.deepEqual(seen(15, 14), [false, "A", 25]);
  assert.deepEqual(seen(25, 14), [true, "A", 27]);
  assert.deepEqual(seen(44, 14), [false, undefined, Infinity], "it has ended");
  suspicion.look(50, [reign(50, 30, "A"), reign(20, 45, "B")], three);
  assert.equal(suspicion.hasty?.instance, "B", "the late one");
  suspicion.look(50, [reign(50, 90)], three);
  assert.equal(suspicion.hasty, undefined, "there is time for a second look");
});

test("what the kernel says of a process", () => {
  const stat = (state: string, flags: number): string =>
    `7 (a ) T b) ${state} 1 7 7 0 -1 ${flags} 0`;
  const said = (state: string, flags = 0x400140): string => conditionIn(stat(state, flags));
  assert.deepEqual(
    ["R", "S", "D", "T", "Z"].map((state) => said(state)),
    ["ready", "waiting", "waiting", "stopped", "dead"],
  );
  assert.equal(said("t"), "waiting", "a debugger is somebody's own doing");
  assert.equal(said("R", 0x40_0144), "dead", "killed, and its memory is being given back");
});

test("after the lease, before our time, or where no successor is quick enough: nothing", () => {
  assert.equal(watch(() => [reign(-1)], { untilMs: 5000 }).silence, undefined);
  assert.equal(watch(() => [reign(0, 30)], { untilMs: 5000 }).silence, undefined);
  const suspicion = new Suspicion(0);
  for (const now of [3001, 3002, 3003]) {
    assert.equal(suspicion.look(now, [reign(0)], three), undefined);
  }
});

/** Somebody who has just taken an address for 30 ms, and looks at him that child news bring about. */
function shortReign(
  t: TestContext,
  pid: number,
): { told: Silence[]; record: ReignRecord; looks: () => number } {
  const directory = mkdtempSync(join(tmpdir(), "nines-reign-"));
  const record = ReignRecord.open(directory);
  assert.ok(record instanceof ReignRecord);
  const told: Silence[] = [];
  const { mock } = t.mock.method(ReignReader.prototype, "read");
  const watch = new ReignWatch(pid, {
    directory,
    instances: () => [instance({ name: "A" })],
    silent: (silence) => void told.push(silence),
  });
  t.after(() => {
    watch.close();
    record.close();
    rmSync(directory, { recursive: true });
  });
  const facts = { instance: "A", identity: "b", durationMs: 30, sequence: 0, alone: false };
  record.note({ type: "renew-lease", ...facts });
  process.emit("SIGCHLD", "SIGCHLD");
  return { told, record, looks: () => mock.callCount() };
}

test("a stop that was seen is asked for no longer than the lease", async (t) => {
  const child = spawn("sleep", ["60"]);
  t.after(() => void child.kill("SIGKILL"));
  child.kill("SIGSTOP");
  const state = (): string => conditionIn(readFileSync(`/proc/${child.pid!}/stat`, "latin1"));
  while (state() !== "stopped") await sleep(1);
  const { told, record, looks } = shortReign(t, child.pid!);
  record.end("A");
  await sleep(300);
  assert.ok(looks() < 20, `looked ${looks()} times`);
  assert.deepEqual(told, []);
});

test("whose state cannot be read is not taken for dead", (t) => {
  const read = fs.readFileSync;
  t.mock.method(fs, "readFileSync", (path: string, encoding: "utf8") => {
    if (!path.endsWith("/stat")) return read(path, encoding);
    throw Object.assign(new Error("too many open files"), { code: "EMFILE" });
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  assert.deepEqual(shortReign(t, process.pid).told, []);
  assert.equal(shortReign(t, 2 ** 30).told[0]?.because, "is dead");
});
