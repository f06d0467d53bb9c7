import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, get, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { PageDoor } from "./page-door.ts";

function serve(path: string, said: string): Promise<Server> {
  const server = createServer((_, response) => response.end(said));
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

function ask(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => resolve(text(response))).on("error", reject);
  });
}

test("whoever opens the page gets the first node that answers, and nothing when none does", async () => {
  const directory = mkdtempSync(join(tmpdir(), "nines-door-"));
  const [one, two] = [join(directory, "one"), join(directory, "two")];
  const door = await PageDoor.open();
  try {
    await assert.rejects(ask(door.url));
    door.sockets = [one, two];
    const second = await serve(two, "two");
    assert.equal(await ask(door.url), "two");
    const first = await serve(one, "one");
    assert.equal(await ask(door.url), "one");
    first.close();
    second.close();
  } finally {
    door.close();
    rmSync(directory, { recursive: true });
  }
});
