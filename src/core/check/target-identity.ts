/** What makes a check the same one as before a change of the configuration. */

import type { CheckTarget } from "./check-settings.ts";

export function keyOf({ subject, check }: CheckTarget): string {
  return `${subject}\0${check.name}`;
}

/** `before`: of the same subject. A check by another name may ask at an address or a port of its own. */
export function isElsewhere(target: CheckTarget, before: readonly CheckTarget[]): boolean {
  const same = before.find((other) => keyOf(other) === keyOf(target));
  if (same !== undefined) return endpointText(same, true) !== endpointText(target, true);
  return before.some((other) => {
    if (other.check.address !== undefined || target.check.address !== undefined) return false;
    const withPort = other.check.port === undefined && target.check.port === undefined;
    return endpointText(other, withPort) !== endpointText(target, withPort);
  });
}

function endpointText({ endpoint }: CheckTarget, withPort: boolean): string {
  return JSON.stringify(withPort || endpoint.kind === "unix" ? endpoint : endpoint.address);
}

/** The same text = the same check, which goes on undisturbed. */
export function identityOf(target: CheckTarget): string {
  return JSON.stringify(target, (_key, value: unknown) =>
    value instanceof Uint8Array ? Array.from(value) : value,
  );
}
