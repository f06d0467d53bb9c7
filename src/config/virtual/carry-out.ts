/**
 * What `nines run` makes of the virtual servers of a keepalived.conf: TCP frontends and pools of the
 * balancer. They go through the language of nines.yaml, which has every default and every limit.
 *
 * IPVS forwards packets in the kernel; this is a proxy. What differs for the user is told.
 */

import type { PoolNotices } from "../../core/check/server-notices.ts";
import type { CheckSettings } from "../../core/check/check-settings.ts";
import type { BalanceSettings } from "../../core/proxy/frontend-settings.ts";
import { counted } from "../../lib/plural.ts";
import type { Data } from "../import/draft.ts";
import type { MailSettings, Model } from "../model.ts";
import type { ServiceModel } from "../service/service-model.ts";
import { readServiceYaml } from "../service/read-service.ts";
import type { RealServerSettings, VirtualServerSettings } from "../virtual-server.ts";
import { isKnownRegexOption } from "./check-data.ts";
import {
  suspendsElsewhere,
  type VirtualServerData,
  virtualServerData,
  WEIGHED,
  weighsOtherwise,
} from "./server-data.ts";

export interface CarriedOut {
  readonly balance: BalanceSettings;
  readonly checks: readonly CheckSettings[];
  readonly notices: readonly PoolNotices[];
  /** One line each: what is not, or not quite, as keepalived does it. */
  readonly notes: readonly string[];
}

const NOTHING: CarriedOut = {
  balance: { workers: 1, frontends: [], pools: [] },
  checks: [],
  notices: [],
  notes: [],
};

export function carryOut(model: Model, file: string): CarriedOut {
  const { virtualServers, networkNamespace } = model;
  if (virtualServers.length === 0) return NOTHING;
  if (networkNamespace !== undefined) {
    const next = `run nines inside it: ip netns exec ${networkNamespace} nines run`;
    return {
      ...NOTHING,
      notes: [`virtual servers are not carried out in a net_namespace - ${next}`],
    };
  }
  const left = virtualServers.flatMap((server) => {
    const why = whyNot(server);
    return why === undefined ? [] : [`virtual_server ${server.name} is not carried out: ${why}`];
  });
  const wanted = virtualServers.filter((server) => whyNot(server) === undefined);
  const carried = accepted(wanted, { mail: model.mail, left });
  const { all, lvs } = model.fifos;
  const hasFifo = all.target !== undefined || lvs.target !== undefined;
  // That there is one: which one stands in the keepalived.conf.
  const fifo = hasFifo ? { lvs_notify_fifo: "/" } : {};
  const more = { ...fifo, rs_init_notifies: model.startNotices };
  const service = carried.length === 0 ? undefined : serviceOf(carried, model.mail, more);
  if (service === undefined || typeof service === "string") return { ...NOTHING, notes: left };
  const { balance, checks, notices } = service;
  return {
    balance,
    checks,
    notices: namedAsGroups(notices, { carried, all: virtualServers, mail: model.mail }),
    notes: [proxyNote(carried, file), ...left, ...lacks(carried)],
  };
}

interface Carried {
  readonly carried: readonly VirtualServerSettings[];
  readonly all: readonly VirtualServerSettings[];
  readonly mail: MailSettings;
}

/**
 * A group has no address: keepalived's FIFOs and mails call it `[NAME]:0`, and where several virtual servers are of it,
 * the next one `[NAME]:1`.
 */
function namedAsGroups(
  notices: readonly PoolNotices[],
  { carried, all, mail }: Carried,
): readonly PoolNotices[] {
  const servers = new Map(withPools(carried, mail).map(({ data, server }) => [data.name, server]));
  return notices.map((one) => {
    const server = servers.get(one.pool)!;
    const [, group] = /^group (.*)$/u.exec(server.name) ?? [];
    if (group === undefined) return one;
    const number = all.filter(({ name }) => name === server.name).indexOf(server);
    const own = `[${group}]:${number}`;
    return {
      ...one,
      ...(one.fifoName === undefined ? {} : { fifoName: own }),
      ...(one.mails === undefined ? {} : { mails: { ...one.mails, name: own } }),
    };
  });
}

