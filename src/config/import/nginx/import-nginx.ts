/** nginx.conf becomes nines.yaml: frontends, routes and pools of what it proxies. */

import { directoryOf } from "../../keepalived/parameters.ts";
import type { Draft } from "../draft.ts";
import type { ImportSource } from "../import-file.ts";
import type { NginxContext } from "./context.ts";
import { namedPool, useAll } from "./context.ts";
import { fateOf } from "./fates.ts";
import { importSocket } from "./frontends.ts";
import { mapsOf } from "./maps.ts";
import { type Directive, parseNginx, PARTS } from "./parse.ts";
import { Scope } from "./scope.ts";
import { socketsOf } from "./sockets.ts";
import { importStream } from "./stream.ts";
import { upstreamData } from "./upstreams.ts";

export function importNginx({ path, source, files, draft, findings }: ImportSource): void {
  const missing: NginxMissing = (at, why) => {
    if (why.startsWith("it is for")) draft.unneeded(at, why);
    else draft.lost(at, why);
  };
  const tree = parseNginx(path, source, { files, findings, missing });
  if (findings.failed) return;
  const used = new Set<Directive>();
  const main = new Scope(tree, used);
  const https = main.here("http");
  // Files such as sites-enabled/shop stand inside of http.
  const http = https.length === 0 ? main : main.inside(https.flatMap(({ block = [] }) => block));
  workersOf(main, draft);
  const maps = { plain: mapsOf(http, false), sealed: mapsOf(http, true) };
  const folder = directoryOf(path);
  const context: NginxContext = {
    draft,
    files,
    base: PARTS.test(folder) ? directoryOf(folder) : folder,
    used,
    upstreams: upstreamsOf(http),
    zones: zonesOf(http),
    maps: (tls) => (tls ? maps.sealed : maps.plain),
    pools: new Map(),
    limited: new Map(),
    reached: new Set(),
    carried: new Set(),
  };
  const servers = http.here("server").map((directive) => {
    const scope = http.inside(directive.block ?? []);
    const names = scope.here("server_name").flatMap(({ args }) => args);
    return { directive, scope, names };
  });
  for (const socket of socketsOf(servers, draft)) importSocket(socket, context);
  keepUnused(context);
  for (const { block = [] } of main.here("stream")) {
    const stream = main.inside(block);
    importStream(stream, { ...context, upstreams: upstreamsOf(stream), zones: zonesOf(stream) });
  }
  tellUpgrades(http, draft);
  tellUnreached(tree, context);
  tellRest(tree, context);
}

type NginxMissing = Parameters<typeof parseNginx>[2]["missing"];

function workersOf(main: Scope, draft: Draft): void {
  const line = main.last("worker_processes");
  const count = Number(line?.args[0]);
  if (line === undefined) return;
  if (Number.isInteger(count) && count > 0) draft.workers = Math.min(64, count);
  else draft.unneeded(line.at, "one worker is the default; see workers");
}

function upstreamsOf(http: Scope): Map<string, Scope> {
  const upstreams = http.here("upstream");
  return new Map(upstreams.map(({ args, block = [] }) => [args[0] ?? "", http.inside(block)]));
}

/** Not used by being there, but by who counts in them. */
function zonesOf(http: Scope): Map<string, Directive> {
  const zones = new Map<string, Directive>();
  for (const directive of http.own) {
    const { name, args } = directive;
    const zone = args
      .find((arg) => arg.startsWith("zone="))
      ?.slice(5)
      .split(":")[0];
    if (zone !== undefined && name.endsWith("_zone")) zones.set(`${name} ${zone}`, directive);
  }
  return zones;
}

/** Upstreams that no location names: somebody may still want them. */
function keepUnused(context: NginxContext): void {
  for (const [name, scope] of context.upstreams) {
    const own = name.replace(/[^\w.-]+/gu, "-");
    if (!context.pools.has(own)) namedPool(own, upstreamData(scope, context.draft, false), context);
  }
}

/** The usual way to pass upgrades on, which Nines does by itself. */
function tellUpgrades(http: Scope, draft: Draft): void {
  for (const directive of http.own) {
    if (directive.name !== "map" || directive.args[0] !== "$http_upgrade") continue;
    http.use(directive);
    for (const line of directive.block ?? []) http.use(line);
    draft.unneeded(
      directive.at,
      `the whole block to line ${directive.end}: upgrades are passed on by themselves`,
    );
  }
}

/** Locations whose requests are all decided before. */
function tellUnreached(tree: readonly Directive[], context: NginxContext): void {
  for (const directive of tree) {
    const { name, args, block = [], at } = directive;
    const isNamed = args[0]?.startsWith("@") === true;
    if (name === "location" && context.used.has(directive) && !context.reached.has(directive)) {
      const why = isNamed
        ? "no location leads to it"
        : "never reached: every request was decided before";
      context.draft.unneeded(at, `the whole block to line ${directive.end}: ${why}`);
      useAll(block, context.used);
    } else tellUnreached(block, context);
  }
}

/** Every directive that nobody used. */
function tellRest(tree: readonly Directive[], context: NginxContext): void {
  const { draft, used } = context;
  for (const directive of tree) {
    const { name, args, at, block, end } = directive;
    if (used.has(directive)) tellRest(block ?? [], context);
    else {
      const { severity, why } = fateOf(name, args);
      const whole = block === undefined ? why : `the whole block to line ${end}: ${why}`;
      if (severity === "lost") draft.lost(at, whole);
      else draft.unneeded(at, whole);
    }
  }
}
