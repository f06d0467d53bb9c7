/**
 * A backup of many instances stands still for longer than it waits for adverts, while its master goes on
 * sending: what lies in the socket is read before anybody is declared dead. Needs root (raw sockets).
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Router } from "../../src/core/vrrp/router.ts";
import { RouterLoop } from "../../src/daemon/router-loop.ts";
import { monotonicMs } from "../../src/drivers/clock.ts";
import { isOsFailure } from "../../src/drivers/ffi.ts";
import { VrrpSocket } from "../../src/drivers/vrrp-socket.ts";
import { canBuildWorlds } from "../../src/lab/privileges.ts";
import { pause } from "../../src/lab/wait.ts";
import { advertOf } from "../kit/vrrp-segment.ts";
import { instance, node } from "../kit/vrrp-settings.ts";

const permission = canBuildWorlds();
const skip = permission.by === "root" ? false : `needs root: ${permission.reason}`;

/** More than one wake-up of the socket takes. */
const INSTANCES = 200;
const ADVERT_MS = 100;
const STALL_MS = 420;
/** For experiments: nobody else on this host listens to it. */
const PROTOCOL = 253;
const LOOPBACK = "127.0.0.1";

function open(onDatagram: (payload: Uint8Array) => void): VrrpSocket {
  const socket = VrrpSocket.open({
    interface: "lo",
    reportAs: "eth0",
    family: "ipv4",
    protocol: PROTOCOL,
    onDatagram: ({ source, payload }) => {
      if (source === LOOPBACK) onDatagram(payload);
    },
  });
  assert.ok(!isOsFailure(socket));
  return socket;
}

test(
  "who stood still takes over from nobody whose adverts it has not read yet",
  { skip },
  async () => {
    const settings = Array.from({ length: INSTANCES }, (_, i) =>
      instance({
        name: `V${i}`,
        vrid: i + 1,
        advertIntervalMs: ADVERT_MS,
        vips: [`192.0.2.${i + 1}`],
      }),
    );
    const adverts = settings.map((one) => advertOf(one, LOOPBACK, 200));
    const masters: string[] = [];
    let heard = 0;
    const loop = new RouterLoop(
      new Router(node(settings)),
      (action) => {
        if (action.type === "acquire-addresses") masters.push(action.instance);
      },
      (everything) => (everything ? backup.read() : backup.readGathered()),
    );
    const backup = open((payload) => {
      heard++;
      const datagram = { ...adverts[0]!, payload };
      loop.feed({ type: "datagram-received", datagram, wallMs: Date.now() });
    });
    backup.mayGather = true;
    const master = open(() => {});
    const round = (): void => {
      for (const { payload } of adverts) {
        const { length } = payload;
        master.send({ source: LOOPBACK, destination: LOOPBACK, ttl: 255, payload, length });
      }
    };
    const up = { exists: true, up: true, primaryIpv4: "192.0.2.254" };
    loop.feed({ type: "interface-changed", interface: "eth0", ...up });
    loop.feed({ type: "started", wallMs: Date.now() });
    try {
      // Of those whose first adverts were late, too.
      for (let i = 0; i < 5; i++) {
        round();
        await pause(ADVERT_MS);
      }
      masters.length = 0;
      const end = monotonicMs() + STALL_MS;
      for (let next = monotonicMs(); monotonicMs() < end;) {
        if (monotonicMs() < next) continue;
        round();
        next += ADVERT_MS;
      }
      heard = 0;
      await pause(ADVERT_MS / 2);
      assert.ok(heard > 3 * INSTANCES, `${heard}`);
      assert.deepEqual(masters, []);
    } finally {
      loop.close();
      backup.close();
      master.close();
    }
  },
);
