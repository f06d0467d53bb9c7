/**
 * The lesson's experiments: what is broken, what was promised, and how one sees that it was kept.
 *
 * Promises are computed from the configuration: adverts every second, priorities 150 and 100, the
 * check script every 3 s. A machine that is busy with both servers, the client and the switch at
 * once gets some slack on top.
 */

import * as faults from "../faults.ts";
import { VIRTUAL_ADDRESS, type ServerName, type Stage, type Variant } from "./stage.ts";

const SLACK_MS = 400;
/** 3 adverts of 1 s, and a skew of (256-100)/256 s. */
const MASTER_DOWN_MS = 3609;
/** A resignation is answered after an eighth of the skew and up to 10 ms. */
const AFTER_RESIGNATION_MS = 86;
const CHECK_INTERVAL_MS = 3000;

export interface Experiment {
  readonly title: string;
  /** What is done, in plain words. */
  readonly says: string;
  readonly variant: Variant;
  /** Sets the scene; what happens here is not counted. */
  readonly before?: (stage: Stage) => Promise<void>;
  /** Breaks something; resolves to what repairs it. */
  readonly act: (stage: Stage) => Promise<faults.Undo>;
  /** Resolves when the consequence is there to be seen. */
  readonly until: (stage: Stage) => Promise<void>;
  /** How long to go on watching after that. */
  readonly watchMs: number;
  readonly promise: {
    readonly text: string;
    readonly longestOutageMs: number;
    /** Who must answer at the end; absent: whoever the client's ARP cache names. */
    readonly taker?: ServerName;
  };
  /** More than an outage to look at; returns what is wrong, or undefined. */
  readonly check?: (stage: Stage) => Promise<string | undefined>;
}

const withoutServer01 = async (stage: Stage): Promise<void> => {
  await stage.world.powerOff("server01");
  await stage.untilHolds("server03");
};

const nothingToRepair: faults.Undo = async () => {};

const oneOwner = async (stage: Stage, name: ServerName): Promise<string | undefined> => {
  const owners = await stage.owners();
  if (owners.length === 1 && owners[0] === name) return undefined;
  return `the address is on ${owners.join(" and ") || "nobody"}, not on ${name} alone`;
};

export const experiments: readonly Experiment[] = [
  {
    title: "the web server stops on the master",
    says: "server01 runs, but its web server is gone: the check script fails and server01 resigns.",
    variant: {},
    act: async (stage) => {
      await stage.stopWeb("server01");
      return () => stage.startWeb("server01");
    },
    until: (stage) => stage.untilHolds("server03"),
    watchMs: 1000,
    promise: {
      text: "the check's 3 s, then at once",
      longestOutageMs: CHECK_INTERVAL_MS + AFTER_RESIGNATION_MS + SLACK_MS,
      taker: "server03",
    },
    check: (stage) => oneOwner(stage, "server03"),
  },
  {
    title: "the master loses power",
    says: "Every process of server01 ends at once and its network card is gone.",
    variant: {},
    act: async (stage) => {
      await stage.world.powerOff("server01");
      return () => stage.start("server01");
    },
    until: (stage) => stage.untilHolds("server03"),
    watchMs: 1000,
    promise: {
      text: "3 adverts of silence and the skew: 3.6 s",
      longestOutageMs: MASTER_DOWN_MS + SLACK_MS,
      taker: "server03",
    },
    check: (stage) => oneOwner(stage, "server03"),
  },
  {
    title: "it comes back and preempts",
    says: "server01 is switched on again. It has the better priority and takes the address back.",
    variant: {},
    before: withoutServer01,
    act: async (stage) => {
      await stage.start("server01");
      return nothingToRepair;
    },
    until: (stage) => stage.untilHolds("server01"),
    watchMs: 1000,
    promise: {
      text: "a planned switch: next to nothing",
      longestOutageMs: SLACK_MS,
      taker: "server01",
    },
    check: (stage) => oneOwner(stage, "server01"),
  },
  {
    title: "the master's network is cut",
    says: "`service network stop` on server01: it runs on, but nobody can reach it.",
    variant: {},
    act: (stage) => faults.linkDown(stage.host("server01")),
    until: (stage) => stage.untilHolds("server03"),
    watchMs: 1000,
    promise: {
      text: "3.6 s, and server01 itself gives the address up",
      longestOutageMs: MASTER_DOWN_MS + SLACK_MS,
      taker: "server03",
    },
    check: (stage) => oneOwner(stage, "server03"),
  },
  {
    title: "it comes back with nopreempt",
    says: "The same return, both servers with `nopreempt`: who has the address keeps it.",
    variant: { nopreempt: true },
    before: withoutServer01,
    act: async (stage) => {
      await stage.start("server01");
      await stage.untilState("server01", "BACKUP");
      return nothingToRepair;
    },
    until: async () => {},
    watchMs: MASTER_DOWN_MS + 1000,
    promise: { text: "no switch at all", longestOutageMs: SLACK_MS, taker: "server03" },
    check: (stage) => oneOwner(stage, "server03"),
  },
  {
    title: "multicast is blocked: split brain",
    says: "The switch drops 224.0.0.18. Each server thinks that the other is dead; both answer.",
    variant: {},
    act: (stage) => faults.noMulticast(stage.world),
    until: (stage) => stage.untilHolds("server03"),
    watchMs: 3000,
    promise: {
      text: "it happens - and both servers notice and say so",
      longestOutageMs: MASTER_DOWN_MS + SLACK_MS,
    },
    check: async (stage) => {
      const told = await Promise.all(
        (["server01", "server03"] as const).map(async (name) =>
          (await stage.nines(name).events()).some((e) => e.kind === "split-brain-found"),
        ),
      );
      return told.some(Boolean) ? undefined : "no server noticed the split brain";
    },
  },
  {
    title: "multicast is blocked, unicast is used",
    says: "The same switch, but the servers send their adverts to each other's address.",
    variant: { unicast: true },
    act: (stage) => faults.noMulticast(stage.world),
    until: async () => {},
    watchMs: MASTER_DOWN_MS + 2000,
    promise: { text: "nothing happens", longestOutageMs: SLACK_MS, taker: "server01" },
    check: (stage) => oneOwner(stage, "server01"),
  },
  {
    title: "the master is cut off, with a referee",
    says: `server01 no longer reaches the witness: it gives ${VIRTUAL_ADDRESS} up by itself.`,
    variant: { witness: true },
    act: (stage) => faults.partition(stage.host("server01")),
    until: (stage) => stage.untilHolds("server03"),
    watchMs: 2500,
    promise: {
      text: "3.6 s, and never two owners",
      longestOutageMs: MASTER_DOWN_MS + SLACK_MS,
      taker: "server03",
    },
    check: (stage) => oneOwner(stage, "server03"),
  },
  {
    title: "the daemon hangs",
    says: "Nines on server01 is stopped dead (SIGSTOP). Its lease runs out in the kernel.",
    variant: {},
    act: async (stage) => {
      stage.hang("server01");
      return async () => stage.resume("server01");
    },
    until: (stage) => stage.untilHolds("server03"),
    watchMs: 1000,
    promise: {
      text: "the lease of 3 s, then the skew",
      longestOutageMs: MASTER_DOWN_MS + SLACK_MS,
      taker: "server03",
    },
  },
];
