/**
 * Carries the bytes of one probe over TLS, UDP, and TCP from an address of its own; `check-wire.ts`
 * does the rest. Deadlines and verdicts are not made here.
 */

import { createSocket } from "node:dgram";
import type { CheckTarget } from "../core/check/check-settings.ts";
import { failure, type Probe, type ProbeResult, type ProbeStep } from "../core/check/probe.ts";
import { isIpv6 } from "../lib/ip-address.ts";
import { FAREWELL_MS } from "./check-wire.ts";
import { certificateWarning, openCheckStream, streamFailure } from "./check-stream.ts";

/** `onEnd` is called once, never before this function has returned. */
export function runProbe(
  target: CheckTarget,
  probe: Probe,
  onEnd: (result: ProbeResult) => void,
): () => void {
  const { kind } = target.check.protocol;
  return kind === "udp" || kind === "dns"
    ? runDatagrams(target, probe, onEnd)
    : runStream(target, probe, onEnd);
}

function notAsked(why: ProbeResult, onEnd: (result: ProbeResult) => void): () => void {
  const told = setImmediate(() => onEnd(why));
  return () => clearImmediate(told);
}

function runStream(
  target: CheckTarget,
  probe: Probe,
  onEnd: (result: ProbeResult) => void,
): () => void {
  const { protocol } = target.check;
  const tls = "tls" in protocol ? protocol.tls : undefined;
  const socket = openCheckStream(target, tls);
  if ("ok" in socket) return notAsked(socket, onEnd);
  let warning: string | undefined;
  const end = (result: ProbeResult, farewell?: Uint8Array): void => {
    socket.removeAllListeners();
    socket.on("error", () => {});
    if (farewell !== undefined) {
      // Said in full, so that the server does not count a connection that was broken off.
      socket.setTimeout(FAREWELL_MS, () => socket.destroy());
      socket.on("end", () => socket.destroy());
      socket.end(farewell);
      socket.resume();
    } else if (result.ok && tls === undefined && target.endpoint.kind === "ip") {
      // A reset leaves no TIME_WAIT behind: thousands of checks a second would use up the ports.
      socket.resetAndDestroy();
    } else {
      socket.destroy();
    }
    onEnd(warning === undefined ? result : { ...result, warning });
  };
  const take = ({ send, result }: ProbeStep): void => {
    if (result !== undefined) end(result, send);
    else if (send !== undefined) socket.write(send);
  };
  socket.on(tls === undefined ? "connect" : "secureConnect", () => {
    if (tls !== undefined) warning = certificateWarning(socket, tls);
    take(probe.connected());
  });
  socket.on("data", (bytes: Buffer) => take(probe.received(bytes)));
  socket.on("end", () => take(probe.ended()));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    end(streamFailure(error));
  });
  socket.on("close", () => end({ ok: false, reason: "the connection was closed" }));
  return () => {
    socket.removeAllListeners();
    socket.on("error", () => {});
    socket.destroy();
  };
}

function runDatagrams(
  target: CheckTarget,
  probe: Probe,
  onEnd: (result: ProbeResult) => void,
): () => void {
  const { endpoint, check } = target;
  if (endpoint.kind === "unix") {
    return notAsked({ ok: false, reason: "a unix socket cannot be asked by datagram" }, onEnd);
  }
  const socket = createSocket(isIpv6(endpoint.address) ? "udp6" : "udp4");
  let isOver = false;
  // Node's own listeners stay: a socket that is being bound is closed by them, later.
  const close = (): void => {
    if (!isOver) socket.close();
    isOver = true;
  };
  const end = (result: ProbeResult): void => {
    if (isOver) return;
    close();
    onEnd(result);
  };
  const take = (step: ProbeStep): void => {
    if (step.send !== undefined) socket.send(step.send);
    if (step.result !== undefined) end(step.result);
  };
  const fail = (error: NodeJS.ErrnoException): void => {
    end(failure(error.code ?? error.message));
  };
  socket.on("error", fail);
  socket.on("message", (bytes) => {
    if (!isOver) take(probe.received(bytes));
  });
  const connect = (): void => {
    if (isOver) return;
    // Node hands the error to this function, whatever its type says: no route, no port.
    socket.connect(endpoint.port, endpoint.address, (error?: NodeJS.ErrnoException | null) => {
      if (error != null) fail(error);
      else if (!isOver) take(probe.connected());
    });
  };
  if (check.bindAddress === undefined) connect();
  else socket.bind(0, check.bindAddress, connect);
  return close;
}
