/**
 * What the operator decided: the typed settings of the VRRP part of a node.
 *
 * Readers in `src/config` produce these, the machines of this folder consume them. Everything
 * is already checked and defaulted: a machine never asks whether a value is present or sane.
 * All times are milliseconds.
 */

import type { Family, RouteSettings, RuleSettings, VirtualAddress } from "./object-settings.ts";

export type {
  Family,
  NumberRange,
  RouteMetric,
  RoutePath,
  RouteSettings,
  RuleSettings,
  VirtualAddress,
} from "./object-settings.ts";

export interface HmacKey {
  /** Key id on the wire, 0-255. */
  readonly id: number;
  /** 32-64 bytes. */
  readonly secret: Uint8Array;
}

export type Authentication =
  | { readonly kind: "none" }
  /** RFC 2338 simple text password, 8 bytes, sent in clear; version 2 only. */
  | { readonly kind: "pass"; readonly password: string }
  /** keepalived's IP authentication header: HMAC-MD5-96; version 2, IPv4 only. */
  | { readonly kind: "ah"; readonly password: string }
  /** keepalived 2.4's trailer: HMAC-SHA256 cut to 128 bits. */
  | {
      readonly kind: "hmac";
      readonly keys: readonly HmacKey[];
      readonly activeKeyId: number;
      /** `receive-only`: sends none, checks what comes; `permissive`: sends, accepts also without. */
      readonly mode: "receive-only" | "permissive" | "enforce";
      readonly antiReplay: boolean;
      /** How far the sender's wall clock may be off, ms. */
      readonly timeWindowMs: number;
    };

/** How a gratuitous ARP / unsolicited NA burst is sent. Times in ms. */
export interface AnnounceSettings {
  /** Second burst after becoming master (0 = none). keepalived default 5000. */
  readonly delayMs: number;
  /** Announcements per address in a burst. Default 5. */
  readonly repeat: number;
  /** Periodic re-announcement while master, 0 = never. */
  readonly refreshMs: number;
  readonly refreshRepeat: number;
  /** After a lower-priority advert was heard while master. */
  readonly lowerPriorityDelayMs: number;
  readonly lowerPriorityRepeat: number;
  /** Pause between two announcements on one interface (`vrrp_garp_interval`), ms. */
  readonly arpSpacingMs: number;
  readonly naSpacingMs: number;
  /** Nines: how long the winner of a healed split goes on announcing (once a second). Default 30000. */
  readonly afterSplitMs: number;
}

/** One reference from an instance or group to something that is watched. */
export interface TrackReference {
  /** `source` and `witness` are implied by the router: an address to send from, a referee. */
  readonly kind:
    | "interface"
    | "script"
    | "process"
    | "file"
    | "bfd"
    | "static"
    | "source"
    | "witness";
  /** Interface, vrrp_script, vrrp_track_process, track_file, bfd_instance or track_group name. */
  readonly name: string;
  /** 0 = failure means FAULT. Otherwise priority change in points (file: multiplier). -253..253. */
  readonly weight: number;
  /** Weight 0: success and failure swap their meaning; else the change turns its sign. */
  readonly reverse: boolean;
}

export interface MulticastTransport {
  readonly kind: "multicast";
  readonly group: string;
}
export interface UnicastTransport {
  readonly kind: "unicast";
  readonly peers: readonly UnicastPeer[];
  /** Outgoing TTL / hop limit, default 255. */
  readonly ttl: number;
  /** Drop adverts whose source is not a listed peer (`check_unicast_src`). */
  readonly checkSource: boolean;
}
export interface UnicastPeer {
  readonly address: string;
  readonly minTtl: number;
  readonly maxTtl: number;
}

export interface VmacSettings {
  /** macvlan name, e.g. `vrrp.51`. */
  readonly name: string;
  /** One of the operator's own, `02:00:…` in lower case; absent = RFC 9568 section 7.3. */
  readonly mac?: string;
  /** Send adverts from the base interface (`vmac_xmit_base`). */
  readonly sendFromBase: boolean;
}

