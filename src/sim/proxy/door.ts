/** Where connections come in at a simulated server. */

import type { ConnectTarget, ServerPeer, Wire } from "../../core/proxy/wire.ts";
import type { EventQueue } from "../event-queue.ts";
import { linkedEnds, type LinkEnd, type LinkNature } from "./byte-link.ts";

export interface DoorWorld {
  readonly queue: EventQueue;
  readonly nature: LinkNature;
}

export class Door {
  readonly #world: DoorWorld;
  /** Where the engine's bytes for this server are queued. */
  readonly engineEnds: LinkEnd[] = [];
  readonly #accepted: (wire: LinkEnd, head: Uint8Array | undefined) => void;
  /** What it does with new connections. */
  manner: "accept" | "refuse" | "swallow" = "accept";

  constructor(world: DoorWorld, accepted: (wire: LinkEnd, head: Uint8Array | undefined) => void) {
    this.#world = world;
    this.#accepted = accepted;
  }

  connect(target: ConnectTarget, peer: ServerPeer): Wire {
    const { queue, nature } = this.#world;
    const [engineEnd, ownEnd] = linkedEnds(queue, nature);
    this.engineEnds.push(engineEnd);
    queue.after(nature.delayMs(), () => {
      if (engineEnd.gone || this.manner === "swallow") return;
      if (this.manner === "refuse") {
        engineEnd.vanish();
        peer.closed(queue.now, "ECONNREFUSED");
        return;
      }
      this.#accepted(ownEnd, target.head);
      if (target.head !== undefined) engineEnd.send(target.head, 0, target.head.length);
      peer.connected(queue.now);
      engineEnd.attach(peer);
    });
    return engineEnd;
  }
}
