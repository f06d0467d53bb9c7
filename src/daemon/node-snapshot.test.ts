import assert from "node:assert/strict";
import { test } from "node:test";
import { NodeSnapshot } from "./node-snapshot.ts";
import type { Answer, VrrpLink } from "./vrrp-link.ts";

/** A vrrp process that answers when the test says so, with the number of the question. */
class Slow {
  readonly #questions: ((answer: Answer) => void)[] = [];
  readonly snapshot = new NodeSnapshot(() => this as unknown as VrrpLink);

  status(): Promise<Answer> {
    return new Promise((resolve) => this.#questions.push(resolve));
  }

  get asked(): number {
    return this.#questions.length;
  }

  answer(question: number): void {
    const reply = { status: { question }, role: {} };
    this.#questions[question - 1]!({ reply } as unknown as Answer);
  }

  /** The question whose numbers a user gets who asks now. */
  async given(): Promise<unknown> {
    const { router } = await this.snapshot.take();
    return (router as unknown as { question: number } | undefined)?.question;
  }
}

test("the vrrp process is asked once for all who ask meanwhile and soon after", async () => {
  const vrrp = new Slow();
  const users = [vrrp.given(), vrrp.given()];
  vrrp.answer(1);
  assert.deepEqual(await Promise.all(users), [1, 1]);
  assert.equal(await vrrp.given(), 1);
  vrrp.snapshot.invalidate();
  assert.equal(await vrrp.given(), 1, "a storm of events makes no storm of questions");
  assert.equal(vrrp.asked, 1);
});

test("who asks after an order was done gets no numbers from before it", async () => {
  const vrrp = new Slow();
  const before = vrrp.given();
  vrrp.answer(1);
  assert.equal(await before, 1);
  vrrp.snapshot.outdate();
  const after = vrrp.given();
  vrrp.answer(2);
  assert.equal(await after, 2);
  assert.equal(await vrrp.given(), 2);
  assert.equal(vrrp.asked, 2);
});

test("an answer that was under way when an order was done is not for who asks after it", async () => {
  const vrrp = new Slow();
  const before = vrrp.given();
  vrrp.snapshot.outdate();
  const after = [vrrp.given(), vrrp.given()];
  vrrp.answer(1);
  assert.equal(await before, 1);
  vrrp.answer(2);
  assert.deepEqual(await Promise.all(after), [2, 2]);
  assert.equal(vrrp.asked, 2);
});
