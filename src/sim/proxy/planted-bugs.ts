/** Bugs of a proxy, planted around the real engine: the oracles must see every one of them. */

import { Engine } from "../../core/proxy/engine.ts";
import type { EngineOptions } from "../../core/proxy/engine-parts.ts";
import type { ConnectTarget, Peer, ServerPeer, Wire } from "../../core/proxy/wire.ts";
import type { MakeEngine } from "./stage.ts";

export interface PlantedBug {
  readonly name: string;
  readonly make: MakeEngine;
}

type Connect = (target: ConnectTarget, peer: ServerPeer) => Wire;

/** An engine whose connections to servers are made by `plant(connect)`. */
export function planted(plant: (connect: Connect) => Connect): MakeEngine {
  return (now: number, options: EngineOptions) => {
    const { connector } = options;
    const connect = plant((target, peer) => connector.connect(target, peer));
    return new Engine(now, { ...options, connector: { connect } });
  };
}

/** A wire that does something else when it is told to send. */
export function sendingWire(wire: Wire, send: Wire["send"]): Wire {
  return {
    send,
    get queued() {
      return wire.queued;
    },
    pause: () => wire.pause(),
    resume: () => wire.resume(),
    end: (last) => wire.end(last),
    destroy: (reset) => wire.destroy(reset),
  };
}

/** An engine that gets its clients' wires from `plant`. */
export function withClients(plant: (wire: Wire) => Wire): MakeEngine {
  return (now, options) => {
    const engine = new Engine(now, options);
    const accept = engine.accept.bind(engine);
    engine.accept = (at, wire, origin): Peer => accept(at, plant(wire), origin);
    return engine;
  };
}

export function wireThat(wire: Wire, change: Partial<Wire>): Wire {
  // Its `queued` goes on counting.
  return Object.assign(sendingWire(wire, wire.send.bind(wire)), change);
}

function receivingPeer(peer: ServerPeer, received: ServerPeer["received"]): ServerPeer {
  return {
    received,
    connected: (now) => peer.connected(now),
    drained: (now) => peer.drained(now),
    ended: (now) => peer.ended(now),
    closed: (now, reason) => peer.closed(now, reason),
  };
}

/** The `n`-th call of what it makes gives true, once. */
function nth(n: number): () => boolean {
  let calls = 0;
  return () => ++calls === n;
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: "loses a byte of a request",
    make: planted((connect) => {
      const now = nth(5);
      return (target, peer) => {
        const wire = connect(target, peer);
        return sendingWire(wire, (bytes, from, to) => wire.send(bytes, from, now() ? to - 1 : to));
      };
    }),
  },
  {
    name: "sends a piece of a request twice",
    make: planted((connect) => {
      const now = nth(4);
      return (target, peer) => {
        const wire = connect(target, peer);
        return sendingWire(wire, (bytes, from, to) => {
          if (now()) wire.send(bytes, from, to);
          return wire.send(bytes, from, to);
        });
      };
    }),
  },
  {
    name: "loses a byte of an answer",
    make: planted((connect) => {
      const now = nth(6);
      return (target, peer) =>
        connect(
          target,
          receivingPeer(peer, (at, bytes, from, to) =>
            peer.received(at, bytes, from, now() ? to - 1 : to),
          ),
        );
    }),
  },
  {
    name: "gives the answer to somebody else",
    make: planted((connect) => {
      const peers: ServerPeer[] = [];
      return (target, peer) => {
        peers.push(peer);
        return connect(
          target,
          receivingPeer(peer, (at, bytes, from, to) =>
            (peers[peers.indexOf(peer) - 1] ?? peer).received(at, bytes, from, to),
          ),
        );
      };
    }),
  },
  {
    name: "hears nothing of the end of a server's stream",
    make: planted(
      (connect) => (target, peer) =>
        connect(target, { ...receivingPeer(peer, peer.received.bind(peer)), ended() {} }),
    ),
  },
  {
    name: "takes a break for an end",
    make: planted(
      (connect) => (target, peer) =>
        connect(target, {
          ...receivingPeer(peer, peer.received.bind(peer)),
          closed: (now) => peer.ended(now),
        }),
    ),
  },
  {
    name: "never stops reading a server",
    make: planted((connect) => (target, peer) => {
      const wire = connect(target, peer);
      return { ...sendingWire(wire, wire.send.bind(wire)), pause() {} };
    }),
  },
  {
    name: "does not read on",
    make: planted((connect) => (target, peer) => {
      const wire = connect(target, peer);
      return { ...sendingWire(wire, wire.send.bind(wire)), resume() {} };
    }),
  },
  {
    name: "leaves connections open",
    make: planted((connect) => (target, peer) => {
      const wire = connect(target, peer);
      return { ...sendingWire(wire, wire.send.bind(wire)), destroy() {} };
    }),
  },
  {
    name: "ends a client's connection before all of its answer is out",
    make: withClients((wire) => wireThat(wire, { end: () => wire.destroy(false) })),
  },
  {
    name: "looks at no clock",
    make: (now, options) => {
      const engine = new Engine(now, options);
      engine.wake = () => {};
      Object.defineProperty(engine, "deadline", { value: Infinity });
      return engine;
    },
  },
];
