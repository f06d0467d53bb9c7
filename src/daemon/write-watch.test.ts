import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { WorkLoss } from "../core/probe/write-book.ts";
import { commandDoor, httpDoor } from "../drivers/write-door.ts";
import { WriteWatch } from "./write-watch.ts";

test("a store that falls back to an older copy has lost what was acknowledged since", async () => {
  let rows = new Map<string, string>();
  const server = createServer((request, response) => {
    const key = request.url ?? "";
    void text(request).then((body) => {
      if (request.method === "PUT") rows.set(key, body);
      const found = rows.get(key);
      response.writeHead(found === undefined ? 404 : 200).end(found);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const losses: WorkLoss[] = [];
  const watch = new WriteWatch({
    door: httpDoor(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x/`),
    everyMs: 10,
    keep: 200,
    name: "t",
    onLoss: (loss) => losses.push(loss),
  });
  const until = async (acknowledged: number): Promise<void> => {
    while (watch.totals.acknowledged < acknowledged) await sleep(5);
  };
  await until(10);
  const copy = new Map(rows);
  const known = watch.totals.acknowledged;
  await until(known + 10);
  rows = copy;
  while (losses.length === 0) await sleep(5);
  const { acknowledged, lost, worst } = await watch.stop();
  server.close();
  assert.ok(lost >= 9 && lost <= acknowledged - 9, `${lost} of ${acknowledged}`);
  assert.equal(
    losses.reduce((sum, one) => sum + one.lost, 0),
    lost,
  );
  assert.ok((worst?.rpoMs ?? 0) >= 80, `${worst?.rpoMs} ms`);
});

test("a command writes and another reads; one that fails says nothing of what is there", async () => {
  const door = commandDoor("true", 'case "$1" in a) echo v;; b) ;; *) exit 1;; esac');
  assert.equal(await door.write("a", "v"), true);
  assert.deepEqual(await Promise.all(["a", "b", "c"].map((key) => door.read(key))), [
    "v",
    null,
    undefined,
  ]);
});
