import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ControlWatch } from "./control-watch.ts";

test("a configuration that control could not tell at once is asked for until it is known", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "nines-control-watch-"));
  const path = join(folder, "control.sock");
  let asked = 0;
  const server = createServer((request, response) => {
    const { url = "" } = request;
    if (url === "/v1/status") return response.end('{"version":"1"}');
    if (url.startsWith("/v1/events")) {
      response.setHeader("nines-life", "one");
      const event = { seq: 1, kind: "configuration-loaded", time: new Date(0).toISOString() };
      return response.write(`${JSON.stringify(event)}\n`);
    }
    // Busy with the new one: the second question is not answered.
    if (++asked === 2) return response.destroy();
    return response.end(JSON.stringify({ node: `asked ${asked}` }));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const known = Promise.withResolvers<void>();
  const nodes: string[] = [];
  const watch = new ControlWatch(path, undefined, {
    event: () => undefined,
    missed: () => undefined,
    told: () => undefined,
    configured: ({ node }) => {
      nodes.push(String(node));
      if (nodes.length === 2) known.resolve();
    },
    outdated: () => undefined,
    reachable: () => undefined,
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const keepAlive = setTimeout(() => known.reject(new Error("it never asked again")), 10_000);
  const running = watch.run();
  await known.promise;
  clearTimeout(keepAlive);
  assert.deepEqual(nodes, ["asked 1", "asked 3"]);
  server.closeAllConnections();
  await watch.close();
  await running;
});
