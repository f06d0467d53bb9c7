import assert from "node:assert/strict";
import { test } from "node:test";
import { type Reading, readKeepalivedConf } from "../../read-configuration.ts";

function read(text: string): Reading {
  const files = { readFile: () => text, glob: () => [] };
  return readKeepalivedConf("f", { hostName: "h" }, files);
}

test("use_vmac behind an address, and use_vmac_addr, make macvlans with names of their own", () => {
  const lines = `virtual_router_id 9
virtual_ipaddress {
192.0.2.2/24 dev eth1 use_vmac
192.0.2.3/24 dev eth1 use_vmac
192.0.2.4/24 use_vmac
192.0.2.5/24
}
virtual_ipaddress_excluded {
2001:db8::1/64
}`;
  const addresses = (more: string): (string | undefined)[] => {
    const text = `vrrp_instance A {\ninterface eth0\n${lines}\n${more}\n}\n`;
    const [one] = read(text).model!.vrrp.instances;
    return [...one!.addresses, ...one!.excludedAddresses].map(({ vmac }) => vmac);
  };
  assert.deepEqual(addresses(""), ["vrrp.9", "vrrp.9", "vrrp1.9", undefined, undefined]);
  // With a macvlan of the instance, addresses on its interface are on that one.
  assert.deepEqual(addresses("use_vmac vrrp.9\nuse_vmac_addr"), [
    "vrrp1.9",
    "vrrp1.9",
    undefined,
    undefined,
    "vrrp6.9",
  ]);
});

test("macvlans of two instances with one VRID get different names, and a name may be called name", () => {
  const one = (name: string, vmac: string): string =>
    `vrrp_instance ${name} {\ninterface ${name}\nvirtual_router_id 9\n${vmac}\nvirtual_ipaddress {\n192.0.2.1\n}\n}\n`;
  const { vrrp } = read(
    one("eth0", "use_vmac") +
      one("eth1", "use_vmac") +
      one("eth2", "use_vmac name vrrp.9 02:00:00:00:00:01 netlink_notify_msg"),
  ).model!;
  assert.deepEqual(
    vrrp.instances.map(({ vmac }) => vmac?.name),
    ["vrrp1.9", "vrrp2.9", "vrrp.9"],
  );
  assert.deepEqual(
    read(`global_defs {\nvmac_prefix very-much-too-long\n}\n${one("eth0", "use_vmac")}`)
      .diagnostics[0]?.reason,
    "the interface name very-much-too-long.9 is longer than 15 characters",
  );
});
