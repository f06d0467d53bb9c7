import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { RateLimiter } from "../core/route/rate-limiter.ts";
import { closeFd, isOsFailure } from "./ffi.ts";
import { createWorkerMemory, WorkerMemory } from "./worker-memory.ts";

function made(): number {
  const fd = createWorkerMemory();
  assert.ok(typeof fd === "number", "this kernel has memfd_create");
  return fd;
}

function join(fd: number): WorkerMemory {
  const counts = WorkerMemory.join(fd);
  assert.ok(!isOsFailure(counts), "there is a place");
  return counts;
}

/** As who comes in does. */
function setAndSum(counts: WorkerMemory, name: string, own: number): number {
  const count = counts.count(name)!;
  count.set(own);
  return count.sum();
}

test("each sees what the others have, by name, until they leave", () => {
  const fd = made();
  const [one, other] = [join(fd), join(fd)];
  assert.equal(setAndSum(one, "web", 3), 3);
  assert.equal(setAndSum(other, "web", 2), 5);
  assert.equal(setAndSum(other, "api", 7), 7);
  assert.equal(setAndSum(one, "web", 1), 3);
  other.leave();
  assert.equal(one.count("web")!.recount(), 1);
  assert.equal(one.count("api")!.recount(), 0);
  one.leave();
  closeFd(fd);
});

test("a place of one that left is taken again, and begins at nothing", () => {
  const fd = made();
  const stays = join(fd);
  for (let i = 0; i < 300; i++) {
    const guest = join(fd);
    assert.equal(setAndSum(guest, "web", 1), 1);
    guest.leave();
  }
  stays.leave();
  closeFd(fd);
});

test("a place that is taken late counts for those who were there before", () => {
  const fd = made();
  const first = join(fd);
  const web = first.count("web")!;
  web.set(1);
  const later = Array.from({ length: 200 }, () => join(fd));
  for (const [i, one] of later.entries()) assert.equal(setAndSum(one, "web", 1), i + 2);
  assert.equal(web.sum(), 201);
  for (const one of [first, ...later]) one.leave();
  closeFd(fd);
});

test("names and places have an end", () => {
  const fd = made();
  const all = Array.from({ length: 256 }, () => join(fd));
  const refused = WorkerMemory.join(fd);
  assert.match(isOsFailure(refused) ? refused.message : "", /EAGAIN/);
  for (let i = 0; i < 255; i++) assert.ok(all[0]!.count(`name ${i}`) !== undefined);
  assert.equal(all[0]!.count("one more"), undefined);
  assert.ok(all[1]!.count("name 254") !== undefined, "known names stay known");
  for (const one of all) one.leave();
  closeFd(fd);
});

// ---- in processes of their own ----

/** Says `ready`; then what the words on its input ask for. */
const OTHER = `
import { createInterface } from "node:readline";
import { RateLimiter } from ${JSON.stringify(new URL("../core/route/rate-limiter.ts", import.meta.url).href)};
import { WorkerMemory } from ${JSON.stringify(new URL("worker-memory.ts", import.meta.url).href)};
const counts = WorkerMemory.join(3);
const guests = counts.sources("web");
const [web, inside, arrived] = ["web", "inside", "arrived"].map((name) => counts.count(name));
console.log("ready");
let meetings = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, figure] = line.split(" ");
  console.log({ set: enter, rush, guest, guests: manyGuests, requests }[word](Number(figure)));
}
function guest(own) {
  guests.set("10.0.0.9", own);
  return own + guests.elsewhere("10.0.0.9");
}
/** Both let in clients of one address, over and over: the most that were inside, and the fewest. */
function manyGuests(most) {
  const sums = [];
  for (let round = 0; round < 300; round++) {
    let own = 0;
    const address = "10.0.0." + (round % 7);
    meet();
    while (own < most) {
      guests.set(address, own + 1);
      if (own + 1 + guests.elsewhere(address) > most) break;
      own++;
    }
    guests.set(address, own);
    inside.set(own);
    meet();
    sums.push(inside.recount());
    meet();
    guests.set(address, 0);
  }
  return Math.max(...sums) + " " + Math.min(...sums);
}
/** Both ask one limit, over and over, each time with new keys: what it let through for each, at most and at least. */
function requests(burst) {
  const limiter = new RateLimiter({ perSecond: 1e-6, burst, size: 10 });
  limiter.share(counts.arrivals("limit"));
  const sums = [];
  for (let round = 0; round < 300; round++) {
    let own = 0;
    meet();
    for (let i = 0; i < 2 * burst; i++) if (limiter.take(1000, "key " + round) === 0) own++;
    inside.set(own);
    meet();
    sums.push(inside.recount());
    meet();
  }
  return Math.max(...sums) + " " + Math.min(...sums);
}
function enter(own) {
  web.set(own);
  return web.sum();
}
/** Both begin at once, over and over: the most that were let in, and the fewest. */
function rush(most) {
  const sums = [];
  for (let round = 0; round < 300; round++) {
    let own = 0;
    meet();
    while (enter(own + 1) <= most) own++;
    web.set(own);
    inside.set(own);
    meet();
    sums.push(inside.recount());
    meet();
    web.set(0);
  }
  return Math.max(...sums) + " " + Math.min(...sums);
}
/** Goes on when the other one is here, too. */
function meet() {
  meetings++;
  arrived.set(meetings);
  while (arrived.recount() < 2 * meetings);
}
`;

