/** What an instance or the node wants in the kernel: addresses, routes and rules. */

export type Family = "ipv4" | "ipv6";

/** One address that follows the master. `address` is in canonical text form (RFC 5952 for v6). */
export interface VirtualAddress {
  readonly address: string;
  readonly family: Family;
  readonly prefixLength: number;
  /** Where it is put; the instance's interface unless `dev` says otherwise. */
  readonly interface: string;
  /** Name of a macvlan of its own above `interface`, with the virtual MAC of its family. */
  readonly vmac?: string;
  /** Address scope as the kernel numbers it: 0 global, 200 site, 253 link, 254 host. */
  readonly scope: number;
  readonly label?: string;
  /** IPv4 broadcast: an address, or `+` (derived from the prefix), or `-` (none). */
  readonly broadcast?: string;
  readonly peer?: string;
  /** IPv6 flags (kernel `IFA_F_*`); `noDad` is on by default in Nines. */
  readonly noDad: boolean;
  readonly home: boolean;
  readonly managedTemporary: boolean;
  readonly noPrefixRoute: boolean;
  /** A multicast group that the kernel joins as long as the address is there. Absent = no. */
  readonly autoJoin?: boolean;
  /** IPv6 preferred lifetime, seconds. 0 (default) keeps it from being a source address. */
  readonly preferredLifetimeS: number;
  /** Static ones: the `track_group` whose instances cannot do without it. */
  readonly trackGroup?: string;
  /** False: the address may vanish without the instance noticing (`no_track`). */
  readonly tracked: boolean;
}

/** `ip route` as the kernel wants it. Absent = kernel default. */
export interface RouteSettings {
  readonly family: Family;
  readonly kind: "unicast" | "blackhole" | "unreachable" | "prohibit" | "throw" | "local";
  /** `default` is 0.0.0.0/0 or ::/0. */
  readonly destination: string;
  readonly prefixLength: number;
  readonly via?: string;
  readonly interface?: string;
  /** Several paths (`nexthop`), in place of `via` and `interface`. */
  readonly paths?: readonly RoutePath[];
  readonly source?: string;
  readonly table?: number;
  readonly metric?: number;
  readonly scope?: number;
  readonly protocol?: number;
  readonly onLink: boolean;
  readonly typeOfService?: number;
  /** From and to in one number: 16 bits each. */
  readonly realms?: number;
  /** `mtu`, `advmss`, `initcwnd` …, as the kernel counts them. */
  readonly metrics?: Readonly<Partial<Record<RouteMetric, number>>>;
  /** Metrics that the kernel must leave alone (`mtu lock`). */
  readonly lockedMetrics?: readonly RouteMetric[];
  readonly congestionControl?: string;
  /** IPv6 router preference. */
  readonly preference?: "low" | "medium" | "high";
  /** IPv6, seconds. */
  readonly expiresS?: number;
  readonly trackGroup?: string;
  readonly tracked: boolean;
}

export interface RoutePath {
  readonly via?: string;
  readonly interface?: string;
  /** 1-256: its share of the traffic. */
  readonly weight: number;
  readonly onLink: boolean;
}

/** ip-route(8). */
export type RouteMetric =
  | "mtu"
  | "window"
  | "rtt"
  | "rttvar"
  | "ssthresh"
  | "cwnd"
  | "advmss"
  | "reordering"
  | "hoplimit"
  | "initcwnd"
  | "features"
  | "rto_min"
  | "initrwnd"
  | "quickack"
  | "fastopen_no_cookie";

/** `ip rule` as the kernel wants it. */
export interface RuleSettings {
  readonly family: Family;
  readonly from?: { readonly address: string; readonly prefixLength: number };
  readonly to?: { readonly address: string; readonly prefixLength: number };
  readonly incomingInterface?: string;
  readonly outgoingInterface?: string;
  readonly priority?: number;
  /** What happens to a packet that the rule selects; absent = the table decides. */
  readonly action?: "goto" | "nop" | "l3mdev" | "blackhole" | "unreachable" | "prohibit";
  readonly table: number;
  /** The preference that `goto` goes to. */
  readonly gotoPriority?: number;
  readonly mark?: number;
  readonly markMask?: number;
  /** The rule selects what does not match (`not`). */
  readonly inverted?: boolean;
  readonly typeOfService?: number;
  /** From and to in one number: 16 bits each. */
  readonly realms?: number;
  /** Routes whose prefix is this long or shorter do not count. */
  readonly suppressPrefixLength?: number;
  readonly suppressInterfaceGroup?: number;
  readonly users?: NumberRange;
  /** Of the packet: 6 TCP, 17 UDP … */
  readonly ipProtocol?: number;
  readonly sourcePorts?: NumberRange;
  readonly destinationPorts?: NumberRange;
  readonly tunnelId?: number;
  /** Who put the rule there; absent = keepalived's number. */
  readonly protocol?: number;
  readonly trackGroup?: string;
  readonly tracked: boolean;
}

export interface NumberRange {
  readonly first: number;
  readonly last: number;
}
