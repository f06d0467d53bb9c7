/** The whole file becomes the model. */

import type { InstanceSettings, VrrpSettings } from "../../../core/vrrp/settings.ts";
import type { Model } from "../../model.ts";
import { Block, type BlockReader, readBlock } from "../block.ts";
import type { Statement } from "../tree.ts";
import type { Context } from "./context.ts";
import {
  joinWords,
  readFifos,
  readHooks,
  readMail,
  readProcesses,
  readScriptSecurity,
} from "./globals.ts";
import { readInstance } from "./instance.ts";
import { readDelays, readPolledLinks } from "./link-words.ts";
import { MacvlanNames } from "./macvlans.ts";
import { optional } from "./route-lines.ts";
import { readStaticObjects, withStaticTracks } from "./static-objects.ts";
import { readGroups, asMember } from "./sync-group.ts";
import { checkScopes } from "./scopes.ts";
import { readTracked, unique } from "./tracks.ts";
import { checkGroups } from "./transport.ts";
import { readVirtualServers } from "./virtual-servers.ts";

/** The interface of static addresses when nobody names one (keepalived.conf(5)). */
const DEFAULT_INTERFACE = "eth0";

/** Always gives a model; when errors were found it is incomplete and must not be used. */
export function buildModel(tree: readonly Statement[], file: string, context: Context): Model {
  const place = { file, line: 1, column: 1, text: "" };
  const root: Statement = {
    keyword: { ...place, quoted: false, brace: false },
    args: [],
    block: [...tree],
  };
  const reader: BlockReader = { findings: context.findings, permissive: context.permissive };
  const top = readBlock(root, "top", reader);
  const globals = mergedGlobals(top, reader);
  const namespace = top.text("net_namespace");
  const reloadLog = globals.text("reload_check_config");
  const vrrp = readVrrp(top, globals, context);
  checkScopes(vrrp, context);
  checkGroups(globals, context.findings);
  return {
    vrrp,
    mail: readMail(globals, context),
    scripts: readScriptSecurity(globals),
    processes: readProcesses(top, globals),
    fifos: readFifos(globals, context),
    hooks: readHooks(globals, context),
    virtualServers: readVirtualServers(top, globals, context),
    ...optional("networkNamespace", namespace),
    ...optional("daemonInstance", top.text("instance")),
    interfaceDelays: readDelays(top, context),
    polledLinks: readPolledLinks({ top, globals, vrrp }, context),
    ...(globals.flag("checker_log_all_failures") ? { logAllFailures: true } : {}),
    ...(globals.has("rs_init_notifies") ? { startNotices: true } : {}),
    dynamicInterfaces: readDynamic(globals, context),
    ...optional("reloadLog", reloadLog),
    origins: context.origins,
  };
}

function readDynamic(globals: Block, { findings }: Context): boolean {
  const word = globals.word("dynamic_interfaces");
  if (word !== undefined && word.text !== "allow_if_changes") {
    const reason = `'${word.text}' is not an option of dynamic_interfaces`;
    findings.error(word, reason, "write allow_if_changes or nothing");
  }
  return globals.has("dynamic_interfaces");
}

/** Several `global_defs` blocks count as one; their words were told about already. */
function mergedGlobals(top: Block, reader: BlockReader): Block {
  const blocks = top.blocks("global_defs");
  if (blocks.length === 1) return blocks[0]!;
  if (blocks.length === 0) return new Block(top.statement);
  const all = blocks.flatMap((block) => block.statement.block ?? []);
  const silent = { ...reader, findings: reader.findings.silent() };
  return readBlock({ ...blocks[0]!.statement, block: all }, "global_defs", silent);
}

function readVrrp(top: Block, globals: Block, context: Context): VrrpSettings {
  const tracked = readTracked(top, context);
  const blocks = unique(top.blocks("vrrp_instance"), context);
  const garpGroups = top.blocks("garp_group");
  const sources = { globals, tracked, garpGroups, macvlanNames: new MacvlanNames(blocks) };
  const groups = readGroups(
    top.blocks("vrrp_sync_group"),
    { globals, tracked, instances: blocks.map((block) => block.name) },
    context,
  );
  const device = globals.text("default_interface") ?? DEFAULT_INTERFACE;
  const statics = readStaticObjects(top, device, context);
  const instances = blocks
    .flatMap((block) => readInstance(block, sources, context) ?? [])
    .map((instance) => asMember(instance, groups, context));
  checkVrids(instances, context);
  const routerId = globals.words("router_id");
  return {
    routerId: routerId === undefined ? context.hostName : joinWords(routerId),
    instances: withStaticTracks(instances, top, context),
    groups,
    ...tracked,
    startupDelayMs: Math.max(
      globals.number("vrrp_startup_delay") ?? 0,
      Math.round((globals.number("vrrp_delay_after_boot") ?? 0) - context.uptimeMs),
    ),
    ...statics,
  };
}

/** One VRID of one family on one interface is one virtual router: RFC 9568 section 5.2.3. */
function checkVrids(instances: readonly InstanceSettings[], context: Context): void {
  const seen = new Map<string, InstanceSettings[]>();
  for (const instance of instances) {
    const key = `${instance.interface} ${instance.family} ${instance.vrid}`;
    const others = seen.get(key) ?? [];
    const twin = others.find((other) => collide(other, instance));
    seen.set(key, [...others, instance]);
    if (twin === undefined) continue;
    const reason = `${instance.name} and ${twin.name} both use virtual_router_id ${instance.vrid} on ${instance.interface}`;
    const at = context.origins.get(`vrrp_instance ${instance.name}`)!;
    context.findings.error(at, reason, "give each its own number from 1 to 255");
  }
}

/** Different groups, or peers that do not overlap, keep two of a number apart. */
function collide(a: InstanceSettings, b: InstanceSettings): boolean {
  if (a.transport.kind === "multicast" && b.transport.kind === "multicast") {
    return a.transport.group === b.transport.group;
  }
  if (a.transport.kind === "unicast" && b.transport.kind === "unicast") {
    const peers = new Set(a.transport.peers.map((peer) => peer.address));
    return b.transport.peers.some((peer) => peers.has(peer.address));
  }
  return false;
}
