import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_INET,
  MSG_DONTWAIT,
  SOCK_DGRAM,
  bindSocket,
  closeFd,
  openSocket,
  sendMessage,
  socketName,
} from "./ffi.ts";
import { MessageBatch, MessageBuffer } from "./message-buffer.ts";

const SOCKADDR_IN = 16;
const IPPROTO_UDP = 17;

/** A UDP socket on loopback, at a port that the kernel chooses, and its `sockaddr_in`. */
function loopback(): { fd: number; name: Uint8Array } {
  const fd = openSocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
  const name = new Uint8Array(SOCKADDR_IN);
  name.set([AF_INET, 0, 0, 0, 127, 0, 0, 1]);
  assert.equal(bindSocket(fd, name), 0);
  assert.equal(socketName(fd, name), 0);
  return { fd, name };
}

test("a batch takes what waits in order, each with its bytes, length and sender, again and again", () => {
  const from = loopback();
  const to = loopback();
  const out = new MessageBuffer({ name: SOCKADDR_IN, payload: 8, control: 0 });
  const batch = new MessageBatch(4, { name: 28, payload: 8, control: 0 });
  let sent = 0;
  const send = (count: number): void => {
    for (let i = 0; i < count; i++) {
      out.name.bytes.set(to.name);
      out.setNameLength(SOCKADDR_IN);
      out.payload.bytes.fill(++sent);
      out.setPayloadLength((sent % 8) + 1);
      assert.equal(sendMessage(from.fd, out.address, MSG_DONTWAIT), (sent % 8) + 1);
    }
  };
  let heard = 0;
  const take = (expected: number): void => {
    assert.equal(batch.receive(to.fd), expected);
    for (const buffer of batch.buffers.slice(0, expected)) {
      heard++;
      assert.equal(buffer.payload.bytes[0], heard);
      assert.equal(buffer.receivedLength, (heard % 8) + 1);
      assert.deepEqual(buffer.name.bytes.subarray(0, SOCKADDR_IN), from.name);
      buffer.name.bytes.fill(0);
      buffer.reset();
    }
  };
  for (let round = 0; round < 3; round++) {
    send(1);
    take(1);
    send(7);
    take(4);
    take(3);
  }
  assert.equal(batch.receive(to.fd), -11, "EAGAIN: nothing waits");
  closeFd(from.fd);
  closeFd(to.fd);
});
