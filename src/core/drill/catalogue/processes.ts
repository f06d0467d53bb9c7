/** Processes of Nines and of what it serves: killed, hung, starved. */

import type { SiteFacts } from "../facts.ts";
import type { Command } from "../plan.ts";
import {
  afterLoss,
  masterLossMs,
  movesIfHeld,
  on,
  resignationMs,
  returnMs,
  looping,
  shell,
  SLACK_MS,
  type Built,
  type DrillKind,
} from "./drill-kind.ts";

/** A lease that is shorter is over before another process can go on in it. */
const SHORTEST_LEASE_MS = 200;

/** A fresh Node process that loads the balancer and gets its sockets. */
const WORKER_START_MS = 2000;

const nobody = (role: string): string => `no ${role} process runs on this node`;

function pidsOf({ target }: SiteFacts, role: string): readonly number[] {
  return target.roles.flatMap(({ name, pid }) => (name === role && pid !== undefined ? [pid] : []));
}

function allPids(facts: SiteFacts): readonly number[] {
  const roles = facts.target.roles.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  // The control process first: it would start the others again.
  return [facts.target.controlPid, ...roles];
}

function signal(facts: SiteFacts, name: string, pids: readonly number[]): Command {
  return on(facts, "kill", `-${name}`, ...pids.map(String));
}

/** Whoever has ended meanwhile needs no waking. */
function wake(facts: SiteFacts, pids: readonly number[]): Command {
  return shell(facts, `kill -CONT ${pids.join(" ")} 2>/dev/null; true`);
}

/** A process that its supervisor starts again: nothing is to be undone. */
function killRole(role: string, says: string, told: readonly string[], outageMs = SLACK_MS) {
  return (facts: SiteFacts): Built | string => {
    const pid = pidsOf(facts, role)[0];
    if (pid === undefined) return nobody(role);
    return {
      faults: [{ says, inject: [signal(facts, "KILL", [pid])], undo: [] }],
      expect: { holding: "stays", told },
      promise: { text: "another process takes its place", outageMs, returnOutageMs: outageMs },
      ...(role === "console" ? { cutsLine: true as const } : {}),
      ...(role === "balance" ? { radius: { takes: "worker" as const } } : {}),
    };
  };
}

/** Its successor may come in time even so: it is called at once. */
function killVrrp(facts: SiteFacts): Built | string {
  const built = killRole("vrrp", "SIGKILL to the vrrp process", [])(facts);
  if (typeof built === "string" || hasTimeInLease(facts)) return built;
  return { ...built, ...pastLease(facts), expect: { holding: "either", told: [] } };
}

function hasTimeInLease({ target }: SiteFacts): boolean {
  return target.instances.every(
    ({ state, leaseMs }) => state !== "MASTER" || leaseMs >= SHORTEST_LEASE_MS,
  );
}

/** No successor is in time: another node takes over, and the fresh process meets it. */
function pastLease(facts: SiteFacts): Pick<Built, "radius" | "expect" | "promise"> {
  return {
    radius: { takes: "node" },
    expect: { holding: movesIfHeld(facts), told: [] },
    promise: {
      text: "adverts of silence and the skew",
      outageMs: masterLossMs(facts),
      returnOutageMs: returnMs(facts),
      afterwards: "either",
    },
  };
}

