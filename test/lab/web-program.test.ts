/** The web servers of the demo die, freeze and start again, with nginx and without. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "../../src/lab/host.ts";
import { nginxIsInstalled, startNginx } from "../../src/lab/peers/nginx.ts";
import { startWebServer } from "../../src/lab/probe.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { webProgram } from "../../src/lab/web-program.ts";
import { withWorld } from "../../src/lab/world.ts";

const PLAN = {
  name: "webprog",
  segments: ["lan"],
  hosts: { web: { eth0: { segment: "lan", address: "10.74.0.11/24" } } },
};

/** By a shell builtin, as curl may be missing. */
async function listens(host: Host): Promise<boolean> {
  const line = "exec 3<>/dev/tcp/127.0.0.1/80";
  return host.run(["bash", "-c", line]).then(
    () => true,
    () => false,
  );
}

async function stateOf(host: Host, pid: string): Promise<string> {
  const text = await host.run(["cat", `/proc/${pid}/status`]);
  return /^State:\s+(\w)/mu.exec(text)?.[1] ?? "";
}

for (const kind of ["node", "nginx"] as const) {
  const skip = kind === "nginx" && !nginxIsInstalled() ? "nginx is not installed" : false;
  test(`${kind}: killed, started again, frozen and resumed`, { skip }, async () => {
    await withWorld(PLAN, async (world) => {
      const host = world.host("web");
      await (kind === "nginx" ? startNginx(host) : startWebServer(host));
      const program = webProgram(host, kind);
      await host.run(program.kill);
      await waitFor(async () => !(await listens(host)), 3000, "the end of the web server");
      await assert.rejects(host.run(program.kill), "nobody is left to be killed");
      await host.run(program.start);
      await waitFor(() => listens(host), 8000, "the web server to answer again");
      await host.run(program.start);
      const name = kind === "nginx" ? "^nginx: " : "/web-server[.]ts$";
      const look = `grep -lsz '${name}' /proc/[0-9]*/cmdline | cut -d/ -f3`;
      const pids = (await host.run(["sh", "-c", look])).trim().split("\n");
      assert.equal(pids.length, kind === "nginx" ? 2 : 1, "it was not started twice");
      await host.run(program.freeze);
      for (const pid of pids) assert.equal(await stateOf(host, pid), "T");
      await host.run(program.resume);
      for (const pid of pids) assert.notEqual(await stateOf(host, pid), "T");
    });
  });
}
