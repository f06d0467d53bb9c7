/**
 * `node bench/advert-listener.ts INTERFACE`: a line `SOURCE MONOTONIC_MS` for every advert that comes to
 * an interface, as it comes.
 */

import { writeSync } from "node:fs";
import { VRRP_PROTOCOL } from "../src/core/vrrp/packet.ts";
import { monotonicMs } from "../src/drivers/clock.ts";
import { isOsFailure } from "../src/drivers/ffi.ts";
import { VrrpSocket } from "../src/drivers/vrrp-socket.ts";
import { measureInTime } from "../src/lab/probe-log.ts";

const [device = ""] = process.argv.slice(2);
const socket = VrrpSocket.open({
  interface: device,
  reportAs: device,
  family: "ipv4",
  protocol: VRRP_PROTOCOL,
  onDatagram: ({ source, waitedMs = 0 }) => {
    // As the kernel has it: to be woken takes half a millisecond and more after a long sleep.
    writeSync(process.stdout.fd, `${source} ${monotonicMs() - waitedMs}\n`);
  },
});
if (isOsFailure(socket)) throw new Error(socket.message);
const status = socket.join("224.0.0.18");
if (status < 0) throw new Error(`join: ${status}`);
measureInTime();
