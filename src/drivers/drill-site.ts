/** Where a drill takes place: the border between who conducts it and the lab or a real node. */

import type { SiteFacts, View } from "../core/drill/facts.ts";
import type { Command } from "../core/drill/plan.ts";
import type { ProbeRecord } from "../core/drill/probe-record.ts";
import type { WorkLoss } from "../core/probe/write-book.ts";
import type { ProbeCount, Told } from "../core/drill/run.ts";
import type { DrillLine } from "./drill-files.ts";

/** A client at work. */
export interface SiteProbe {
  count(): ProbeCount;
  /** Asks no more; resolves when everybody has been answered or has lost patience. */
  stop(): Promise<ProbeRecord>;
}

export interface SiteEvent extends Told {
  /** Unix ms by the clock of the node that told it. */
  readonly wallMs: number;
  /** Instance, `pool/server` ...; empty: the node. */
  readonly subject: string;
  readonly from?: string;
}

export interface Written {
  readonly acknowledged: number;
  readonly lost: number;
  /** The longest span of acknowledged work that is gone. */
  readonly worst?: WorkLoss;
}

/** Writes that a client has been promised, and which of them are still there. */
export interface WriteProbe {
  stop(): Promise<Written>;
}

export interface DrillSite {
  /** For records: a node's name, or the lab's world. */
  readonly name: string;
  /** Where the drill in progress and the results are kept, as this process sees it. */
  readonly runDirectory: string;
  readonly stateDirectory: string;
  /** Keeps what happened; a disk that takes nothing stops no drill. */
  record(line: DrillLine): void;
  /** Rejects when the target does not answer. */
  facts(): Promise<SiteFacts>;
  /** What can be seen now; a node that does not answer within a moment is missing. */
  look(): Promise<View>;
  /** The words that run it from here. */
  wrap(command: Command): readonly string[];
  /** What no program does (`Command.bySite`). */
  bySite(command: Command): Promise<void>;
  /** Undefined: nobody asks for the service here. */
  startProbe(patienceMs: number): Promise<SiteProbe | undefined>;
  /** Undefined: nobody writes, so nothing is said of lost writes. */
  startWrites(): WriteProbe | undefined;
  /** Events since the last call, of every node that answers. */
  events(): Promise<readonly SiteEvent[]>;
  /** What its machine's host has taken of the CPUs so far, ms; absent: no promise gives way to that. */
  stolenMs?(): number;
}
