/** Checkers of keepalived as checks of nines.yaml. */

import type { Data } from "../import/draft.ts";
import { ecmascript } from "../import/expressions.ts";
import { durationText } from "../service/schema/kinds.ts";
import type { CheckSettings, HttpCheckUrl, RealServerSettings } from "../virtual-server.ts";

/** One for each page of an HTTP checker, since all of them must be well. None: it has no counterpart. */
export function checksData(check: CheckSettings, real: RealServerSettings): Data[] {
  if (check.kind === "file" || check.kind === "bfd") return [];
  const { timing } = check;
  const { intervalMs, warmupMs } = timing;
  const timeout = check.kind === "misc" ? check.timeoutMs : timing.connectTimeoutMs;
  return protocolsData(check).map((protocol) => ({
    ...protocol,
    every: durationText(intervalMs),
    fast_every: durationText(intervalMs),
    timeout: durationText(timeout),
    rise: 1,
    fall: 1,
    retry: timing.retry === 0 ? undefined : Math.min(1000, timing.retry),
    delay_before_retry: timing.retry === 0 ? undefined : durationText(timing.delayBeforeRetryMs),
    warmup: warmupMs === intervalMs ? undefined : durationText(warmupMs),
    log_failures: timing.logAllFailures ? true : undefined,
    start_down: timing.startDown ? true : undefined,
    ...targetData(check, real),
  }));
}

function targetData(check: CheckSettings, real: RealServerSettings): Data {
  if (!("target" in check)) return {};
  const { address, port, sourceAddress } = check.target;
  return {
    address: address === real.address ? undefined : address,
    port: port === real.port || check.kind === "ping" ? undefined : port,
    bind: sourceAddress,
  };
}

function protocolsData(check: CheckSettings): Data[] {
  switch (check.kind) {
    case "http":
      return check.urls.map((url) => httpData(check, url));
    case "smtp":
      return [{ smtp: check.heloName === undefined ? true : { hello: check.heloName } }];
    case "dns":
      return [{ dns: { name: check.name, type: check.query } }];
    case "udp": {
      const { payload, requireReply, reply } = check;
      const bytes = { payload: hex(payload), reply: hex(reply?.value), mask: hex(reply?.mask) };
      return [{ udp: { ...bytes, require_reply: requireReply ? true : undefined } }];
    }
    case "misc": {
      const { command, dynamic } = check;
      const settings = { command: command.argv, dynamic: dynamic || undefined };
      return [{ script: { ...settings, user: command.user, group: command.group } }];
    }
    case "ping":
      return [{ ping: true }];
    default:
      return [{ tcp: true }];
  }
}

function hex(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("hex");
}

function httpData(check: Extract<CheckSettings, { kind: "http" }>, url: HttpCheckUrl): Data {
  // The name alone: a port after it is for the server to know.
  const host = (url.virtualHost ?? check.virtualHost)?.replace(/(?<=[^:]|\]):\d+$/u, "");
  const codes = url.statusCodes.map(({ from, to }) => (from === to ? from : `${from}-${to}`));
  const { regex } = url;
  const pattern = regex === undefined ? undefined : patternOf(regex);
  const isLookedAt = url.digest !== undefined || regex !== undefined;
  const request = {
    path: url.path,
    host,
    status: codes.length === 1 ? codes[0] : codes,
    md5: url.digest,
    // keepalived reads a page to its end, however long it is.
    whole_body: isLookedAt ? undefined : true,
    max_body: isLookedAt ? "16MiB" : undefined,
    matches: regex?.inverted === false ? pattern : undefined,
    not_matches: regex?.inverted === true ? pattern : undefined,
    in_head: regex === undefined ? undefined : true,
  };
  if (!check.tls) return { http: request };
  // keepalived verifies no certificate.
  const name = check.sni ? (check.sniName ?? host) : undefined;
  const { certificate, key, password: key_password } = check.ssl ?? {};
  const own = { certificate, key, key_password };
  return { https: request, tls: { verify: false, server_name: name, ...own } };
}

/** Options that change what is found and can be said in the expression; `.` finds line ends anyway. */
const FLAGS: Readonly<Record<string, string>> = { caseless: "i", multiline: "m", dotall: "" };

export function isKnownRegexOption(option: string): boolean {
  return Object.hasOwn(FLAGS, option);
}

/** Escapes and classes, which are left, and `$`: PCRE finds it before a line end at the end, too. */
const ENDS = /\\[^]|\[(?:\\[^]|[^\]\\])*\]|\$/gu;

function patternOf({ pattern, options }: NonNullable<HttpCheckUrl["regex"]>): string {
  const plain = (ecmascript(pattern) ?? pattern).replace(ENDS, (part) =>
    part === "$" ? "(?=\\n?$)" : part,
  );
  const flags = [...new Set(options.map((option) => FLAGS[option] ?? ""))].join("");
  return flags === "" ? plain : `(?${flags}:${plain})`;
}
