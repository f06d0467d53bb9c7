/**
 * `virtual_server` and what belongs to it, read and checked completely. The balancer carries it
 * out. Times are milliseconds. Source: keepalived.conf(5), LVS CONFIGURATION; ipvsadm(8).
 */

import type { NotifyCommand } from "../core/vrrp/settings.ts";

export type Scheduler =
  | "rr"
  | "wrr"
  | "lc"
  | "wlc"
  | "lblc"
  | "lblcr"
  | "sh"
  | "mh"
  | "dh"
  | "fo"
  | "ovf"
  | "sed"
  | "nq"
  | "twos";

/** How a connection reaches the real server. Tunnel details only with `tun`. */
export interface Forwarding {
  readonly method: "nat" | "dr" | "tun";
  readonly tunnel?: {
    readonly type: "ipip" | "gue" | "gre";
    readonly port?: number;
    readonly checksum?: "nocsum" | "csum" | "remcsum";
  };
}

/** One address, a range of them, or a firewall mark that clients connect to. */
export type Frontend =
  | { readonly kind: "address"; readonly address: string; readonly port: number }
  /** `count` consecutive addresses starting at `first`. */
  | {
      readonly kind: "range";
      readonly first: string;
      readonly count: number;
      readonly port: number;
    }
  | { readonly kind: "mark"; readonly mark: number; readonly family?: "ipv4" | "ipv6" };

export interface VirtualServerSettings {
  /** As written: `10.0.0.1 80`, `fwmark 3`, `group WEB`. */
  readonly name: string;
  /** One for an address or mark; all members for a group. */
  readonly frontends: readonly Frontend[];
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly scheduler: Scheduler;
  /** `sh-port`, `mh-fallback`, `flag-1` … as written. */
  readonly schedulerFlags: readonly string[];
  readonly forwarding: Forwarding;
  readonly onePacket: boolean;
  /** Client stickiness; absent: none. */
  readonly persistence?: {
    readonly timeoutMs: number;
    /** Netmask length by which clients are grouped: 32 / 128 = each for itself. */
    readonly granularity: number;
    readonly engine?: string;
  };
  readonly haSuspend: boolean;
  readonly mail: boolean;
  readonly virtualHost?: string;
  readonly startDown: boolean;
  /** `omega`: run the down notifications at the end. */
  readonly notifyOnStop: boolean;
  /** Weight that must be alive. Default 1. */
  readonly quorum: number;
  readonly hysteresis: number;
  readonly quorumUp?: NotifyCommand;
  readonly quorumDown?: NotifyCommand;
  readonly sorryServer?: SorryServer;
  readonly realServers: readonly RealServerSettings[];
}

export interface SorryServer {
  readonly address: string;
  readonly port: number;
  readonly forwarding: Forwarding;
  readonly inhibit: boolean;
}

export interface RealServerSettings {
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly forwarding: Forwarding;
  /** Failed: weight 0 instead of removed. */
  readonly inhibitOnFailure: boolean;
  readonly notifyUp?: NotifyCommand;
  readonly notifyDown?: NotifyCommand;
  /** Most connections; 0 = no limit. */
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
  readonly mail: boolean;
  readonly checks: readonly CheckSettings[];
}

/** What all checks share. */
export interface CheckTiming {
  /** Pause between two checks (`delay_loop`), default 60000. */
  readonly intervalMs: number;
  /** Default 5000. */
  readonly connectTimeoutMs: number;
  /** Further tries before the server counts as down. */
  readonly retry: number;
  readonly delayBeforeRetryMs: number;
  /** First check after a random part of this; default: the interval. */
  readonly warmupMs: number;
  /** Counts as down until the first success. */
  readonly startDown: boolean;
  readonly logAllFailures: boolean;
}

export interface CheckTarget {
  readonly address: string;
  readonly port: number;
  readonly sourceAddress?: string;
  readonly sourcePort?: number;
  readonly sourceInterface?: string;
  readonly mark?: number;
}

export interface HttpCheckUrl {
  readonly path: string;
  /** MD5 of the body, hex. */
  readonly digest?: string;
  /** Accepted status codes, both ends included; default 200-299. */
  readonly statusCodes: readonly { readonly from: number; readonly to: number }[];
  readonly virtualHost?: string;
  readonly regex?: {
    readonly pattern: string;
    readonly options: readonly string[];
    /** A match fails the check. */
    readonly inverted: boolean;
    readonly minOffset: number;
    readonly maxOffset?: number;
  };
  readonly tlsCompliant: boolean;
}

interface Networked {
  readonly timing: CheckTiming;
  readonly target: CheckTarget;
}

export type CheckSettings =
  | ({ readonly kind: "tcp" } & Networked)
  | ({ readonly kind: "ping" } & Networked)
  | ({
      readonly kind: "http";
      readonly tls: boolean;
      readonly protocol: "1.0" | "1.0C" | "1.1";
      readonly urls: readonly HttpCheckUrl[];
      readonly sni: boolean;
      readonly sniName?: string;
      /** Of SSL_GET: the `SSL` block of the file. */
      readonly ssl?: SslSettings;
      readonly fastRecovery: boolean;
      readonly virtualHost?: string;
    } & Networked)
  | ({ readonly kind: "smtp"; readonly heloName?: string } & Networked)
  | ({ readonly kind: "dns"; readonly query: string; readonly name: string } & Networked)
  | ({
      readonly kind: "udp";
      readonly payload?: Uint8Array;
      readonly requireReply: boolean;
      /** Expected first bytes of the reply; `mask` bits that are 0 are not compared. */
      readonly reply?: { readonly value: Uint8Array; readonly mask: Uint8Array };
      readonly minReplyLength: number;
      readonly maxReplyLength: number;
    } & Networked)
  | {
      readonly kind: "misc";
      readonly timing: CheckTiming;
      readonly command: NotifyCommand;
      readonly timeoutMs: number;
      /** The exit code adjusts the weight. */
      readonly dynamic: boolean;
    }
  | {
      readonly kind: "file";
      /** Name of a `track_file` block. */
      readonly trackFile: string;
      readonly weight: number;
      readonly reverse: boolean;
      readonly dynamic: boolean;
    }
  | { readonly kind: "bfd"; readonly name: string };

/** What SSL_GET shows the server. Its `ca` is left out: keepalived verifies no certificate. */
export interface SslSettings {
  readonly password?: string;
  readonly certificate?: string;
  readonly key?: string;
}
