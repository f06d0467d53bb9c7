import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControlClient } from "../daemon/control-client.ts";
import { handover } from "./handover.ts";

test("who asks a node that does not hold the address to hand it over hears that", async () => {
  const router = {
    instances: [
      { name: "VI_1", state: "BACKUP" },
      { name: "VI_2", state: "MASTER" },
    ],
    groups: [{ name: "G", state: "FAULT" }],
  };
  const client = {
    status: async () => ({ router }),
    handOver: async () => ({ done: true }),
  } as unknown as ControlClient;
  const said: string[] = [];
  const terminal = { out: (text: string) => void said.push(text), err() {}, color: false };
  const ask = (instance: string, json = false): Promise<number> =>
    handover(client, { instance, json }, terminal);
  for (const name of ["VI_1", "VI_2", "G"]) assert.equal(await ask(name), 0);
  assert.equal(await ask("VI_2", true), 0);
  assert.deepEqual(said, [
    "nothing to hand over: VI_1 is BACKUP here",
    "asked VI_2 to hand over; see: nines why VI_2",
    "nothing to hand over: G is FAULT here",
    '{"instance":"VI_2","state":"MASTER","asked":true}',
  ]);
});
