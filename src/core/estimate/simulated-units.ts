/** Parts and groups as the simulation runs them: who is up, and what follows when one changes. */

import type { Prng } from "../../lib/prng.ts";
import type { Block, FailoverCopies, Part } from "./architecture.ts";
import { drawTime } from "./spread.ts";

export interface Timers {
  readonly prng: Prng;
  /** A timer that is not running. */
  timer(call: () => void): number;
  /** Runs once; setting it again moves it. */
  set(timer: number, afterMs: number): void;
  /** How many events the caller brings about in the long run. */
  expect(eventsPerMs: number): void;
}

export interface Unit {
  readonly isUp: boolean;
}

/** Told that a unit came up or went down. */
type Told = (unit: Unit) => void;

export function buildUnits(block: Block, timers: Timers): Unit {
  return build(block, timers, () => {});
}

function build(block: Block, timers: Timers, told: Told, crew?: Crew): Unit {
  switch (block.kind) {
    case "part":
      return new PartUnit(block.part, timers, told, crew);
    case "series":
      return new NeededUnit(block.blocks, block.blocks.length, { timers, told });
    case "parallel":
      return new NeededUnit(block.blocks, block.need, { timers, told });
    case "copies": {
      const { of, total, crews, need } = block;
      const copies = Array.from({ length: total }, () => of);
      return new NeededUnit(copies, need, { timers, told, crew: new Crew(crews) });
    }
    case "failover":
      return new FailoverUnit(block, timers, told);
  }
}

/** Repairs are begun in the order of failures. */
class Crew {
  #free: number;
  readonly #waiting: PartUnit[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  call(part: PartUnit): void {
    if (this.#free === 0) {
      this.#waiting.push(part);
      return;
    }
    this.#free--;
    part.beginRepair();
  }

  done(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next.beginRepair();
  }
}

class PartUnit implements Unit {
  isUp = true;
  readonly #part: Part;
  readonly #timers: Timers;
  readonly #told: Told;
  readonly #crew: Crew | undefined;
  readonly #timer: number;

  constructor(part: Part, timers: Timers, told: Told, crew: Crew | undefined) {
    this.#part = part;
    this.#timers = timers;
    this.#told = told;
    this.#crew = crew;
    this.#timer = timers.timer(() => this.#turn());
    if (part.mttfMs === Infinity) return;
    timers.expect(2 / (part.mttfMs + part.mttrMs));
    this.#beginLife();
  }

  beginRepair(): void {
    const { repair, mttrMs } = this.#part;
    this.#timers.set(this.#timer, drawTime(repair, mttrMs, this.#timers.prng));
  }

  #beginLife(): void {
    const { life, mttfMs } = this.#part;
    this.#timers.set(this.#timer, drawTime(life, mttfMs, this.#timers.prng));
  }

  #turn(): void {
    this.isUp = !this.isUp;
    if (this.isUp) {
      this.#crew?.done();
      this.#beginLife();
    } else if (this.#crew === undefined) {
      this.beginRepair();
    } else {
      this.#crew.call(this);
    }
    this.#told(this);
  }
}

/** Up while enough of what is in it is. */
class NeededUnit implements Unit {
  #up = 0;
  readonly #need: number;
  readonly #told: Told;

  constructor(
    blocks: readonly Block[],
    need: number,
    { timers, told, crew }: { readonly timers: Timers; readonly told: Told; readonly crew?: Crew },
  ) {
    this.#need = need;
    this.#told = told;
    for (const block of blocks) build(block, timers, (unit) => this.#turned(unit), crew);
    this.#up = blocks.length;
  }

  get isUp(): boolean {
    return this.#up >= this.#need;
  }

  #turned(unit: Unit): void {
    const was = this.isUp;
    this.#up += unit.isUp ? 1 : -1;
    if (was !== this.isUp) this.#told(this);
  }
}

class FailoverUnit implements Unit {
  isUp = true;
  readonly #block: FailoverCopies;
  readonly #timers: Timers;
  readonly #told: Told;
  readonly #copies: Unit[] = [];
  readonly #timer: number;
  #isAway = false;
  #serving: Unit | undefined;

  constructor(block: FailoverCopies, timers: Timers, told: Told) {
    this.#block = block;
    this.#timers = timers;
    this.#told = told;
    this.#timer = timers.timer(() => this.#serveAgain());
    const crew = new Crew(block.crews);
    for (let i = 0; i < block.total; i++) {
      this.#copies.push(build(block.of, timers, (unit) => this.#turned(unit), crew));
    }
    this.#serving = this.#copies[0];
  }

  #turned(copy: Unit): void {
    if (this.#isAway) return;
    if (this.#serving === undefined) {
      // All were down: the first that is repaired serves.
      if (copy.isUp) this.#serve(copy);
      return;
    }
    if (copy !== this.#serving || copy.isUp) return;
    this.#serve(undefined);
    if (!this.#copies.some(({ isUp }) => isUp)) return;
    const { coverage, switchMs, manualMs } = this.#block;
    this.#isAway = true;
    this.#timers.set(this.#timer, this.#timers.prng.chance(coverage) ? switchMs : manualMs);
  }

  #serveAgain(): void {
    this.#isAway = false;
    this.#serve(this.#copies.find(({ isUp }) => isUp));
  }

  #serve(copy: Unit | undefined): void {
    const was = this.isUp;
    this.#serving = copy;
    this.isUp = copy !== undefined;
    if (was !== this.isUp) this.#told(this);
  }
}
