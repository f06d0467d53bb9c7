/**
 * `node bench/advert-source.ts INTERFACE ADDRESS PREFIX COUNT INTERVAL_MS`: a master of COUNT
 * instances whose adverts are spread evenly over the interval, so that each finds the receiver
 * asleep. `PREFIX.N` is the address of instance N; the adverts promise one every INTERVAL_MS.
 */

import { VRRP_PROTOCOL, encodeAdvert, setChecksum, setPriority } from "../src/core/vrrp/packet.ts";
import { Alarm } from "../src/drivers/alarm.ts";
import { monotonicMs } from "../src/drivers/clock.ts";
import { isOsFailure } from "../src/drivers/ffi.ts";
import { VrrpSocket } from "../src/drivers/vrrp-socket.ts";
import { parseIp } from "../src/lib/ip-address.ts";

const PRIORITY = 200;

const [device = "", source = "", prefix = "", countText, intervalText] = process.argv.slice(2);
const count = Number(countText);
const intervalMs = Number(intervalText);
const opened = VrrpSocket.open({
  interface: device,
  reportAs: device,
  family: "ipv4",
  protocol: VRRP_PROTOCOL,
  onDatagram: () => {},
});
if (isOsFailure(opened)) throw new Error(opened.message);
const socket = opened;

const adverts = Array.from({ length: count }, (_, i) => {
  const payload = new Uint8Array(64);
  const addresses = [parseIp(`${prefix}.${i + 1}`)!];
  const password = new Uint8Array(0);
  const length = encodeAdvert(
    { version: 3, vrid: i + 1, family: "ipv4", intervalMs, authType: 0, password, addresses },
    payload,
    0,
  );
  setPriority(payload, 0, PRIORITY);
  setChecksum(payload, 0, length, 0);
  return { source, destination: "224.0.0.18", ttl: 255, payload, length };
});

const startMs = monotonicMs();
let sent = 0;
const alarm = new Alarm(() => {
  const status = socket.send(adverts[sent % count]!);
  if (status !== 0) throw new Error(`send: ${status}`);
  sent++;
  alarm.set(startMs + (sent * intervalMs) / count);
});
alarm.set(startMs);
process.stdout.write("sending\n");
