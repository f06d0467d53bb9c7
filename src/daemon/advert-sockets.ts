/** Which raw socket each instance sends and receives on. Opens what the settings need. */

import { AH_LENGTH } from "../core/vrrp/auth-ah.ts";
import { SHORTEST_INTERVAL_MS } from "../core/vrrp/reading-pace.ts";
import type { ReceivedDatagram, RouterAction } from "../core/vrrp/router-ports.ts";
import type { InstanceSettings } from "../core/vrrp/settings.ts";
import { isOsFailure, osFailure } from "../drivers/ffi.ts";
import { VrrpSocket, type VrrpSocketOptions } from "../drivers/vrrp-socket.ts";
import { VridEars } from "./vrid-ears.ts";

const VRRP_PROTOCOL = 112;
const AH_PROTOCOL = 51;

export class AdvertSockets {
  readonly #onDatagram: (datagram: ReceivedDatagram) => void;
  readonly #trouble: (reason: string) => void;
  /** By interface, family, protocol and direction: instances share them. */
  readonly #sockets = new Map<string, VrrpSocket>();
  readonly #senders = new Map<string, VrrpSocket>();
  /** By interface, family and protocol. */
  readonly #ears = new Map<string, VridEars<VrrpSocket>>();
  /** During a reload: what an instance that moves says farewell on. */
  readonly #former = new Map<string, VrrpSocket>();
  #mayGather = false;

  constructor(onDatagram: (datagram: ReceivedDatagram) => void, trouble: (reason: string) => void) {
    this.#onDatagram = onDatagram;
    this.#trouble = trouble;
  }

  /** What the instance needs and does not have yet. Its interfaces exist. */
  open(instance: InstanceSettings): void {
    const place = placeOf(instance);
    const socket = this.#socket(place);
    if (socket === undefined) return;
    const before = this.#senders.get(instance.name);
    if (before !== undefined && before !== socket) this.#former.set(instance.name, before);
    this.#senders.set(instance.name, socket);
    this.#earsOf(place).set(instance.vrid, socket);
    if (instance.transport.kind !== "multicast") return;
    const { group } = instance.transport;
    const status = socket.join(group);
    if (status < 0) this.#trouble(osFailure(`join ${group} on ${place.interface}`, status).message);
  }

  /** What went wrong, if anything. */
  send(action: Extract<RouterAction, { type: "send-datagram" }>): string | undefined {
    let socket = this.#senders.get(action.instance);
    if (socket?.carries(action) === false) socket = this.#former.get(action.instance);
    if (socket === undefined) return `no socket to send adverts on ${action.interface}`;
    const status = socket.send(action);
    if (status === 0) return undefined;
    return osFailure(`send an advert on ${action.interface} to ${action.destination}`, status)
      .message;
  }

  /** Everything but the sending. */
  rehearse(action: Extract<RouterAction, { type: "send-datagram" }>): void {
    this.#senders.get(action.instance)?.rehearse(action);
  }

  /** For all instances there are: where one of them is in a hurry, none of its adverts waits. */
  setShortestInterval(ms: number): void {
    this.#mayGather = ms >= SHORTEST_INTERVAL_MS;
    for (const socket of this.#sockets.values()) socket.mayGather = this.#mayGather;
  }

  /** Before a deadline is acted on: nobody is dead whose advert waits here. */
  readGathered(): void {
    for (const socket of this.#sockets.values()) socket.readGathered();
  }

  /** Right before somebody is declared dead: what came in the last moment. */
  read(): void {
    for (const socket of this.#sockets.values()) socket.read();
  }

  /** The link came back. */
  rejoin(interfaceName: string): void {
    for (const socket of this.#sockets.values()) {
      if (socket.reportAs === interfaceName) socket.rejoin();
    }
  }

  /** Closes what none of the instances needs any more. */
  keepOnly(instances: readonly InstanceSettings[]): void {
    this.#former.clear();
    const needed = new Set(instances.map((instance) => keyOf(placeOf(instance))));
    for (const [key, socket] of this.#sockets) {
      if (needed.has(key)) continue;
      socket.close();
      this.#sockets.delete(key);
    }
    const names = new Set(instances.map((instance) => instance.name));
    for (const name of this.#senders.keys()) if (!names.has(name)) this.#senders.delete(name);
    for (const ears of this.#ears.values()) ears.clear();
    for (const instance of instances) {
      const place = placeOf(instance);
      const socket = this.#senders.get(instance.name);
      const isOpen = socket !== undefined && this.#sockets.get(keyOf(place)) === socket;
      if (isOpen) this.#earsOf(place).set(instance.vrid, socket);
    }
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
    this.#senders.clear();
  }

  #socket(place: Place): VrrpSocket | undefined {
    const key = keyOf(place);
    const known = this.#sockets.get(key);
    if (known?.isBound === true) return known;
    // The interface was taken away and made anew under the same name.
    known?.close();
    this.#sockets.delete(key);
    const ears = this.#earsOf(place);
    if (known !== undefined) ears.forget(known);
    const vridAt = place.protocol === AH_PROTOCOL ? AH_LENGTH + 1 : 1;
    const opened = VrrpSocket.open({
      ...place,
      onDatagram: (datagram) => {
        const own = isOsFailure(opened) ? undefined : opened;
        if (ears.hears(datagram.payload[vridAt], own)) this.#onDatagram(datagram);
      },
    });
    if (isOsFailure(opened)) {
      this.#trouble(opened.message);
      return undefined;
    }
    opened.mayGather = this.#mayGather;
    this.#sockets.set(key, opened);
    return opened;
  }

  #earsOf({ reportAs, family, protocol }: Place): VridEars<VrrpSocket> {
    const key = `${reportAs} ${family} ${protocol}`;
    let ears = this.#ears.get(key);
    if (ears === undefined) this.#ears.set(key, (ears = new VridEars()));
    return ears;
  }
}

type Place = Omit<VrrpSocketOptions, "onDatagram">;

function keyOf({ interface: name, family, protocol }: Place): string {
  return `${name} ${family} ${protocol}`;
}

/**
 * With a virtual MAC, multicast goes and comes on its own interface: the kernel hands a frame
 * from the peer's equal MAC to that one only. Unicast is addressed to the interface below.
 */
function placeOf(instance: InstanceSettings): Place {
  const { family, authentication, vmac, transport, interface: base } = instance;
  const protocol = authentication.kind === "ah" ? AH_PROTOCOL : VRRP_PROTOCOL;
  const apart = vmac !== undefined && !vmac.sendFromBase && transport.kind === "multicast";
  return { interface: apart ? vmac.name : base, reportAs: base, family, protocol };
}
