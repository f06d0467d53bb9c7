/** What of a check changed, under the keys that a user wrote. */

import type {
  BodyExpectation,
  CheckProtocol,
  CheckSettings,
} from "../../../core/check/check-settings.ts";
import { fields, type Part } from "./change.ts";

const EFFECT = "in place";

export function diffCheck(before: CheckSettings, after: CheckSettings): Part[] {
  const common = fields(EFFECT, commonKeys(before), commonKeys(after));
  const [old, now] = [kindKey(before.protocol), kindKey(after.protocol)];
  if (old !== now) return [{ text: `${old} -> ${now}`, effect: EFFECT }, ...common];
  const asked = fields(
    EFFECT,
    { [old]: protocolKeys(before.protocol) },
    { [now]: protocolKeys(after.protocol) },
  );
  return [...asked, ...common];
}

function kindKey(protocol: CheckProtocol): string {
  return protocol.kind === "http" && protocol.tls !== undefined ? "https" : protocol.kind;
}

function commonKeys({ timing, protocol, bindAddress, ...check }: CheckSettings): object {
  const { intervalMs, fastIntervalMs, downIntervalMs, ...others } = timing;
  return {
    everyMs: intervalMs,
    fastEveryMs: fastIntervalMs,
    downEveryMs: downIntervalMs,
    ...others,
    address: check.address,
    port: check.port,
    bind: bindAddress,
    logFailures: check.logFailures ?? false,
    whileHeld: check.whileHeld,
    tls: "tls" in protocol ? protocol.tls : undefined,
  };
}

function protocolKeys(protocol: CheckProtocol): object {
  switch (protocol.kind) {
    case "http": {
      const { kind: _kind, tls: _tls, headers, status, body, ...others } = protocol;
      return {
        ...others,
        headers: headers.map(({ name, value }) => `${name}: ${value}`),
        status: status.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)),
        ...(body === undefined ? {} : bodyKeys(body)),
      };
    }
    case "script":
      return {
        command: protocol.argv,
        dynamic: protocol.dynamic,
        user: protocol.user,
        group: protocol.group,
      };
    case "dns":
      return { name: protocol.name, type: protocol.queryType };
    case "smtp":
      return { hello: protocol.helloName };
    case "udp": {
      const { payload, requireReply, reply } = protocol;
      return { payload, requireReply, reply: reply?.value, mask: reply?.mask };
    }
    case "tcp":
    case "grpc":
      return { ...protocol, tls: undefined };
    default:
      return protocol;
  }
}

function bodyKeys(body: BodyExpectation): object {
  switch (body.kind) {
    case "contains":
      return { contains: body.text };
    case "regex": {
      const key = body.inverted ? "notMatches" : "matches";
      return { [key]: body.pattern, inHead: body.withHead ?? false };
    }
    case "digest":
      return { [body.algorithm]: body.hex };
  }
}
