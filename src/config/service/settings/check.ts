/** `checks` become the settings that the runner carries out. */

import type {
  BodyExpectation,
  CheckProtocol,
  CheckSettings,
  CheckTiming,
  CheckTls,
} from "../../../core/check/check-settings.ts";
import { assert } from "../../../lib/assert.ts";
import { formatDuration } from "../../../lib/duration.ts";
import { commandKey } from "../../script-uses.ts";
import { type CheckDocument, PROTOCOLS } from "../schema/check-schema.ts";
import { type BuildContext, given, optional, remember } from "./context.ts";

export function buildCheck(
  name: string,
  document: CheckDocument,
  context: BuildContext,
): CheckSettings | undefined {
  const { findings, places } = context;
  const at = places.of(document);
  remember(context, `check ${name}`, at);
  const asked = given(document, PROTOCOLS);
  if (asked.length === 0) {
    const next = "add one, e.g. http: /health or tcp: true";
    findings.error(at, `check ${name} does not say what is asked`, next);
    return undefined;
  }
  if (asked.length > 1) {
    const second = places.key(document, asked[1]!);
    const reason = `check ${name} asks ${asked.join(" and ")}`;
    findings.error(second, reason, "one check asks one thing: make two of them");
    return undefined;
  }
  warnAboutTiming(name, document, context);
  const protocol = protocolOf(document, context);
  if (protocol.kind === "script") {
    remember(context, commandKey(protocol), places.at(document, "script"));
  }
  return {
    name,
    protocol,
    timing: timingOf(document),
    ...optional("address", document.address),
    ...optional("port", document.port),
    ...optional("bindAddress", document.bind),
    ...optional("logFailures", document.log_failures),
    ...optional("whileHeld", document.while_held?.length === 0 ? undefined : document.while_held),
  };
}

function timingOf(document: CheckDocument): CheckTiming {
  const intervalMs = document.every;
  return {
    intervalMs,
    fastIntervalMs: document.fast_every ?? intervalMs / 4,
    downIntervalMs: document.down_every ?? intervalMs,
    timeoutMs: document.timeout,
    rise: document.rise,
    fall: document.fall,
    retry: document.retry,
    delayBeforeRetryMs: document.delay_before_retry,
    warmupMs: document.warmup ?? intervalMs,
    startDown: document.start_down,
  };
}

/** A check that may outlast its interval delays the next one: detection gets slower than it reads. */
function warnAboutTiming(name: string, document: CheckDocument, context: BuildContext): void {
  const { findings, places } = context;
  const { every, timeout } = document;
  if (timeout > every) {
    const key = places.wrote(document, "timeout") ? "timeout" : "every";
    const reason = `check ${name} may take ${formatDuration(timeout)} and runs every ${formatDuration(every)}: a hanging server delays the next check`;
    findings.warn(places.at(document, key), reason, "write a timeout below every");
  }
  const { fast_every: fast } = document;
  if (fast !== undefined && fast > every) {
    const reason = `fast_every ${formatDuration(fast)} is slower than every ${formatDuration(every)}`;
    findings.warn(places.at(document, "fast_every"), reason, "write a shorter time, or drop it");
  }
}

function tlsOf(tls: NonNullable<CheckDocument["tls"]>, context: BuildContext): CheckTls {
  const alone = given(tls, ["key", "key_password"])[0];
  if (alone !== undefined && tls.certificate === undefined) {
    const reason = `${alone} belongs to a certificate, and there is none`;
    context.findings.error(context.places.at(tls, alone), reason, "add: certificate: FILE");
  }
  return {
    ...optional("serverName", tls.server_name),
    verify: tls.verify,
    ...optional("ca", tls.ca),
    ...optional("certificate", tls.certificate),
    ...optional("key", tls.key),
    ...optional("keyPassword", tls.key_password),
    expiryWarningMs: tls.expiry_warning,
  };
}

const DEFAULT_EXPIRY_MS = 14 * 86_400_000;

/** The caller made sure that exactly one protocol is there. */
function protocolOf(d: CheckDocument, context: BuildContext): CheckProtocol {
  const tls = d.tls === undefined ? undefined : tlsOf(d.tls, context);
  if (d.http !== undefined) return httpOf(d.http, tls, context);
  if (d.https !== undefined) {
    return httpOf(d.https, tls ?? { verify: true, expiryWarningMs: DEFAULT_EXPIRY_MS }, context);
  }
  if (tls !== undefined && d.tcp === undefined && d.grpc === undefined) {
    const reason = "tls is for http, tcp and grpc";
    context.findings.error(context.places.key(d, "tls"), reason, "remove it");
  }
  if (d.tcp !== undefined) return { kind: "tcp", ...optional("tls", tls) };
  if (d.grpc !== undefined) {
    return { kind: "grpc", service: d.grpc.service, ...optional("tls", tls) };
  }
  if (d.ping !== undefined) return { kind: "ping" };
  if (d.memcached !== undefined) return { kind: "memcached" };
  if (d.smtp !== undefined) return { kind: "smtp", helloName: d.smtp.hello };
  if (d.dns !== undefined) return { kind: "dns", name: d.dns.name, queryType: d.dns.type };
  if (d.agent !== undefined) {
    const { send, required } = d.agent;
    return { kind: "agent", send, ...(required ? {} : { required }) };
  }
  if (d.udp !== undefined) return udpOf(d.udp, context);
  if (d.script !== undefined) {
    const { command: argv, dynamic, user, group } = d.script;
    const rights = { ...optional("user", user), ...optional("group", group) };
    return { kind: "script", argv, dynamic, ...rights };
  }
  return databaseOf(d, context);
}

