/** Asks one target once, each kind of check in its own way. */

import { randomBytes } from "node:crypto";
import type { CheckTarget } from "../core/check/check-settings.ts";
import type { ProbeResult } from "../core/check/probe.ts";
import { probeFor } from "../core/check/probes.ts";
import type { DerivedKeys } from "../core/check/scram.ts";
import { runGrpcCheck } from "./check-grpc.ts";
import { runPing } from "./check-ping.ts";
import { runProbe } from "./check-probe.ts";
import { CheckWires } from "./check-wire.ts";
import { limitBacktracking } from "./expression-engine.ts";
import { runScriptCheck, type ScriptRules } from "./check-script.ts";

limitBacktracking();

/** Ends it: nothing is told any more. `atOnce`: this process ends too and cannot wait for a script to obey. */
export type Abandon = (atOnce?: boolean) => void;

export interface Asking {
  readonly wires: CheckWires;
  readonly scripts: ScriptRules;
  readonly keys: DerivedKeys;
}

/** `onEnd` is called once, never before this function has returned. */
export function ask(
  target: CheckTarget,
  { scripts, keys, wires }: Asking,
  onEnd: (result: ProbeResult) => void,
): Abandon {
  const { protocol } = target.check;
  switch (protocol.kind) {
    case "ping":
      return runPing(target, onEnd);
    case "script":
      return runScriptCheck(target, protocol, scripts, onEnd);
    case "grpc":
      return runGrpcCheck(target, protocol, hostOf(target), onEnd);
    default: {
      const context = { host: hostOf(target), random: randomBytes, keys };
      const probe = probeFor(protocol, context);
      const isPlain = !("tls" in protocol) && target.check.bindAddress === undefined;
      const isStream = protocol.kind !== "udp" && protocol.kind !== "dns";
      return isPlain && isStream ? wires.run(target, probe, onEnd) : runProbe(target, probe, onEnd);
    }
  }
}

/** As in a Host field. */
function hostOf({ endpoint }: CheckTarget): string {
  if (endpoint.kind === "unix") return "localhost";
  const { address, port } = endpoint;
  const host = address.includes(":") ? `[${address}]` : address;
  return port === 80 || port === 443 ? host : `${host}:${port}`;
}
