/** Every form of address, route and rule, read back with ip(8). Needs root and iproute2. */

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { RouteSettings, RuleSettings, VirtualAddress } from "../../src/core/vrrp/settings.ts";

const SPACE = `kb-r${process.pid}`;
const PROGRAM = join(import.meta.dirname, "programs/object-holder.ts");
const skip = process.getuid?.() === 0 ? false : "needs root: run `npm run lab` as root";

function ip(...argv: string[]): string {
  return execFileSync("ip", ["-n", SPACE, ...argv], { encoding: "utf8", stdio: "pipe" });
}

function address(
  text: string,
  prefixLength: number,
  more: Partial<VirtualAddress>,
): VirtualAddress {
  return {
    address: text,
    family: text.includes(":") ? "ipv6" : "ipv4",
    prefixLength,
    interface: "eth0",
    scope: 0,
    noDad: true,
    home: false,
    managedTemporary: false,
    noPrefixRoute: false,
    preferredLifetimeS: 0xffff_ffff,
    tracked: true,
    ...more,
  };
}

function route(text: string, prefixLength: number, more: Partial<RouteSettings>): RouteSettings {
  return {
    family: text.includes(":") ? "ipv6" : "ipv4",
    kind: "unicast",
    destination: text,
    prefixLength,
    onLink: false,
    tracked: true,
    ...more,
  };
}

const ADDRESSES: readonly (readonly [VirtualAddress, RegExp])[] = [
  [
    address("10.95.0.1", 24, { broadcast: "+", label: "eth0:vip" }),
    /10\.95\.0\.1\/24 brd 10\.95\.0\.255 scope global eth0:vip/,
  ],
  [address("10.95.1.1", 32, { peer: "10.95.1.2" }), /10\.95\.1\.1 peer 10\.95\.1\.2\/32/],
  [
    address("10.95.2.1", 28, { broadcast: "10.95.2.9", scope: 253 }),
    /10\.95\.2\.1\/28 brd 10\.95\.2\.9 scope link/,
  ],
  [
    address("10.95.3.1", 24, { noPrefixRoute: true }),
    /10\.95\.3\.1\/24 scope global noprefixroute/,
  ],
  [address("fd95::1", 64, { preferredLifetimeS: 0 }), /fd95::1\/64 scope global nodad deprecated/],
  [address("fd95::2", 128, { home: true }), /fd95::2\/128 scope global (nodad home|home nodad)/],
];

const ROUTES: readonly (readonly [RouteSettings, RegExp])[] = [
  [
    route("0.0.0.0", 0, { via: "10.95.0.9", metric: 50 }),
    /^default via 10\.95\.0\.9 dev eth0 proto keepalived metric 50/m,
  ],
  [
    route("192.0.2.99", 24, { interface: "eth0", source: "10.95.0.1", metrics: { mtu: 1400 } }),
    /192\.0\.2\.0\/24 dev eth0 proto keepalived scope link src 10\.95\.0\.1 mtu 1400/,
  ],
  [
    route("198.51.100.0", 24, { kind: "blackhole", table: 1000 }),
    /blackhole 198\.51\.100\.0\/24 table 1000 proto keepalived/,
  ],
  [
    route("203.0.113.0", 24, { via: "172.31.0.1", interface: "eth0", onLink: true, protocol: 4 }),
    /203\.0\.113\.0\/24 via 172\.31\.0\.1 dev eth0 proto static onlink/,
  ],
  [route("203.0.113.7", 32, { kind: "prohibit" }), /prohibit 203\.0\.113\.7 proto keepalived/],
  [
    route("203.0.113.8", 32, { via: "fd95::9", interface: "eth0" }),
    /203\.0\.113\.8 via inet6 fd95::9 dev eth0/,
  ],
  [
    route("203.0.113.16", 28, {
      paths: [
        { via: "10.95.0.8", interface: "eth0", weight: 3, onLink: false },
        { via: "172.31.0.2", interface: "eth0", weight: 1, onLink: true },
      ],
    }),
    /203\.0\.113\.16\/28 proto keepalived *\n\tnexthop via 10\.95\.0\.8 dev eth0 weight 3 *\n\tnexthop via 172\.31\.0\.2 dev eth0 weight 1 onlink/,
  ],
  [
    route("203.0.113.32", 28, {
      via: "10.95.0.9",
      typeOfService: 0x10,
      realms: 0x2_0003,
      metrics: { mtu: 1300, advmss: 1200, initcwnd: 20, hoplimit: 60, rtt: 160, rto_min: 20 },
      lockedMetrics: ["mtu"],
      congestionControl: "reno",
    }),
    /203\.0\.113\.32\/28 tos (0x10|lowdelay) via 10\.95\.0\.9 dev eth0 proto keepalived realms? 2\/3 mtu lock 1300 rtt 20ms advmss 1200 hoplimit 60 initcwnd 20 rto_min lock 20ms congctl reno|203\.0\.113\.32\/28 tos .*mtu lock 1300.*advmss 1200.*hoplimit 60.*initcwnd 20.*congctl reno/,
  ],
];

