/** keepalived.conf becomes nines.yaml: what is written there, under the names it has here. */

import { hostname } from "node:os";
import { Prng } from "../../../lib/prng.ts";
import { LineReader } from "../../keepalived/lines.ts";
import { parseTree, type Statement } from "../../keepalived/tree.ts";
import type { Model } from "../../model.ts";
import { type ReadOptions, readKeepalivedConf } from "../../read-configuration.ts";
import { keywordsOf } from "../../schema/schema.ts";
import { GLOBAL_KEYS, GROUP_KEYS, TOP_KEYS } from "../../service/schema/address-schema.ts";
import type { Draft } from "../draft.ts";
import type { ImportSource } from "../import-file.ts";
import { instanceData, trackData } from "./instances.ts";
import { keywordData, lose, secondsText, statementAt, NO_BFD } from "./keywords.ts";
import { trackReferences } from "./special.ts";
import { importVirtualServers } from "./virtual-servers.ts";

/** What is wrong with the file itself is told by its own reader, into `findings`. */
export function importKeepalived(source: ImportSource): void {
  const { path, files, options, draft, findings } = source;
  const hostName = options.hostName ?? hostname();
  const reading = {
    permissive: options.permissive ?? false,
    hostName,
    configId: options.configId ?? hostName.split(".")[0]!,
    environment: options.environment ?? process.env,
    seed: 1,
    uptimeMs: 0,
  };
  const { model, diagnostics } = readKeepalivedConf(path, reading, files);
  for (const one of diagnostics) {
    // Ignored keywords are told as losses; the others are mistakes of the file.
    if (!one.reason.startsWith("ignored:")) findings.add(one.severity, one, one.reason, one.next);
  }
  if (model === undefined) return;
  const tree = treeOf(source, reading);
  for (const statement of tree) importStatement(statement, draft);
  importVirtualServers(tree, model, draft);
  forgetGroups(model, draft);
}

/** Read a second time for its places: what is wrong was told the first time. */
function treeOf(
  { path, files, draft, findings }: ImportSource,
  {
    configId,
    environment,
    permissive,
    seed,
  }: Required<Omit<ReadOptions, "part" | "networkNamespace">>,
): Statement[] {
  const silent = findings.silent();
  const around = { configId, environment, prng: new Prng(seed), permissive };
  const reader = new LineReader(files, around, silent);
  reader.read(path);
  for (const [file, lines] of reader.sources) {
    for (const [index, text] of lines.entries()) {
      const [, not, id] = /^\s*@(\^?)(\S+)\s/u.exec(text) ?? [];
      if (id === undefined || (id === configId) !== (not === "^")) continue;
      const at = { file, line: index + 1, column: text.indexOf("@") + 1, text: text.trim() };
      draft.lost(at, `it is not for ${configId}: import with -i for the other machines`);
    }
  }
  return parseTree(reader.lines, silent);
}

const TRACKS: Readonly<Record<string, "script" | "process" | "file">> = {
  vrrp_script: "script",
  vrrp_track_process: "process",
  track_process: "process",
  vrrp_track_file: "file",
  track_file: "file",
};

function importStatement(statement: Statement, draft: Draft): void {
  const { keyword, args, block = [] } = statement;
  const name = args[0]?.text ?? "";
  const track = TRACKS[keyword.text];
  if (keyword.text === "global_defs") {
    const keys = { keys: GLOBAL_KEYS, block: "global_defs" };
    Object.assign(draft.global, keywordData(block, keys, draft));
  } else if (keyword.text === "vrrp_instance") draft.addresses[name] = instanceData(block, draft);
  else if (keyword.text === "vrrp_sync_group") {
    const data = keywordData(block, { keys: GROUP_KEYS, block: "vrrp_sync_group" }, draft);
    draft.groups[name] = { ...data, ...trackReferences(block) };
  } else if (track !== undefined) draft.tracks[name] = trackData(block, track, draft);
  else importRest(statement, draft);
}

const STATIC: Readonly<Record<string, string>> = {
  static_ipaddress: "addresses",
  static_routes: "routes",
  static_rules: "rules",
};

const OF_SERVERS: readonly string[] = ["virtual_server", "virtual_server_group", "SSL"];

function importRest(statement: Statement, draft: Draft): void {
  const { keyword, block = [] } = statement;
  const section = STATIC[keyword.text];
  if (section !== undefined) {
    const before = (draft.static[section] ?? []) as string[];
    draft.static[section] = [...before, ...block.map((line) => statementAt(line).text)];
  } else if (keyword.text === "interface_up_down_delays") {
    for (const { keyword: link, args } of block) {
      const [down, up = down] = args.map((word) => secondsText(word.text));
      const settings = { down_delay: down, up_delay: up };
      draft.interfaces[link.text] = { ...draft.interfaces[link.text], ...settings };
    }
  } else if (keyword.text === "linkbeat_interfaces") {
    for (const { keyword: link, args } of block) {
      const settings = { poll: args[0]?.text.toLowerCase() ?? "mii" };
      draft.interfaces[link.text] = { ...draft.interfaces[link.text], ...settings };
    }
  } else if (keyword.text === "linkbeat_use_polling") {
    const keys = { keys: GLOBAL_KEYS, block: "global_defs" };
    Object.assign(draft.global, keywordData([statement], keys, draft));
  } else if (keyword.text === "garp_group") importGarpGroup(statement, draft);
  else if (OF_SERVERS.includes(keyword.text)) return;
  else if (keyword.text === "bfd_instance") lose(statement, NO_BFD, draft);
  else if (TOP_KEYS.some(({ row }) => row.name === keyword.text)) {
    Object.assign(draft.global, keywordData([statement], { keys: TOP_KEYS, block: "top" }, draft));
  } else {
    const why = keywordsOf("top").get(keyword.text)?.meaning ?? "Nines does not know it";
    lose(statement, why, draft);
  }
}

function importGarpGroup({ block = [] }: Statement, draft: Draft): void {
  const word = (name: string): string | undefined =>
    block.find((line) => line.keyword.text === name)?.args[0]?.text;
  const listed = block
    .filter((line) => line.keyword.text === "interfaces")
    .flatMap((line) => (line.block ?? []).map((inner) => inner.keyword.text));
  for (const link of [word("interface") ?? [], listed].flat()) {
    draft.interfaces[link] = {
      ...draft.interfaces[link],
      garp_interval: secondsText(word("garp_interval")),
      gna_interval: secondsText(word("gna_interval")),
    };
  }
}

/** keepalived drops groups without members, and members that it does not know. */
function forgetGroups({ vrrp }: Model, draft: Draft): void {
  const known = new Set(vrrp.groups.map((group) => group.name));
  for (const name of Object.keys(draft.groups)) if (!known.has(name)) delete draft.groups[name];
}
