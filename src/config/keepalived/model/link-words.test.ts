import assert from "node:assert/strict";
import { test } from "node:test";
import { type Reading, readKeepalivedConf } from "../../read-configuration.ts";

function read(text: string): Reading {
  const files = { readFile: () => text, glob: () => [] };
  return readKeepalivedConf("f", { hostName: "h" }, files);
}

test("links are polled where it was asked for, by the way that was named first", () => {
  const text = (top: string, inside = ""): string =>
    `${top}\nvrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.1\n}\ntrack_interface {\neth1\n}\n${inside}\n}\n`;
  const polled = (top: string, inside = ""): string[] =>
    (read(text(top, inside)).model!.polledLinks ?? []).map(
      (one) => `${one.interface} ${one.method}`,
    );
  assert.deepEqual(polled("linkbeat_interfaces {\neth2 ETHTOOL\neth0\n}"), [
    "eth2 ethtool",
    "eth0 mii",
  ]);
  assert.deepEqual(polled("linkbeat_use_polling"), ["eth0 mii", "eth1 mii"]);
  assert.deepEqual(polled("", "linkbeat_use_polling"), ["eth0 mii"]);
  const wrong = read(text("linkbeat_interfaces {\neth0 MIII\n}")).diagnostics;
  assert.equal(wrong[0]!.reason, "'MIII' is no way to ask for a link");
});
