/** What the systemd unit permits is enough for what a configuration may ask for. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Host } from "../../src/lab/host.ts";
import type { LabProcess } from "../../src/lab/process.ts";
import { BIN } from "../../src/lab/peers/nines.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { withWorld } from "../../src/lab/world.ts";

const PLAN = {
  name: "unit",
  segments: ["lan"],
  hosts: { lb1: { eth0: { segment: "lan", address: "10.75.0.11/24" } } },
};
const ADDRESS = "10.75.0.200";

const INSTANCE = `vrrp_instance VI_1 {
    version 3
    interface eth0
    virtual_router_id 51
    advert_int 0.1
    use_vmac
    virtual_ipaddress {
        ${ADDRESS}/24
    }
    virtual_routes {
        10.99.0.0/16 via 10.75.0.1 dev eth0
    }
    notify /run/told.sh
}
`;

const isDone = [() => true, () => false] as const;

/** As systemd would start it, as far as capabilities go. */
function start(on: Host, configuration: string, without?: string): Promise<LabProcess> {
  const unit = readFileSync("dist/nines.service", "utf8");
  const [, names = ""] = /^CapabilityBoundingSet=(.+)$/mu.exec(unit) ?? [];
  const permitted = names.split(" ").filter((name) => name !== without);
  const set = permitted.map((name) => name.replace("CAP_", "+").toLowerCase());
  const limits = [`--bounding-set=-all,${set.join(",")}`, "--inh-caps=-all"];
  const file = on.write("/run/keepalived.conf", configuration);
  const run = [BIN, "run", "-f", file, "--run-dir", "/run/n", "--state-dir", "/run/s"];
  return on.start(["setpriv", ...limits, ...run, "--console", "off"], { name: "nines" });
}

test("within the unit's capabilities: virtual MAC, route, script and FIFO of another user", async () => {
  await withWorld(PLAN, async (world) => {
    const lb1 = world.host("lb1");
    lb1.write("/run/told.sh", "#!/bin/sh\nid -un >/tmp/told\n", 0o755);
    const globals = "global_defs {\n script_user nobody\n vrrp_notify_fifo /run/fifo nobody\n}\n";
    await start(lb1, globals + INSTANCE);
    await waitFor(() => lb1.holds(ADDRESS), 15_000, "a master");
    assert.match(await lb1.run(["ip", "route"]), /^10\.99\.0\.0\/16 via/m);
    const line = ["timeout", "5", "head", "-n", "1", "/run/fifo"];
    await waitFor(() => lb1.run(["test", "-p", "/run/fifo"]).then(...isDone), 8000, "the FIFO");
    assert.match(await lb1.run(["stat", "-c", "%U %a", "/run/fifo"]), /^nobody 600/);
    assert.match(await lb1.run(line), /^INSTANCE "VI_1" (BACKUP|MASTER) 100/);
    const told = async (): Promise<boolean> =>
      (await lb1.run(["cat", "/tmp/told"]).catch(() => "")).trim() === "nobody";
    await waitFor(told, 8000, "a script that ran as nobody");
  });
});

test("what scripts and track_file see in /tmp is what everybody sees there", () => {
  assert.doesNotMatch(readFileSync("dist/nines.service", "utf8"), /^PrivateTmp=(?!no$)/mu);
});

test("a FIFO that cannot be given to its user is told, and is not taken for a good one later", async () => {
  await withWorld(PLAN, async (world) => {
    const lb1 = world.host("lb1");
    const globals = "global_defs {\n vrrp_notify_fifo /run/fifo nobody\n}\n";
    const nines = await start(lb1, globals + INSTANCE, "CAP_CHOWN");
    const said = /FIFO \/run\/fifo cannot be given to nobody \(EPERM; that needs CAP_CHOWN\)/;
    await waitFor(() => said.test(nines.log), 15_000, "the reason");
    await assert.rejects(lb1.run(["test", "-e", "/run/fifo"]));
  });
});

test("a node that hangs is told within seconds, with what to do", async () => {
  await withWorld(PLAN, async (world) => {
    const lb1 = world.host("lb1");
    const nines = await start(lb1, INSTANCE);
    await waitFor(() => lb1.holds(ADDRESS), 15_000, "a master");
    nines.stop();
    const began = performance.now();
    const asked = lb1.run([BIN, "status", "--run-dir", "/run/n"]);
    await assert.rejects(
      asked,
      /does not answer on \S+: it hangs or is stopped\. .* start it again/,
    );
    assert.ok(performance.now() - began < 10_000);
  });
});

test("a network namespace that cannot be entered is told with what it takes", async () => {
  await withWorld(PLAN, async (world) => {
    const lb1 = world.host("lb1");
    const nines = await start(lb1, `net_namespace nowhere\n${INSTANCE}`);
    const said = /namespace nowhere must exist, and to enter it takes CAP_SYS_ADMIN/;
    await waitFor(() => said.test(nines.log), 15_000, "the reason");
  });
});
