import { test } from "node:test";
import assert from "node:assert/strict";
import { decodeLine, encodeLine, type ToCheck } from "./role-protocol.ts";
import { lineSplitter } from "./line-connection.ts";

test("bytes survive the journey as hexadecimal text, also when they are a Buffer", () => {
  for (const secret of [Uint8Array.of(0, 127, 255), Buffer.from([0, 127, 255])]) {
    const line = encodeLine({ type: "configure-check", model: { secret } } as unknown as ToCheck);
    assert.ok(line.endsWith("\n") && line.indexOf("\n") === line.length - 1);
    const message = decodeLine(line) as unknown as { model: { secret: Uint8Array } };
    assert.deepEqual(message.model.secret, Uint8Array.of(0, 127, 255));
  }
});

test("no value of an answer is looked at for bytes, on either side: a status is large", (t) => {
  const [stringify, parse] = [t.mock.method(JSON, "stringify"), t.mock.method(JSON, "parse")];
  const answer = { type: "reply", id: 1, reply: { decisions: [], nowMs: 2 } };
  assert.deepEqual(decodeLine(encodeLine(answer)), answer);
  for (const { mock } of [stringify, parse]) {
    assert.deepEqual([mock.callCount(), mock.calls[0]!.arguments[1]], [1, undefined]);
  }
});

test("a line that is no message is refused instead of thrown at anybody", () => {
  for (const line of ["", "{", "null", "[]", "{}", '{"type":3}', '"text"']) {
    assert.equal(decodeLine(line), undefined);
  }
});

test("lines come out whole however the chunks were cut", () => {
  const text = '{"a":1}\n\n{"b":"long"}\n{"c":3}\n';
  for (let size = 1; size <= text.length; size++) {
    const lines: string[] = [];
    const split = lineSplitter((line) => lines.push(line));
    for (let at = 0; at < text.length; at += size) split(text.slice(at, at + size));
    assert.deepEqual(lines, ['{"a":1}', '{"b":"long"}', '{"c":3}']);
  }
});

test("a line without an end is refused once it is longer than the bound", () => {
  const split = lineSplitter(() => assert.fail("no line ended"));
  const megabyte = "x".repeat(1024 * 1024);
  let accepted = 0;
  while (split(megabyte)) accepted++;
  assert.equal(accepted, 16);
});
