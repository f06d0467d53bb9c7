import assert from "node:assert/strict";
import { test } from "node:test";
import { TicketKeys } from "./ticket-keys.ts";

test("a rotation keeps the secret before, and no older one", () => {
  const keys = new TicketKeys(() => {});
  const first = keys.secrets.ticketKeys;
  assert.equal(first.length, 48);
  assert.equal(keys.secrets.formerTicketKeys, undefined);
  const second = keys.rotate();
  assert.equal(second.formerTicketKeys, first);
  assert.notDeepEqual(second.ticketKeys, first);
  assert.equal(keys.rotate().formerTicketKeys, second.ticketKeys);
});

test("what living workers have goes on; without any, a fresh secret does", () => {
  const keys = new TicketKeys(() => {});
  const own = keys.secrets;
  keys.adopt([undefined]);
  assert.equal(keys.secrets, own);
  const known = { ticketKeys: new Uint8Array(48).fill(1) };
  keys.adopt([undefined, known]);
  assert.equal(keys.secrets, known);
});
