/**
 * Our verdict beside that of `keepalived -t`, on keepalived's own samples and on small files that
 * each try one rule. Needs Debian's keepalived (the program and /usr/share/doc/keepalived).
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readKeepalivedConf } from "../../src/config/read-configuration.ts";

const SAMPLES = "/usr/share/doc/keepalived/samples";
const PROGRAM = "/usr/sbin/keepalived";
const skip = existsSync(PROGRAM) && existsSync(SAMPLES) ? false : "keepalived is not installed";

let directory = "";
before(() => {
  directory = mkdtempSync(join(tmpdir(), "nines-conf-"));
});
after(() => {
  rmSync(directory, { recursive: true, force: true });
});

interface Verdict {
  readonly accepted: boolean;
  readonly complaints: readonly string[];
}

/** keepalived asks the kernel for eth0: a namespace that ends with the command has one. */
const IN_NAMESPACE = `ip link add eth0 type veth peer name eth1 && exec ${PROGRAM} -t -f "$1"`;

/** What depends on this machine rather than on the file. */
const OF_THE_HOST =
  /interface \S+ .*doesn't exist|tracked interface|Non-existent interface|SECURITY VIOLATION|script_security|default user|is unable to access|Unable to access script|disabling/iu;

/** Complaints of `keepalived -t` about the file itself, without what depends on this machine. */
function theirs(path: string): Verdict {
  const run = spawnSync("unshare", ["--net", "sh", "-c", IN_NAMESPACE, "sh", path], {
    encoding: "utf8",
  });
  const complaints = `${run.stdout}${run.stderr}`
    .split("\n")
    .map((line) => line.replace(/^.*?\(?\S*: Line \d+\) /u, ""))
    .filter((line) => line !== "" && !OF_THE_HOST.test(line));
  return { accepted: run.status === 0, complaints };
}

function ours(path: string): Verdict {
  const { model, diagnostics } = readKeepalivedConf(path);
  const complaints = diagnostics.filter((d) => d.severity !== "note").map((d) => d.reason);
  return { accepted: model !== undefined, complaints };
}

/** Samples that are wrong in themselves; keepalived complains about each of them too. */
const WRONG: Readonly<Record<string, RegExp>> = {
  "keepalived.conf.conditional_conf": /has no script/u,
  "keepalived.conf.vrrp.lvs_syncd": /unknown keyword 'VI_2'/u,
  "keepalived.conf.vrrp.rules": /192\.168\.100\.\/24/u,
};

for (const path of skip === false ? globSync(`${SAMPLES}/keepalived.conf.*`).sort() : []) {
  const name = path.slice(SAMPLES.length + 1);
  test(`${name} of keepalived's samples is read as keepalived reads it`, () => {
    const mine = ours(path);
    const wrong = WRONG[name];
    if (wrong === undefined) assert.ok(mine.accepted, mine.complaints.join("\n"));
    else {
      assert.ok(!mine.accepted);
      assert.match(mine.complaints.join("\n"), wrong);
      assert.notDeepEqual(theirs(path).complaints, []);
    }
  });
}

const INSTANCE = "vrrp_instance A {\n interface eth0\n virtual_router_id 51\n priority 100\n";
const VIP = " virtual_ipaddress {\n 192.0.2.1\n }\n";

