/**
 * What a pool is told: its servers, how one is picked, and how it fails well. Plain data, made by
 * the configuration with every default filled in; times are milliseconds.
 */

/** Where a server listens. */
export type ServerEndpoint =
  | {
      readonly kind: "ip";
      readonly address: string;
      readonly port: number;
      /** What was configured, where that is a name: TLS asks for it. */
      readonly host?: string;
    }
  /** Resolved outside; the last good answer is kept when the name service fails. */
  | { readonly kind: "name"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

export interface ServerSettings {
  /** Unique within the pool; stickiness and the operator's commands go by it. */
  readonly name: string;
  readonly endpoint: ServerEndpoint;
  /** 0-256, default 1. 0: only requests that stick to it. */
  readonly weight: number;
  /** Lower tiers first; a tier is used when all before it have no usable server. Default 0. */
  readonly tier: number;
  /** Requests at the same time; 0 = no limit. Default 0. */
  readonly maxConnections: number;
  /** So many workers have it in common, each with its part of what an agent allows. Default 1. */
  readonly workers?: number;
  /** Name of its check in `checks`; absent: always up as far as checks go. */
  readonly check?: string;
  /** Further ones: it is up while all of them pass. */
  readonly alsoChecks?: readonly string[];
  /** As the configuration says it; a runtime command may say otherwise. Default `ready`. */
  readonly admin: AdminState;
}

/** `drain`: no new request but sticky ones; `maint`: none at all, not checked. */
export type AdminState = "ready" | "drain" | "maint";

/** What a hash is made of. `header`, `cookie`, `query`: the value of that name. */
export type HashKey =
  /** `prefix`: that many bits of the address, so that a network is one client; absent: all. */
  | { readonly of: "source"; readonly prefix?: number }
  | { readonly of: "uri"; readonly withQuery: boolean }
  | { readonly of: "header" | "cookie" | "query"; readonly name: string };

export type Algorithm =
  /** Smooth weighted round robin. */
  | { readonly kind: "round-robin" }
  /** Fewest (requests + 1) / weight; ties in turn. */
  | { readonly kind: "least-connections" }
  /** Better of two drawn by weight, by requests / weight. Default. */
  | { readonly kind: "two-choices" }
  /** Better of two drawn by weight, by latency x (1 + requests / weight). Latency decays in `decayMs`. */
  | { readonly kind: "peak-ewma"; readonly decayMs: number }
  /**
   * Consistent; no server above `boundPercent` of the average load (100 < bound; default 125), unless
   * it runs fewer than 10 requests.
   */
  | { readonly kind: "hash"; readonly key: HashKey; readonly boundPercent: number }
  /** Table of `tableSize` (prime, default 65537) entries, the same on all directors. */
  | { readonly kind: "maglev"; readonly key: HashKey; readonly tableSize: number }
  /** The first server with a free place. */
  | { readonly kind: "first" }
  | { readonly kind: "random" };

export type Stickiness =
  | { readonly kind: "none" }
  | {
      readonly kind: "cookie";
      readonly name: string;
      /** `insert`: our own cookie; `prefix`: `server~` before the application's; `rewrite`: its value. */
      readonly mode: "insert" | "prefix" | "rewrite";
      /** Key of the HMAC that signs the value; the server's name is not shown. */
      readonly secret: Uint8Array;
      /** 0 = for the browser's session. */
      readonly maxAgeMs: number;
      /** The session ends when unused for that long; 0 = never. */
      readonly maxIdleMs: number;
      readonly secure: boolean;
      readonly sameSite: "lax" | "strict" | "none";
    }
  | {
      /** Entry per key value; survives reload and worker restarts. */
      readonly kind: "table";
      readonly key: HashKey;
      /** Entries at most; the least recently used goes first. Default 100000. */
      readonly size: number;
      /** Default 30 min. */
      readonly ttlMs: number;
    };

/** Passive health from real traffic. Source: Envoy's outlier detection documentation. */
export interface OutlierSettings {
  readonly enabled: boolean;
  /** Connect failures, resets, time-outs and 5xx in a row. Default 5. */
  readonly consecutiveErrors: number;
  /** Success rate is looked at this often. Default 10 s. */
  readonly intervalMs: number;
  /** First ejection; the n-th lasts n times as long, at most `maxEjectionMs` (300 s). Default 30 s. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /**
   * Share of servers that may be out at once, percent; one server may always go, but never the last
   * one that can serve. Default 10.
   */
  readonly maxEjectedPercent: number;
  /** Below mean - factor/1000 x standard deviation a server goes. 0 = off. Default 1900. */
  readonly successRateFactor: number;
  /** Fewer servers or fewer requests in the interval: success rate is not judged. 5, 100. */
  readonly successRateMinimumHosts: number;
  readonly successRateMinimumRequests: number;
}

export interface RetrySettings {
  /** Further tries of one request, each on another server. Default 2; 0 = none. */
  readonly attempts: number;
  /** Retries may be this share of requests, percent. Default 20. */
  readonly budgetPercent: number;
  /** ... but that many a second always. Default 10. */
  readonly budgetMinimumPerSecond: number;
  /** Answers that count as failed for idempotent requests, e.g. 502, 503, 504. Default [503]. */
  readonly onStatus: readonly number[];
  /** A request body kept for a retry, bytes at most. Default 64 KiB. */
  readonly bufferBytes: number;
}

export interface QueueSettings {
  /** Requests that may wait for a place; 0 = refuse at once. Default 1024. */
  readonly limit: number;
  /** Default 5 s. */
  readonly timeoutMs: number;
}

export interface SlowStartSettings {
  /** 0 = off. Default 30 s. */
  readonly windowMs: number;
  /** Exponent 1/aggression of the ramp; 1 = linear. Default 1. */
  readonly aggression: number;
  /** Percent of the weight at the start. Default 10. */
  readonly minimumPercent: number;
}

export interface PoolTimeouts {
  /** Default 3 s. */
  readonly connectMs: number;
  /** From the request's end to the first byte of the answer. Default 60 s. */
  readonly responseMs: number;
  /** Silence of a server in the middle of an answer. Default 60 s. */
  readonly idleMs: number;
  /** Silence of an upgraded connection. Default 1 h. */
  readonly tunnelMs: number;
  /** An unused kept connection is closed after; below what servers do. Default 4 s. */
  readonly keepAliveMs: number;
}

export interface PoolSettings {
  readonly name: string;
  readonly servers: readonly ServerSettings[];
  readonly algorithm: Algorithm;
  readonly stickiness: Stickiness;
  readonly outlier: OutlierSettings;
  readonly retry: RetrySettings;
  readonly queue: QueueSettings;
  readonly slowStart: SlowStartSettings;
  readonly timeouts: PoolTimeouts;
  /**
   * Fewer healthy ones in the serving tier than this percent: all that are `ready` are used, whatever
   * checks say. 0 = never. Default 0.
   */
  readonly panicPercent: number;
  /**
   * Weight that must be healthy in the first tier; with less a later one with a healthy server serves.
   * Absent: one healthy server is enough. keepalived's quorum and hysteresis.
   */
  readonly quorum?: { readonly weight: number; readonly hysteresis: number };
  /** What a draining server's last requests get before they are cut off. Default 5 min. */
  readonly drainDeadlineMs: number;
  /** A server that goes down loses its connections at once instead of finishing them. Default true. */
  readonly killOnDown: boolean;
  /** Kept idle connections per server and worker. Default 64. */
  readonly maxIdlePerServer: number;
  readonly sendProxy: "off" | "v1" | "v2";
  /** TLS to the servers. */
  readonly tls?: {
    readonly verify: boolean;
    readonly ca?: string;
    readonly serverName?: string;
    readonly certificate?: string;
    readonly key?: string;
  };
  /** Answered when nothing can serve: status (default 503), body, its type. */
  readonly sorry?: { readonly status: number; readonly body: string; readonly contentType: string };
}
