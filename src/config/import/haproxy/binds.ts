/** `bind` lines become `listen` and `tls`. Source: configuration manual, sections 4.2 and 5.1. */

import type { ConfigurationFiles } from "../../keepalived/lines.ts";
import type { Data, Draft } from "../draft.ts";
import type { Line } from "./lines.ts";
import { type Option, optionsOf } from "./options.ts";

export interface Binds {
  readonly isTls: boolean;
  readonly acceptProxy: boolean;
  readonly listen: string[];
  readonly ports: number[];
  tls?: Data;
}

export interface BindDefaults {
  readonly crtBase: string;
  readonly caBase: string;
  readonly files: ConfigurationFiles;
  /** Of `ssl-default-bind-options`. */
  readonly minimumVersion: string | undefined;
}

/**
 * A frontend of Nines has TLS or not, asks all of its clients for certificates or none, and believes all or none
 * of what stands in front: binds that differ in that are several.
 */
export function readBinds(
  lines: readonly Line[],
  defaults: BindDefaults,
  draft: Draft,
): readonly Binds[] {
  const groups = new Map<string, Binds>();
  for (const line of lines) {
    const options = optionsOf(line.words.slice(2));
    const value = (name: string): string | undefined =>
      options.find((option) => option.name === name)?.value;
    const isTls = value("ssl") !== undefined;
    const acceptProxy = value("accept-proxy") !== undefined;
    const verify = value("verify") ?? "none";
    const asks = isTls && verify !== "none" ? [verify, value("ca-file")] : [];
    const key = JSON.stringify([isTls, acceptProxy, ...asks]);
    const binds = groups.get(key) ?? { isTls, acceptProxy, listen: [], ports: [] };
    groups.set(key, binds);
    const reader = new BindReader(line, options, draft);
    const texts = (line.words[1] ?? "").split(",").filter((text) => reader.address(text, binds));
    if (texts.length === 0) continue;
    if (isTls) binds.tls = reader.tls(binds.tls ?? {}, defaults);
    reader.tellOthers(lines);
  }
  const found = [...groups.values()].filter(({ listen }) => listen.length > 0);
  return found.sort((a, b) => Number(a.isTls) - Number(b.isTls));
}

/** The frontends' names: `www`, `www-tls`, and with their port where there are more. */
export function namedBinds(name: string, all: readonly Binds[]): Map<string, Binds> {
  const named = new Map<string, Binds>();
  const hasPlain = all.some(({ isTls }) => !isTls);
  for (const binds of all) {
    const base = binds.isTls && hasPlain ? `${name}-tls` : name;
    const port = `${name}-${binds.ports[0] ?? "unix"}`;
    let own = named.has(base) ? port : base;
    for (let count = 2; named.has(own); count++) own = `${port}-${count}`;
    named.set(own, binds);
  }
  return named;
}

/** One address, `*` and `::` included, or a range of ports. */
const MOST_PORTS = 256;

const USED: readonly string[] = [
  "accept-proxy",
  "alpn",
  "ca-file",
  "crt",
  "mode",
  "no-tlsv11",
  "no-tlsv12",
  "force-tlsv13",
  "ssl",
  "ssl-min-ver",
  "verify",
];

const UNNEEDED: Readonly<Record<string, string>> = {
  backlog: "the system's backlog is used",
  "force-tlsv12": "1.2 is the least anyway",
  "prefer-client-ciphers": "TLS comes with good parameters",
  "defer-accept": "it is about the speed of connecting",
  name: "frontends have names, addresses have none",
  nice: "it tunes HAProxy's inside",
  "no-sslv3": "1.2 is the least anyway",
  "no-tlsv10": "1.2 is the least anyway",
  process: "all workers share the ports",
  shards: "all workers share the ports",
  tfo: "it is about the speed of connecting",
  thread: "all workers share the ports",
  v4v6: ":PORT takes IPv4, too",
};

const LOST: Readonly<Record<string, string>> = {
  "crt-list": "list the certificates in tls.certificates; the first serves unknown names",
  interface: "Nines listens on addresses, not on interfaces",
  "no-tls-tickets": "TLS tickets stay on",
  maxconn: "limits.connections is for the whole frontend",
  "strict-sni": "the first certificate serves unknown names",
  transparent: "Nines listens on addresses of this machine",
  v6only: "Nines takes IPv4 on :: too",
};

/** What `ssl-default-bind-options` says of versions. */
export function defaultVersion(line: Line | undefined, draft: Draft): string | undefined {
  const options = optionsOf(line?.words.slice(1) ?? []);
  for (const { name, value } of options) {
    if (USED.includes(name)) continue;
    const at = { ...line!.at, text: `${name} ${value}`.trim() };
    const why = UNNEEDED[name];
    if (why !== undefined) draft.unneeded(at, why);
    else draft.lost(at, LOST[name] ?? "TLS has the runtime's settings");
  }
  const has = (name: string): boolean => options.some((one) => one.name === name);
  const least = options.findLast(({ name }) => name === "ssl-min-ver")?.value;
  return least ?? excluded(has);
}

