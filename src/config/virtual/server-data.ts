/**
 * A `virtual_server` with its real servers as checks, a pool and a frontend of nines.yaml: what
 * `nines import` writes and what `nines run` carries out.
 */

import { formatIp, parseIp } from "../../lib/ip-address.ts";
import type { NotifyCommand } from "../../core/vrrp/settings.ts";
import type { Data } from "../import/draft.ts";
import type { MailSettings } from "../model.ts";
import { durationText } from "../service/schema/kinds.ts";
import type {
  Frontend,
  RealServerSettings,
  Scheduler,
  SorryServer,
  VirtualServerSettings,
} from "../virtual-server.ts";
import { checksData } from "./check-data.ts";

export interface VirtualServerData {
  readonly name: string;
  readonly frontend: Data;
  readonly pool: Data;
  readonly checks: Readonly<Record<string, Data>>;
}

/** `mode`: whether requests are read, or connections carried as keepalived does. */
export function virtualServerData(
  server: VirtualServerSettings,
  mode: "http" | "tcp",
  mail: MailSettings,
  isTaken: (name: string) => boolean = () => false,
): VirtualServerData {
  const plain = plainName(server.name);
  let name = plain;
  for (let i = 2; isTaken(name); i++) name = `${plain}-${i}`;
  const names = new CheckNames(name);
  const all = suspendsElsewhere(server) ? server.frontends.flatMap(addressesOf) : [];
  const held = all.length > 1 ? [...new Set(all)] : all[0];
  const used = server.realServers.map((real) => {
    const own = `${name}-${plainName(real.address)}-${real.port}`;
    const checks = real.checks.flatMap((check) => checksData(check, real));
    return checks.map((data) => names.of({ ...data, while_held: held }, own));
  });
  const common = used.find((list) => list.length > 0) ?? [];
  const scale = weightScale(server);
  const mails = mailData(server, mail);
  const servers = server.realServers.map((real, i) => {
    const own = used[i]!;
    const isCommon = own.join() === common.join();
    const checks = isCommon ? undefined : own.length === 0 ? ["off"] : own;
    return serverData(real, { checks, scale, mail: mails.servers[i] });
  });
  const check = common.length > 1 ? common : common[0];
  return {
    name,
    frontend: {
      listen: [...new Set(server.frontends.flatMap(listenTexts))],
      mode: mode === "tcp" ? "tcp" : undefined,
      pool: name,
    },
    pool: {
      ...poolData(server, servers, mails),
      check,
    },
    checks: names.data,
  };
}

/** As in keepalived: nobody holds a firewall mark, so checks do not wait where one is among the addresses. */
export function suspendsElsewhere({ haSuspend, frontends }: VirtualServerSettings): boolean {
  return haSuspend && frontends.every(({ kind }) => kind !== "mark");
}

export const WEIGHED =
  "scripts set percents of the weight, not the weight itself: best with weight 100";

/** A script's weight is a percentage of the configured one here, and stands in its place in keepalived. */
export function weighsOtherwise({ realServers }: VirtualServerSettings): boolean {
  const weighed = realServers.filter(({ checks }) => {
    return checks.some((check) => check.kind === "misc" && check.dynamic);
  });
  const [first] = weighed;
  const isAll = weighed.length === realServers.length;
  return weighed.some(({ weight }) => weight !== 100 && !(isAll && weight === first!.weight));
}

/** Checks that say the same have one name. */
class CheckNames {
  readonly data: Record<string, Data> = {};
  readonly #names = new Map<string, string>();
  readonly #common: string;

  constructor(common: string) {
    this.#common = common;
  }

  of(data: Data, own: string): string {
    const text = JSON.stringify(data);
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const wanted = this.#names.size === 0 ? this.#common : own;
    let name = wanted;
    for (let i = 2; Object.hasOwn(this.data, name); i++) name = `${wanted}-${i}`;
    this.data[name] = data;
    this.#names.set(text, name);
    return name;
  }
}

/** Letters, digits, dots and dashes. */
function plainName(text: string): string {
  return text
    .replace(/^group /u, "")
    .replace(/[^\w.-]+/gu, "-")
    .replace(/^-+|-+$/gu, "");
}

function poolData(
  server: VirtualServerSettings,
  servers: readonly unknown[],
  mails: MailData,
): Data {
  const { sorryServer: sorry, persistence } = server;
  const last = sorry === undefined ? [] : [sorryText(sorry, server.realServers)];
  const ttl = persistence === undefined ? "" : durationText(persistence.timeoutMs);
  const bits = persistence?.granularity;
  const key = bits === undefined || bits === 32 || bits === 128 ? "source" : `source/${bits}`;
  return {
    servers: [...servers, ...last],
    balance: hashesPorts(server) ? "random" : BALANCE[server.scheduler],
    sticky: persistence === undefined ? undefined : { table: { key, ttl } },
    kill_on_down: server.realServers.some((real) => real.inhibitOnFailure) ? false : undefined,
    quorum: quorumData(server, mails.quorum),
    smtp_alert: mails.pool,
    notify_at_end: server.notifyOnStop ? true : undefined,
  };
}

