/** What every part of the console gets, and what a part is. */

import type { RunDirectory } from "../daemon/run-directory.ts";
import type { Action } from "./actions.ts";
import type { ActionName } from "./api.ts";
import type { ControlWatch } from "./control-watch.ts";
import type { DrillDoor } from "./drill-door.ts";
import type { Journal } from "./journal.ts";
import type { LedgerDesk, Neighbour } from "./ledger-news.ts";
import type { Measures } from "./measure.ts";
import type { Exhibits } from "./overview.ts";
import type { RecordFeed } from "./record-feed.ts";
import type { Route } from "./routes.ts";

export interface ConsoleCore {
  readonly directory: RunDirectory;
  readonly stateDirectory: string;
  /** Name of this node. */
  readonly node: () => string;
  /** `say` something, `find` records, `listen` to each batch, `onOpen` for tables of one's own. */
  readonly journal: Journal;
  /** The journal as a stream that can be resumed. */
  readonly feed: RecordFeed;
  /** `listen` to each span that was measured, `find` older ones, `add` those of probes. */
  readonly measures: Measures;
  /** `service`: the configuration in force; `client`: asks control for status, orders, metrics. */
  readonly control: ControlWatch;
  /** Everything that runs by now, in the order of the list. */
  readonly parts: () => readonly RunningPart[];
}

/** A part that fails to start is told in the journal; the others go on. */
export interface ConsolePart {
  /** For that sentence: "the page". */
  readonly name: string;
  start(core: ConsoleCore): RunningPart | Promise<RunningPart>;
}

export interface RunningPart {
  /** Served beside the page's own, by the same rules of access; see `routes.ts`. */
  readonly routes?: readonly Route[];
  /** Orders that it carries out, by their names; previewed, confirmed and audited like all others. */
  readonly actions?: Partial<Readonly<Record<ActionName, Action>>>;
  /** Drills that other nodes of the group ask for on this one. */
  readonly errands?: Pick<DrillDoor, "open" | "outcome">;
  /** What it has to show on the first screen; asked for about once a second. */
  exhibits?(): Partial<Exhibits>;
  /** Further rows of `/metrics`: whole lines of the text exposition format. */
  metricLines?(): string;
  /** The other nodes as far as their ledgers are known; of the part that talks to them. */
  neighbours?(): readonly Neighbour[];
  /** What other nodes may ask of this node's ledger; of the part that has it. */
  readonly ledger?: LedgerDesk;
  /** Also after every change of the configuration in force (`core.control.service`). */
  configured?(): void;
  close(): void | Promise<void>;
}
