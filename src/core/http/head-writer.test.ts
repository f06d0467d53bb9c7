import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { latin1Bytes, latin1Text } from "../../lib/text-bytes.ts";
import { HeadWriter } from "./head-writer.ts";
import { RequestHead } from "./request-head.ts";

const LIMITS = { bytes: 16_384, fields: 100 };

function parsed(lines: readonly string[], lead = 0): RequestHead {
  const text = `${"\0".repeat(lead)}GET / HTTP/1.1\r\nhost: a\r\n${lines.join("\r\n")}\r\n\r\n`;
  const bytes = latin1Bytes(text);
  const head = new RequestHead();
  head.clear();
  assert.equal(head.parse(bytes, lead, bytes.length, LIMITS), bytes.length, `${head.refused}`);
  return head;
}

function written(write: (writer: HeadWriter) => void, room = 8192): string | undefined {
  const writer = new HeadWriter();
  writer.begin(new Uint8Array(room), 0);
  write(writer);
  return writer.overflow ? undefined : latin1Text(writer.bytes, 0, writer.at);
}

/** Names that stay, that have calls of their own, and that are of this connection only. */
const name = fc.constantFrom("Accept", "X-Bench", "Cookie", "TE", "Expect", "Keep-Alive", "Via");
const value = fc.constantFrom("", "b", "two words", "x".repeat(90), "x".repeat(300));
const blank = fc.constantFrom("", " ", " ", " ", "  ", "\t");

describe("fields", () => {
  test("are written alike whether they are copied in stretches or one by one", () => {
    const line = fc.record({ name, before: blank, value, after: fc.constantFrom("", "", " ") });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.nat(3), (drafts, lead) => {
        const kept = drafts.filter((draft) => draft.name !== "Expect");
        const lines = kept.map((d) => `${d.name}:${d.before}${d.value}${d.after}`);
        const head = parsed(lines.length === 0 ? ["via: 1"] : lines, lead);
        const each = written((writer) => {
          for (let i = 0; i < head.count; i++) {
            if (head.hop[i] === 0 && head.nameText(i) !== "host") writer.fieldAt(head, i);
          }
        });
        assert.equal(
          written((writer) => writer.fields(head)),
          each,
        );
      }),
    );
  });

  test("that stay out leave no trace between two that stay", () => {
    const head = parsed(["Accept: a", "DNT: 1", "Via: b", "Cookie: c"]);
    head.hop[head.find("dnt")] = 1;
    assert.equal(
      written((writer) => writer.fields(head)),
      "Accept: a\r\nVia: b\r\nCookie: c\r\n",
    );
  });

  test("that do not fit are told, and nothing is written behind the room", () => {
    const head = parsed([`X-Long: ${"x".repeat(200)}`, "Via: b"]);
    for (let room = 0; room < 220; room += 7) {
      assert.equal(
        written((writer) => writer.fields(head), room),
        undefined,
        `${room}`,
      );
    }
  });
});

test("a random word is written as eight hexadecimal digits", () => {
  assert.equal(
    written((writer) => {
      writer.hex32(0xdeadbeef);
      writer.hex32(7);
    }),
    "deadbeef00000007",
  );
});
