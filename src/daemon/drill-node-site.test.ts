import assert from "node:assert/strict";
import { test } from "node:test";
import { NodeSite } from "./drill-node-site.ts";

test("a peer whose command prints no status is a peer that does not answer", async () => {
  const site = new NodeSite({
    runDirectory: "/nowhere",
    stateDirectory: "/nowhere",
    nines: ["nines"],
    peers: ["echo Welcome to lb2", "true", "false"],
    everyMs: 20,
  });
  const { target, others } = await site.look();
  assert.deepEqual([target, others], [undefined, []]);
});
