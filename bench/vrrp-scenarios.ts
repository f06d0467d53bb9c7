/** What is done to the master in each row of the VRRP comparison. */

import * as faults from "../src/lab/faults.ts";
import { pause } from "../src/lab/wait.ts";
import type { Duel } from "./vrrp-duel.ts";

export interface Scenario {
  readonly name: string;
  /** Breaks the master; what follows is measured from the moment before this call. */
  readonly act: (duel: Duel) => Promise<void>;
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
  { name: "power off", act: (duel) => duel.world.powerOff("lb1"), watch: 1.3 },
  {
    name: "link down",
    act: async (duel) => {
      await faults.linkDown(duel.world.host("lb1"));
    },
    watch: 1.3,
  },
  {
    name: "silent partition",
    act: async (duel) => {
      await faults.partition(duel.world.host("lb1"));
    },
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
    watch: 2,
  },
];
