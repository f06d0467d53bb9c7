/** The only worker is killed: its clients still go back to their servers. */

import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import type { NinesPeer } from "../../src/lab/peers/nines.ts";
import { signal } from "../../src/lab/process-table.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { LB, run, withStage, type Stage } from "./balance-kit.ts";

const USERS = 52_000;
const PROGRAM = `${import.meta.dirname}/programs/http-users.ts`;

const YAML = `
frontends:
  web: { listen: ":8080", pool: web }
pools:
  web:
    servers:
      - { name: web1, address: "10.80.0.1:80" }
      - { name: web2, address: "10.80.0.2:80" }
      - { name: web3, address: "10.80.0.3:80" }
    balance: random
    sticky: "header:X-User"
`;

async function answers({ client }: Stage): Promise<string[]> {
  const argv = [process.execPath, PROGRAM, LB, "8080", String(USERS)];
  const program = await client.start(argv, { name: "users", talk: true });
  return (await text(program.stdout!)).split(" ");
}

test("the bindings of 52,000 clients outlive the kill of the only worker", async () => {
  await withStage(async (stage) => {
    for (const web of ["web1", "web2", "web3"]) await startNginx(stage.world.host(web));
    const peer = await run(stage.lb, YAML);
    const first = await answers(stage);
    assert.deepEqual([...new Set(first)].toSorted(), ["web1", "web2", "web3"]);
    await pause(500);
    const fresh = async (peer: NinesPeer): Promise<void> => {
      const [worker] = peer.pids("balance");
      signal(worker!, "SIGKILL");
      const isBack = (): boolean => peer.pids("balance").some((pid) => pid !== worker);
      await waitFor(isBack, 10_000, "a fresh worker");
      await pause(1500);
    };
    await fresh(peer);
    const second = await answers(stage);
    const moved = second.filter((server, i) => server !== first[i]).length;
    assert.equal(moved, 0, `${moved} of ${USERS} clients changed their server`);
  });
});
