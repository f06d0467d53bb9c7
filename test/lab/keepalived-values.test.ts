/**
 * What keepalived makes of a file (`-d` prints it) beside what we make of it: values, defaults and
 * what they default to. Needs Debian's keepalived and root.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readKeepalivedConf } from "../../src/config/read-configuration.ts";
import type { InstanceSettings } from "../../src/core/vrrp/settings.ts";
import { canBuildWorlds } from "../../src/lab/privileges.ts";

const PROGRAM = "/usr/sbin/keepalived";
const permission = canBuildWorlds();
const skip = !existsSync(PROGRAM)
  ? "keepalived is not installed"
  : permission.by === "root"
    ? false
    : `needs root: ${permission.reason}`;

/** The first process of a namespace for processes: they end together, and its number is always 1. */
const IN_NAMESPACE = `ip link add eth0 type veth peer name eth1 && ip address add 192.0.2.9/24 dev eth0 &&
  ip link set eth0 up && ip link set eth1 up && rm -f "$1.pid" "$1.vrrp.pid" && exec ${PROGRAM} -n -l -d -P -f "$1" -p "$1.pid" -r "$1.vrrp.pid"`;
const DEADLINE_MS = 20_000;

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "nines-values-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** The part about instances, as keepalived prints it once it has begun. */
async function dumpOf(path: string): Promise<string> {
  const words = ["--net", "--pid", "--fork", "--kill-child", "sh", "-c", IN_NAMESPACE, "sh", path];
  const child = spawn("unshare", words, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let text = "";
  const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
  const add = (chunk: Buffer): void => {
    text += chunk.toString();
    if (/Entering \w+ STATE/u.test(text)) child.kill("SIGKILL");
  };
  child.stdout.on("data", add);
  child.stderr.on("data", add);
  await ended;
  clearTimeout(timer);
  const from = text.indexOf("VRRP Topology");
  assert.ok(from >= 0, `keepalived told nothing about instances:\n${text}`);
  return text.slice(from, text.indexOf("< Interfaces >"));
}

type Values = Readonly<Record<string, string | number | boolean>>;

function theirs(dump: string): Values {
  const word = (name: string): string => {
    const found = new RegExp(`${name} = (\\S+)`, "u").exec(dump)?.[1];
    assert.ok(found !== undefined, `${name} is not in:\n${dump}`);
    return found;
  };
  const [, count, unit] = /Advert interval = ([\d.]+) (\S+)/u.exec(dump)!;
  return {
    version: Number(word("VRRP Version")),
    priority: Number(word(" Priority")),
    advertMs: Number(count) * (unit === "sec" ? 1000 : 1),
    master: word("Wantstate") === "MASTER",
    downTimerAdverts: Number(word("Down timer adverts")),
    delay: Number(word("Gratuitous ARP delay")),
    repeat: Number(word("Gratuitous ARP repeat")),
    refresh: Number(word("Gratuitous ARP refresh")),
    weakerDelay: Number(word("Gratuitous ARP lower priority delay")),
    weakerRepeat: Number(word("Gratuitous ARP lower priority repeat")),
    answersWeaker: word("Send advert after receive lower priority advert") === "true",
    preempt: word("Preempt") === "enabled",
    accept: word("Accept") === "enabled",
  };
}

function ours(instance: InstanceSettings): Values {
  const { announce } = instance;
  return {
    version: instance.version,
    priority: instance.priority,
    advertMs: instance.advertIntervalMs,
    master: instance.startAsMaster,
    downTimerAdverts: instance.downTimerAdverts,
    delay: announce.delayMs / 1000,
    repeat: announce.repeat,
    refresh: announce.refreshMs / 1000,
    weakerDelay: announce.lowerPriorityDelayMs / 1000,
    weakerRepeat: announce.lowerPriorityRepeat,
    answersWeaker: !instance.lowerPriorityNoAdvert,
    preempt: instance.preempt,
    accept: instance.accept,
  };
}

/** What stands in the instance, and in global_defs. */
const FILES: readonly (readonly [inside: string, globals?: string])[] = [
  [""],
  ["state MASTER"],
  ["state MASTER\npriority 120\nnopreempt"],
  ["state BACKUP\npriority 120\nnopreempt"],
  ["version 3\nadvert_int 0.25"],
  ["advert_int 0.4"],
  ["garp_master_delay 1\ngarp_master_repeat 2"],
  ["garp_master_delay 1", "vrrp_garp_master_delay 3\nvrrp_garp_master_repeat 4"],
  ["garp_lower_prio_delay 7", "vrrp_garp_lower_prio_repeat 8"],
  ["garp_master_refresh 60", "vrrp_min_garp"],
  ["", "vrrp_strict"],
  ["strict_mode on\nstate MASTER\ngarp_lower_prio_delay 7"],
  ["accept\nno_accept"],
  ["no_accept\naccept", "vrrp_strict"],
  ["lower_prio_no_advert on\ndown_timer_adverts 5", "vrrp_version 3\nvrrp_down_timer_adverts 4"],
];

for (const [inside, globals = ""] of FILES) {
  const title = [inside, globals].filter((text) => text !== "").join(" | ");
  test(`the same as keepalived: ${title.replaceAll("\n", ", ")}`, { skip }, async () => {
    const path = join(folder, "keepalived.conf");
    const text = `global_defs {\n${globals}\n}\nvrrp_instance A {\ninterface eth0\nvirtual_router_id 5\n${inside}\nvirtual_ipaddress {\n192.0.2.1/24\n}\n}\n`;
    writeFileSync(path, text);
    const { model, diagnostics } = readKeepalivedConf(path);
    assert.ok(model !== undefined, diagnostics.map(({ reason }) => reason).join("\n"));
    assert.deepEqual(ours(model.vrrp.instances[0]!), theirs(await dumpOf(path)));
  });
}
