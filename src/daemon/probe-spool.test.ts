import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { ProbeStore } from "../drivers/probe-store.ts";
import { ProbeSpool } from "./probe-spool.ts";

test("a full disk is told and does not end the prober; what was delivered comes again", async () => {
  const reports: string[] = [];
  const server = createServer((request, response) => {
    request.setEncoding("utf8").on("data", (text: string) => reports.push(text));
    request.on("end", () => response.end("{}"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const store = new ProbeStore(":memory:");
  const counts = { good: 1, bad: 0, slow: 0, unjudged: 0, longestSilenceMs: 1, latency: [] };
  store.addBucket("http://x/", "1", { fromMs: 10_000, ...counts });
  const written = store.delivered.bind(store);
  store.delivered = () => {
    throw new Error("database or disk is full");
  };
  const told: string[] = [];
  const spool = new ProbeSpool({
    store,
    to: { url: new URL(`http://127.0.0.1:${port}`) },
    probe: "home",
    nowMs: () => 20_000,
    onTrouble: (text) => void told.push(text),
  });
  try {
    assert.equal(await spool.flush(), false);
    assert.match(told[0] ?? "", /full/);
    store.delivered = written;
    assert.equal(await spool.flush(), true);
    assert.equal(reports.length, 2);
    assert.equal(store.undelivered, 0);
  } finally {
    spool.close();
    server.close();
    store.close();
  }
});