function killAll(facts: SiteFacts): Built {
  const pids = allPids(facts);
  return {
    radius: { takes: "node" },
    cutsLine: true,
    faults: [
      {
        says: "every process of Nines dies; the addresses stay in the kernel, their lease runs out",
        inject: [signal(facts, "KILL", pids)],
        undo: [on(facts, ...facts.restart)],
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

function hangAll(facts: SiteFacts): Built {
  const pids = allPids(facts);
  return {
    radius: { takes: "node" },
    cutsLine: true,
    faults: [
      {
        says: "all of Nines is stopped dead; the lease of its addresses runs out in the kernel",
        inject: [signal(facts, "STOP", pids)],
        undo: [wake(facts, pids)],
      },
    ],
    expect: { holding: movesIfHeld(facts), told: [] },
    promise: {
      text: "the lease, then the skew",
      outageMs: masterLossMs(facts),
      returnOutageMs: returnMs(facts),
      afterwards: afterLoss(facts),
    },
  };
}

function hangVrrp(facts: SiteFacts): Built | string {
  const pids = pidsOf(facts, "vrrp");
  if (pids.length === 0) return nobody("vrrp");
  return {
    faults: [
      {
        says: "the vrrp process stands still; the spare goes on inside the lease",
        inject: [signal(facts, "STOP", pids)],
        undo: [wake(facts, pids)],
      },
    ],
    expect: { holding: "stays", told: ["role-hung"] },
    promise: { text: "the spare takes its place within the lease", outageMs: SLACK_MS },
    ...(hasTimeInLease(facts) ? {} : pastLease(facts)),
  };
}

function hangCheck(facts: SiteFacts): Built | string {
  const pids = pidsOf(facts, "check");
  if (pids.length === 0) return nobody("check");
  return {
    faults: [
      {
        says: "nobody asks the servers any more; what was known last counts",
        inject: [signal(facts, "STOP", pids)],
        undo: [wake(facts, pids)],
      },
    ],
    expect: { holding: "stays", told: [] },
    promise: { text: "clients notice nothing", failed: 0 },
    watchMs: 1200,
  };
}

function killControl(facts: SiteFacts): Built {
  return {
    faults: [
      {
        says: "the supervisor dies: addresses, checks and requests go on without it",
        inject: [signal(facts, "KILL", [facts.target.controlPid])],
        undo: [on(facts, ...facts.restart)],
      },
    ],
    expect: { holding: "stays", told: [] },
    promise: { text: "nothing moves and nothing fails", failed: 0 },
  };
}

function starve(facts: SiteFacts): Built {
  const pids = allPids(facts).join(" ");
  return {
    faults: [
      {
        says: "all of Nines gets a third of the processor, in slices",
        ...looping(facts, {
          name: "starve",
          begin: `kill -STOP ${pids}`,
          rest: `sleep 0.06; kill -CONT ${pids}; sleep 0.03`,
          tidy: `kill -CONT ${pids}`,
        }),
      },
    ],
    expect: { holding: "stays", told: [] },
    promise: { text: "slower, and nothing fails", failed: 0 },
    watchMs: 1200,
  };
}

function localDeath(facts: SiteFacts): Built | string {
  const program = facts.programs["local"];
  if (program === undefined) return "this node serves nothing by itself that could be ended";
  return {
    radius: { takes: "node" },
    faults: [
      {
        says: "the program behind the address dies; the check finds out and the master resigns",
        inject: [{ host: program.host, argv: program.kill }],
        undo: [{ host: program.host, argv: program.start }],
      },
    ],
    expect: { holding: movesIfHeld(facts), told: ["state-changed"] },
    promise: {
      text: "until the check looks, then at once",
      outageMs: facts.trackEveryMs + resignationMs(facts),
      returnOutageMs: returnMs(facts),
      afterwards: afterLoss(facts),
    },
  };
}

export const processDrills: readonly DrillKind[] = [
  {
    name: "kill-vrrp",
    title: "the vrrp process is killed",
    layer: "director",
    says: "kill -9. A successor reads the note on the reign and goes on as master.",
    build: killVrrp,
  },
  {
    name: "kill-check",
    title: "the check process is killed",
    layer: "director",
    says: "kill -9. Servers keep the state that was known last until a new one asks them again.",
    build: killRole("check", "SIGKILL to the check process", ["role-ended"]),
  },
  {
    name: "kill-worker",
    title: "a balance worker is killed",
    layer: "director",
    says: "kill -9. The listening sockets live on; waiting clients are served by its successor.",
    build: killRole("balance", "SIGKILL to a balance worker", ["role-ended"], WORKER_START_MS),
  },
  {
    name: "kill-console",
    title: "the console process is killed",
    layer: "director",
    says: "kill -9. Journal and page pause; addresses and requests do not notice.",
    build: killRole("console", "SIGKILL to the console process", []),
  },
  {
    name: "kill-control",
    title: "the control process is killed",
    layer: "director",
    says: "kill -9 to `nines run` itself. Everything goes on; started again, it takes over.",
    build: killControl,
  },
  {
    name: "kill-all",
    title: "all of Nines is killed",
    layer: "address",
    says: "kill -9 to every process of the node. The peer takes the addresses over.",
    build: killAll,
  },
  {
    name: "hang-vrrp",
    title: "the vrrp process hangs",
    layer: "director",
    says: "SIGSTOP. The control process sees a late advert and calls the spare.",
    build: hangVrrp,
  },
  {
    name: "hang-check",
    title: "the check process hangs",
    layer: "director",
    says: "SIGSTOP. Requests go on with what was known last; after 10 s another one asks.",
    build: hangCheck,
  },
  {
    name: "hang-all",
    title: "the daemon hangs",
    layer: "address",
    says: "SIGSTOP to all of Nines. Its lease runs out in the kernel and the peer takes over.",
    build: hangAll,
  },
  {
    name: "cpu-starvation",
    title: "Nines gets too little processor",
    layer: "director",
    says: "All of its processes are stopped for 60 of every 90 ms. Nothing moves, nothing fails.",
    build: starve,
  },
  {
    name: "service-death",
    title: "the web server stops on the master",
    layer: "address",
    says: "The node runs, but what it serves is dead: the check fails and the node resigns.",
    build: localDeath,
  },
];
