import assert from "node:assert/strict";
import { test } from "node:test";
import { readServiceYaml } from "./read-service.ts";

test("interfaces: delays of links, and drivers that are asked for them", () => {
  const text = `interfaces:
  eth0: { poll: ethtool, down_delay: 500ms }
  eth1: { up_delay: 2s }
`;
  const files = { readFile: () => text, glob: () => [] };
  const { vrrp } = readServiceYaml("nines.yaml", { hostName: "h" }, files).service!;
  assert.deepEqual(vrrp.polledLinks, [{ interface: "eth0", method: "ethtool" }]);
  assert.deepEqual(vrrp.interfaceDelays, [
    { interface: "eth0", downMs: 500, upMs: 500 },
    { interface: "eth1", downMs: 0, upMs: 2000 },
  ]);
});
