import assert from "node:assert/strict";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { type HttpAnswer, HttpConnection, parseAnswer } from "./http-exchange.ts";

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

test("nothing is asked on a connection whose end was heard, though its own half is not over", async () => {
  // It reads nothing, so that the client's half cannot be ended: only the end itself tells.
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    sockets.push(socket.on("error", () => {}));
    socket.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const connection = new HttpConnection("127.0.0.1", (server.address() as AddressInfo).port);
  try {
    const long = `GET / HTTP/1.1\r\nX: ${"x".repeat(32 << 20)}\r\n\r\n`;
    const got = await new Promise<HttpAnswer | undefined>((resolve) => {
      connection.request(long, resolve);
    });
    assert.equal(got?.reusable, true);
    for (let i = 0; i < 200 && connection.isOpen; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(connection.isOpen, false);
  } finally {
    connection.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});
