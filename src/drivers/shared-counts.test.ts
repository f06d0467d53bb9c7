import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { closeFd, isOsFailure } from "./ffi.ts";
import { createSharedCounts, SharedCounts } from "./shared-counts.ts";

function made(): number {
  const fd = createSharedCounts();
  assert.ok(typeof fd === "number", "this kernel has memfd_create");
  return fd;
}

function join(fd: number): SharedCounts {
  const counts = SharedCounts.join(fd);
  assert.ok(!isOsFailure(counts), "there is a place");
  return counts;
}

/** As who comes in does. */
function setAndSum(counts: SharedCounts, name: string, own: number): number {
  const count = counts.of(name)!;
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
  assert.equal(one.of("web")!.recount(), 1);
  assert.equal(one.of("api")!.recount(), 0);
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
  const web = first.of("web")!;
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
  const refused = SharedCounts.join(fd);
  assert.match(isOsFailure(refused) ? refused.message : "", /EAGAIN/);
  for (let i = 0; i < 255; i++) assert.ok(all[0]!.of(`name ${i}`) !== undefined);
  assert.equal(all[0]!.of("one more"), undefined);
  assert.ok(all[1]!.of("name 254") !== undefined, "known names stay known");
  for (const one of all) one.leave();
  closeFd(fd);
});

// ---- in processes of their own ----

/** Says `ready`; then what the words on its input ask for. */
const OTHER = `
import { createInterface } from "node:readline";
import { SharedCounts } from ${JSON.stringify(new URL("shared-counts.ts", import.meta.url).href)};
const counts = SharedCounts.join(3);
const [web, inside, arrived] = ["web", "inside", "arrived"].map((name) => counts.of(name));
console.log("ready");
let meetings = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, figure] = line.split(" ");
  console.log(word === "set" ? enter(Number(figure)) : rush(Number(figure)));
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
  const count = here.of("web")!;
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
