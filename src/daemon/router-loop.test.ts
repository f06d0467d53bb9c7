import assert from "node:assert/strict";
import { test } from "node:test";
import { advertOf } from "../../test/kit/vrrp-segment.ts";
import { instance, node, type InstanceDraft } from "../../test/kit/vrrp-settings.ts";
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

/** A backup hears one advert; `onListen` is called when its loop listens up to the takeover. */
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
      // Who is woken late listens as well, before anything was got ready.
      if (!exactly || orders.at(-1) !== "prepare-addresses") return;
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

function advert(draft: InstanceDraft = QUICK): RouterInput {
  const datagram = advertOf(instance({ ...draft, priority: 200 }), "192.0.2.99", 200);
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

test("many takeovers at a time are not put off by what is got ready for them", async () => {
  const many = Array.from({ length: 20 }, (_, i) =>
    instance({ ...QUICK, name: `V${i}`, vrid: i + 1, vips: [`192.0.2.${i + 1}`] }),
  );
  const { promise, resolve } = Promise.withResolvers<void>();
  let [prepared, masters] = [0, 0];
  const loop = new RouterLoop(
    new Router(node(many)),
    ({ type }) => {
      if (type === "acquire-addresses" && ++masters === many.length) resolve();
      if (type !== "prepare-addresses") return;
      prepared++;
      const end = monotonicMs() + 2;
      while (monotonicMs() < end);
    },
    () => {},
  );
  loop.feed({ type: "started", wallMs: Date.now() });
  const up = { exists: true, up: true, primaryIpv4: "192.0.2.254" };
  loop.feed({ type: "interface-changed", interface: many[0]!.interface, ...up });
  await promise;
  loop.close();
  // Six milliseconds before the first, and two and a half at least are left after each.
  assert.ok(prepared <= 2, `${prepared}`);
});

test("who wakes late listens to everything first", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const slow = { advertIntervalMs: 100 };
  const listened: boolean[] = [];
  const orders: string[] = [];
  const loop = new RouterLoop(
    new Router(node([instance({ ...slow, lease: false })])),
    ({ type }) => orders.push(type),
    (everything) => {
      listened.push(everything);
      loop.feed(advert(slow));
      resolve();
    },
  );
  loop.feed({ type: "started", wallMs: Date.now() });
  const up = { exists: true, up: true, primaryIpv4: "192.0.2.7" };
  loop.feed({ type: "interface-changed", interface: instance(slow).interface, ...up });
  loop.feed(advert(slow));
  const end = monotonicMs() + 400;
  while (monotonicMs() < end);
  await promise;
  loop.close();
  // It may have been in time for others before this is looked at.
  assert.equal(listened[0], true);
  assert.equal(orders.includes("acquire-addresses"), false);
});