const ROUTES6: readonly (readonly [RouteSettings, RegExp])[] = [
  [route("::", 0, { via: "fd95::9" }), /^default via fd95::9 dev eth0 proto keepalived/m],
  [
    route("2001:db8::", 32, { kind: "unreachable", metric: 7 }),
    /unreachable 2001:db8::\/32 dev lo proto keepalived metric 7/,
  ],
  [
    route("2001:db8:1::", 48, {
      paths: [
        { via: "fd95::8", weight: 1, onLink: false },
        { via: "fd95::9", weight: 2, onLink: false },
      ],
    }),
    /2001:db8:1::\/48 proto keepalived metric 1024.*\n\tnexthop via fd95::8 dev eth0 weight 1 *\n\tnexthop via fd95::9 dev eth0 weight 2/,
  ],
  [
    route("2001:db8:2::", 48, { via: "fd95::9", preference: "high" }),
    /2001:db8:2::\/48 via fd95::9 dev eth0 proto keepalived .*pref high/,
  ],
];

const RULES: readonly (readonly [RuleSettings, RegExp])[] = [
  [
    {
      family: "ipv4",
      from: { address: "10.95.0.0", prefixLength: 24 },
      table: 1000,
      priority: 501,
      tracked: true,
    },
    /501:\tfrom 10\.95\.0\.0\/24 lookup 1000/,
  ],
  [
    {
      family: "ipv4",
      to: { address: "192.0.2.1", prefixLength: 32 },
      table: 77,
      priority: 502,
      mark: 9,
      incomingInterface: "eth0",
      tracked: true,
    },
    /502:\tfrom all to 192\.0\.2\.1 fwmark 0x9 iif eth0 lookup 77 proto keepalived/,
  ],
  [
    {
      family: "ipv4",
      inverted: true,
      from: { address: "10.95.0.0", prefixLength: 24 },
      table: 254,
      priority: 503,
      mark: 0x10,
      markMask: 0xf0,
      typeOfService: 0x10,
      suppressPrefixLength: 0,
      tracked: true,
    },
    /503:\tnot from 10\.95\.0\.0\/24 tos (0x10|lowdelay) fwmark 0x10\/0xf0 lookup main suppress_prefixlength 0 proto keepalived/,
  ],
  [
    {
      family: "ipv4",
      table: 254,
      priority: 504,
      action: "prohibit",
      users: { first: 1000, last: 1999 },
      ipProtocol: 6,
      sourcePorts: { first: 1024, last: 2000 },
      destinationPorts: { first: 25, last: 25 },
      protocol: 4,
      tracked: true,
    },
    /504:\tfrom all uidrange 1000-1999 ipproto tcp sport 1024-2000 dport 25 prohibit proto static/,
  ],
  [
    {
      family: "ipv4",
      table: 254,
      priority: 505,
      action: "goto",
      gotoPriority: 32_766,
      tracked: true,
    },
    /505:\tfrom all goto 32766 proto keepalived/,
  ],
];

describe("what the kernel takes", { skip }, () => {
  let directory = "";
  const environment = (): string[] => ["netns", "exec", SPACE, process.execPath, PROGRAM];

  before(() => {
    directory = mkdtempSync(join(tmpdir(), "kb-routes-"));
    execFileSync("ip", ["netns", "add", SPACE]);
    ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1");
    for (const name of ["lo", "eth0", "eth1"]) ip("link", "set", name, "up");
  });

  after(() => {
    spawnSync("ip", ["netns", "del", SPACE]);
    rmSync(directory, { recursive: true, force: true });
  });

  test("every form is installed as asked for and removed without a rest", async () => {
    const seen = (): string => {
      const shown = [ip("address"), ip("rule"), ip("route", "show", "table", "all")];
      return [...shown, ip("-6", "route", "show", "table", "all")].join("\n");
    };
    const rows = [...ADDRESSES, ...ROUTES, ...ROUTES6, ...RULES];
    const settings = {
      staticAddresses: ADDRESSES.map(([wanted]) => wanted),
      staticRoutes: [...ROUTES, ...ROUTES6].map(([wanted]) => wanted),
      staticRules: RULES.map(([wanted]) => wanted),
    };
    const file = join(directory, "settings.json");
    writeFileSync(file, JSON.stringify(settings));
    const holder = spawn("ip", [...environment(), join(directory, "state"), file]);
    try {
      holder.stderr.pipe(process.stderr);
      const lines = holder.stdout.setEncoding("utf8")[Symbol.asyncIterator]();
      const first = (await lines.next()).value as string;
      assert.deepEqual(JSON.parse(first), { failures: [], foreign: [] });
      const shown = seen();
      for (const [, pattern] of rows) assert.match(shown, pattern);
      holder.stdin.end();
      assert.deepEqual(JSON.parse((await lines.next()).value as string), []);
      const left = seen();
      for (const [, pattern] of rows) assert.doesNotMatch(left, pattern);
    } finally {
      holder.kill("SIGKILL");
    }
  });

  test("what the kernel refuses is a value that names the object and the reason", () => {
    const file = join(directory, "refused.json");
    const settings = {
      staticAddresses: [address("10.95.9.1", 24, { interface: "eth9" })],
      staticRoutes: [route("192.0.2.0", 24, { via: "172.30.0.1" })],
      staticRules: [],
    };
    writeFileSync(file, JSON.stringify(settings));
    const argv = [...environment(), join(directory, "state"), file];
    const { stdout } = spawnSync("ip", argv, { encoding: "utf8", input: "" });
    const { failures } = JSON.parse(stdout.split("\n")[0]!) as { failures: { message: string }[] };
    assert.match(failures[0]!.message, /add address 10\.95\.9\.1\/24 on eth9: ENODEV/);
    assert.match(failures[1]!.message, /add route 192\.0\.2\.0\/24 via 172\.30\.0\.1: ENETUNREACH/);
  });
});
