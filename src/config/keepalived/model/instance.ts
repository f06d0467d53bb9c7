/** One `vrrp_instance` block becomes the settings of one virtual router. */

import type { Family, InstanceSettings, TrackReference } from "../../../core/vrrp/settings.ts";
import type { Block } from "../block.ts";
import { type AddressLine, readAddressLines } from "./address-lines.ts";
import { readAnnounce } from "./announce.ts";
import { readAuthentication } from "./authentication.ts";
import { type Context, readAddress, remember } from "./context.ts";
import { addressCarrier, type MacvlanFacts, type MacvlanNames, readVmac } from "./macvlans.ts";
import { readNotify } from "./notify.ts";
import { readTiming, type Timing } from "./instance-timing.ts";
import { optional, readRouteLines } from "./route-lines.ts";
import { readRuleLines } from "./rule-lines.ts";
import { checkFirstAddress, checkStrict, isStrict } from "./strict.ts";
import { readReferences, type Tracked } from "./tracks.ts";
import { nameOf, readSource, readTransport } from "./transport.ts";

/** What an instance takes from the rest of the file. */
export interface InstanceSources {
  readonly globals: Block;
  readonly tracked: Tracked;
  readonly garpGroups: readonly Block[];
  readonly macvlanNames: MacvlanNames;
}

const OWNER = 255;

export function readInstance(
  block: Block,
  sources: InstanceSources,
  context: Context,
): InstanceSettings | undefined {
  const { globals } = sources;
  const { findings } = context;
  const vrid = block.number("virtual_router_id");
  const interfaceName = block.text("interface") ?? globals.text("default_interface");
  requirePresent(block, interfaceName, context);
  const link = interfaceName ?? "";
  remember(context, `link of ${block.name}`, block.valueAt("interface"));
  if (block.has("interface")) remember(context, `interface ${link}`, block.valueAt("interface"));
  const strict = isStrict(block, globals);
  const addresses = readFollowing(block, link, context);
  const { family } = addresses;
  const timing = readTiming(block, { globals, family, strict }, context);
  const authentication = readAuthentication(block, { ...timing, strict }, context);
  if (authentication.kind === "ah" && timing.startAsMaster) {
    const reason = "state MASTER has no effect with auth_type AH: BACKUP is used";
    findings.note(block.at("state"), reason, "as in keepalived; auth_hmac has no such limit");
  }
  rememberChoices(block, context);
  const facts = { block, globals, family, strict, vrid: vrid ?? 0, interface: link };
  const carried = readCarried(facts, addresses, sources.macvlanNames, context);
  if (strict) checkStrict(block, findings);
  checkFirstAddress(block, carried.addresses, { strict, findings });
  const instance: InstanceSettings = {
    name: block.name,
    family,
    vrid: vrid ?? 0,
    interface: link,
    ...timing,
    startAsMaster: timing.startAsMaster && authentication.kind !== "ah",
    transport: readTransport(block, globals, family, context),
    ...optional("sourceAddress", readSource(block, family, context)),
    ...optional("trackSource", readTrackSource(block, context)),
    authentication,
    ...carried,
    routes: readRouteLines(block.lines("virtual_routes"), context),
    rules: readRuleLines(block.lines("virtual_rules"), context),
    strict,
    ...readBehaviour(block, globals, { strict, timing }, context),
    announce: readAnnounce(
      { ...sources, instance: block, interface: link, strict, ...carried },
      context.findings,
    ),
    tracks: readTracks(block, { sources, link, timing }, context),
    witnesses: readWitnesses(block.has("witness") ? block : globals, link, context),
    notify: readNotify(block, globals, context),
  };
  return vrid === undefined || interfaceName === undefined ? undefined : instance;
}

