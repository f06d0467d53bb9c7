/** The target's network: gone, cut in both directions or in one, lossy, narrow. */

import { isMaster, type SiteFacts } from "../facts.ts";
import type { Fault } from "../plan.ts";
import {
  afterLoss,
  deafnessMs,
  filter,
  linkOf,
  masterLossMs,
  movesIfHeld,
  on,
  returnMs,
  shell,
  TABLE_WORD,
  type Built,
  type DrillKind,
} from "./drill-kind.ts";

const NO_LINK = "nobody knows on which interface its addresses are";

type Direction = "in" | "out";

/** Loses what matches, in these directions, at the very edge of the interface. */
function lose(facts: SiteFacts, says: string, what: Partial<Record<Direction, readonly string[]>>) {
  const link = linkOf(facts);
  if (link === undefined) return undefined;
  const lines = Object.entries(what).flatMap(([direction, matches]) => {
    const hook = direction === "in" ? "ingress" : "egress";
    const chain = `${TABLE_WORD} ${direction}`;
    return [
      `add chain ${chain} { type filter hook ${hook} device "${link}" priority 0; }`,
      ...matches.map((match) => `add rule ${chain} ${match} drop`.replaceAll("  ", " ")),
    ];
  });
  return { says, ...filter(facts, "netdev", lines) } satisfies Fault;
}

/** The same by the site's switch: `partition` or `no-multicast`. */
function loseAtSwitch({ target }: SiteFacts, says: string, what: string): Fault {
  const order = (word: string): Fault["inject"][number] => {
    return { host: target.name, argv: ["switch", word], bySite: true };
  };
  return { says, inject: [order(what)], undo: [order("whole")] };
}

function lossOfNode(facts: SiteFacts, fault: Fault | undefined): Built | string {
  if (fault === undefined) return NO_LINK;
  const knows = facts.target.instances.every(({ hasWitness }) => hasWitness);
  return {
    radius: { takes: "node" },
    cutsLine: true,
    faults: [fault],
    // Without a witness a node that nobody reaches cannot know it, and nobody is harmed by that.
    expect: { holding: isMaster(facts.target) ? (knows ? "moves" : "taken") : "either", told: [] },
    promise: {
      text: knows ? "who reaches no witness lets go by itself" : "adverts of silence and the skew",
      outageMs: masterLossMs(facts),
      returnOutageMs: returnMs(facts),
      afterwards: afterLoss(facts, !knows),
    },
    watchMs: 1000,
  };
}

function linkDown(facts: SiteFacts): Built | string {
  const link = linkOf(facts);
  if (link === undefined) return NO_LINK;
  const restore = facts.links.find((one) => one.interface === link)?.restore ?? [];
  const fault = {
    says: `${link} is switched off; the node sees that it has no network and lets go`,
    inject: [on(facts, "ip", "link", "set", "dev", link, "down")],
    undo: [
      on(facts, "ip", "link", "set", "dev", link, "up"),
      ...restore.map((argv) => on(facts, ...argv)),
    ],
  };
  const built = lossOfNode(facts, fault);
  if (typeof built === "string") return built;
  return {
    ...built,
    expect: { holding: movesIfHeld(facts), told: ["state-changed"] },
    promise: {
      ...built.promise,
      text: "adverts of silence and the skew",
      afterwards: afterLoss(facts),
    },
  };
}

function partition(facts: SiteFacts): Built | string {
  const says = "nothing gets in or out";
  if (facts.hasSwitch === true) return lossOfNode(facts, loseAtSwitch(facts, says, "partition"));
  return lossOfNode(facts, lose(facts, says, { in: [""], out: [""] }));
}

function mute(facts: SiteFacts): Built | string {
  const fault = lose(facts, "nothing gets out; what comes in is heard", { out: [""] });
  return lossOfNode(facts, fault);
}

function deaf(facts: SiteFacts): Built | string {
  if (!facts.target.instances.every(({ hasWitness }) => hasWitness)) {
    return "a deaf master goes on sending adverts: only a `witness` tells it that it is deaf";
  }
  const built = lossOfNode(
    facts,
    lose(facts, "nothing gets in; adverts still go out", { in: [""] }),
  );
  if (typeof built === "string") return built;
  return { ...built, promise: { ...built.promise, outageMs: deafnessMs(facts) } };
}

const MULTICAST = ["ip daddr 224.0.0.18", "ip6 daddr ff02::12"];

