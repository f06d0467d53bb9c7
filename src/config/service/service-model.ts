/**
 * Everything that one `nines.yaml` says, typed, defaulted and checked: addresses, checks and the
 * balancer of one service. A keepalived.conf gives the same with an empty balancer.
 */

import type { ProbeOptions } from "../probe/probe-url.ts";
import type { CheckSettings } from "../../core/check/check-settings.ts";
import type { JournalBounds } from "../../core/journal/retention.ts";
import type { PoolNotices } from "../../core/check/server-notices.ts";
import type { BalanceSettings, Bind } from "../../core/proxy/frontend-settings.ts";
import type { LedgerSettings } from "../../core/ledger/settings.ts";
import type { Diagnostic, Place } from "../diagnostic.ts";
import type { Model, Origin } from "../model.ts";

/** One machine of the service. */
export interface ServiceNode {
  readonly name: string;
  /** Where the others reach it; canonical text. */
  readonly address: string;
}

/** What a node's console asks as a user would; `parseProbeUrl` makes a target of it. */
export interface NodeProbe {
  readonly name: string;
  readonly ask: string;
  readonly options: ProbeOptions;
  /** Absent: the service that names the probe, else the only one. */
  readonly service?: string;
  /** Base of the URLs at which numbered rows are written and read again. */
  readonly write?: string;
}

/** The process that keeps the journal and shows what happens. */
export interface ConsoleSettings {
  readonly enabled: boolean;
  /** IP addresses and ports. */
  readonly listen: readonly Bind[];
  readonly tls?: {
    readonly certificate: string;
    readonly key: string;
    readonly clientCa?: string;
  };
  /** Absent: `tokens.json` in the state directory. */
  readonly tokensFile?: string;
  /** Names that browsers may use besides those of this machine and the nodes. */
  readonly allowedHosts: readonly string[];
  /** Who may read without a token. */
  readonly anonymous: "loopback" | "nobody";
  /** Who may ask for drills here, besides people on this node. */
  readonly drillsFrom: "nodes" | "nobody";
  /** TCP port of the consoles among themselves. */
  readonly groupPort: number;
}

export const DEFAULT_CONSOLE: ConsoleSettings = {
  enabled: true,
  listen: [{ kind: "ip", address: "127.0.0.1", port: 7600 }],
  allowedHosts: [],
  anonymous: "loopback",
  drillsFrom: "nodes",
  groupPort: 7601,
};

export interface ServiceModel {
  /** Addresses, tracks, notifications, mail: what a keepalived.conf gives. */
  readonly vrrp: Model;
  readonly balance: BalanceSettings;
  /** Every check by its name, also those that are written inside a pool (named like the pool). */
  readonly checks: readonly CheckSettings[];
  /** Scripts that are run when servers go down or come back; pools without any are not there. */
  readonly notices: readonly PoolNotices[];
  /**
   * Checks that addresses track. The track reference is `{ kind: "script", name: "check:NAME" }`
   * and nobody runs a script for it: the verdict of the target with that subject is reported.
   */
  readonly trackedChecks: readonly string[];
  readonly console: ConsoleSettings;
  readonly journal: JournalBounds;
  readonly ledger: LedgerSettings;
  readonly probes: readonly NodeProbe[];
  readonly nodes: readonly ServiceNode[];
  /** Which of `nodes` this machine is; absent when there are no nodes. */
  readonly node?: string;
  /** Where each named thing was written. Keys are `KIND NAME`: `pool web`, `server web/web1`. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** What a machine can be asked about. */
export type UnfinishedService = Pick<ServiceModel, "vrrp"> &
  Partial<Pick<ServiceModel, "balance" | "checks" | "notices" | "console" | "ledger" | "origins">>;

export interface ServiceReading {
  /** Absent when there is an error. */
  readonly service?: ServiceModel;
  /** In its place: what could be read all the same. To be talked about, never to be run. */
  readonly unfinished?: UnfinishedService;
  /** In reading order. */
  readonly diagnostics: readonly Diagnostic[];
  /** Every file that was read - it and what it includes - as it is on disk. */
  readonly texts: ReadonlyMap<string, string>;
  /** Of a keepalived.conf: what its virtual servers are and are not here, a line each. */
  readonly notes?: readonly string[];
  /** The line a diagnostic is about, for its caret. */
  readonly sourceLine: (at: Place) => string | undefined;
}
