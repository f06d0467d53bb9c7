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

/** A worker; one of an older version answers every question with its services. */
function worker(serial: number, isOld = false): WorkerLink {
  const ask = async ({ what }: { readonly what?: string }) => ({
    reply: { counted: what === "servers" && !isOld ? SERVERS : SERVICES },
  });
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
