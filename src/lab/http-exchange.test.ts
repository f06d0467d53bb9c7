import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAnswer } from "./http-exchange.ts";

const answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlb1\n";

test("an answer is complete only with its last byte", () => {
  for (let length = 0; length < answer.length; length++) {
    assert.equal(parseAnswer(answer.slice(0, length)), undefined, `after ${length} bytes`);
  }
  assert.deepEqual(parseAnswer(answer), { status: 200, by: "lb1", reusable: true });
});

test("the server names itself in a header or else in the first line of the body", () => {
  const named = answer.replace("\r\n\r\n", "\r\nX-Served-By: lb2\r\n\r\n");
  assert.equal(parseAnswer(named)?.by, "lb2");
});

test("a connection that the server closes carries no other request", () => {
  const closing = answer.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
  assert.equal(parseAnswer(closing)?.reusable, false);
});
