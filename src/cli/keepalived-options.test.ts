import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readEither } from "../config/read-either.ts";
import { main } from "./main.ts";
import type { Terminal } from "./terminal.ts";

async function said(
  ...argv: readonly string[]
): Promise<{ code: number; out: string; err: string }> {
  const lines = { out: [] as string[], err: [] as string[] };
  const terminal: Terminal = {
    color: false,
    out: (line) => void lines.out.push(line),
    err: (line) => void lines.err.push(line),
  };
  const code = await main(argv, terminal);
  return { code, out: lines.out.join("\n"), err: lines.err.join("\n") };
}

const CONFIGURATION = `vrrp_instance A {
interface eth0
virtual_router_id 1
virtual_ipaddress {
192.0.2.1
}
}
virtual_server 192.0.2.1 80 {
protocol TCP
real_server 192.0.2.2 80 {
}
}
`;

test("the usual command lines of keepalived are understood, and what has no effect is told", async () => {
  const directory = mkdtempSync(join(tmpdir(), "nines-options-"));
  const file = join(directory, "k.conf");
  writeFileSync(file, CONFIGURATION);
  const words = ["-t", "-f", file, "--dont-fork", "-l", "-D", "-S", "0", "-G", "-R", "-e"];
  const { code, err } = await said("run", ...words);
  assert.equal(code, 0);
  const told = err.split("\n").map((line) => line.replace(/ has no effect.*$/u, ""));
  assert.deepEqual(told, [
    "nines: -n, --dont-fork",
    "nines: -l, --log-console",
    "nines: -D, --log-detail",
    "nines: -S, --log-facility",
    "nines: -G, --no-syslog",
    "nines: -R, --dont-respawn",
    "nines: -e, --all-config",
  ]);
  assert.equal((await said("run", "-t", "-f", file)).err, "");
  rmSync(directory, { recursive: true });
});

test("--signum tells the signals that Nines knows", async () => {
  assert.equal((await said("run", "--signum=STOP")).out, "15");
  assert.equal((await said("run", "--signum", "reload")).out, "1");
  const { code, err } = await said("run", "--signum=JSON");
  assert.equal(code, 2);
  assert.match(err, /nines status --json/u);
});

test("-P leaves the addresses, -C the virtual servers, -s names the namespace", () => {
  const files = { readFile: () => CONFIGURATION, glob: () => [] };
  const parts = (part?: "vrrp" | "check"): number[] => {
    const options = { hostName: "h", ...(part === undefined ? {} : { part }) };
    const { vrrp, balance } = readEither("k.conf", options, files).service!;
    return [vrrp.vrrp.instances.length, balance.frontends.length];
  };
  assert.deepEqual(
    [parts(), parts("vrrp"), parts("check")],
    [
      [1, 1],
      [1, 0],
      [0, 1],
    ],
  );
  const options = { hostName: "h", networkNamespace: "blue" };
  assert.equal(readEither("k.conf", options, files).service!.vrrp.networkNamespace, "blue");
});
