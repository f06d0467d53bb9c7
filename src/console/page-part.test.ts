import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULT_BOUNDS } from "../core/journal/retention.ts";
import { runDirectory } from "../daemon/run-directory.ts";
import type { ConsoleCore, RunningPart } from "./console-core.ts";
import { beginGroup } from "./group-ca.ts";
import { Journal } from "./journal.ts";
import { PAGE } from "./page-part.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const skip = hasOpenssl ? false : "openssl is not installed: sudo scripts/lab-setup";
const folder = mkdtempSync(join(tmpdir(), "nines-page-part-"));
after(() => rmSync(folder, { recursive: true }));

/** Hangs nobody when it never comes. */
async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!isSo()) {
    assert.ok(performance.now() < endMs, "nothing came");
    await sleep(5);
  }
}

function journalAt(name: string): Journal {
  const path = join(folder, name);
  return new Journal({ path, boot: "boot", node: () => "lb1", bounds: () => DEFAULT_BOUNDS });
}

function home(
  journal: Journal,
): Pick<ConsoleCore, "directory" | "stateDirectory" | "node" | "journal"> {
  return { directory: runDirectory(folder), stateDirectory: folder, node: () => "lb1", journal };
}

test("news of another node are judged without asking the own control again", { skip }, async () => {
  await beginGroup(folder, "lb1");
  const journal = journalAt("second.db");
  // As it is judged here: a verdict that is new would be written, and what is written asks again.
  const [kind, data] = ["verdict-changed", { to: "unknown" }];
  journal.say({ source: "console", level: "info", kind, subject: "", reason: "", data });
  journal.flush();
  const seen = { asked: 0, judged: 0 };
  const nobody = "127.0.0.1";
  const core = {
    ...home(journal),
    control: {
      status: async () => {
        seen.asked++;
        return { version: "1", wallMs: Date.now(), configuration: {}, roles: [] };
      },
      service: {
        nodes: [{ name: "lb2", address: nobody }],
        vrrp: { vrrp: { instances: [] } },
        get balance() {
          seen.judged++;
          return { frontends: [], pools: [] };
        },
        ledger: { services: [] },
        console: { listen: [], allowedHosts: [], groupPort: 1 },
      },
    },
    parts: () => [],
  } as unknown as ConsoleCore;
  const page = await PAGE.start(core);
  try {
    await until(() => seen.judged >= 2);
    await sleep(100);
    assert.equal(seen.asked, 1);
  } finally {
    await page.close();
    journal.close();
  }
});

test("a verdict is written down though nobody looks; what only a reader wants is made for one", async () => {
  const journal = journalAt("journal.db");
  const made: string[] = [];
  const ledger: RunningPart = {
    exhibits: () => {
      made.push("exhibits");
      return {};
    },
    close: () => undefined,
  };
  const router = { nowMs: 5_000, instances: [INSTANCE] };
  const status = { version: "1", wallMs: Date.now(), configuration: {}, roles: [], router };
  const core = {
    ...home(journal),
    control: {
      status: async () => status,
      service: {
        nodes: [],
        vrrp: { vrrp: { instances: [{ name: "VI_1" }] } },
        balance: { frontends: [], pools: [] },
        ledger: { services: [{ name: "VI_1", instances: ["VI_1"], frontends: [], pools: [] }] },
        console: { listen: [], allowedHosts: [], groupPort: 0 },
      },
    },
    parts: () => [ledger],
  } as unknown as ConsoleCore;
  const page = await PAGE.start(core);
  try {
    const told = (): unknown[] =>
      journal.find({ kind: "verdict-changed", limit: 9 }).map(({ data }) => data);
    await until(() => told().length > 0);
    assert.deepEqual(told(), [{ from: "unknown", to: "up" }]);
    assert.deepEqual(made, []);

    const socketPath = join(folder, "console.sock");
    const asked = get({ socketPath, path: "/api/v1/overview" });
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    const { verdict, holders } = JSON.parse(
      (await response.setEncoding("utf8").toArray()).join(""),
    );
    assert.deepEqual([verdict.state, holders.length, made], ["up", 1, ["exhibits"]]);
  } finally {
    await page.close();
    journal.close();
  }
});

const INSTANCE = {
  name: "VI_1",
  state: "MASTER",
  sinceMs: 1_000,
  reason: "nobody else",
  addresses: ["192.0.2.1/24"],
  interface: "eth0",
  vrid: 1,
  effectivePriority: 100,
  tracks: [],
};
