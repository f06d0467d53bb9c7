/** Readings of a descriptor: as data comes, or where much comes, gathered and a few ms apart. */

import { GATHER_MS, ReadingPace } from "../core/vrrp/reading-pace.ts";
import { Alarm } from "./alarm.ts";
import { monotonicMs } from "./clock.ts";
import { watchReadable, type Watch } from "./poll.ts";

export class PacedWatch {
  readonly #fd: number;
  readonly #read: () => number;
  readonly #pace = new ReadingPace();
  /** One of the two is there: what tells when to read. */
  #watch: Watch | undefined;
  #alarm: Alarm | undefined;
  #mayGather = false;

  /** `read` takes everything that waits, and returns how much it was. */
  constructor(fd: number, read: () => number) {
    this.#fd = fd;
    this.#read = read;
    this.#readAsItComes();
  }

  /** Off at first: every moment counts. */
  set mayGather(may: boolean) {
    this.#mayGather = may;
    if (!may && this.gathers) this.#readAsItComes();
  }

  get gathers(): boolean {
    return this.#alarm !== undefined;
  }

  /** What has gathered until now. Nothing to do where data is read as it comes. */
  readGathered(): void {
    if (this.gathers) this.#readNow();
  }

  close(): void {
    this.#watch?.close();
    this.#alarm?.close();
    this.#watch = undefined;
    this.#alarm = undefined;
  }

  #readNow(): void {
    const count = this.#read();
    // Reading may have brought about that this was closed.
    if (!this.#mayGather || (this.#watch === undefined && this.#alarm === undefined)) return;
    const now = monotonicMs();
    const gathers = this.#pace.read(now, count);
    if (gathers !== this.gathers) {
      if (gathers) this.#letGather();
      else this.#readAsItComes();
    }
    this.#alarm?.set(now + GATHER_MS);
  }

  #readAsItComes(): void {
    this.close();
    this.#watch = watchReadable(this.#fd, () => this.#readNow());
  }

  #letGather(): void {
    this.close();
    this.#alarm = new Alarm(() => this.#readNow());
  }
}