function requirePresent(block: Block, link: string | undefined, context: Context): void {
  const at = block.statement.args[0]!;
  const missing = (what: string, next: string): void => {
    if (block.misspelt.has(what) && !context.permissive) return;
    const severity = what === "virtual_ipaddress" && context.permissive ? "warning" : "error";
    context.findings.add(severity, at, `vrrp_instance ${block.name} has no ${what}`, next);
  };
  if (link === undefined && !block.has("interface")) missing("interface", "add: interface NAME");
  if (!block.has("virtual_router_id")) {
    missing("virtual_router_id", "add: virtual_router_id 1-255, the same on all its nodes");
  }
  if (block.lines("virtual_ipaddress").length === 0) {
    missing("virtual_ipaddress", "add: virtual_ipaddress { ADDRESS/LENGTH }");
  }
}

/** Whether a thing was written or defaulted is asked by the warnings later. */
function rememberChoices(block: Block, context: Context): void {
  for (const keyword of [
    "priority",
    "preempt",
    "preempt_delay",
    "unicast_src_ip",
    "track_script",
    "track_interface",
    "track_process",
    "track_file",
    "track_bfd",
  ]) {
    if (block.has(keyword)) remember(context, `${keyword} of ${block.name}`, block.at(keyword));
  }
}

type Carried = Pick<InstanceSettings, "addresses" | "excludedAddresses" | "vmac">;

/** Addresses with what they live on. */
function readCarried(
  facts: MacvlanFacts,
  { advertised, excluded }: Following,
  names: MacvlanNames,
  context: Context,
): Carried {
  const vmac = readVmac(facts, names, context);
  const carry = addressCarrier(facts, names, context.findings);
  return {
    ...optional("vmac", vmac),
    addresses: advertised.map(carry),
    excludedAddresses: excluded.map(carry),
  };
}

interface Following {
  readonly family: Family;
  readonly advertised: readonly AddressLine[];
  readonly excluded: readonly AddressLine[];
}

function readFollowing(block: Block, link: string, context: Context): Following {
  const { findings } = context;
  const lines = readAddressLines(block.lines("virtual_ipaddress"), link, context);
  const excluded = readAddressLines(block.lines("virtual_ipaddress_excluded"), link, context);
  const family = lines[0]?.settings.family ?? (block.has("native_ipv6") ? "ipv6" : "ipv4");
  for (const { settings, word } of lines) {
    remember(context, `address ${settings.address}`, word);
    if (settings.interface !== link) remember(context, `interface ${settings.interface}`, word);
    if (settings.family === family) continue;
    const reason = `${settings.address} is not ${nameOf(family)} like the first address of ${block.name}`;
    const next = "move it to virtual_ipaddress_excluded or to an instance of its own";
    findings.error(word, reason, next);
  }
  for (const { settings, word } of excluded) {
    remember(context, `address ${settings.address}`, word);
    const twin = lines.find((line) => line.settings.address === settings.address);
    if (twin === undefined) continue;
    const reason = `${settings.address} is in virtual_ipaddress too (line ${twin.word.line})`;
    findings.warn(word, reason, "this one is left out");
  }
  return {
    family,
    advertised: lines.filter(({ settings }) => settings.family === family),
    excluded: excluded.filter(({ settings }) =>
      lines.every((line) => line.settings.address !== settings.address),
    ),
  };
}

function readTrackSource(block: Block, context: Context): boolean | undefined {
  if (!block.has("track_src_ip")) return undefined;
  if (block.has("mcast_src_ip") || block.has("unicast_src_ip")) return true;
  const reason = "track_src_ip has no effect: there is no mcast_src_ip or unicast_src_ip";
  context.findings.warn(block.at("track_src_ip"), reason, "name the source address");
  return undefined;
}

type Behaviour = Pick<
  InstanceSettings,
  | "accept"
  | "checksumWithPseudoHeader"
  | "skipCheckAdvertAddresses"
  | "lowerPriorityNoAdvert"
  | "higherPrioritySendAdvert"
  | "ownerIgnoreAdverts"
  | "fastHandover"
  | "trackPrimaryInterface"
  | "lease"
  | "restoreRemovedAddresses"
  | "promoteSecondaries"