function multicastBlocked(facts: SiteFacts): Built | string {
  const says = "adverts to the group are lost";
  const fault =
    facts.hasSwitch === true
      ? loseAtSwitch(facts, says, "no-multicast")
      : lose(facts, says, { in: MULTICAST, out: MULTICAST });
  if (fault === undefined) return NO_LINK;
  if (facts.target.instances.length === 0) return "this node sends no adverts";
  const lossMs = masterLossMs(facts);
  if (facts.target.instances.every(({ isUnicast }) => isUnicast)) {
    return {
      faults: [fault],
      expect: { holding: "stays", told: [] },
      promise: { text: "nothing happens: adverts go from address to address" },
      watchMs: lossMs + 1000,
    };
  }
  return {
    faults: [fault],
    expect: {
      holding: isMaster(facts.target) ? "taken" : "either",
      told: ["split-brain-found", "state-changed"],
    },
    promise: {
      text: "two owners - who notice and say so, and clients are served",
      outageMs: lossMs,
      returnOutageMs: returnMs(facts),
      afterwards: afterLoss(facts, true),
    },
    watchMs: 1000,
  };
}

function packetLoss(facts: SiteFacts): Built | string {
  const some = ["numgen random mod 100 < 3"];
  const fault = lose(facts, "3 of 100 packets are lost, each way", { in: some, out: some });
  if (fault === undefined) return NO_LINK;
  return {
    faults: [fault],
    expect: { holding: "stays", told: [] },
    promise: { text: "slower, and nothing fails", failed: 0 },
    watchMs: 1500,
  };
}

function bandwidth(facts: SiteFacts): Built | string {
  const link = linkOf(facts);
  if (link === undefined) return NO_LINK;
  if (facts.links.some((one) => one.interface === link && one.isShaped)) {
    return `${link} has a queue that somebody has set (tc qdisc show dev ${link}): it would be lost`;
  }
  const shape = "root tbf rate 2mbit burst 16kb latency 400ms".split(" ");
  return {
    faults: [
      {
        says: "the node sends no more than 2 Mbit/s",
        inject: [on(facts, "tc", "qdisc", "replace", "dev", link, ...shape)],
        undo: [shell(facts, `tc qdisc del dev ${link} root 2>/dev/null; true`)],
      },
    ],
    expect: { holding: "stays", told: [] },
    promise: { text: "adverts get through, and nothing fails", failed: 0 },
    watchMs: 1200,
  };
}

function arpLost(facts: SiteFacts): Built | string {
  const arp = ["ether type arp"];
  const fault = lose(facts, "ARP is lost; neighbours live on what they remember", {
    in: arp,
    out: arp,
  });
  if (fault === undefined) return NO_LINK;
  return {
    faults: [fault],
    expect: { holding: "stays", told: [] },
    promise: { text: "who has asked once goes on being served" },
    watchMs: 1200,
  };
}

export const networkDrills: readonly DrillKind[] = [
  {
    name: "link-down",
    title: "the master's network is cut",
    layer: "address",
    says: "ip link set down: the node runs on, but nobody can reach it, and it knows.",
    build: linkDown,
  },
  {
    name: "partition",
    title: "the master is cut off",
    layer: "network",
    says: "Nothing passes in either direction, and the carrier stays: nobody is told.",
    build: partition,
  },
  {
    name: "mute",
    title: "the master is heard no more",
    layer: "network",
    says: "One-way partition: what it sends is lost, what is sent to it arrives.",
    build: mute,
  },
  {
    name: "deaf",
    title: "the master hears nothing",
    layer: "network",
    says: "One-way partition: adverts go out and no request comes in. Its witness tells it.",
    build: deaf,
  },
  {
    name: "multicast-blocked",
    title: "multicast is blocked",
    layer: "network",
    says: "Adverts to 224.0.0.18 and ff02::12 are lost, everything else passes.",
    build: multicastBlocked,
  },
  {
    name: "packet-loss",
    title: "packets are lost",
    layer: "network",
    says: "3 % loss in each direction: no false failover, no failed request.",
    build: packetLoss,
  },
  {
    name: "bandwidth",
    title: "the network is narrow",
    layer: "network",
    says: "2 Mbit/s in a queue of 400 ms: adverts arrive in time all the same.",
    build: bandwidth,
  },
  {
    name: "arp-lost",
    title: "ARP is lost",
    layer: "network",
    says: "Neither questions nor answers pass; existing neighbours are served on.",
    build: arpLost,
  },
];
