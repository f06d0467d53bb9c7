import assert from "node:assert/strict";
import { test } from "node:test";
import { EFD_NONBLOCK, NativeMemory, closeFd, eventfd, readInto, writeFrom } from "./ffi.ts";
import { PacedWatch } from "./paced-watch.ts";

/** A descriptor that something comes in on: the kernel adds up what was not read yet. */
class Inlet {
  readonly fd: number = eventfd(0, EFD_NONBLOCK);
  readonly #memory = new NativeMemory(8);
  came = 0;
  read = 0;
  readings = 0;
  /** Called after every reading. */
  after: () => void = () => {};
  readonly watch: PacedWatch = new PacedWatch(this.fd, () => {
    const count = readInto(this.fd, this.#memory) < 0 ? 0 : this.#memory.view.getUint32(0, true);
    this.read += count;
    this.readings++;
    setImmediate(this.after);
    return count;
  });

  come(count: number): void {
    this.came += count;
    this.#memory.view.setBigUint64(0, BigInt(count), true);
    assert.equal(writeFrom(this.fd, this.#memory), 8);
  }

  /** Something comes after every reading, until `enough`. */
  flow(count: number, enough: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.after = () => {
        if (enough()) resolve();
        else this.come(count);
      };
      this.come(count);
    });
  }

  end(): void {
    this.watch.close();
    closeFd(this.fd);
  }
}

test("what comes often is gathered, and nothing of it is left behind or read twice", async () => {
  const inlet = new Inlet();
  inlet.watch.mayGather = true;
  await inlet.flow(40, () => inlet.watch.gathers);
  await inlet.flow(40, () => inlet.read > 4000);
  assert.equal(inlet.watch.gathers, true);
  inlet.come(3);
  inlet.watch.readGathered();
  assert.equal(inlet.read, inlet.came, "asked for, it is read at once");
  const before = inlet.readings;
  await inlet.flow(0, () => !inlet.watch.gathers);
  assert.ok(inlet.readings <= before + 2, "found nothing once, and waits for more");
  inlet.come(1);
  await new Promise<void>((resolve) => (inlet.after = resolve));
  assert.equal(inlet.read, inlet.came);
  inlet.end();
});

test("who is in a hurry reads everything as it comes", async () => {
  const inlet = new Inlet();
  await inlet.flow(40, () => inlet.read > 40_000);
  assert.equal(inlet.watch.gathers, false);
  inlet.watch.mayGather = true;
  await inlet.flow(40, () => inlet.watch.gathers);
  inlet.watch.mayGather = false;
  assert.equal(inlet.watch.gathers, false, "and at once again after a changed configuration");
  const before = inlet.read;
  await inlet.flow(1, () => inlet.read >= before + 10);
  inlet.end();
});
