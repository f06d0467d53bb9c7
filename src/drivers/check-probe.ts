/** Carries the bytes of one probe over TCP, TLS or UDP. Deadlines and verdicts are not made here. */

import { createSocket } from "node:dgram";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { readFileSync } from "node:fs";
import { isIpv6 } from "../lib/ip-address.ts";
import type { CheckTarget, CheckTls } from "../core/check/check-settings.ts";
import type { Probe, ProbeResult, ProbeStep } from "../core/check/probe.ts";

const DAY_MS = 86_400_000;

/** Ends it: nothing is told any more. */
export type Abandon = () => void;

/** `onEnd` is called once, never before this function has returned. */
export function runProbe(
  target: CheckTarget,
  probe: Probe,
  onEnd: (result: ProbeResult) => void,
): Abandon {
  const { kind } = target.check.protocol;
  return kind === "udp" || kind === "dns"
    ? runDatagrams(target, probe, onEnd)
    : runStream(target, probe, onEnd);
}

function runStream(
  target: CheckTarget,
  probe: Probe,
  onEnd: (result: ProbeResult) => void,
): Abandon {
  const { protocol } = target.check;
  const tls = "tls" in protocol ? protocol.tls : undefined;
  const socket = openStream(target, tls);
  let warning: string | undefined;
  const end = (result: ProbeResult): void => {
    socket.removeAllListeners();
    socket.on("error", () => {});
    // A reset leaves no TIME_WAIT behind: thousands of checks a second would use up the ports.
    if (result.ok && tls === undefined) socket.resetAndDestroy();
    else socket.destroy();
    onEnd(warning === undefined ? result : { ...result, warning });
  };
  const take = (step: ProbeStep): void => {
    if (step.send !== undefined) socket.write(step.send);
    if (step.result !== undefined) end(step.result);
  };
  socket.on(tls === undefined ? "connect" : "secureConnect", () => {
    if (tls !== undefined) warning = expiryWarning(socket as TLSSocket, tls);
    take(probe.connected());
  });
  socket.on("data", (bytes: Buffer) => take(probe.received(bytes)));
  socket.on("end", () => take(probe.ended()));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    end({ ok: false, reason: error.code ?? error.message });
  });
  socket.on("close", () => end({ ok: false, reason: "the connection was closed" }));
  return () => {
    socket.removeAllListeners();
    socket.on("error", () => {});
    socket.destroy();
  };
}

function openStream(target: CheckTarget, tls: CheckTls | undefined): Socket {
  const { endpoint, check } = target;
  const where =
    endpoint.kind === "unix"
      ? { path: endpoint.path }
      : {
          host: endpoint.address,
          port: endpoint.port,
          ...(check.bindAddress === undefined ? {} : { localAddress: check.bindAddress }),
        };
  if (tls === undefined) return connectTcp(where);
  return connectTls({
    ...where,
    rejectUnauthorized: tls.verify,
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls.ca === undefined ? {} : { ca: readFileSync(tls.ca) }),
  });
}

function expiryWarning(socket: TLSSocket, tls: CheckTls): string | undefined {
  const { valid_to: validTo } = socket.getPeerCertificate();
  const leftMs = Date.parse(validTo) - Date.now();
  if (!(leftMs < tls.expiryWarningMs)) return undefined;
  return leftMs < 0
    ? "its certificate has ended"
    : `its certificate ends in ${Math.floor(leftMs / DAY_MS)} days`;
}

function runDatagrams(
  target: CheckTarget,
  probe: Probe,
  onEnd: (result: ProbeResult) => void,
): Abandon {
  const { endpoint, check } = target;
  if (endpoint.kind === "unix") {
    setImmediate(() => onEnd({ ok: false, reason: "a unix socket cannot be asked by datagram" }));
    return () => {};
  }
  const socket = createSocket(isIpv6(endpoint.address) ? "udp6" : "udp4");
  const close = (): void => {
    socket.removeAllListeners();
    socket.on("error", () => {});
    socket.close();
  };
  const end = (result: ProbeResult): void => {
    close();
    onEnd(result);
  };
  const take = (step: ProbeStep): void => {
    if (step.send !== undefined) socket.send(step.send);
    if (step.result !== undefined) end(step.result);
  };
  socket.on("error", (error: NodeJS.ErrnoException) => {
    end({ ok: false, reason: error.code ?? error.message });
  });
  socket.on("message", (bytes) => take(probe.received(bytes)));
  const connect = (): void => {
    socket.connect(endpoint.port, endpoint.address, () => take(probe.connected()));
  };
  if (check.bindAddress === undefined) connect();
  else socket.bind(0, check.bindAddress, connect);
  return close;
}
