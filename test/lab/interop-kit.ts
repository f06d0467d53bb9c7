/** Two servers of any make and a client on one segment, and a capture of what they say. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startDaemon, type Daemon, type Implementation } from "../../bench/vrrp-daemons.ts";
import type { Host } from "../../src/lab/host.ts";
import type { LabProcess } from "../../src/lab/process.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { withWorld, type World } from "../../src/lab/world.ts";

const TAKE_OVER_MS = 12_000;

export type ServerName = "lb1" | "lb2";

export interface Server {
  readonly make: Implementation;
  readonly priority: number;
  /** Its own, where it is not that of the match. */
  readonly version?: 2 | 3;
  /** Lines of the vrrp_instance block besides the usual ones. */
  readonly lines?: readonly string[];
  /** Blocks before it. */
  readonly preamble?: string;
}

export interface Match {
  readonly name: string;
  readonly lb1: Server;
  readonly lb2: Server;
  readonly version?: 2 | 3;
  /** Seconds. */
  readonly advert?: number;
  readonly address?: string;
  /** A second segment with its own instance, grouped with the first. */
  readonly grouped?: boolean;
  readonly play: (field: Field) => Promise<void>;
}

/** One that was seen on the wire. */
interface SeenAdvert {
  readonly atMs: number;
  readonly source: string;
  readonly priority: number;
}

/** A match under way. */
export class Field {
  readonly world: World;
  readonly match: Match;
  readonly daemons = new Map<ServerName, Daemon>();

  constructor(world: World, match: Match) {
    this.world = world;
    this.match = match;
  }

  get address(): string {
    return this.match.address ?? "10.79.0.200/24";
  }

  host(name: ServerName): Host {
    return this.world.host(name);
  }

  daemon(name: ServerName): Daemon {
    const daemon = this.daemons.get(name);
    assert.ok(daemon !== undefined, `${name} runs no daemon`);
    return daemon;
  }