export interface InstanceSettings {
  readonly name: string;
  readonly family: Family;
  readonly version: 2 | 3;
  /** Version 3 over IPv4 only: adverts of version 2 are sent and believed too, RFC 9568 section 8.4.
   *  A password is for those. */
  readonly alsoVersion2?: boolean;
  /** 1-255. */
  readonly vrid: number;
  readonly interface: string;
  /** 1-255; 255 = owner of the addresses. */
  readonly priority: number;
  /** v2: whole seconds; v3: 10-40950, multiples of 10. */
  readonly advertIntervalMs: number;
  /** `state MASTER`: only a hint, shortens the first wait (keepalived). */
  readonly startAsMaster: boolean;
  readonly preempt: boolean;
  readonly preemptDelayMs: number;
  /** Lost adverts before the master counts as dead. Default 3. */
  readonly downTimerAdverts: number;
  readonly transport: MulticastTransport | UnicastTransport;
  /** Source address of adverts; absent = the interface's primary (v6: link-local) address. */
  readonly sourceAddress?: string;
  /** FAULT while the interface does not have `sourceAddress` (`track_src_ip`). Absent = no. */
  readonly trackSource?: boolean;
  readonly authentication: Authentication;
  /** In the order of the advert. */
  readonly addresses: readonly VirtualAddress[];
  /** Not in the advert (`virtual_ipaddress_excluded`). */
  readonly excludedAddresses: readonly VirtualAddress[];
  readonly routes: readonly RouteSettings[];
  readonly rules: readonly RuleSettings[];
  readonly vmac?: VmacSettings;
  /** Accept_Mode (RFC 9568 section 6.1): packets to the addresses are accepted. */
  readonly accept: boolean;
  /** `vrrp_strict`: RFC 5798 to the letter. */
  readonly strict: boolean;
  /** v3/IPv4 checksum: true = with pseudo header (keepalived), false = message only (RFC 9568). */
  readonly checksumWithPseudoHeader: boolean;
  readonly skipCheckAdvertAddresses: boolean;
  /** Master stays silent on a lower-priority advert (`lower_prio_no_advert`). */
  readonly lowerPriorityNoAdvert: boolean;
  /** The loser sends one last advert (`higher_prio_send_advert`). Nines default: true. */
  readonly higherPrioritySendAdvert: boolean;
  readonly ownerIgnoreAdverts: boolean;
  /** Nines: answer a resignation after an eighth of the skew and up to 10 ms, see `afterResignationMs`. Default
   *  true; `vrrp_strict` turns it off. */
  readonly fastHandover: boolean;
  readonly announce: AnnounceSettings;
  readonly tracks: readonly TrackReference[];
  /** False (`dont_track_primary`): the instance's own interface may go down unnoticed. */
  readonly trackPrimaryInterface: boolean;
  /** Nines: kernel-held lease; see ARCHITECTURE.md. Default true. */
  readonly lease: boolean;
  /** Nines: put an externally removed address back at once. Default true; false = keepalived's way. */
  readonly restoreRemovedAddresses: boolean;
  /** Nines: addresses that must answer before this node may become or stay master (`witness`). */
  readonly witnesses: readonly string[];
  readonly notify: NotifySettings;
  readonly promoteSecondaries: boolean;
}

/** Scripts to be run on changes. Every one is an argv, never a shell line. */
export interface NotifySettings {
  readonly master?: NotifyCommand;
  readonly backup?: NotifyCommand;
  readonly fault?: NotifyCommand;
  readonly stop?: NotifyCommand;
  readonly deleted?: NotifyCommand;
  /** `notify_deleted`, with a script or without: DELETED is said, not FAULT. Absent = no. */
  readonly tellsDeleted?: boolean;
  /** Generic: called with INSTANCE|GROUP name state priority. */
  readonly any?: NotifyCommand;
  readonly masterReceivedLowerPriority?: NotifyCommand;
  readonly priorityChanges: boolean;
  readonly mail: boolean;
}
export interface NotifyCommand {
  readonly argv: readonly string[];
  readonly user?: string;
  readonly group?: string;
}

export interface SyncGroupSettings {
  readonly name: string;
  readonly members: readonly string[];
  readonly tracks: readonly TrackReference[];
  /** Members may have weighted tracks of their own (`sync_group_tracking_weight`). */
  readonly trackingWeight: boolean;
  readonly notify: NotifySettings;
}

/** vrrp_script. Times ms. */
export interface ScriptSettings {
  readonly name: string;
  readonly command: NotifyCommand;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
  readonly weight: number;
  readonly reverse: boolean;
  /** Starts as failed until it succeeded `rise` times (`init_fail`). */
  readonly startFailed: boolean;
  /** Nines: also runs at once when a listening socket of this machine ends. Default true. */
  readonly earlyLook: boolean;
}

/** vrrp_track_process. */
export interface ProcessSettings {
  readonly name: string;
  /** Process name or full command to look for. */
  readonly process: string;
  readonly parameters: readonly string[];
  readonly parameterMatch: "none" | "initial" | "partial" | "exact" | "regex";
  readonly fullCommand: boolean;
  readonly quorum: number;
  readonly quorumMax: number;
  readonly weight: number;
  readonly reverse: boolean;
  readonly forkDelayMs: number;
  readonly terminateDelayMs: number;
}

/** track_file: the file holds an integer; its value times the weight is added to the priority. */
export interface FileSettings {
  readonly name: string;
  readonly path: string;
  readonly weight: number;
  readonly reverse: boolean;
  /** Value written when the file is made at start; absent = not made. */
  readonly initialValue?: number;
  readonly overwrite: boolean;
}

/** bfd_instance: RFC 5880. */
export interface BfdSettings {
  readonly name: string;
  /** Canonical text. */
  readonly neighbour: string;
  /** Absent: the kernel's choice. */
  readonly source?: string;
  /** Required Min RX Interval, default 10. */
  readonly minRxMs: number;
  /** Desired Min TX Interval while Up, default 10. */
  readonly minTxMs: number;
  /** The same while not Up, default 1000. */
  readonly idleTxMs: number;
  /** Packets that may be missed, default 5. */
  readonly multiplier: number;
  /** Waits for the neighbour to begin. */
  readonly passive: boolean;
  /** Of packets sent, default 255. */
  readonly ttl: number;
  /** Routers that a packet may have crossed, default 0; -1 or 255 = any number. */
  readonly maxHops: number;
  readonly weight: number;
  readonly reverse: boolean;
}

export interface VrrpSettings {
  /** Name in mails and notifications; default: the host name. */
  readonly routerId: string;
  readonly instances: readonly InstanceSettings[];
  readonly groups: readonly SyncGroupSettings[];
  readonly scripts: readonly ScriptSettings[];
  readonly processes: readonly ProcessSettings[];
  readonly files: readonly FileSettings[];
  /** Absent = none. */
  readonly bfds?: readonly BfdSettings[];
  /** Nothing is elected before this has passed since start (`vrrp_startup_delay`). */
  readonly startupDelayMs: number;
  readonly staticAddresses: readonly VirtualAddress[];
  readonly staticRoutes: readonly RouteSettings[];
  readonly staticRules: readonly RuleSettings[];
}