class Other {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(fd: number) {
    const argv = ["--input-type=module", "-e", OTHER];
    this.process = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "inherit", fd] });
    this.#lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const { value } = (await this.#lines.next()) as { value?: string };
    return value ?? "ended";
  }

  ask(words: string): Promise<string> {
    this.process.stdin!.write(`${words}\n`);
    return this.line();
  }
}

test("the count of a process that was killed is gone when it is asked for", async () => {
  const fd = made();
  const [here, other] = [join(fd), new Other(fd)];
  const count = here.count("web")!;
  assert.equal(await other.line(), "ready");
  assert.equal(await other.ask("set 4"), "4");
  count.set(1);
  assert.equal(count.sum(), 5);
  assert.equal(count.recount(), 5, "it lives");
  other.process.kill("SIGKILL");
  await once(other.process, "exit");
  // Not looked for at each call.
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(count.recount(), 1);
  here.leave();
  closeFd(fd);
});

test("two processes that rush in at once let in as many as the limit says, or one less", async () => {
  const fd = made();
  const others = [new Other(fd), new Other(fd)];
  for (const other of others) assert.equal(await other.line(), "ready");
  for (const told of await Promise.all(others.map((other) => other.ask("rush 10")))) {
    const [most, fewest] = told.split(" ").map(Number);
    assert.equal(most, 10);
    // Two who ask for the last place at the same time may both be refused.
    assert.ok(fewest! >= 9, `only ${fewest}`);
  }
  for (const other of others) other.process.kill("SIGKILL");
  await Promise.all(others.map((other) => once(other.process, "exit")));
  closeFd(fd);
});

test("the clients of one address are one number for all, and gone with a process that was killed", async () => {
  const fd = made();
  const [here, other] = [join(fd), new Other(fd)];
  const guests = here.sources("web");
  assert.equal(await other.line(), "ready");
  assert.equal(await other.ask("guest 3"), "3");
  assert.equal(guests.elsewhere("10.0.0.9"), 3);
  assert.equal(guests.elsewhere("10.0.0.8"), 0);
  assert.equal(here.sources("api").elsewhere("10.0.0.9"), 0, "another frontend");
  guests.set("10.0.0.9", 2);
  assert.equal(await other.ask("guest 4"), "6");
  assert.equal(await other.ask("guest 0"), "2");
  assert.equal(guests.elsewhere("10.0.0.9"), 0);
  assert.equal(await other.ask("guest 5"), "7");
  other.process.kill("SIGKILL");
  await once(other.process, "exit");
  assert.equal(guests.elsewhere("10.0.0.9"), 5, "nobody has looked");
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(guests.recount("10.0.0.9"), 0);
  here.leave();
  closeFd(fd);
});

test("two processes let in as many of an address, and as many requests, as one limit says", async () => {
  const fd = made();
  const others = [new Other(fd), new Other(fd)];
  for (const other of others) assert.equal(await other.line(), "ready");
  for (const told of await Promise.all(others.map((other) => other.ask("guests 10")))) {
    const [most, fewest] = told.split(" ").map(Number);
    assert.equal(most, 10);
    assert.ok(fewest! >= 9, `only ${fewest}`);
  }
  const requests = await Promise.all(others.map((other) => other.ask("requests 20")));
  for (const other of others) other.process.kill("SIGKILL");
  assert.deepEqual(requests, ["20 20", "20 20"]);
  await Promise.all(others.map((other) => once(other.process, "exit")));
  closeFd(fd);
});

test("a limit that is used up is so for a process that comes later, and for no other key", () => {
  const fd = made();
  const [one, other] = [join(fd), join(fd)];
  const limiters = [one, other].map((memory) => {
    const limiter = new RateLimiter({ perSecond: 10, burst: 3, size: 1 });
    limiter.share(memory.arrivals("web/api"));
    return limiter;
  });
  const taken = (now: number, key: string): number[] =>
    limiters.flatMap((limiter) => [limiter.take(now, key), limiter.take(now, key)]);
  assert.deepEqual(taken(1000, "a"), [0, 0, 0, 100]);
  assert.deepEqual(taken(1000, "b"), [0, 0, 0, 100]);
  one.leave();
  const late = join(fd);
  limiters[0]!.share(late.arrivals("web/api"));
  assert.deepEqual(taken(1100, "a"), [0, 100, 100, 100]);
  limiters[0]!.share(late.arrivals("web/other"));
  assert.deepEqual(taken(1100, "a"), [0, 0, 100, 100]);
  for (const memory of [other, late]) memory.leave();
  closeFd(fd);
});

test("limits that are over make room for others, and each counts by itself", () => {
  const fd = made();
  const memory = join(fd);
  const limiter = new RateLimiter({ perSecond: 10, burst: 1, size: 1 });
  limiter.share(memory.arrivals("web/api"));
  let refused = 0;
  for (let i = 0; i < 20_000; i++) {
    // Those of earlier rounds are over: their places are free again.
    const now = 1000 * Math.floor(i / 5_000);
    assert.equal(limiter.take(now, `key ${i}`), 0);
    if (limiter.take(now, `key ${i}`) > 0) refused++;
  }
  assert.equal(refused, 20_000);
  memory.leave();
  closeFd(fd);
});
