import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { ProbeStore } from "../drivers/probe-store.ts";
import { ProbeSpool } from "./probe-spool.ts";

interface Stage {
  readonly store: ProbeStore;
  readonly spool: ProbeSpool;
  /** What the node took, and what the prober was told. */
  readonly reports: readonly string[];
  readonly told: readonly string[];
}

/** A prober's spool before a node that takes pieces up to a size. */
async function withSpool(body: (stage: Stage) => Promise<void>): Promise<void> {
  const reports: string[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => (text += part));
    request.on("end", () => {
      response.statusCode = Buffer.byteLength(text) > 65_536 ? 413 : 200;
      if (response.statusCode === 200) reports.push(text);
      response.end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const store = new ProbeStore(":memory:");
  const told: string[] = [];
  const spool = new ProbeSpool({
    store,
    to: { url: new URL(`http://127.0.0.1:${port}`) },
    probe: "home",
    nowMs: () => 20_000,
    onTrouble: (text) => void told.push(text),
  });
  try {
    await body({ store, spool, reports, told });
  } finally {
    spool.close();
    server.close();
    store.close();
  }
}

test("many outages with long reasons go in several pieces, each as large as a node takes", async () => {
  await withSpool(async ({ store, spool, reports, told }) => {
    const reason = "坏".repeat(500);
    for (let i = 1; i <= 50; i++) {
      store.addOutage("http://x/", "1", { fromMs: i, toMs: i + 1, failed: 1, ownMs: 0, reason });
    }
    assert.equal(await spool.flush(), true);
    assert.deepEqual(told, []);
    const sent = reports.flatMap((text) => (JSON.parse(text) as { outages: object[] }).outages);
    assert.equal(sent.length, 50);
  });
});

test("a full disk is told and does not end the prober; what was delivered comes again", async () => {
  await withSpool(async ({ store, spool, reports, told }) => {
    const counts = { good: 1, bad: 0, slow: 0, unjudged: 0, longestSilenceMs: 1, latency: [] };
    store.addBucket("http://x/", "1", { fromMs: 10_000, ...counts });
    const written = store.delivered.bind(store);
    store.delivered = () => {
      throw new Error("database or disk is full");
    };
    assert.equal(await spool.flush(), false);
    assert.match(told[0] ?? "", /full/);
    store.delivered = written;
    assert.equal(await spool.flush(), true);
    assert.equal(reports.length, 2);
    assert.equal(store.undelivered, 0);
  });
});
