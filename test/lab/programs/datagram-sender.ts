/** Sends the datagrams that its argument names, a JSON array, on eth0; a header of theirs comes with AH. */

import type { Family } from "../../../src/core/vrrp/settings.ts";
import { isOsFailure } from "../../../src/drivers/ffi.ts";
import { VrrpSocket } from "../../../src/drivers/vrrp-socket.ts";

export interface OutgoingDatagram {
  readonly family: Family;
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  /** Hexadecimal. */
  readonly payload: string;
}

for (const datagram of JSON.parse(process.argv[2] ?? "[]") as OutgoingDatagram[]) {
  const { family, protocol } = datagram;
  // Under another name than its own a socket may send from addresses that the host does not have.
  const place = { interface: "eth0", reportAs: "stranger", family, protocol };
  const socket = VrrpSocket.open({ ...place, onDatagram: () => {} });
  if (isOsFailure(socket)) throw new Error(socket.message);
  const payload = Uint8Array.fromHex(datagram.payload);
  const status = socket.send({ ...datagram, payload, length: payload.length });
  if (status < 0) throw new Error(`${JSON.stringify(datagram)}: errno ${-status}`);
  socket.close();
}