function excluded(has: (name: string) => boolean): string | undefined {
  if (has("no-tlsv12") || has("force-tlsv13")) return "TLSv1.3";
  return has("no-tlsv11") || has("force-tlsv12") ? "TLSv1.2" : undefined;
}

class BindReader {
  readonly #line: Line;
  readonly #options: readonly Option[];
  readonly #draft: Draft;

  constructor(line: Line, options: readonly Option[], draft: Draft) {
    this.#line = line;
    this.#options = options;
    this.#draft = draft;
  }

  #lose(why: string): void {
    this.#draft.lost(this.#line.at, why);
  }

  #values(name: string): string[] {
    return this.#options.filter((one) => one.name === name).map((one) => one.value);
  }

  /** False: Nines listens on nothing like that, which was told. */
  address(text: string, binds: Binds): boolean {
    const path = /^(?:unix@)?(\/.+)$/u.exec(text)?.[1];
    if (path !== undefined) {
      const [mode] = this.#values("mode");
      binds.listen.push(`unix:${path}${mode === undefined ? "" : ` mode=${mode}`}`);
      return true;
    }
    const [, family, host = "", from = "", to = from] =
      /^(?:(ipv4|ipv6)@)?([^@]*):(\d+)(?:-(\d+))?$/u.exec(text) ?? [];
    const [first, last] = [Number(from), Number(to)];
    if (from === "" || last < first || last - first >= MOST_PORTS) {
      this.#lose(`${text} is nothing that Nines listens on`);
      return false;
    }
    const isV6 = host.includes(":") || family === "ipv6";
    const bare = host.replace(/^\[(.*)\]$/u, "$1");
    for (let port = first; port <= last; port++) {
      const wide = bare === "" || bare === "*" ? (isV6 ? "::" : "0.0.0.0") : bare;
      const address = wide === "::" ? `:${port}` : `${isV6 ? `[${wide}]` : wide}:${port}`;
      if (!binds.listen.includes(address)) binds.listen.push(address);
      binds.ports.push(port);
    }
    // `:80` takes IPv4, too.
    const both = binds.listen.filter((one) => one.startsWith(":")).map((one) => `0.0.0.0${one}`);
    for (const one of both) {
      if (binds.listen.includes(one)) binds.listen.splice(binds.listen.indexOf(one), 1);
    }
    return true;
  }

  tls(before: Data, { crtBase, caBase, minimumVersion, files }: BindDefaults): Data {
    const certificates = this.#values("crt").flatMap((file) =>
      this.#certificates(inside(crtBase, file), files),
    );
    const [ca] = this.#values("ca-file");
    const [verify] = this.#values("verify");
    const has = (name: string): boolean => this.#options.some((one) => one.name === name);
    const alpn = this.#values("alpn").at(-1)?.split(",");
    const version = this.#values("ssl-min-ver").at(-1) ?? excluded(has) ?? minimumVersion;
    const clientCa = ca === undefined || ca.startsWith("@") ? undefined : inside(caBase, ca);
    if (ca !== undefined && verify === undefined)
      this.#lose("a ca-file without verify asks nobody");
    return {
      certificates: [
        ...new Set([...((before["certificates"] ?? []) as string[]), ...certificates]),
      ],
      minimum_version: before["minimum_version"] ?? this.#version(version),
      http2: alpn === undefined ? before["http2"] : alpn.includes("h2"),
      client_ca: before["client_ca"] ?? (verify === undefined ? undefined : clientCa),
      client_certificate: verify === "optional" ? "optional" : before["client_certificate"],
    };
  }

  /** Of a folder HAProxy takes all, by name, but for what goes with them. */
  #certificates(path: string, files: ConfigurationFiles): readonly string[] {
    const found = files.glob(`${path.replace(/\/$/u, "")}/*`);
    const own = found.filter((file) => !/\.(?:issuer|key|ocsp|sctl)$/u.test(file));
    if (own.length > 0) return own;
    if (!path.endsWith("/")) return [path];
    this.#draft.lost(
      { ...this.#line.at, text: `crt ${path}` },
      "no certificates are found there: name them in tls.certificates",
    );
    return [];
  }

  #version(text: string | undefined): string | undefined {
    if (text === undefined || text === "TLSv1.2") return text?.slice(4);
    if (text === "TLSv1.3") return "1.3";
    this.#lose(`${text} is too old: 1.2 is the least`);
    return "1.2";
  }

  tellOthers(lines: readonly Line[]): void {
    const port = /(\d+)$/u.exec(this.#line.words[1] ?? "")?.[1] ?? "";
    const v4 = [`*:${port}`, `:${port}`, `0.0.0.0:${port}`];
    const hasBoth = lines.some(({ words }) => v4.includes(words[1] ?? ""));
    for (const { name, value } of this.#options) {
      if (USED.includes(name) || (name === "v6only" && hasBoth)) continue;
      const at = { ...this.#line.at, text: `${name} ${value}`.trim() };
      const why = UNNEEDED[name];
      if (why !== undefined) this.#draft.unneeded(at, why);
      else this.#draft.lost(at, LOST[name] ?? "listening has no such option");
    }
  }
}

export function inside(base: string, file: string): string {
  return file.startsWith("/") || base === "" ? file : `${base.replace(/\/$/u, "")}/${file}`;
}