/** Default of `repl-ping-replica-period`. */
const REDIS_SPEAKS_MS = 10_000;

function databaseOf(d: CheckDocument, context: BuildContext): CheckProtocol {
  if (d.redis !== undefined) {
    const { user, password, role, max_lag: maxLagMs } = d.redis;
    if (maxLagMs > 0 && maxLagMs < REDIS_SPEAKS_MS) {
      const reason = `max_lag ${formatDuration(maxLagMs)}: a primary without writes speaks to its replicas every 10 s only`;
      const next = "write 10s or more, or lower its repl-ping-replica-period";
      context.findings.warn(context.places.at(d.redis, "max_lag"), reason, next);
    }
    const login = { ...optional("user", user), ...optional("password", password) };
    return { kind: "redis", ...login, role, maxLagMs };
  }
  const settings = d.mysql ?? d.postgresql;
  assert(settings !== undefined, "a check asks one of the protocols");
  const { user, password, database, role, max_lag: maxLagMs } = settings;
  if (user === undefined && (role !== "any" || maxLagMs > 0)) {
    const key = role === "any" ? "max_lag" : "role";
    const reason = `${key} cannot be seen by a stranger, who would find every server well`;
    context.findings.error(context.places.at(settings, key), reason, "add: user: NAME");
  }
  return {
    kind: d.mysql === undefined ? "postgresql" : "mysql",
    ...optional("user", user),
    ...optional("password", password),
    ...optional("database", database),
    role,
    maxLagMs,
  };
}

function udpOf(udp: NonNullable<CheckDocument["udp"]>, context: BuildContext): CheckProtocol {
  const { payload, require_reply: requireReply, reply: value } = udp;
  const { findings, places } = context;
  const mask = udp.mask ?? value?.map(() => 0xff);
  if (mask !== undefined && mask.length !== (value?.length ?? 0)) {
    findings.error(places.at(udp, "mask"), "mask is not as long as reply", "a byte for each byte");
  }
  const reply = value === undefined || mask === undefined ? undefined : { value, mask };
  return { kind: "udp", payload, requireReply, ...optional("reply", reply) };
}

type HttpDocument = NonNullable<CheckDocument["http"]>;

function httpOf(
  http: HttpDocument,
  tls: CheckTls | undefined,
  context: BuildContext,
): CheckProtocol {
  const headers = Object.entries(http.headers ?? {}).map(([name, value]) => ({ name, value }));
  return {
    kind: "http",
    ...optional("tls", tls),
    method: http.method,
    path: http.path,
    ...optional("host", http.host),
    headers,
    status: http.status,
    ...optional("body", bodyOf(http, context)),
    ...(http.whole_body ? { wholeBody: true as const } : {}),
    maxBodyBytes: http.max_body,
  };
}

const BODY = ["contains", "matches", "not_matches", "md5", "sha256"] as const;

function bodyOf(http: HttpDocument, context: BuildContext): BodyExpectation | undefined {
  const { findings, places } = context;
  const keys = given(http, BODY);
  if (keys.length > 1) {
    const reason = `${keys.join(" and ")}: one check looks at the body in one way`;
    findings.error(places.key(http, keys[1]!), reason, "keep one of them");
  }
  if (http.contains !== undefined) return { kind: "contains", text: http.contains };
  const pattern = http.matches ?? http.not_matches;
  if (pattern !== undefined) {
    const withHead = http.in_head ? { withHead: true as const } : {};
    return { kind: "regex", pattern, inverted: http.matches === undefined, ...withHead };
  }
  const digest = http.md5 ?? http.sha256;
  if (digest === undefined) return undefined;
  const algorithm = http.md5 === undefined ? "sha256" : "md5";
  const length = algorithm === "md5" ? 16 : 32;
  if (digest.length !== length) {
    const reason = `${algorithm} has ${digest.length} bytes, not ${length}`;
    findings.error(places.at(http, algorithm), reason, `write ${length * 2} digits`);
  }
  return { kind: "digest", algorithm, hex: Buffer.from(digest).toString("hex") };
}
