import assert from "node:assert/strict";
import { test } from "node:test";
import { fifoLine, type NotifyRequest } from "./commands.ts";
import { FIFO_LIMIT, FifoQueue } from "./fifo-queue.ts";
import { KeepRunning } from "./keep-running.ts";
import { MAIL_LIMIT, MailQueue } from "./mail-queue.ts";

const woken = { type: "woken" } as const;

function ask(seq: number, name = "A"): NotifyRequest {
  return { seq, scope: "INSTANCE", name, state: "MASTER", priority: seq, wallMs: seq };
}
const queued = (request: NotifyRequest) =>
  ({ type: "line-queued", line: fifoLine(request) }) as const;
const written = { type: "write-ended", outcome: "written" } as const;
const full = { type: "write-ended", outcome: "full" } as const;

test("FIFO lines are written in order, each once", () => {
  const fifo = new FifoQueue();
  assert.equal(fifo.step(0, queued(ask(1)))[0]?.line, 'INSTANCE "A" MASTER 1\n');
  assert.deepEqual(fifo.step(0, queued(ask(2))), []);
  assert.equal(fifo.step(0, written)[0]?.line, 'INSTANCE "A" MASTER 2\n');
  assert.deepEqual(fifo.step(0, written), []);
  assert.equal(fifo.waiting, 0);
});

test("a full FIFO is tried again later and blocks nobody", () => {
  const fifo = new FifoQueue();
  fifo.step(0, queued(ask(1)));
  fifo.step(0, full);
  assert.deepEqual(fifo.step(1, queued(ask(2))), []);
  assert.equal(fifo.deadline, 100);
  assert.equal(fifo.step(100, woken)[0]?.line, 'INSTANCE "A" MASTER 1\n');
});

test("without a reader the oldest outdated line gives way, never a subject's newest", () => {
  const fifo = new FifoQueue();
  fifo.step(0, queued(ask(1, "only")));
  fifo.step(0, full);
  for (let seq = 2; seq <= FIFO_LIMIT + 50; seq++) fifo.step(0, queued(ask(seq)));
  assert.equal(fifo.waiting, FIFO_LIMIT);
  assert.equal(fifo.dropped, 50);
  assert.equal(fifo.step(100, woken)[0]?.line, 'INSTANCE "only" MASTER 1\n');
  assert.equal(fifo.step(100, written)[0]?.line, 'INSTANCE "A" MASTER 52\n');
});

const mail = (subject: string) => ({ type: "mail-queued", mail: { subject, text: "" } }) as const;
const failed = { type: "mail-failed", permanent: false, reason: "no answer" } as const;

test("mails go one at a time, failures are retried with growing pauses and told once", () => {
  const queue = new MailQueue();
  assert.equal(queue.step(0, mail("1"))[0]?.type, "send-mail");
  assert.deepEqual(queue.step(0, mail("2")), []);
  assert.equal(queue.step(5, failed)[0]?.type, "note");
  assert.equal(queue.deadline, 1005);
  assert.equal(queue.step(1005, woken)[0]?.type, "send-mail");
  assert.deepEqual(queue.step(1005, failed), []);
  assert.equal(queue.deadline, 3005);
  queue.step(3005, woken);
  assert.deepEqual(queue.step(3010, { type: "mail-sent" }), [
    { type: "send-mail", mail: { subject: "2", text: "" } },
  ]);
});

test("a mail that the server refuses for good is given up and the next one sent", () => {
  const queue = new MailQueue();
  queue.step(0, mail("1"));
  queue.step(0, mail("2"));
  const refused = { type: "mail-failed", permanent: true, reason: "550 no such user" } as const;
  assert.deepEqual(queue.step(1, refused), [
    { type: "note", reason: 'mail "1" given up: 550 no such user' },
    { type: "send-mail", mail: { subject: "2", text: "" } },
  ]);
});

test("too many mails: the oldest that is not being sent gives way", () => {
  const queue = new MailQueue();
  for (let i = 0; i <= MAIL_LIMIT; i++) queue.step(0, mail(String(i)));
  assert.equal(queue.waiting.length, MAIL_LIMIT);
  assert.equal(queue.waiting[0]?.subject, "0");
  assert.equal(queue.waiting[1]?.subject, "2");
});

test("a helper that ends is started again, slower each time, quickly after a good run", () => {
  const helper = new KeepRunning("fifo script /f", 0);
  const ended = { type: "script-ended", end: { kind: "exited", code: 1 }, output: "" } as const;
  assert.deepEqual(helper.step(0, woken), [{ type: "run-script" }]);
  assert.deepEqual(helper.step(10, ended), [
    { type: "note", reason: "fifo script /f exited 1; starting it again in 1 s" },
  ]);
  assert.equal(helper.deadline, 1010);
  helper.step(1010, woken);
  helper.step(1020, ended);
  assert.equal(helper.deadline, 3020);
  helper.step(3020, woken);
  helper.step(100_000, ended);
  assert.equal(helper.deadline, 101_000);
});
