/**
 * Readings of a descriptor: as data comes, or where much comes, gathered and a few ms apart. What
 * comes in bursts is not looked for between them: to find nothing costs as much as to be woken.
 */

import { GATHER_MS, ReadingPace } from "../core/vrrp/reading-pace.ts";
import { Alarm } from "./alarm.ts";
import { monotonicMs } from "./clock.ts";
import { watchReadable, type Watch } from "./poll.ts";

export class PacedWatch {
  readonly #fd: number;
  readonly #read: (whole: boolean) => number;
  readonly #pace = new ReadingPace();
  /** Tells that there is something to read; absent while it gathers, and after `close`. */
  #watch: Watch | undefined;
  /** Tells when what gathers is to be read; made when that happens first. */
  #alarm: Alarm | undefined;
  #mayGather = false;
  #closed = false;

  /** `read` takes what waits, all of it or what one wake-up may take, and returns how much it was. */
  constructor(fd: number, read: (whole: boolean) => number) {
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
    return this.#watch === undefined && !this.#closed;
  }

  /** What has gathered until now. Nothing to do where data is read as it comes. */
  readGathered(): void {
    if (this.gathers) this.read();
  }

  close(): void {
    this.#closed = true;
    this.#watch?.close();
    this.#alarm?.close();
    this.#watch = undefined;
    this.#alarm = undefined;
  }

  /** Everything that waits, however it is read. */
  read(): void {
    this.#take(true);
  }

  #take(whole: boolean): void {
    const count = this.#read(whole);
    // Reading may have brought about that this was closed.
    if (this.#closed || !this.#mayGather) return;
    const now = monotonicMs();
    if (this.#pace.read(now, count) && count > 0) this.#letGather(now);
    else this.#readAsItComes();
  }

  #readAsItComes(): void {
    this.#alarm?.set(Infinity);
    this.#watch ??= watchReadable(this.#fd, () => this.#take(false));
  }

  #letGather(now: number): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#alarm ??= new Alarm(() => this.read());
    this.#alarm.set(now + GATHER_MS);
  }
}
