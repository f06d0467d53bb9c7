import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  MessageWriter,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSG_ERROR,
  eachAttribute,
  numberOf,
  readAcknowledgement,
  readAttributes,
  readMessages,
  textOf,
} from "./message.ts";

test("messages and attributes come back as they were written", () => {
  const plain = { noNullPrototype: true };
  const attribute = fc.record(
    { type: fc.integer({ min: 1, max: 0x3fff }), bytes: fc.uint8Array({ maxLength: 40 }) },
    plain,
  );
  const message = fc.record(
    {
      type: fc.integer({ min: 16, max: 0xffff }),
      sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
      attributes: fc.array(attribute, { maxLength: 6 }),
    },
    plain,
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
      const writer = new MessageWriter(8192);
      writer.bytes.fill(0xee);
      for (const { type, sequence, attributes } of messages) {
        writer.begin(type, 5, sequence);
        writer.u32(7);
        for (const attribute of attributes) writer.attributeBytes(attribute.type, attribute.bytes);
        writer.end();
      }
      assert.equal(writer.count, messages.length);
      const read = readMessages(writer.bytes.subarray(0, writer.length)).map((m) => ({
        type: m.type,
        sequence: m.sequence,
        attributes: [...eachAttribute(m.body, 4)].map(([type, bytes]) => ({
          type,
          bytes: Uint8Array.from(bytes),
        })),
      }));
      assert.deepEqual(read, messages);
    }),
  );
});

test("every attribute form is read with the order of bytes that it was written with", () => {
  const writer = new MessageWriter(256);
  writer.begin(20, 1, 1);
  writer.attributeU8(1, 0xab);
  writer.attributeU16(2, 0x1234);
  writer.attributeU32(3, 0xdeadbeef);
  writer.attributeBe32(4, 0x01020304);
  writer.attributeBe64(5, 0x0102030405060708n);
  writer.attributeString(6, "vrrp.51");
  const nested = writer.beginNested(7);
  writer.attributeU32(1, 99);
  writer.endNested(nested);
  writer.end();
  const attributes = readAttributes(readMessages(writer.bytes)[0]!.body, 0);
  assert.equal(numberOf(attributes.get(1)), 0xab);
  assert.equal(numberOf(attributes.get(2)), 0x1234);
  assert.equal(numberOf(attributes.get(3)), 0xdeadbeef);
  assert.deepEqual([...attributes.get(4)!], [1, 2, 3, 4]);
  assert.deepEqual([...attributes.get(5)!], [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(textOf(attributes.get(6)), "vrrp.51");
  assert.equal(numberOf(readAttributes(attributes.get(7)!, 0).get(1)), 99);
});

test("an acknowledgement gives the errno and the kernel's words", () => {
  const writer = new MessageWriter(256);
  writer.begin(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, 5);
  writer.u32(-17);
  for (let i = 0; i < 4; i++) writer.u32(0);
  writer.attributeString(1, "address already assigned");
  writer.end();
  const message = readMessages(writer.bytes.subarray(0, writer.length))[0]!;
  assert.deepEqual(readAcknowledgement(message), {
    status: -17,
    explanation: "address already assigned",
  });
});

test("arbitrary bytes are read without a throw and never past their end", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 32 }), (bytes, n) => {
      for (const message of readMessages(bytes)) {
        assert.ok(message.body.length <= bytes.length);
        readAcknowledgement(message);
        for (const value of readAttributes(message.body, n).values()) {
          numberOf(value);
          textOf(value);
        }
      }
      for (const [, value] of eachAttribute(bytes, 0)) assert.ok(value.length <= bytes.length);
      const whole = { type: NLMSG_ERROR, flags: NLM_F_ACK_TLVS, sequence: 0, portId: 0 };
      readAcknowledgement({ ...whole, body: bytes });
    }),
    { numRuns: 5000 },
  );
});
