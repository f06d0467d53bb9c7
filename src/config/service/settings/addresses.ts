/** `addresses` and `groups` as statements. */

import type { Statement } from "../../keepalived/tree.ts";
import {
  type AddressDocument,
  type AddressSections,
  GROUP_KEYS,
  INSTANCE_KEYS,
} from "../schema/address-schema.ts";
import { type BuildContext, given, requireName } from "./context.ts";
import { blockStatement, keywordStatements, lineStatements, statement } from "./statements.ts";
import { trackStatements, type TrackNames } from "./tracks.ts";

/** What addresses take from the rest of the file. */
export interface AddressSources extends TrackNames {
  readonly context: BuildContext;
  readonly nodes: Readonly<Record<string, string>>;
  /** Who we are; absent: there are no nodes. */
  readonly node?: string;
}

/** 254 for the first: the highest that a machine can have that does not own the addresses. */
const FIRST_PRIORITY = 254;

/** One `vrrp_instance` each; addresses that this node takes no part in are left out. */
export function addressStatements(
  { addresses }: Pick<AddressSections, "addresses">,
  sources: AddressSources,
): Statement[] {
  return Object.entries(addresses).flatMap(([name, document]) => {
    const rank = rankOf(name, document, sources);
    if (rank === "absent") return [];
    return [instanceStatement(name, document, { ...sources, rank })];
  });
}

/** Place in `prefer`, from 0; `none`: nobody is preferred; `absent`: we take no part. */
type Rank = number | "none" | "absent";

function rankOf(name: string, document: AddressDocument, sources: AddressSources): Rank {
  const { nodes, node, context } = sources;
  const { findings, places } = context;
  const known = Object.keys(nodes);
  const order = document.prefer ?? known;
  for (const [index, wanted] of (document.prefer ?? []).entries()) {
    requireName(places.at(document.prefer!, index), "node", known, { wanted, context });
  }
  if (node === undefined || order.length === 0) return "none";
  const rank = order.indexOf(node);
  if (rank >= 0) return rank;
  findings.note(
    places.key(document, "prefer"),
    `${node} takes no part in ${name}: it is not among those preferred`,
    "add it if it should take over",
  );
  return "absent";
}

function instanceStatement(
  name: string,
  document: AddressDocument,
  sources: AddressSources & { readonly rank: Rank },
): Statement {
  const { context, rank } = sources;
  const { findings, places } = context;
  const at = places.of(document);
  const priority = (document as { readonly priority?: number }).priority;
  const block = keywordStatements(document, INSTANCE_KEYS, context);
  if (priority === undefined && typeof rank === "number") {
    block.push(statement(places.key(document, "prefer"), "priority", `${FIRST_PRIORITY - rank}`));
  } else if (priority !== undefined && document.prefer !== undefined) {
    const reason = "prefer and priority exclude each other";
    findings.error(places.key(document, "priority"), reason, "drop one of them");
  }
  const decided = document.preempt ?? (document.prefer !== undefined ? true : undefined);
  const preempt =
    decided ?? (typeof rank === "number" && priority === undefined ? false : undefined);
  if (preempt !== undefined) {
    block.push(statement(places.key(document, "preempt"), preempt ? "preempt" : "nopreempt"));
  }
  if (document.accept !== undefined) {
    block.push(statement(at, document.accept ? "accept" : "no_accept"));
  }
  block.push(...unicastStatements(document, sources));
  block.push(...authStatements(document, context));
  block.push(...trackStatements(document.track, sources, context));
  return blockStatement(at, ["vrrp_instance", name], block);
}

/** Nodes that take part are each other's peers; our own address is what we send from. */
function unicastStatements(
  document: AddressDocument,
  { nodes, node, context }: AddressSources,
): Statement[] {
  if (document.unicast !== true) return [];
  const { findings, places } = context;
  const at = places.key(document, "unicast");
  const written = document as { readonly source?: string; readonly peers?: readonly string[] };
  if (node === undefined) {
    const next = "add nodes: { web1: 10.0.0.11, web2: 10.0.0.12 }, or write peers";
    findings.error(at, "unicast needs to know the other nodes", next);
    return [];
  }
  const others = (document.prefer ?? Object.keys(nodes)).filter((name) => name !== node);
  const peers = others.flatMap((name) => nodes[name] ?? []);
  const own = nodes[node]!;
  return [
    ...(written.source === undefined ? [statement(at, "unicast_src_ip", own)] : []),
    ...(written.peers === undefined
      ? [{ ...statement(at, "unicast_peer"), block: lineStatements(() => at, peers) }]
      : []),
  ];
}

function authStatements({ auth }: AddressDocument, context: BuildContext): Statement[] {
  if (auth === undefined) return [];
  const { findings, places } = context;
  const kinds = given(auth, ["hmac", "pass", "ah"]);
  const at = places.of(auth);
  if (kinds.length !== 1) {
    findings.error(at, "auth is hmac, pass or ah", "write one of them");
    return [];
  }
  if (auth.hmac === undefined) {
    const password = auth.pass ?? auth.ah ?? "";
    const type = auth.pass === undefined ? "AH" : "PASS";
    const place = { ...places.at(auth, kinds[0]!), text: "" };
    const block = [statement(at, "auth_type", type), statement(place, "auth_pass", password)];
    return [blockStatement(at, ["authentication"], block)];
  }
  const { keys, active, mode, anti_replay: replay, time_window: window } = auth.hmac;
  const block = Object.entries(keys).map(([id, value]) => {
    return statement(places.at(keys, id), "key", id, value);
  });
  if (active !== undefined) {
    block.push(statement(places.at(auth.hmac, "active"), "active_key", `${active}`));
  }
  block.push(statement(at, "mode", mode), statement(at, "anti_replay", replay));
  if (window !== undefined) block.push(statement(at, "time_window", `${window / 1000}`));
  return [blockStatement(at, ["auth_hmac"], block)];
}

/** One `vrrp_sync_group` each. */
export function groupStatements(
  { addresses, groups }: Pick<AddressSections, "addresses" | "groups">,
  sources: AddressSources,
  present: readonly string[],
): Statement[] {
  const { context } = sources;
  const { places } = context;
  return Object.entries(groups).flatMap(([name, document]) => {
    const keys = GROUP_KEYS.filter(({ key }) => key !== "members");
    const members = document.members.filter((member, i) => {
      const at = places.at(document.members, i);
      const known = Object.keys(addresses);
      const isThere = requireName(at, "address", known, { wanted: member, context });
      return isThere && present.includes(member);
    });
    if (members.length === 0) return [];
    const lines = members.map((member, i) => statement(places.at(document.members, i), member));
    const block = [
      { ...statement(places.key(document, "members"), "group"), block: lines },
      ...keywordStatements(document, keys, context),
      ...trackStatements(document.track, sources, context),
    ];
    return [blockStatement(places.of(document), ["vrrp_sync_group", name], block)];
  });
}
