/**
 * `node --expose-gc bench/vrrp-steps.ts [--count N]`: what one advert costs the router itself, sent
 * and received, in time and in memory: what the kernel and the drivers do is not in it.
 */

import { parseArgs } from "node:util";
import { Listener } from "../test/kit/vrrp-listener.ts";
import { received } from "../test/kit/vrrp-segment.ts";
import { hmac, instance, type InstanceDraft } from "../test/kit/vrrp-settings.ts";
import type { ReceivedDatagram, RouterInput } from "../src/core/vrrp/router-ports.ts";
import { stepCost, WARM_UP } from "./step-cost.ts";

interface Cost {
  readonly nsPerAdvert: number;
  /** Allocated, collected or not. */
  readonly bytesPerAdvert: number;
  /** What is left of it when all garbage is collected, over the whole run. */
  readonly bytesKept: number;
}

function measure(count: number, step: () => void): Cost {
  const { ns, bytes, bytesKept } = stepCost(count, step);
  return { nsPerAdvert: ns, bytesPerAdvert: bytes, bytesKept };
}

/** A master that is woken for every advert, with 30 s between announcements at most. */
function sending(count: number, draft: InstanceDraft): Cost {
  const ours = new Listener(instance(draft));
  ours.takeOver();
  const woken: { type: "woken"; wallMs: number } = { type: "woken", wallMs: ours.wallMs };
  const before = ours.status.counters.advertsSent;
  const cost = measure(count, () => {
    ours.now = ours.router.deadline;
    woken.wallMs = ours.now;
    ours.router.step(ours.now, woken);
  });
  const sent = ours.status.counters.advertsSent - before;
  if (sent < count + WARM_UP - 2) throw new Error(`only ${sent} adverts were sent`);
  return cost;
}

/** A backup that hears its master every second. */
function receiving(count: number, draft: InstanceDraft): Cost {
  const ours = new Listener(instance(draft));
  const datagram = sampleOf(draft);
  const input: RouterInput & { type: "datagram-received"; wallMs: number } = {
    type: "datagram-received",
    datagram,
    wallMs: ours.wallMs,
  };
  const cost = measure(count, () => {
    ours.pass(1000);
    input.wallMs = ours.wallMs;
    ours.router.step(ours.now, input);
  });
  const heard = ours.status.counters.advertsReceived;
  if (heard !== count + WARM_UP) throw new Error(`only ${heard} adverts were believed`);
  return cost;
}

function sampleOf(draft: InstanceDraft): ReceivedDatagram {
  const settings = instance({ ...draft, sourceAddress: "192.0.2.9", priority: 200 });
  const master = new Listener(settings);
  master.pass(master.router.deadline);
  const woken = master.router.step(master.now, { type: "woken", wallMs: master.wallMs });
  const action = woken.find((a) => a.type === "send-datagram");
  if (action === undefined) throw new Error("a master advertises");
  return received(action);
}

const { values } = parseArgs({
  options: { count: { type: "string", default: "1000000" }, json: { type: "boolean" } },
});
const count = Number(values.count);
const costs: Readonly<Record<string, Cost>> = {
  "send, no authentication": sending(count, {}),
  "receive, no authentication": receiving(count, {}),
};
if (values.json === true) console.log(JSON.stringify(costs));
else {
  const permissive = { authentication: hmac({ mode: "enforce", antiReplay: false }) };
  console.table({ ...costs, "send, HMAC": sending(Math.ceil(count / 20), permissive) });
}
