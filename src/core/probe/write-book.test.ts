import assert from "node:assert/strict";
import { test } from "node:test";
import { WriteBook } from "./write-book.ts";

type Found = "there" | "gone";

function bookOf(count: number, keep = 100): WriteBook {
  const book = new WriteBook(keep);
  for (let n = 0; n < count; n++) book.acknowledge(n, 1000 + n * 100);
  return book;
}

function found(book: WriteBook, is: (n: number) => Found | undefined): Map<number, Found> {
  return new Map(
    book.kept.flatMap((n) => {
      const how = is(n);
      return how === undefined ? [] : [[n, how]];
    }),
  );
}

test("what was acknowledged and is gone is a loss from the last survivor to the last lost", () => {
  const book = bookOf(10);
  const losses = book.settle(found(book, (n) => (n < 6 ? "there" : "gone")));
  assert.deepEqual(losses, [{ fromMs: 1500, toMs: 1900, lost: 4, rpoMs: 400 }]);
  assert.deepEqual([book.acknowledged, book.lost, book.isDue], [10, 4, false]);
  const again = found(book, () => "there");
  assert.deepEqual(book.settle(again), [], "each is lost once");
});

test("gaps are losses of their own; with no survivor before, it counts from the first", () => {
  const book = bookOf(6);
  const losses = book.settle(found(book, (n) => (n === 2 || n === 5 ? "there" : "gone")));
  assert.deepEqual(losses, [
    { fromMs: 1000, toMs: 1100, lost: 2, rpoMs: 100 },
    { fromMs: 1200, toMs: 1400, lost: 2, rpoMs: 200 },
  ]);
});

test("a write that nobody acknowledged is no loss, but who answers next is doubted", () => {
  const book = bookOf(3);
  book.refuse();
  assert.equal(book.isDue, false, "nobody to ask yet");
  book.acknowledge(4, 2000);
  assert.equal(book.isDue, true);
  // The service answers for some of them only: the rest is asked again.
  book.settle(found(book, (n) => (n === 1 ? undefined : "there")));
  assert.equal(book.isDue, true);
  assert.deepEqual(book.settle(found(book, () => "there")), []);
  assert.equal(book.isDue, false);
});

test("only the newest are kept, and the last that was forgotten still counts as a survivor", () => {
  const book = bookOf(10, 4);
  assert.deepEqual(book.kept, [6, 7, 8, 9]);
  const [loss] = book.settle(found(book, () => "gone"));
  assert.deepEqual(loss, { fromMs: 1500, toMs: 1900, lost: 4, rpoMs: 400 });
});
