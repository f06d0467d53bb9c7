/** The node itself: its power, disk and clock, and what its operators do to it. */

import { isMaster, type SiteFacts } from "../facts.ts";
import {
  afterLoss,
  masterLossMs,
  movesIfHeld,
  nines,
  on,
  resignationMs,
  returnMs,
  looping,
  shell,
  type Built,
  type DrillKind,
} from "./drill-kind.ts";

function powerOff(facts: SiteFacts): Built {
  const { name } = facts.target;
  return {
    radius: { takes: "node" },
    cutsLine: true,
    danger: "this takes the power away: what is not on the disk is lost, and nobody switches it on",
    faults: [
      {
        says: "every process ends at once and the network card is gone",
        inject: [{ ...shell(facts, "echo b > /proc/sysrq-trigger"), bySite: true }],
        undo: [{ host: name, argv: ["power-on", name], bySite: true }],
      },
    ],
    expect: { holding: movesIfHeld(facts), told: [] },
    promise: {
      text: "adverts of silence and the skew",
      outageMs: masterLossMs(facts),
      returnOutageMs: returnMs(facts),
      afterwards: afterLoss(facts),
    },
  };
}

function diskFull(facts: SiteFacts): Built {
  const fill = `${facts.stateDirectory}/drill.fill`;
  const room = `$(df --output=avail -B1 ${facts.stateDirectory} | tail -n 1)`;
  const rest = `dd if=/dev/zero of=${fill} bs=4k oflag=append conv=notrunc 2>/dev/null`;
  return {
    ...(facts.ownDisk
      ? {}
      : { danger: "the state directory shares its file system with others: all of them get full" }),
    faults: [
      {
        says: "not a byte is left where Nines keeps its state",
        inject: [shell(facts, `fallocate -l "${room}" ${fill} 2>/dev/null; ${rest}; true`)],
        undo: [on(facts, "rm", "-f", fill)],
      },
    ],
    expect: { holding: "stays", told: [] },
    promise: { text: "nothing moves and nothing fails", failed: 0 },
    watchMs: 1500,
  };
}

function diskSlow(facts: SiteFacts): Built | string {
  if (!facts.ownDisk) {
    return "the state directory is not a file system of its own: freezing / would stop the host";
  }
  const { stateDirectory: path } = facts;
  return {
    faults: [
      {
        says: "every write waits for up to 0.9 s",
        ...looping(facts, {
          name: "disk",
          begin: `fsfreeze -f ${path}`,
          rest: `sleep 0.9; fsfreeze -u ${path}; sleep 0.1`,
          tidy: `fsfreeze -u ${path}`,
        }),
      },
    ],
    expect: { holding: "stays", told: [] },
    promise: { text: "adverts and requests wait for no disk", failed: 0 },
    watchMs: 1500,
  };
}

function clockStep(facts: SiteFacts): Built | string {
  const { clock } = facts;
  if (clock === "shared") return "this host shares its clock with others (libfaketime is missing)";
  const common = {
    expect: { holding: "stays" as const, told: [] },
    promise: { text: "no decision depends on the time of day", failed: 0 },
    watchMs: 1500,
  };
  if (clock !== "host") {
    return {
      ...common,
      faults: [
        {
          says: "the clock of Nines jumps an hour ahead (libfaketime)",
          inject: [shell(facts, `echo +3600 > ${clock.file}`)],
          undo: [shell(facts, `echo +0 > ${clock.file}`)],
        },
      ],
    };
  }
  return {
    ...common,
    danger: "this steps the clock of the whole host; it is set from the hardware clock afterwards",
    faults: [
      {
        says: "the clock jumps an hour ahead",
        inject: [on(facts, "hwclock", "--systohc"), on(facts, "date", "--set=1 hour")],
        undo: [on(facts, "hwclock", "--hctosys")],
      },
    ],
  };
}

function wrongConfiguration(facts: SiteFacts): Built {
  const { configuration: file } = facts;
  const kept = `${file}.before-drill`;
  return {
    faults: [
      {
        says: "a file with a mistake takes the place of the configuration, and a reload is asked for",
        inject: [
          on(facts, "cp", "-p", file, kept),
          shell(facts, `echo 'no_such_word: {{{' >> ${file}`),
          { ...nines(facts, "reload"), argv: refusable(nines(facts, "reload").argv) },
        ],
        undo: [shell(facts, `[ ! -f ${kept} ] || mv ${kept} ${file}`), nines(facts, "reload")],
      },
    ],
    expect: { holding: "stays", told: ["configuration-refused"] },
    promise: { text: "refused, and the old one goes on", failed: 0 },
  };
}

/** Its refusal is what is wanted. */
function refusable(argv: readonly string[]): readonly string[] {
  return ["sh", "-c", '"$@" >/dev/null 2>&1; true', "sh", ...argv];
}

function handover(facts: SiteFacts): Built | string {
  if (!isMaster(facts.target)) return "this node has no address to hand over";
  const held = facts.target.instances.filter(({ state }) => state === "MASTER");
  const [taker] = facts.others;
  const back = taker === undefined ? [] : held.map(({ name }) => nines(facts, "handover", name));
  return {
    radius: { takes: "node" },
    faults: [
      {
        says: "the master hands its addresses over, when everybody in the house has been served",
        inject: held.map(({ name }) => nines(facts, "handover", name)),
        undo: back.map((command) => ({ ...command, host: taker!.name })),
      },
    ],
    isPlanned: true,
    expect: { holding: "moves", told: ["state-changed"] },
    promise: {
      text: "a planned switch: no request fails",
      outageMs: Math.max(returnMs(facts), resignationMs(facts)),
      returnOutageMs: returnMs(facts),
      failed: 0,
      afterwards: taker === undefined ? "stays-away" : "returns",
    },
  };
}

function workerUpgrade(facts: SiteFacts): Built | string {
  if (!facts.target.roles.some(({ name }) => name === "balance")) return "this node has no workers";
  return {
    faults: [
      {
        says: "fresh workers of the program on disk take the place of the old ones",
        inject: [nines(facts, "upgrade")],
        undo: [],
      },
    ],
    expect: { holding: "stays", told: [] },
    promise: { text: "no connection is lost", failed: 0 },
  };
}

export const nodeDrills: readonly DrillKind[] = [
  {
    name: "power-off",
    title: "the master loses power",
    layer: "address",
    says: "Every process ends at once and the network card is gone. Then it comes back.",
    build: powerOff,
  },
  {
    name: "disk-full",
    title: "the disk is full",
    layer: "node",
    says: "Nothing can be written where Nines keeps its state: nobody waits for that.",
    build: diskFull,
  },
  {
    name: "disk-slow",
    title: "the disk is slow",
    layer: "node",
    says: "Writes take up to 0.9 s (the file system is frozen nine tenths of the time).",
    build: diskSlow,
  },
  {
    name: "clock-step",
    title: "the clock jumps",
    layer: "node",
    says: "An hour ahead and back: leases and adverts live on the monotonic clock.",
    build: clockStep,
  },
  {
    name: "wrong-configuration",
    title: "a wrong configuration is pushed",
    layer: "director",
    says: "A reload with a mistake in the file must change nothing.",
    build: wrongConfiguration,
  },
  {
    name: "handover",
    title: "a planned handover, there and back",
    layer: "address",
    says: "nines handover: clients are served to the end, and nobody sees a failure.",
    build: handover,
  },
  {
    name: "worker-upgrade",
    title: "the balancer is upgraded",
    layer: "director",
    says: "nines upgrade: fresh processes, the same sockets, every connection finished.",
    build: workerUpgrade,
  },
];
