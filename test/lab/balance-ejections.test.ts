/** An ejection is one for all workers: decided once, told once, and there when its worker is not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { signal } from "../../src/lab/process-table.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { balanceOf, Load, run, untilState, withStage } from "./balance-kit.ts";

const YAML = `
workers: 3
frontends:
  web: { listen: ":8080", pool: web }
pools:
  web:
    servers: { web1: 10.80.0.1:80, web2: 10.80.0.2:80, web3: 10.80.0.3:80 }
    outlier: { consecutive_errors: 5, base_ejection: 60s, max_ejected: 34 }
    check: false
`;

test("three workers eject a server once, within one bound, and it stays out when they die", async () => {
  await withStage(async ({ world, lb }) => {
    // Nobody listens at two of three; one of three may be out.
    await startNginx(world.host("web1"));
    const peer = await run(lb, YAML);
    const states = async (): Promise<readonly string[]> => {
      const { pools } = await balanceOf(peer);
      return pools[0]!.servers.map(({ state, seenBy = "all" }) => `${state} ${seenBy}`);
    };
    const told = async (): Promise<number> =>
      (await peer.events()).filter(({ kind }) => kind === "server-ejected").length;
    const load = await Load.start(world, 8080, 24);
    const first = async (): Promise<boolean> => (await told()) > 0;
    await waitFor(first, 10_000, "an ejection");
    await pause(1_000);
    await load.stop();
    const seen = await states();
    assert.deepEqual(seen.toSorted(), ["ejected all", "unchecked all", "unchecked all"]);
    assert.equal(await told(), 1);
    const out = `web/web${1 + seen.indexOf("ejected all")}`;

    const before = new Set(peer.pids("balance"));
    for (const pid of before) {
      signal(pid, "SIGKILL");
      await pause(1_000);
    }
    const fresh = (): boolean =>
      peer.pids("balance").filter((pid) => !before.has(pid)).length === before.size;
    await waitFor(fresh, 10_000, "three other workers");
    await untilState(peer, out, "ejected");
    await pause(500);
    assert.deepEqual(await states(), seen);
    assert.equal(await told(), 1);
  });
});
