/** Targets of checks, and a runner in the network of a host of the lab. */

import type {
  CheckProtocol,
  CheckTarget,
  CheckTiming,
} from "../../src/core/check/check-settings.ts";

/** Quick, so that a test sees a server fall and rise within a second. */
const QUICK: CheckTiming = {
  intervalMs: 200,
  fastIntervalMs: 50,
  downIntervalMs: 100,
  timeoutMs: 300,
  rise: 2,
  fall: 3,
  retry: 0,
  delayBeforeRetryMs: 100,
  warmupMs: 0,
  startDown: false,
};

/** `where`: `10.0.0.1:80` or the path of a unix socket. */
export function targetOf(
  subject: string,
  protocol: CheckProtocol,
  where: string,
  more: { readonly timing?: Partial<CheckTiming>; readonly bindAddress?: string } = {},
): CheckTarget {
  const { bindAddress } = more;
  const check = {
    name: subject,
    protocol,
    timing: { ...QUICK, ...more.timing },
    ...(bindAddress === undefined ? {} : { bindAddress }),
  };
  if (where.startsWith("/")) return { subject, check, endpoint: { kind: "unix", path: where } };
  const colon = where.lastIndexOf(":");
  const [address, port] = [where.slice(0, colon), Number(where.slice(colon + 1))];
  return { subject, check, endpoint: { kind: "ip", address, port } };
}
