/**
 * Active checks of servers and addresses, used by tracks, pools and later layers. Plain data with
 * every default filled in; times are milliseconds.
 */

/** How often, how long, how many. Names as in HAProxy (`inter`, `fastinter`) and keepalived (`retry`). */
export interface CheckTiming {
  /** While the verdict is settled and good. Default 2000. */
  readonly intervalMs: number;
  /** While results disagree with the verdict. Default: a quarter of the interval. */
  readonly fastIntervalMs: number;
  /** While the verdict is bad. Default: the interval. */
  readonly downIntervalMs: number;
  /** A check that takes longer has failed. Default 1000. */
  readonly timeoutMs: number;
  /** Successes in a row that bring a server back. Default 2. */
  readonly rise: number;
  /** Failures in a row that take it out. Default 3. */
  readonly fall: number;
  /** Further tries inside one check, `delayBeforeRetryMs` apart, before it counts as failed. 0, 1000. */
  readonly retry: number;
  readonly delayBeforeRetryMs: number;
  /** The first check comes within this; first checks are spread. Default: the interval. */
  readonly warmupMs: number;
  /** Counts as down until the first success; otherwise unknown (usable). Default false. */
  readonly startDown: boolean;
}

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

export type BodyExpectation =
  | { readonly kind: "contains"; readonly text: string }
  | {
      readonly kind: "regex";
      readonly pattern: string;
      readonly inverted: boolean;
      /** Looked for in the head of the answer and the body after it, as one text. */
      readonly withHead?: true;
    }
  /** Hex digest of the whole body. */
  | { readonly kind: "digest"; readonly algorithm: "md5" | "sha256"; readonly hex: string };

export interface CheckTls {
  readonly serverName?: string;
  readonly verify: boolean;
  readonly ca?: string;
  /** PEM files of what we show the server; the key may stand in the first one. */
  readonly certificate?: string;
  readonly key?: string;
  readonly keyPassword?: string;
  /** A certificate that ends sooner is told as a warning, not as a failure. Default 14 days. */
  readonly expiryWarningMs: number;
}

export interface DatabaseSettings {
  readonly kind: "mysql" | "postgresql";
  /** Absent: that it refuses a stranger in order is good enough. */
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  /** `primary`: must accept writes; `replica`: must not, and lag must be known. */
  readonly role: "any" | "primary" | "replica";
  /** 0 = not looked at. */
  readonly maxLagMs: number;
}

/** What is asked and what answer is good. */
export type CheckProtocol =
  | { readonly kind: "ping" }
  | { readonly kind: "tcp"; readonly tls?: CheckTls }
  | {
      readonly kind: "udp";
      readonly payload: Uint8Array;
      /** Without a reply the check is good unless the port is told closed. */
      readonly requireReply: boolean;
      readonly reply?: { readonly value: Uint8Array; readonly mask: Uint8Array };
    }
  | {
      readonly kind: "http";
      readonly tls?: CheckTls;
      readonly method: string;
      readonly path: string;
      /** Default: the address. */
      readonly host?: string;
      readonly headers: readonly { readonly name: string; readonly value: string }[];
      /** Default 200-399. */
      readonly status: readonly StatusRange[];
      readonly body?: BodyExpectation;
      /** It has to arrive even if nothing is expected of it. */
      readonly wholeBody?: true;
      /** Bytes of a body that are looked at. Default 64 KiB. */
      readonly maxBodyBytes: number;
      /** Field of the answer that says who answered, in lower case. Default: none is looked at. */
      readonly byHeader?: string;
    }
  /** grpc.health.v1.Health/Check over HTTP/2. */
  | { readonly kind: "grpc"; readonly tls?: CheckTls; readonly service: string }
  | { readonly kind: "smtp"; readonly helloName: string }
  | { readonly kind: "dns"; readonly name: string; readonly queryType: string }
  | DatabaseSettings
  | {
      readonly kind: "redis";
      readonly user?: string;
      readonly password?: string;
      readonly role: "any" | "primary" | "replica";
      readonly maxLagMs: number;
    }
  | { readonly kind: "memcached" }
  | {
      /** Exit 0 good, 1 bad; with `dynamic` 2-255: good, weight = code - 2 (MISC_CHECK). */
      readonly kind: "script";
      readonly argv: readonly string[];
      readonly dynamic: boolean;
      readonly user?: string;
      readonly group?: string;
    }
  /**
   * HAProxy's agent-check: one line such as `up 75%`, `drain`, `maint`, `down#reason`. With `required` false
   * (default true) silence says nothing: what the agent said last holds.
   */
  | { readonly kind: "agent"; readonly send: string; readonly required?: boolean };

export interface CheckSettings {
  readonly name: string;
  readonly protocol: CheckProtocol;
  readonly timing: CheckTiming;
  /** Default: the server's own address and port. */
  readonly address?: string;
  readonly port?: number;
  /** Local address of the check. */
  readonly bindAddress?: string;
  /** Failures that do not take a server out are told, too. keepalived's `log_all_failures`. */
  readonly logFailures?: boolean;
  /** Nothing is asked while this machine has none of these addresses. keepalived's `ha_suspend`. */
  readonly whileHeld?: readonly string[];
}

/** One check of one target, as the runner carries it out. */
export interface CheckTarget {
  /** `pool/server` or the name of a track. */
  readonly subject: string;
  readonly check: CheckSettings;
  readonly endpoint:
    | {
        readonly kind: "ip";
        readonly address: string;
        readonly port: number;
        /** The name of the server, where it is configured by one. */
        readonly host?: string;
      }
    | { readonly kind: "unix"; readonly path: string };
  /** The server expects a PROXY header in front of everything. Not for datagrams. */
  readonly sendProxy?: "v1" | "v2";
}

/** What a finished check said. `weightPercent`, `admin`, `maxConnections`: agents and dynamic scripts only. */
export interface CheckVerdict {
  readonly subject: string;
  readonly up: boolean;
  /** `check failed: status 503, wanted 200-399, 3 of 3`. */
  readonly reason: string;
  readonly latencyMs: number;
  readonly weightPercent?: number;
  readonly admin?: "ready" | "drain" | "maint";
  /** In place of the configured one; 0 = no limit. */
  readonly maxConnections?: number;
  /** `certificate ends in 9 days`. */
  readonly warning?: string;
  /** Of several checks together: what agents that may be silent said last, which nobody else can say again. */
  readonly words?: readonly AgentWord[];
}

/** Nobody asks that server now; what was found last holds. */
export interface Suspended {
  readonly subject: string;
  /** `checks suspended: 10.0.0.100 is elsewhere`. */
  readonly reason: string;
}

export interface AgentWord extends Omit<CheckVerdict, "subject" | "latencyMs" | "words"> {
  readonly check: string;
}

/** Up, and not taken out of service by its own agent. */
export function isUsable({ up, admin }: Pick<CheckVerdict, "up" | "admin">): boolean {
  return up && (admin ?? "ready") === "ready";
}