/** Undefined: it can be. */
function whyNot(server: VirtualServerSettings): string | undefined {
  const { protocol, frontends, realServers } = server;
  if (protocol !== "tcp") return `the balancer carries TCP, not ${protocol.toUpperCase()}`;
  if (frontends.every((front) => front.kind === "mark")) {
    return "a firewall mark is no address to listen on";
  }
  const hasNoPort = frontends.some((front) => front.kind !== "mark" && front.port === 0);
  if (hasNoPort || realServers.some(({ port }) => port === 0)) {
    return "it names no port, and a proxy listens on ports";
  }
  return undefined;
}

interface Around {
  readonly mail: MailSettings;
  /** Why some are not carried out. */
  readonly left: string[];
}

/** Those that the balancer takes: one that it cannot take costs none of the others. */
function accepted(
  servers: readonly VirtualServerSettings[],
  around: Around,
): readonly VirtualServerSettings[] {
  const why = servers.length === 0 ? undefined : serviceOf(servers, around.mail);
  if (typeof why !== "string") return servers;
  const [first] = servers;
  if (servers.length === 1) {
    around.left.push(`virtual_server ${first!.name} is not carried out: ${why}`);
    return [];
  }
  const middle = servers.length >> 1;
  const all = accepted(servers.slice(0, middle), around);
  return joined(all, accepted(servers.slice(middle), around), around);
}

/** Where two of them want the same, the first one has it; found by halves, as each try reads all. */
function joined(
  all: readonly VirtualServerSettings[],
  rest: readonly VirtualServerSettings[],
  around: Around,
): readonly VirtualServerSettings[] {
  const both = [...all, ...rest];
  const why = rest.length === 0 ? undefined : serviceOf(both, around.mail);
  if (typeof why !== "string") return both;
  const [first] = rest;
  if (rest.length === 1) {
    around.left.push(`virtual_server ${first!.name} is not carried out: ${why}`);
    return all;
  }
  const middle = rest.length >> 1;
  return joined(joined(all, rest.slice(0, middle), around), rest.slice(middle), around);
}

/** A text says why they cannot be. */
function serviceOf(
  servers: readonly VirtualServerSettings[],
  mail: MailSettings,
  more: Data = {},
): ServiceModel | string {
  const { checker: smtp_alert_checker, serversOnly: no_checker_emails } = mail;
  const global = { ...more, smtp_alert_checker, no_checker_emails };
  const document = { ...documentOf(servers, mail), global };
  const files = { readFile: () => JSON.stringify(document), glob: () => [] };
  const { service, diagnostics } = readServiceYaml("virtual servers", { environment: {} }, files);
  if (service !== undefined) return service;
  return diagnostics.find(({ severity }) => severity === "error")?.reason ?? "";
}

/** As keepalived: nobody is taken out but by checks, and nobody starts slowly. */
const AS_KEEPALIVED: Data = { outlier: false, slow_start: false };

interface WithPool {
  readonly server: VirtualServerSettings;
  readonly data: VirtualServerData;
}

function withPools(
  servers: readonly VirtualServerSettings[],
  mail: MailSettings,
): readonly WithPool[] {
  const names = new Set<string>();
  return servers.map((server) => {
    const data = virtualServerData(server, "tcp", mail, (name) => names.has(name));
    names.add(data.name);
    return { server, data };
  });
}