  async start(name: ServerName): Promise<void> {
    const { make } = this.match[name];
    this.daemons.set(name, await startDaemon(make, this.host(name), this.#configuration(name)));
  }

  /** lb1 first, so that it is the master; then lb2. */
  async startBoth(): Promise<void> {
    await this.start("lb1");
    await this.untilOwner("lb1");
    await this.start("lb2");
  }

  holds(name: ServerName, address: string = this.address): Promise<boolean> {
    return this.host(name).holds(address.split("/")[0]!);
  }

  /** `name` has the address and the other has not. */
  async untilOwner(name: ServerName, address?: string): Promise<void> {
    const other = name === "lb1" ? "lb2" : "lb1";
    await waitFor(
      async () =>
        (await this.holds(name, address)) &&
        !(this.host(other).isOn && (await this.holds(other, address))),
      TAKE_OVER_MS,
      `${name} alone to have ${address ?? this.address}`,
    );
  }

  /**
   * A master's priority 0 is on the wire, and the other server's first advert within two intervals of
   * it: silence alone takes more than two and a half.
   */
  async untilResignationAnswered(): Promise<void> {
    const answerMs = async (): Promise<number | undefined> => {
      const adverts = await this.adverts();
      const resigned = adverts.find(({ priority }) => priority === 0);
      if (resigned === undefined) return undefined;
      const { atMs, source } = resigned;
      const answer = adverts.find((a) => a.atMs > atMs && a.source !== source);
      return answer && answer.atMs - atMs;
    };
    const took = await waitFor(answerMs, TAKE_OVER_MS, "priority 0 and an answer to it");
    const most = 2000 * (this.match.advert ?? 1);
    assert.ok(took < most, `priority 0 was answered after ${took} ms`);
  }

  /** What is looked at afterwards has adverts of both, on every segment. */
  async untilAllAdvertised(): Promise<void> {
    const sources = this.match.grouped === true ? 4 : 2;
    const seen = async (): Promise<boolean> =>
      new Set((await this.adverts()).map(({ source }) => source)).size === sources;
    await waitFor(seen, TAKE_OVER_MS, `adverts from ${sources} addresses`);
  }

  /** What went over the wire so far, oldest first. */
  async adverts(): Promise<readonly SeenAdvert[]> {
    const fields = ["frame.time_epoch", "ip.src", "ipv6.src", "vrrp.prio"];
    const wanted = fields.flatMap((field) => ["-e", field]);
    const argv = [
      "tshark",
      "-n",
      "-r",
      CAPTURE,
      "-Y",
      "vrrp && !icmpv6",
      "-T",
      "fields",
      ...wanted,
    ];
    const text = await this.host(EAR).run(argv);
    return text.split("\n").flatMap((line) => {
      const [seconds, ipv4, ipv6, priority] = line.split("\t");
      if (priority === undefined) return [];
      const source = ipv4 === "" ? ipv6! : ipv4!;
      return { atMs: Number(seconds) * 1000, source, priority: Number(priority) };
    });
  }

  #configuration(name: ServerName): string {
    const { advert = 1, grouped = false } = this.match;
    const own = this.match[name];
    const { priority, lines = [], preamble = "", version = this.match.version ?? 3 } = own;
    const block = (instance: string, device: string, vrid: number, address: string): string => `
vrrp_instance ${instance} {
    version ${version}
    state BACKUP
    interface ${device}
    virtual_router_id ${vrid}
    priority ${priority}
    advert_int ${advert}
    ${lines.join("\n    ")}
    virtual_ipaddress {
        ${address}
    }
}
`;
    const globals = "global_defs {\n    enable_script_security\n    script_user root\n}\n";
    const first = globals + preamble + block("VI_1", "eth0", 51, this.address);
    if (!grouped) return first;
    const group = "vrrp_sync_group G {\n    group {\n        VI_1\n        VI_2\n    }\n}\n";
    return first + block("VI_2", "eth1", 52, "10.80.0.200/24") + group;
  }
}

/** One test: plays the match in a fresh world and lets tcpdump and tshark read what was said. */
export function playMatch(match: Match): void {
  const makes = `${match.lb1.make} ${match.lb1.priority} - ${match.lb2.make} ${match.lb2.priority}`;
  test(`${match.name} (${makes})`, async () => {
    await withWorld(worldOf(match), async (world) => {
      const capture = await startCapture(world.host(EAR));
      const field = new Field(world, match);
      await match.play(field);
      await field.untilAllAdvertised();
      capture.signal("SIGINT");
      await capture.ended;
      await checkCapture(world.host(EAR));
    });
  });
}

function worldOf(match: Match): Parameters<typeof withWorld>[0] {
  const host = (n: number): Record<string, { segment: string; address: string[] }> => ({
    eth0: { segment: "lan", address: [`10.79.0.${n}/24`, `fd79::${n}/64`] },
    ...(match.grouped === true
      ? { eth1: { segment: "wan", address: [`10.80.0.${n}/24`, `fd80::${n}/64`] } }
      : {}),
  });
  return {
    name: "match",
    segments: match.grouped === true ? ["lan", "wan"] : ["lan"],
    hosts: { client: host(50), lb1: host(11), lb2: host(12) },
  };
}

/** It is never powered off, and both servers' adverts pass it, unicast ones too. */
const EAR: ServerName = "lb2";
const CAPTURE = "/tmp/capture";

async function startCapture(host: Host): Promise<LabProcess> {
  const filter = "proto 112 or proto 51 or arp or icmp6";
  const now = ["-U", "--immediate-mode"];
  const argv = ["tcpdump", ...now, "-p", "-i", "any", "-w", CAPTURE, filter];
  const capture = await host.start(argv, { name: "tcpdump" });
  await waitFor(() => capture.log.includes("listening on"), 5000, "tcpdump");
  return capture;
}

async function checkCapture(host: Host): Promise<void> {
  const bad = "_ws.malformed || vrrp.checksum.status == 0 || ip.checksum.status == 0";
  const argv = ["tshark", "-n", "-r", CAPTURE, "-o", "ip.check_checksum:TRUE", "-Y", bad];
  assert.equal(await host.run(argv), "", "tshark finds nothing malformed");
  const text = await host.run(["tcpdump", "-n", "-vv", "-r", CAPTURE]);
  const complaints = text
    .split("\n")
    .filter((l) => /\(bad |bad (vrrp )?cksum|invalid|truncated|\[\|/.test(l));
  assert.deepEqual(complaints, [], "tcpdump finds nothing malformed");
}