/** A real server may be the sorry server, too. */
function sorryText(sorry: SorryServer, reals: readonly RealServerSettings[]): string {
  const isReal = reals.some(({ address, port }) => {
    return address === sorry.address && port === sorry.port;
  });
  const name = isReal ? " name=sorry" : "";
  return `${hostPort(sorry.address, sorry.port)} backup check=off${name}`;
}

function quorumData(server: VirtualServerSettings, mail: boolean | undefined): unknown {
  const { quorumUp: up, quorumDown: down } = server;
  // In the measure of the weights; rounded so that all servers together reach it.
  const scale = weightScale(server);
  const quorum = Math.max(1, Math.floor(server.quorum * scale));
  const hysteresis = Math.floor(server.hysteresis * scale);
  if (up === undefined && down === undefined && hysteresis === 0 && mail === undefined) {
    return quorum === 1 ? undefined : quorum;
  }
  return {
    weight: quorum,
    hysteresis: hysteresis === 0 ? undefined : hysteresis,
    up: commandData(up),
    down: commandData(down),
    smtp_alert: mail,
  };
}

interface MailData {
  readonly pool?: boolean | undefined;
  readonly quorum?: boolean | undefined;
  readonly servers: readonly (boolean | undefined)[];
}

/** What is not as `global` says. Nothing where no mail can be sent. */
function mailData({ mail, realServers }: VirtualServerSettings, settings: MailSettings): MailData {
  if (settings.server === undefined || settings.to.length === 0) return { servers: [] };
  const standard = settings.checker ?? false;
  const own = (wanted: boolean): boolean | undefined => (wanted === standard ? undefined : wanted);
  const wanted = realServers.map((real) => own(real.mail));
  const isCommon = wanted.every((one) => one === wanted[0]);
  return {
    quorum: own(mail),
    pool: isCommon ? wanted[0] : undefined,
    servers: isCommon ? [] : wanted,
  };
}

export function commandData(command: NotifyCommand | undefined): unknown {
  if (command === undefined) return undefined;
  const { argv, user, group } = command;
  return user === undefined && group === undefined ? argv : { command: argv, user, group };
}

export function hostPort(address: string, port: number): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

const HIGHEST_WEIGHT = 256;

/** Weights above what Nines knows keep their proportions. */
function weightScale({ realServers }: VirtualServerSettings): number {
  const highest = Math.max(1, ...realServers.map(({ weight }) => weight));
  return Math.min(1, HIGHEST_WEIGHT / highest);
}

interface ServerFacts {
  readonly checks: readonly string[] | undefined;
  readonly scale: number;
  readonly mail: boolean | undefined;
}

/** As short as it can be said. */
function serverData(real: RealServerSettings, facts: ServerFacts): unknown {
  const { checks, scale, mail } = facts;
  const { address, port, upperThreshold: most, notifyUp, notifyDown } = real;
  const weight = real.weight === 0 ? 0 : Math.max(1, Math.round(real.weight * scale));
  const [check, ...more] = checks ?? [];
  const isPlain = notifyUp === undefined && notifyDown === undefined && mail === undefined;
  if (more.length === 0 && isPlain) {
    return [
      hostPort(address, port),
      ...(weight === 1 ? [] : [`weight=${weight}`]),
      ...(most === 0 ? [] : [`max=${most}`]),
      ...(check === undefined ? [] : [`check=${check}`]),
    ].join(" ");
  }
  return {
    address: hostPort(address, port),
    weight: weight === 1 ? undefined : weight,
    max_connections: most === 0 ? undefined : most,
    check: more.length > 0 ? checks : check,
    notify_up: commandData(notifyUp),
    notify_down: commandData(notifyDown),
    smtp_alert: mail,
  };
}

const BALANCE: Readonly<Record<Scheduler, string>> = {
  rr: "round-robin",
  wrr: "round-robin",
  lc: "least-connections",
  wlc: "least-connections",
  sed: "least-connections",
  nq: "least-connections",
  twos: "two-choices",
  sh: "hash source",
  mh: "maglev source",
  dh: "hash source",
  lblc: "hash source",
  lblcr: "hash source",
  fo: "first",
  ovf: "first",
};

/**
 * With the client's port in the hash each connection goes its own way, by the weights. `flag-2` is how IPVS itself
 * calls that flag of both; the other one, `…-fallback`, is what Nines always does.
 */
function hashesPorts({ scheduler, schedulerFlags: flags }: VirtualServerSettings): boolean {
  if (scheduler !== "sh" && scheduler !== "mh") return false;
  return flags.includes(`${scheduler}-port`) || flags.includes("flag-2");
}

function listenTexts(frontend: Frontend): string[] {
  if (frontend.kind === "mark") return [];
  return addressesOf(frontend).map((address) => hostPort(address, frontend.port));
}

function addressesOf(frontend: Frontend): string[] {
  if (frontend.kind === "mark") return [];
  if (frontend.kind === "address") return [frontend.address];
  return Array.from({ length: frontend.count }, (_, i) => addressAfter(frontend.first, i));
}

function addressAfter(first: string, steps: number): string {
  const bytes = parseIp(first) ?? new Uint8Array();
  let carry = steps;
  for (let i = bytes.length - 1; i >= 0; i--) {
    carry += bytes[i]!;
    bytes[i] = carry & 0xff;
    carry >>>= 8;
  }
  return formatIp(bytes);
}
