/**
 * Secrets that seal TLS session tickets: the same at all workers, known to nobody else, never on disk. Whoever
 * learns one can read what was recorded of resumed sessions, so each lives a limited time; the one before
 * still opens what it has sealed.
 */

import { randomBytes } from "node:crypto";

/** What is told to workers. */
export interface TicketSecrets {
  /** 48 bytes, the same for all workers. */
  readonly ticketKeys: Uint8Array;
  /** Tickets that were sealed with it are good too. */
  readonly formerTicketKeys?: Uint8Array;
}

const BYTES = 48;
/** Tickets are good for two hours at most (OpenSSL's default), so they outlive one change. */
const ROTATE_EVERY_MS = 12 * 3_600_000;

export class TicketKeys {
  #secrets: TicketSecrets = { ticketKeys: randomBytes(BYTES) };

  /** `changed`: all workers are to be told. */
  constructor(changed: (secrets: TicketSecrets) => void) {
    setInterval(() => changed(this.rotate()), ROTATE_EVERY_MS).unref();
  }

  get secrets(): TicketSecrets {
    return this.#secrets;
  }

  /** What living workers have from an earlier control process, so that sessions outlive an upgrade. */
  adopt(known: readonly (TicketSecrets | undefined)[]): void {
    const first = known.find((one) => one !== undefined);
    if (first !== undefined) this.#secrets = first;
  }

  rotate(): TicketSecrets {
    const { ticketKeys: formerTicketKeys } = this.#secrets;
    this.#secrets = { ticketKeys: randomBytes(BYTES), formerTicketKeys };
    return this.#secrets;
  }
}
