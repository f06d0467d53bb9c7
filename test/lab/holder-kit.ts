/**
 * A holder of addresses and a client, each in a network namespace of its own, with a cable between
 * them: what tests of addresses, leases and virtual MACs in a real kernel stand on.
 */

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { InstanceSettings, VirtualAddress } from "../../src/core/vrrp/settings.ts";
import { virtualAddress } from "../kit/vrrp-settings.ts";

const HOLDER = `kb-h${process.pid}`;
export const CLIENT = `kb-c${process.pid}`;
const PROGRAM = join(import.meta.dirname, "programs/address-holder.ts");
export const CABLE = "eth0";
/** Exit status of bash for a refused connection; `timeout` ends with 124. */
const REFUSED = 1;
export const V4 = "10.91.0.100";
export const V6 = "fd91::100";

export const skip = process.getuid?.() === 0 ? false : "needs root: run `npm run lab` as root";

export function sh(command: string): string {
  return execFileSync("/bin/sh", ["-ec", command], { encoding: "utf8", stdio: "pipe" });
}

export const inHolder = (command: string): string => sh(`ip netns exec ${HOLDER} ${command}`);
export const inClient = (command: string): string => sh(`ip netns exec ${CLIENT} ${command}`);

/** With the neighbour entry kept. A closed port is refused at once; silence ends in a timeout. */
export function answersKnown(address: string, timeoutS = 0.2): boolean {
  const connect = `timeout ${timeoutS} bash -c '</dev/tcp/${address}/9'`;
  const argv = ["netns", "exec", CLIENT, "bash", "-c", connect];
  return spawnSync("ip", argv, { stdio: "pipe" }).status === REFUSED;
}

/** The whole way: an ARP or ND exchange before. */
export function answers(address: string): boolean {
  inClient(`ip neigh flush dev ${CABLE}`);
  return answersKnown(address, 1);
}

export function answersArp(address: string): boolean {
  const argv = ["netns", "exec", CLIENT, "arping", "-c1", "-w1", "-I", CABLE, address];
  return spawnSync("ip", argv, { stdio: "pipe" }).status === 0;
}

/** One datagram of the holder with that source: its own ARP request comes before. */
export function speakFrom(source: string, destination: string): void {
  const program = `const s = require("node:dgram").createSocket("udp4");
    s.bind(0, "${source}", () => s.send("x", 9, "${destination}", () => s.close()));`;
  execFileSync("ip", ["netns", "exec", HOLDER, process.execPath, "-e", program]);
}

export function has(address: string): boolean {
  return inHolder(`ip address show`).includes(` ${address}/`);
}

export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 5000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await holds())) {
    assert.ok(performance.now() < end, `not within ${timeoutMs} ms: ${what}`);
    await sleep(5);
  }
}

export class Holder {
  readonly process: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor(stateDirectory: string) {
    const argv = ["netns", "exec", HOLDER, process.execPath, PROGRAM, stateDirectory, "nines-kb"];
    this.process = spawn("ip", argv);
    this.process.stderr.pipe(process.stderr);
    this.#lines = createInterface({ input: this.process.stdout });
    this.#lines.on("line", (line) => this.#waiting.shift()?.(line));
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- answers differ from command to command
  async ask(command: string, ...values: unknown[]): Promise<any> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#waiting.push(resolve);
    this.process.stdin.write(`${JSON.stringify({ command, values })}\n`);
    return JSON.parse(await promise);
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await ended;
  }

  async close(): Promise<void> {
    assert.deepEqual(await this.ask("close"), []);
    await this.kill();
  }
}

export function virtual(address: string, more: Partial<VirtualAddress> = {}): VirtualAddress {
  const prefixLength = address.includes(":") ? 128 : 32;
  return { ...virtualAddress(address, CABLE), prefixLength, ...more };
}

/** What the drivers look at; the rest of an instance's settings is the router's concern. */
export function instance(
  addresses: readonly VirtualAddress[],
  more: Partial<InstanceSettings> = {},
): InstanceSettings {
  const settings: Partial<InstanceSettings> = {
    name: "VI_1",
    family: "ipv4",
    vrid: 51,
    interface: CABLE,
    priority: 100,
    accept: true,
    lease: true,
    advertIntervalMs: 1000,
    downTimerAdverts: 3,
    addresses,
    excludedAddresses: [],
    routes: [],
    rules: [],
    ...more,
  };
  return settings as InstanceSettings;
}

export const ALL_WELL = { failures: [], foreign: [] };

export function layCable(): void {
  sh(`ip netns add ${HOLDER}; ip netns add ${CLIENT}`);
  sh(`ip link add ${CABLE} netns ${HOLDER} type veth peer name ${CABLE} netns ${CLIENT}`);
  for (const [name, n] of [
    [HOLDER, 1],
    [CLIENT, 2],
  ] as const) {
    sh(`ip -n ${name} link set lo up; ip -n ${name} link set ${CABLE} up`);
    sh(`ip -n ${name} address add 10.91.0.${n}/24 dev ${CABLE}`);
    sh(`ip -n ${name} address add fd91::${n}/64 dev ${CABLE} nodad`);
  }
}

export function removeCable(): void {
  spawnSync("ip", ["netns", "del", HOLDER]);
  spawnSync("ip", ["netns", "del", CLIENT]);
}

/** The holders of one test, one after the other on the same state directory. */
export class Holders {
  state: string = "";
  readonly #started: Holder[] = [];

  /** Before a test: a fresh directory and the first holder. */
  begin(): Holder {
    this.state = mkdtempSync(join(tmpdir(), "kb-state-"));
    return this.start();
  }

  start(): Holder {
    const started = new Holder(this.state);
    this.#started.push(started);
    return started;
  }

  /** After a test: nothing is left in the kernel. */
  async end(): Promise<void> {
    for (const one of this.#started.splice(0)) await one.kill();
    const cleaner = new Holder(this.state);
    try {
      await cleaner.close();
    } finally {
      await cleaner.kill();
      rmSync(this.state, { recursive: true });
    }
  }
}
