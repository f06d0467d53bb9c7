/** Asks a server by one ICMP echo request. */

import type { CheckTarget } from "../core/check/check-settings.ts";
import { failure, type ProbeResult } from "../core/check/probe.ts";
import { errnoName } from "./ffi.ts";
import { IcmpEcho } from "./icmp-echo.ts";

/** Any number: the request is the only one of its socket. */
const SEQUENCE = 1;

export function runPing(
  { endpoint, check }: CheckTarget,
  onEnd: (result: ProbeResult) => void,
): () => void {
  let isOver = false;
  const end = (result: ProbeResult): void => {
    if (!isOver) onEnd(result);
    isOver = true;
  };
  const fail = (errno: string, text: string): (() => void) => {
    setImmediate(end, failure(errno, text));
    return () => (isOver = true);
  };
  if (endpoint.kind === "unix") return fail("", "a unix socket cannot be pinged");
  const { address } = endpoint;
  const echo = IcmpEcho.open(
    address,
    () => {
      close();
      end({ ok: true, reason: "echo reply" });
    },
    check.bindAddress,
  );
  if ("errno" in echo) return fail(errnoName(-echo.errno), echo.message);
  let isOpen = true;
  const close = (): void => {
    if (isOpen) echo.close();
    isOpen = false;
  };
  const sent = echo.send(SEQUENCE);
  if (sent < 0) {
    close();
    return fail(errnoName(sent), `the echo request cannot leave: ${errnoName(sent)}`);
  }
  return () => {
    isOver = true;
    close();
  };
}
