/**
 * The demo's story: which drills of the catalogue it shows, in which configuration, in which order.
 * What is done, what is promised and how that is seen stands in the catalogue and nowhere else.
 */

import type { Variant } from "./stage.ts";

export interface Act {
  /** Of the catalogue. */
  readonly drill: string;
  /** What this configuration makes of it; the drill's own by default. */
  readonly title?: string;
  readonly says?: string;
}

/** Two servers with an address: the classic lesson, chapter by chapter. */
export interface StageAct extends Act {
  readonly variant: Variant;
}

/** Two directors and three web servers. */
export interface FarmAct extends Act {
  readonly server?: string;
  /** Its share of the answers is shown while it comes back. */
  readonly showsShare?: true;
}

const plain: Variant = {};
const careful: Variant = { unicast: true, witness: true };
const nopreempt: Variant = { nopreempt: true };

export const stageActs: readonly StageAct[] = [
  { drill: "service-death", variant: plain },
  {
    drill: "power-off",
    title: "the master loses power, comes back and preempts",
    variant: plain,
  },
  { drill: "link-down", variant: plain },
  {
    drill: "multicast-blocked",
    title: "multicast is blocked: split brain",
    says: "Each server thinks that the other is dead; both answer, and both say so.",
    variant: plain,
  },
  { drill: "hang-all", variant: plain },
  {
    drill: "multicast-blocked",
    title: "multicast is blocked, unicast is used",
    says: "The same filter, but the servers send their adverts to each other's address.",
    variant: careful,
  },
  {
    drill: "partition",
    title: "the master is cut off, with a referee",
    says: "server01 no longer reaches the witness: it gives the address up by itself.",
    variant: careful,
  },
  {
    drill: "power-off",
    title: "it comes back with nopreempt",
    says: "The same power cut, both servers with `nopreempt`: who has the address keeps it.",
    variant: nopreempt,
  },
];

export const farmActs: readonly FarmAct[] = [
  { drill: "backend-killed", server: "web/web1" },
  { drill: "backend-frozen", server: "web/web2" },
  {
    drill: "backend-drained",
    title: "a web server is drained, and returns slowly",
    server: "web/web3",
    showsShare: true,
  },
  { drill: "power-off", title: "the director itself loses power" },
];
