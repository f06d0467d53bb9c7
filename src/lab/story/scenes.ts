/**
 * The second half of the story: web servers die, freeze and leave behind two directors, and a
 * user of the service sees nothing of it.
 *
 * Times come from `samples/demo/nines.yaml`: checks every 300 ms that may take 250 ms, two bad ones
 * take a server out; adverts every 500 ms, priorities 254 and 253.
 */

import { pause } from "../wait.ts";
import type { DirectorName, Farm, WebName } from "./farm.ts";

const SLACK_MS = 400;
/** 3 adverts of 500 ms, and a skew of (256-253)/256 of one. */
const MASTER_DOWN_MS = 1506;
const WATCH_MS = 1000;

/** What a scene can show while it goes on. */
export interface Show {
  readonly say: (line: string) => void;
  /** What Nines said since, and `nines pool` on the director with the address. */
  readonly pool: () => Promise<void>;
  /** From now on, until the scene ends: this server's share of the answers. */
  readonly watchShare: (name: WebName) => void;
}

export interface Scene {
  readonly title: string;
  /** What is done and what happens, in plain words. */
  readonly says: string;
  /** Breaks, shows and repairs; a client asks all the time. */
  readonly play: (farm: Farm, show: Show) => Promise<void>;
  /** After the client has gone. */
  readonly after?: (farm: Farm) => Promise<void>;
  /** Whose reason is the one that the table shows. */
  readonly told: string;
  readonly promise: {
    readonly text: string;
    /** Absent: not one request may fail. */
    readonly longestOutageMs?: number;
    /** Who must have the address at the end. */
    readonly owner: DirectorName;
  };
}

const noneFails = { text: "0 failed requests", owner: "lb1" } as const;

export const scenes: readonly Scene[] = [
  {
    title: "a web server is killed",
    says:
      "kill -9 on web1. Requests that it had or would have got are tried again on another\n" +
      "   server, two failed checks take it out; started again, two good ones take it back.",
    play: async (farm, show) => {
      await farm.killWeb("web1");
      await farm.untilState("web1", "down");
      await pause(WATCH_MS);
      await show.pool();
      await farm.startWeb("web1");
      await farm.untilState("web1", "up");
      await pause(WATCH_MS);
    },
    told: "server-down",
    promise: noneFails,
  },
  {
    title: "a web server freezes",
    says:
      "SIGSTOP on web2: connections still open, answers never come. When the checks run out of\n" +
      "   time it is down, and whoever waits for it is served by another.",
    play: async (farm, show) => {
      farm.freezeWeb("web2");
      await farm.untilState("web2", "down");
      await pause(WATCH_MS);
      await show.pool();
      farm.resumeWeb("web2");
      await farm.untilState("web2", "up");
      await pause(WATCH_MS);
    },
    told: "server-down",
    promise: noneFails,
  },
  {
    title: "a web server is drained for an upgrade",
    says:
      "nines backend drain web/web3: what it has begun it finishes, nothing new comes. Then it is\n" +
      "   stopped, replaced and started, and nobody asks it anything yet.",
    play: async (farm, show) => {
      await farm.order("drain", "web/web3", "--reason", "upgrade", "--wait");
      await show.pool();
      await farm.killWeb("web3");
      await pause(WATCH_MS);
      await farm.startWeb("web3");
      await pause(WATCH_MS);
    },
    told: "server-drained",
    promise: noneFails,
  },
  {
    title: "it returns with slow start",
    says:
      "nines backend ready web/web3: its caches are cold, so its share grows from a tenth of its\n" +
      "   weight to all of it within 4 s.",
    play: async (farm, show) => {
      show.watchShare("web3");
      await farm.order("ready", "web/web3");
      await show.pool();
      await farm.untilWhole("web3");
      await pause(WATCH_MS);
    },
    told: "server-ready",
    promise: noneFails,
  },
  {
    title: "the director itself loses power",
    says:
      "lb1 is gone, with every connection through it. lb2 takes the address over and balances on:\n" +
      "   it has the same file and has checked the same servers all the time.",
    play: async (farm, show) => {
      await farm.world.powerOff("lb1");
      await farm.untilHolds("lb2");
      await pause(WATCH_MS);
      await show.pool();
    },
    after: async (farm) => {
      await farm.startDirector("lb1");
      await farm.untilHolds("lb1");
    },
    told: "state-changed",
    promise: {
      text: "3 adverts of silence and the skew: 1.5 s",
      longestOutageMs: MASTER_DOWN_MS + SLACK_MS,
      owner: "lb2",
    },
  },
];
