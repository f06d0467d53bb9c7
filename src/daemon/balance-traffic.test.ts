import assert from "node:assert/strict";
import { test } from "node:test";
import type { Counted } from "../core/journal/tally.ts";
import type { WorkerLink } from "./balance-hub.ts";
import { TrafficDesk } from "./balance-traffic.ts";

function counted(subject: string): Counted {
  return { subject, good: 1, bad: 0, inFlight: 0 };
}

const SERVICES = [counted("frontend web"), counted("pool web")];
const SERVERS = [counted("server web/a"), counted("server web/b")];

interface Asked {
  readonly what?: string;
  readonly after?: string;
}

/** A worker; one of an older version answers every question with its services. */
function worker(serial: number, isOld = false, servers = SERVERS): WorkerLink {
  const ask = async ({ what, after = "" }: Asked) => {
    if (what !== "servers" || isOld) return { reply: { counted: SERVICES } };
    const page = servers.filter(({ subject }) => subject > after).slice(0, 100);
    return { reply: { counted: page } };
  };
  return { hello: { serial, pid: 7 }, ask } as unknown as WorkerLink;
}

test("services and servers are told apart, of workers that live and of those that ended", async () => {
  const desk = new TrafficDesk();
  desk.ended(worker(1), [...SERVICES, ...SERVERS]);
  for (const [what, wanted] of [
    ["services", SERVICES],
    ["servers", SERVERS],
  ] as const) {
    const [living, old, ended] = await desk.look([worker(2), worker(3, true)], what);
    assert.deepEqual([living?.counted, living?.isEnded], [wanted, false]);
    assert.deepEqual(old?.counted, what === "services" ? SERVICES : []);
    assert.deepEqual([ended?.life, ended?.counted, ended?.isEnded], ["1 7", wanted, true]);
  }
});

test("many servers of a worker are told a hundred at a time, each of them once", async () => {
  const many = Array.from({ length: 1000 }, (_, i) => counted(`server web/${1000 + i}`));
  const [told] = await new TrafficDesk().look([worker(1, false, many)], "servers");
  assert.deepEqual(told?.counted, many);
});

test("a worker that does not answer is not taken for one that has ended", async () => {
  let isSilent = true;
  const lively = worker(1);
  const ask = async (question: never) =>
    isSilent ? { error: "the worker does not answer" } : lively.ask(question);
  const moody = { hello: lively.hello, ask } as unknown as WorkerLink;
  const desk = new TrafficDesk();
  await assert.rejects(desk.look([worker(2), moody], "services"), /does not answer/u);
  isSilent = false;
  const before = await desk.look([worker(2), moody], "services");
  isSilent = true;
  assert.deepEqual(await desk.look([worker(2), moody], "services"), before, "as it told last");
  const without = await desk.look([worker(2)], "services");
  assert.deepEqual(
    without.map(({ life }) => life),
    ["2 7"],
    "until its line has ended",
  );
  await assert.rejects(desk.look([moody], "services"));
});

test("a living worker without a line is told as it told last, as long as it lives", async () => {
  const desk = new TrafficDesk();
  const a = worker(1);
  const before = await desk.look([a], "services");
  const fresh = { serial: 2, pid: 8 };
  assert.deepEqual(await desk.look([], "services", [a.hello, fresh]), before);
  assert.deepEqual(await desk.look([], "services", [a.hello, fresh]), before, "again");
  assert.deepEqual(await desk.look([], "services", [fresh]), []);
});

test("many servers of many ended workers are forgotten, the oldest first; services are not", async () => {
  const desk = new TrafficDesk();
  const servers = Array.from({ length: 9_000 }, (_, i) => counted(`server web/${i}`));
  for (let serial = 1; serial <= 3; serial++) desk.ended(worker(serial), [...SERVICES, ...servers]);
  const told = await desk.look([], "servers");
  assert.deepEqual(
    told.map((one) => one.counted.length),
    [0, 9_000, 9_000],
  );
  const services = await desk.look([], "services");
  assert.ok(services.every((one) => one.counted.length === 2));
});
