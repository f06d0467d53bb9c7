/** A node's own probes, before a real server that forgets. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeProbe } from "../config/service/service-model.ts";
import type { ProbeReport } from "../core/probe/report.ts";
import { NodeProbes } from "./node-probes.ts";

const OPTIONS: NodeProbe["options"] = {
  intervalMs: 50,
  timeoutMs: 1000,
  slowMs: 1000,
  method: "GET",
  headers: [],
  status: [{ from: 200, to: 399 }],
  byHeader: "x-served-by",
  verify: true,
};

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !isSo(); i++) await sleep(10);
  assert.ok(isSo(), what);
}

test("rows that were acknowledged and are gone are told as lost work, and none after it is over", async () => {
  const rows = new Map<string, string>();
  let written = 0;
  const server = createServer((request, response) => {
    const key = request.url ?? "";
    if (request.method !== "PUT") {
      const value = rows.get(key);
      response.writeHead(value === undefined && key.startsWith("/rows/") ? 404 : 200).end(value);
      return;
    }
    let text = "";
    request.on("data", (piece: Buffer) => (text += piece.toString()));
    request.on("end", () => {
      written++;
      rows.set(key, text);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const reports: ProbeReport[] = [];
  const probes = new NodeProbes({
    node: () => "lb1",
    take: (report) => void reports.push(report),
    trouble: () => undefined,
  });
  const lost = (): readonly ProbeReport[] =>
    reports.filter(({ outages }) => outages.some((one) => one.lost !== undefined));
  try {
    probes.configure([
      { name: "front", ask: `${url}/`, options: OPTIONS, service: "shop", write: `${url}/rows` },
    ]);
    await until("rows", () => rows.size >= 5);
    assert.ok(rows.has("/rows/nines-front-lb1-0"), "two nodes of one file write different rows");
    rows.clear();
    await until("the loss", () => lost().length > 0);
    const [{ probe, target, service, outages }] = lost() as [ProbeReport];
    assert.deepEqual([probe, target, service], ["front", `write ${url}/rows`, "shop"]);
    assert.ok(outages[0]!.lost! >= 4, `${outages[0]!.lost}`);
    const told = lost().length;
    rows.clear();
    probes.configure([]);
    const last = written + 1;
    await sleep(500);
    assert.ok(written <= last, "nobody writes any more");
    assert.equal(lost().length, told);
  } finally {
    probes.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