function documentOf(servers: readonly VirtualServerSettings[], mail: MailSettings): Data {
  const all = withPools(servers, mail).map(({ data }) => data);
  const literal = (value: unknown): unknown =>
    // `${NAME}` was looked up by keepalived's own rules; what is left is text.
    JSON.parse(JSON.stringify(value).replace(/\$(?=\{[A-Z_][A-Z0-9_]*(?::-[^}]*)?\})/gu, "$$$$"));
  return literal({
    checks: Object.assign({}, ...all.map(({ checks }) => checks)) as Data,
    pools: Object.fromEntries(all.map(({ name, pool }) => [name, { ...pool, ...AS_KEEPALIVED }])),
    frontends: Object.fromEntries(all.map(({ name, frontend }) => [name, frontend])),
  }) as Data;
}

function proxyNote(carried: readonly VirtualServerSettings[], file: string): string {
  const what = `${counted(carried.length, "virtual server")} carried by a TCP proxy, not by IPVS`;
  const isDirect = carried.some(({ forwarding }) => forwarding.method !== "nat");
  const back = isDirect ? ", and answers come back through it (no DR, no TUN)" : "";
  const next = `if they need the client's: nines import ${file}, then send_proxy: v2 or mode: http`;
  return `${what}: real servers see this machine's address${back} - ${next}`;
}

/** keepalived's `max_reply_length` where none is written. */
const UDP_REPLY_BYTES = 255;

/** Words that decide which server is used, and have no counterpart. */
function leftOut({ lowerThreshold, checks }: RealServerSettings): string[] {
  const words = lowerThreshold > 0 ? ["lthreshold"] : [];
  for (const check of checks) {
    const target = "target" in check ? check.target : undefined;
    if (target?.sourcePort !== undefined) words.push("bind_port");
    if (target?.sourceInterface !== undefined) words.push("bind_if");
    if (target?.mark !== undefined) words.push("fwmark of checks");
    if (check.kind === "udp") {
      if (check.minReplyLength > 0) words.push("min_reply_length");
      if (check.maxReplyLength !== UDP_REPLY_BYTES) words.push("max_reply_length");
    }
    if (check.kind !== "http") continue;
    const patterns = check.urls.flatMap(({ regex }) => regex ?? []);
    if (patterns.some(({ minOffset }) => minOffset > 0)) words.push("regex_min_offset");
    if (patterns.some(({ maxOffset }) => maxOffset !== undefined)) words.push("regex_max_offset");
    if (check.urls.some(({ tlsCompliant }) => tlsCompliant)) words.push("tls_compliant");
    const options = patterns.flatMap((pattern) => pattern.options);
    const unknown = options.filter((option) => !isKnownRegexOption(option));
    words.push(...unknown.map((option) => `regex_options ${option}`));
  }
  return words;
}

const EXACT: readonly string[] = ["rr", "wrr", "lc", "wlc", "twos", "sh", "mh", "fo"];

function lacks(carried: readonly VirtualServerSettings[]): string[] {
  return carried.flatMap((server) => {
    const name = `virtual_server ${server.name}`;
    const { scheduler, frontends, realServers, haSuspend } = server;
    const waitsForMark = haSuspend && !suspendsElsewhere(server);
    const kinds = new Set(realServers.flatMap(({ checks }) => checks.map(({ kind }) => kind)));
    const engine = server.persistence?.engine === undefined ? [] : ["persistence_engine"];
    const words = new Set([...realServers.flatMap(leftOut), ...engine]);
    return [
      ...(words.size === 0 ? [] : [`${name}: left out are ${[...words].join(", ")}`]),
      ...(EXACT.includes(scheduler) ? [] : [`${name}: the nearest to ${scheduler} is used`]),
      ...(frontends.some(({ kind }) => kind === "mark") ? [`${name}: fwmark is left out`] : []),
      ...(kinds.has("file") ? [`${name}: FILE_CHECK is left out`] : []),
      ...(waitsForMark ? [`${name}: ha_suspend is left out, nobody holds a firewall mark`] : []),
      ...(weighsOtherwise(server) ? [`${name}: misc_dynamic, ${WEIGHED}`] : []),
      ...(kinds.has("bfd") ? [`${name}: BFD_CHECK is left out`] : []),
    ];
  });
}