/** Each is accepted without a complaint by both, or complained about by both. */
const RULES: Readonly<Record<string, string>> = {
  "braces next to words":
    "vrrp_instance A{\n interface eth0\n virtual_router_id 51\n virtual_ipaddress{\n 192.0.2.1\n}\n}\n",
  "a block on one line": `${INSTANCE} virtual_ipaddress { 192.0.2.1 }\n}\n`,
  "braces on lines of their own": `global_defs\n{\n router_id x\n}\n${INSTANCE}${VIP}}\n`,
  "no addresses": `${INSTANCE}}\n`,
  "addresses of two families": `${INSTANCE} virtual_ipaddress {\n 192.0.2.1\n 2001:db8::1\n }\n}\n`,
  "half a second in version 2": `${INSTANCE} advert_int 0.5\n${VIP}}\n`,
  "half a second in version 3": `${INSTANCE} version 3\n advert_int 0.5\n${VIP}}\n`,
  "a password in version 3": `${INSTANCE} version 3\n authentication {\n auth_type PASS\n auth_pass x\n }\n${VIP}}\n`,
  "a long password": `${INSTANCE} authentication {\n auth_type PASS\n auth_pass 123456789\n }\n${VIP}}\n`,
  "a good password": `${INSTANCE} authentication {\n auth_type PASS\n auth_pass 12345678\n }\n${VIP}}\n`,
  "empty unicast_peer": `${INSTANCE} unicast_peer {\n }\n${VIP}}\n`,
  unicast_peer: `${INSTANCE} unicast_peer {\n 192.0.2.9\n }\n${VIP}}\n`,
  "nopreempt and MASTER": `${INSTANCE} state MASTER\n nopreempt\n${VIP}}\n`,
  "nopreempt and BACKUP": `${INSTANCE} state BACKUP\n nopreempt\n${VIP}}\n`,
  "priority 256": `${INSTANCE} priority 256\n${VIP}}\n`,
  "an unknown state": `${INSTANCE} state SLAVE\n${VIP}}\n`,
  "a netmask after an address": `${INSTANCE} virtual_ipaddress {\n 192.0.2.1 255.255.255.0\n }\n}\n`,
  "two instances of a name": `${INSTANCE}${VIP}}\n${INSTANCE}${VIP}}\n`,
  "two instances of a number": `${INSTANCE}${VIP}}\n${INSTANCE.replace("A", "B")}${VIP}}\n`,
  "a group with a stranger": `${INSTANCE}${VIP}}\nvrrp_sync_group G {\n group {\n A\n B\n }\n}\n`,
  "an unknown word": `global_defs {\n nope 1\n}\n`,
  "net_namespace in the wrong place": `global_defs {\n net_namespace x\n}\n`,
  "a lost brace": `${INSTANCE}${VIP}\n`,
  "strict mode and IPv6 without link-local": `${INSTANCE} strict_mode on
 virtual_ipaddress {
 2001:db8::1/64
 }
}
`,
  "a prefix that is too long": `${INSTANCE} virtual_ipaddress {
 192.0.2.1/33
 }
}
`,
  "a multicast group beside unicast_peer": `${INSTANCE} mcast_dst_ip 224.0.0.99
 unicast_peer {
 192.0.2.9
 }
${VIP}}
`,
  "a group that is no multicast address": `global_defs {
 vrrp_mcast_group4 10.0.0.1
}
${INSTANCE}${VIP}}
`,
  "an empty sync group": `${INSTANCE}${VIP}}
vrrp_sync_group G {
 group {
 }
}
`,
  "a track_script that is nowhere": `${INSTANCE} track_script {
 nope
 }
${VIP}}
`,
  "a weight out of range": `vrrp_track_process p {
 process nginx
}
${INSTANCE} track_process {
 p weight 300
 }
${VIP}}
`,
  "quotes around an address": `${INSTANCE} virtual_ipaddress {
 "192.0.2.1/24" dev "eth0"
 }
}
`,
  "a sequence": `${INSTANCE} virtual_ipaddress {\n ~SEQ(X, 1, 3) 192.0.2.\${X}\n }\n}\n`,
  "a parameter of several lines": `$V= \\\nvirtual_ipaddress { \\\n192.0.2.1 \\\n}\n${INSTANCE} $V\n}\n`,
  "a line for another node": `${INSTANCE} @other nope\n${VIP}}\n`,
  "all options of an address": `${INSTANCE} virtual_ipaddress {\n 192.0.2.1/24 brd + dev eth0 scope link label eth0:1 home noprefixroute no_track\n }\n}\n`,
};

for (const [name, text] of Object.entries(RULES)) {
  test(`keepalived and Nines agree about: ${name}`, { skip }, () => {
    const path = join(directory, "file.conf");
    writeFileSync(path, text);
    const [their, mine] = [theirs(path), ours(path)];
    const all = `keepalived: ${their.complaints.join("; ")}\nNines: ${mine.complaints.join("; ")}`;
    assert.equal(mine.complaints.length === 0, their.accepted, all);
  });
}

test("the tutorials' files are judged as keepalived judges them", { skip }, () => {
  for (const path of globSync("samples/seeds/*.conf")) {
    const unknown = theirs(path).complaints.some((line) => /Unknown keyword/u.test(line));
    assert.equal(ours(path).accepted, !unknown, readFileSync(path, "utf8"));
  }
});
