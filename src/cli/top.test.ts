import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { Traffic } from "../core/proxy/traffic.ts";
import { type BalanceStatus, type PoolServer, trafficNumbers } from "../daemon/balance-status.ts";
import type { ServerOrder } from "../daemon/control-api.ts";
import { type ControlClient, ControlFailure } from "../daemon/control-client.ts";
import type { Terminal } from "./terminal.ts";
import { top } from "./top.ts";

const traffic = trafficNumbers(new Traffic(), false);

function picture(...names: string[]): BalanceStatus {
  const server = { state: "up", reason: "", usable: true, weight: 1, active: 0, latencyMs: 1 };
  const servers = names.map((name) => ({ ...server, name, traffic }) as PoolServer);
  const pool = { name: "shop", algorithm: "first", tier: 0, panic: false, waiting: 0, servers };
  return {
    workers: [],
    frontends: [],
    pools: [{ ...pool, retryBalance: 0, traffic }],
  };
}

/** A keyboard, and a screen that tells what it shows. */
class Desk extends EventEmitter {
  readonly isTTY = true;
  readonly orders: ServerOrder[] = [];
  /** What a look gives; a failure is thrown. */
  look: BalanceStatus | ControlFailure;
  isRaw = false;
  #seen = Promise.withResolvers<string>();

  constructor(look: BalanceStatus) {
    super();
    this.look = look;
  }

  readonly terminal: Terminal = {
    out: (text) => this.#seen.resolve(text),
    err() {},
    color: false,
    columns: 100,
    rows: 12,
  };

  setRawMode(isRaw: boolean): void {
    this.isRaw = isRaw;
  }

  setEncoding(): void {}
  resume(): void {}
  pause(): void {}

  async balance(): Promise<BalanceStatus> {
    if (this.look instanceof ControlFailure) throw this.look;
    return this.look;
  }

  async order(order: ServerOrder): Promise<void> {
    this.orders.push(order);
  }

  async press(key: string): Promise<string> {
    this.#seen = Promise.withResolvers();
    this.emit("data", key);
    return this.#seen.promise;
  }

  run(): Promise<number> {
    const input = this as unknown as NodeJS.ReadStream;
    const client = this as unknown as ControlClient;
    return top(client, { count: Infinity, input }, this.terminal);
  }
}

const DOWN = "\u001B[B";

test("a selected server stays selected when a reload puts another in its place", async () => {
  const desk = new Desk(picture("a", "b"));
  const ended = desk.run();
  await desk.press("x");
  await desk.press(DOWN);
  desk.look = picture("new", "a", "b");
  assert.match(await desk.press("x"), /> shop\/b/);
  await desk.press("d");
  desk.look = picture("new", "a");
  assert.doesNotMatch(await desk.press("x"), /> /, "gone: nobody else is meant");
  assert.deepEqual(
    desk.orders.map(({ server }) => server),
    ["shop/b"],
  );
  desk.emit("data", "q");
  assert.equal(await ended, 0);
});

test("keys that come at once, as over a slow line, are taken one after the other", async () => {
  const desk = new Desk(picture("a", "b"));
  const ended = desk.run();
  await desk.press("x");
  await desk.press(`${DOWN}dr`);
  for (let i = 0; i < 5 && desk.orders.length < 2; i++) await desk.press("x");
  assert.deepEqual(
    desk.orders.map(({ server, state }) => `${server} ${state}`),
    ["shop/b drain", "shop/b ready"],
  );
  desk.emit("data", "q");
  assert.equal(await ended, 0);
});

test("a key while nobody answers shows that, and the pictures go on after it", async () => {
  const desk = new Desk(picture("a"));
  const ended = desk.run();
  await desk.press("x");
  desk.look = new ControlFailure("nobody answers");
  assert.match(await desk.press("x"), /nobody answers/);
  desk.look = picture("a");
  assert.match(await desk.press("x"), /> shop\/a/);
  desk.emit("data", "q");
  assert.equal(await ended, 0);
  assert.equal(desk.isRaw, false);
});

test("the selected server is in the picture, however many there are", async () => {
  const names = Array.from({ length: 40 }, (_, i) => `s${i}`);
  const desk = new Desk(picture(...names));
  const ended = desk.run();
  let shown = await desk.press("x");
  for (let i = 0; i < 25; i++) shown = await desk.press(DOWN);
  assert.match(shown, /> shop\/s25 /);
  assert.match(shown, /q quit/);
  // One is for the end of the last line.
  assert.ok(shown.split("\n").length < 12);
  desk.emit("data", "q");
  assert.equal(await ended, 0);
});
