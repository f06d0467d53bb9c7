/** The probe of each protocol. */

import type { CheckProtocol } from "./check-settings.ts";
import { DnsProbe, UdpProbe } from "./datagram-probes.ts";
import { HttpProbe } from "./http-probe.ts";
import { AgentProbe, ConnectProbe, memcachedProbe, redisProbe, smtpProbe } from "./line-probes.ts";
import { MysqlProbe } from "./mysql-probe.ts";
import { PostgresqlProbe } from "./postgresql-probe.ts";
import type { Probe } from "./probe.ts";
import type { DerivedKeys } from "./scram.ts";

/** Kinds that are not asked in bytes over a socket: the driver knows how. */
export type ByteProtocol = Exclude<CheckProtocol, { kind: "ping" | "script" | "grpc" }>;

export interface ProbeContext {
  /** Of the target, for Host fields. */
  readonly host: string;
  /** Bytes that nobody can guess. */
  readonly random: (count: number) => Uint8Array;
  readonly keys: DerivedKeys;
}

export function probeFor(protocol: ByteProtocol, context: ProbeContext): Probe {
  switch (protocol.kind) {
    case "tcp":
      return new ConnectProbe();
    case "http":
      return new HttpProbe(protocol, context.host);
    case "smtp":
      return smtpProbe(protocol.helloName);
    case "redis":
      return redisProbe(protocol);
    case "memcached":
      return memcachedProbe();
    case "agent":
      return new AgentProbe(protocol.send);
    case "udp":
      return new UdpProbe(protocol);
    case "dns": {
      const [high = 0, low = 0] = context.random(2);
      return new DnsProbe(protocol.name, protocol.queryType, (high << 8) | low);
    }
    case "mysql":
      return new MysqlProbe(protocol);
    case "postgresql":
      return new PostgresqlProbe(protocol, context);
  }
}
