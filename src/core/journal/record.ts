/**
 * Rules of this folder: what one node remembers, and how several memories become one story. It knows
 * neither files nor sockets, and no clock but the ones that records carry.
 */

/** One line of a node's journal: something that was decided or seen, with its reason. */
export interface JournalRecord extends RecordDraft {
  /** Name of the node that wrote it. */
  readonly node: string;
  /** Of this node's journal, from 1. Where numbers are missing, a record of kind `gap` says why. */
  readonly seq: number;
  /** One life of that machine: monotonic times of two lives say nothing about each other. */
  readonly boot: string;
  /**
   * The last number known here of each other node's journal, when this was written; only what is
   * new since the record before. Whatever these journals hold up to there happened earlier.
   */
  readonly seen?: Readonly<Record<string, number>>;
}

/** What whoever tells it says; the journal adds the rest. */
export interface RecordDraft {
  /** Unix ms, by the node's own clock: it may step, and differ from other nodes'. */
  readonly wallMs: number;
  /** CLOCK_MONOTONIC of the node, ms. */
  readonly monoMs: number;
  readonly source: RecordSource;
  readonly level: "info" | "warning" | "error";
  /** `state-changed`, `server-down`, `role-ended`, `incident-opened`, ... */
  readonly kind: string;
  /** Instance, `pool/server`, pool, frontend, service, drill; empty: the node itself. */
  readonly subject: string;
  /** One sentence, made by whoever decided. */
  readonly reason: string;
  /** `from`, `to`, `peer`, `priority`, `who`: small plain data. */
  readonly data?: Readonly<Record<string, unknown>>;
}

export type RecordSource =
  | "vrrp"
  | "check"
  | "balance"
  | "control"
  | "console"
  | "operator"
  | "drill"
  | "probe"
  | "ledger";
