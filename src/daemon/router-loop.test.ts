import assert from "node:assert/strict";
import { test } from "node:test";
import { advertOf } from "../../test/kit/vrrp-segment.ts";
import { instance, node } from "../../test/kit/vrrp-settings.ts";
import { Router } from "../core/vrrp/router.ts";
import type { RouterAction, RouterInput } from "../core/vrrp/router-ports.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { RouterLoop } from "./router-loop.ts";

const QUICK = { advertIntervalMs: 10 };
const DOWN_MS = 30 + 1560 / 256;

/** How a wait for a takeover ended. */
interface Ending {
  readonly orders: readonly RouterAction["type"][];
  /** How long before the takeover it was listened each time, ms. */
  readonly ahead: readonly number[];
  /** From the advert to the takeover or the end of the wait. */
  readonly waitedMs: number;
}

/** A machine that stands still for some ms just then has no time to prepare: it is asked again. */
const ATTEMPTS = 50;

/** A backup hears one advert; `onListen` is called when its loop listens. */
async function waitOnce(onListen: (loop: RouterLoop) => void): Promise<Ending> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const router = new Router(node([instance(QUICK)]));
  const orders: RouterAction["type"][] = [];
  const ahead: number[] = [];
  let endedMs = NaN;
  const loop = new RouterLoop(
    router,
    ({ type }) => {
      orders.push(type);
      if (type !== "acquire-addresses" && type !== "release-addresses") return;
      endedMs = monotonicMs();
      setImmediate(resolve);
    },
    (exactly) => {
      if (!exactly) return;
      ahead.push(router.deadline - monotonicMs());
      onListen(loop);
    },
  );
  const wallMs = Date.now();
  loop.feed({ type: "started", wallMs });
  const up = { exists: true, up: true, primaryIpv4: "192.0.2.7" };
  loop.feed({ type: "interface-changed", interface: instance(QUICK).interface, ...up });
  const heardMs = monotonicMs();
  loop.feed(advert());
  await promise;
  loop.close();
  return { orders, ahead, waitedMs: endedMs - heardMs };
}

async function wait(onListen: (loop: RouterLoop) => void): Promise<Ending> {
  for (let attempt = 1; ; attempt++) {
    const ending = await waitOnce(onListen);
    if (ending.ahead.length > 0) return ending;
    assert.ok(ending.waitedMs >= DOWN_MS, `${ending.waitedMs}`);
    assert.ok(attempt < ATTEMPTS, "never listened");
  }
}

function advert(): RouterInput {
  const datagram = advertOf(instance({ ...QUICK, priority: 200 }), "192.0.2.99", 200);
  return { type: "datagram-received", datagram, wallMs: Date.now() };
}

test("a takeover that was prepared is listened up to, and happens at its moment, never before", async () => {
  const { orders, ahead, waitedMs } = await wait(() => {});
  assert.ok(waitedMs >= DOWN_MS, `${waitedMs}`);
  assert.ok(
    ahead.every((ms) => ms <= 0.5),
    ahead.join(),
  );
  assert.ok(ahead.at(-1)! <= 0, "listens once more when the moment has come");
  assert.equal(orders.at(-1), "notify");
});

test("an advert of the last moment ends the wait without a takeover", async () => {
  const { orders, ahead } = await wait((loop) => loop.feed(advert()));
  assert.equal(ahead.length, 1);
  assert.equal(orders.includes("acquire-addresses"), false);
  assert.equal(orders.at(-1), "release-addresses");
});