>;

function readBehaviour(
  block: Block,
  globals: Block,
  facts: { readonly strict: boolean; readonly timing: Timing },
  context: Context,
): Behaviour {
  const { strict } = facts;
  const choose = (name: string, wide: string, standard: boolean): boolean =>
    block.bool(name) ?? globals.bool(wide) ?? standard;
  const owner = facts.timing.priority === OWNER;
  // RFC 3768 section 6.4.3 knows no accept mode.
  const refusesAccept = strict && facts.timing.version === 2 && !owner;
  return {
    accept: refusesAccept ? false : (block.last("accept", "no_accept") ?? (!strict || owner)),
    checksumWithPseudoHeader: !choose("v3_checksum_as_v2", "v3_checksum_as_v2", false),
    skipCheckAdvertAddresses: choose("skip_check_adv_addr", "vrrp_skip_check_adv_addr", false),
    lowerPriorityNoAdvert:
      strict || choose("lower_prio_no_advert", "vrrp_lower_prio_no_advert", false),
    higherPrioritySendAdvert:
      !strict && choose("higher_prio_send_advert", "vrrp_higher_prio_send_advert", true),
    ownerIgnoreAdverts:
      strict || choose("owner_ignore_adverts", "vrrp_owner_ignore_adverts", false),
    fastHandover: !strict && choose("fast_handover", "fast_handover", true),
    trackPrimaryInterface: !block.has("dont_track_primary"),
    lease: readLease(block, globals, facts.timing, context),
    restoreRemovedAddresses: choose("restore_addresses", "restore_addresses", true),
    promoteSecondaries: block.has("promote_secondaries"),
  };
}

/** It lasts from advert to advert that others may miss: with one it would end as it is renewed. */
function readLease(block: Block, globals: Block, timing: Timing, context: Context): boolean {
  const wanted = block.bool("lease") ?? globals.bool("lease") ?? true;
  if (!wanted || timing.downTimerAdverts > 1) return wanted;
  const reason = `down_timer_adverts 1 leaves no room for the lease of ${block.name}: if the daemon hangs, the addresses stay`;
  const next = "write 2 or more, or: lease off";
  context.findings.warn(block.at("down_timer_adverts"), reason, next);
  return false;
}

function readTracks(
  block: Block,
  facts: { readonly sources: InstanceSources; readonly link: string; readonly timing: Timing },
  context: Context,
): TrackReference[] {
  const all = readReferences(block, facts.sources.tracked, context);
  return all.filter((track) => {
    const at = block.at(`track_${track.kind}`);
    if (
      track.kind === "interface" &&
      track.name === facts.link &&
      !block.has("dont_track_primary")
    ) {
      const reason = `track_interface ${track.name} is the instance's own interface`;
      context.findings.note(at, reason, "it is tracked anyway; this line is left out");
      return false;
    }
    if (facts.timing.priority === OWNER && track.weight !== 0) {
      const reason = `weights cannot change priority 255: ${track.kind} ${track.name} is left out`;
      context.findings.warn(at, reason, "use a priority below 255, or weight 0");
      return false;
    }
    return true;
  });
}

/** A link-local address is one of a link: that of the instance, or the one behind its `%`. */
function readWitnesses(block: Block, link: string, context: Context): string[] {
  const words = block.lines("witness").flatMap((line) => [line.keyword, ...line.args]);
  return words.flatMap((word) => {
    const [text = "", zone] = word.text.split("%");
    const address = readAddress({ ...word, text }, "a witness", context.findings);
    if (address === undefined) return [];
    const isLinkLocal = /^fe[89ab]/u.test(address);
    if (zone !== undefined && !isLinkLocal) {
      const reason = `only a link-local address is one of an interface, not ${address}`;
      context.findings.error(word, reason, `write: ${address}`);
    }
    if (zone !== undefined) remember(context, `interface ${zone}`, word);
    return [isLinkLocal ? `${address}%${zone ?? link}` : address];
  });
}
