/** What a frontend listens on and what it asks of clients. Plain data, times in milliseconds. */

import type { PoolSettings } from "../balance/pool-settings.ts";
import type { Priority, RouteSettings } from "../route/route-settings.ts";

export type Bind =
  /** `address` may be `0.0.0.0` or `::` (the latter takes IPv4 too). */
  | { readonly kind: "ip"; readonly address: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string; readonly mode: number };

/** Termination of TLS. Files are read again on reload without dropping a connection. */
export interface FrontendTls {
  /** PEM files. Chosen by SNI (exact name, then wildcard), else the first. */
  readonly certificates: readonly { readonly certificate: string; readonly key: string }[];
  /** Default 1.2. */
  readonly minimumVersion: "1.2" | "1.3";
  /** Offer h2 besides http/1.1 (ALPN). Default true. */
  readonly http2: boolean;
  /** Client certificates: asked for, and refused without one when `required`. */
  readonly clientCa?: string;
  readonly clientCertificate: "off" | "optional" | "required";
}

export interface FrontendTimeouts {
  /** A whole request head must come within. Default 10 s. */
  readonly headMs: number;
  /** Silence inside a request body, and a client that does not read. Default 30 s. */
  readonly bodyMs: number;
  /** Between two requests of one connection. Default 60 s. */
  readonly keepAliveMs: number;
  /** TLS handshake and PROXY header. Default 5 s. */
  readonly handshakeMs: number;
}

export interface FrontendLimits {
  /** Request line and headers together. Default 16 KiB. */
  readonly headBytes: number;
  /** Default 100. */
  readonly headers: number;
  /** 0 = no limit. Default 0. */
  readonly bodyBytes: number;
  /** Of all workers together. Default 10000. */
  readonly connections: number;
  /** Of one client address; 0 = no limit. Default 0. */
  readonly connectionsPerSource: number;
  /** Requests of one connection before it is closed; 0 = no limit. Default 0. */
  readonly requestsPerConnection: number;
}

/** Below a threshold of load everything is served; above it the lowest classes are refused first. */
export interface SheddingSettings {
  readonly enabled: boolean;
  /** Requests in flight, of all workers together, that count as full load. Default 1000. */
  readonly maxInFlight: number;
  /** Share of full load from which a class is refused, percent: low 70, normal 85, high 95. */
  readonly startPercent: Readonly<Record<Exclude<Priority, "critical">, number>>;
  /** Header that tells applications to switch features off, from `low`'s threshold on; "" = none. */
  readonly degradedHeader: string;
}

export interface AccessLogSettings {
  readonly format: "off" | "json" | "combined";
  /** Path, or `-` for the log of the daemon. */
  readonly file: string;
}

export interface FrontendSettings {
  readonly name: string;
  /** `tcp`: connections are carried as bytes to `defaultPool`; what is about requests says nothing. */
  readonly mode: "http" | "tcp";
  readonly binds: readonly Bind[];
  readonly tls?: FrontendTls;
  readonly timeouts: FrontendTimeouts;
  readonly limits: FrontendLimits;
  readonly shedding: SheddingSettings;
  readonly accessLog: AccessLogSettings;
  /** A PROXY header (v1 or v2) is expected from these prefixes and refused from all others. */
  readonly acceptProxyFrom: readonly string[];
  /** X-Forwarded-* and Forwarded of these prefixes are kept and extended; of others replaced. */
  readonly trustedProxies: readonly string[];
  /** `x-forwarded`, `forwarded` (RFC 7239), both or none. Default x-forwarded. */
  readonly forwarded: "x-forwarded" | "forwarded" | "both" | "off";
  /** Header with a generated id when the client sent none; "" = off. Default `x-request-id`. */
  readonly requestIdHeader: string;
  /** Adds a traceparent (W3C) when the client sent none; passed on unchanged otherwise. */
  readonly traceparent: boolean;
  readonly routes: readonly RouteSettings[];
  /** Where requests go that no route took; absent: 404. */
  readonly defaultPool?: string;
  /** Paths answered by the balancer itself: liveness, and readiness (503 while it drains). "" = off. */
  readonly healthPath: string;
  readonly readyPath: string;
}

/** Everything that one balance worker carries out. */
export interface BalanceSettings {
  /** 1-64 processes share the ports. Default 1. */
  readonly workers: number;
  readonly frontends: readonly FrontendSettings[];
  readonly pools: readonly PoolSettings[];
}
