/** What is done to the master in each row of the VRRP comparison. */

import { bridge, ipBatch } from "../src/lab/command.ts";
import * as faults from "../src/lab/faults.ts";
import { pause } from "../src/lab/wait.ts";
import type { World } from "../src/lab/world.ts";
import { monotonicMs } from "../src/drivers/clock.ts";
import { median } from "./median.ts";
import type { Duel } from "./vrrp-duel.ts";

const REHEARSALS = 5;

export interface Scenario {
  readonly name: string;
  /** Breaks the master; what follows is measured from the moment before this call. */
  readonly act: (duel: Duel) => Promise<void>;
  /** Takes as long as `act` until it is in force, and changes nothing; at once where left out. */
  readonly rehearse?: (duel: Duel) => Promise<unknown>;
  /** Prepares the network; the measured fault is then `act`. */
  readonly before?: (duel: Duel) => Promise<void>;
  /** How long to watch, in master down intervals of the backup. */
  readonly watch: number;
}

/** A split that has lasted two master down intervals ends: the client must go back to lb1. */
let mend: faults.Undo | undefined;

export const scenarios: readonly Scenario[] = [
  {
    name: "crash with service",
    act: async (duel) => {
      // To find the processes takes a while: the service must not be dead in the meantime.
      duel.master.crash();
      duel.echo.kill();
    },
    watch: 1.3,
  },
  {
    name: "power off",
    act: (duel) => duel.world.powerOff("lb1"),
    rehearse: ({ world }) => ipBatch([`link set ${portOf(world)} up`], world.host("lb1").wire),
    watch: 1.3,
  },
  {
    name: "link down",
    act: async (duel) => {
      await faults.linkDown(duel.world.host("lb1"));
    },
    rehearse: ({ world }) => world.host("lb1").ip("link set eth0 up"),
    watch: 1.3,
  },
  {
    name: "silent partition",
    act: async (duel) => {
      await faults.partition(duel.world.host("lb1"));
    },
    rehearse: ({ world }) =>
      bridge(world.host("lb1").wire, "link", "set", "dev", portOf(world), "state", "3"),
    watch: 1.3,
  },
  {
    name: "graceful stop",
    act: async (duel) => {
      void duel.master.terminate();
    },
    watch: 1.3,
  },
  {
    name: "service death",
    act: async (duel) => {
      duel.echo.kill();
    },
    watch: 1.5,
  },
  {
    // The process that sends adverts; whoever watches over it (keepalived's parent process, the
    // control process of Nines) goes on.
    name: "process hang",
    act: async (duel) => {
      duel.master.hang("protocol");
    },
    watch: 2,
  },
  {
    name: "daemon hang",
    act: async (duel) => {
      duel.master.hang("all");
    },
    watch: 2,
  },
  {
    name: "partition heal",
    before: async (duel) => {
      mend = await faults.partition(duel.world.host("lb1"));
      await duel.probe.untilAnswered("lb2", 60_000);
      await pause(2 * duel.masterDownMs);
    },
    act: async () => {
      await mend?.();
    },
    rehearse: (duel) => faults.partition(duel.world.host("lb1")),
    watch: 2,
  },
];

function portOf(world: World): string {
  return world.host("lb1").interface().port;
}

/** How long the fault takes from its order to its effect, ms. */
export async function leadOf(scenario: Scenario, duel: Duel): Promise<number> {
  if (scenario.rehearse === undefined) return 0;
  const took: number[] = [];
  for (let i = 0; i < REHEARSALS; i++) {
    const beganMs = monotonicMs();
    await scenario.rehearse(duel);
    took.push(monotonicMs() - beganMs);
  }
  return median(took);
}
