/** Debian's HAProxy inside a host. */
import type { Host } from "../host.ts";
import { untilListening } from "../listening.ts";
import type { LabProcess } from "../process.ts";

const DEFAULTS = `
global
  maxconn 1000
defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
`;

/** `sections`: frontends and backends. Resolves when it listens on `port`. Throws MissingTool. */
export async function startHaproxy(
  host: Host,
  port: number,
  sections: string,
): Promise<LabProcess> {
  const file = host.write(`/run/haproxy-${port}.cfg`, `${DEFAULTS}${sections}\n`);
  const daemon = await host.start(["haproxy", "-db", "-f", file], { name: `haproxy-${port}` });
  await untilListening(daemon, port);
  return daemon;
}
