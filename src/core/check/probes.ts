/** The probe of each protocol. */

import type { CheckProtocol } from "./check-settings.ts";
import { DnsProbe, UdpProbe } from "./datagram-probes.ts";
import { HttpProbe } from "./http-probe.ts";
import { AgentProbe, ConnectProbe, memcachedProbe, redisProbe, smtpProbe } from "./line-probes.ts";
import type { Probe } from "./probe.ts";

/** Kinds that are not asked over a socket of their own: the driver knows how. */
export type OtherKind = "ping" | "script";
/** Known to the configuration, not carried out yet: such a check never has a verdict. */
export const UNCARRIED: ReadonlySet<CheckProtocol["kind"]> = new Set([
  "ping",
  "script",
  "grpc",
  "mysql",
  "postgresql",
]);

/** `host`: of the target, for Host fields. `id`: random bits. Undefined: see `UNCARRIED`. */
export function probeFor(protocol: CheckProtocol, host: string, id: number): Probe | undefined {
  switch (protocol.kind) {
    case "tcp":
      return new ConnectProbe();
    case "http":
      return new HttpProbe(protocol, host);
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
    case "dns":
      return new DnsProbe(protocol.name, protocol.queryType, id);
    default:
      return undefined;
  }
}
