/** A short run of `npm run fuzz -- http`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzHttp } from "../kit/http-fuzz-stage.ts";

test("3000 mutated requests are counted alike by Nines and by nginx, HAProxy and node:http", async () => {
  const { mutated, verdict } = await fuzzHttp(3000, 1);
  assert.deepEqual(verdict.differences, []);
  assert.ok(mutated >= 3000);
  for (const { server, complete } of verdict.servers) {
    assert.ok(complete > 100, `${server} served only ${complete}`);
  }
  assert.ok(verdict.answered > 400);
});
