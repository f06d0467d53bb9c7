/** What instances watch - scripts, processes, files - and the references to it. */

import { closest } from "../../../lib/spelling.ts";
import type {
  BfdSettings,
  FileSettings,
  ProcessSettings,
  ScriptSettings,
  TrackReference,
} from "../../../core/vrrp/settings.ts";
import type { Block } from "../block.ts";
import type { Word } from "../source-line.ts";
import type { Statement } from "../tree.ts";
import { readInteger } from "../value.ts";
import { type Context, remember } from "./context.ts";
import { commandWithUser, joinWords } from "./globals.ts";
import { readBfds } from "./bfd.ts";
import { optional } from "./route-lines.ts";

export interface Tracked {
  readonly scripts: readonly ScriptSettings[];
  readonly processes: readonly ProcessSettings[];
  readonly files: readonly FileSettings[];
  readonly bfds?: readonly BfdSettings[];
}

export function readTracked(top: Block, context: Context): Tracked {
  const named = (keyword: string): readonly Block[] => top.blocks(keyword);
  const scripts = unique(named("vrrp_script"), context);
  const processes = unique([...named("vrrp_track_process"), ...named("track_process")], context);
  const files = unique([...named("track_file"), ...named("vrrp_track_file")], context);
  const sessions = unique(named("bfd_instance"), context);
  return {
    scripts: scripts.flatMap((block) => readScript(block, context) ?? []),
    processes: processes.flatMap((block) => readProcess(block, context) ?? []),
    files: files.flatMap((block) => readFile(block, context) ?? []),
    ...(sessions.length === 0 ? {} : { bfds: readBfds(sessions, context) }),
  };
}

/** Blocks with a name of their own; the second of a name is a mistake. */
export function unique(blocks: readonly Block[], context: Context): Block[] {
  const seen = new Map<string, Block>();
  for (const block of blocks) {
    const keyword = block.statement.keyword.text;
    const before = seen.get(block.name);
    if (before === undefined) {
      seen.set(block.name, block);
      remember(context, `${keyword} ${block.name}`, block.statement.args[0]!);
    } else {
      const reason = `${keyword} ${block.name} was defined already in line ${before.statement.keyword.line}`;
      context.findings.error(block.statement.args[0]!, reason, "rename one of them");
    }
  }
  return [...seen.values()];
}

function readScript(block: Block, context: Context): ScriptSettings | undefined {
  const command = commandWithUser(block, "script");
  if (command === undefined || command.argv.length === 0) {
    if (!block.has("script")) {
      const next = "add: script /path/to/command";
      context.findings.error(block.statement.keyword, `${block.title} has no script`, next);
    }
    return undefined;
  }
  remember(context, `script of ${block.name}`, block.valueAt("script"));
  remember(context, `timeout of ${block.name}`, block.at("timeout"));
  const intervalMs = block.number("interval") ?? 1000;
  const weight = block.weight("weight");
  return {
    name: block.name,
    command,
    intervalMs,
    timeoutMs: block.number("timeout") ?? intervalMs,
    rise: block.number("rise") ?? 1,
    fall: block.number("fall") ?? 1,
    weight: weight?.weight ?? 0,
    reverse: weight?.reverse ?? false,
    startFailed: block.has("init_fail"),
    earlyLook: block.bool("early_look") ?? true,
  };
}

function readProcess(block: Block, context: Context): ProcessSettings | undefined {
  const [process, ...parameters] = block.words("process") ?? [];
  if (process === undefined) {
    if (!block.has("process")) {
      const next = "add: process NAME";
      context.findings.error(block.statement.keyword, `${block.title} has no process`, next);
    }
    return undefined;
  }
  const both = block.number("delay") ?? 0;
  const weight = block.weight("weight");
  const match = block.text("param_match") as "initial" | "partial" | "exact" | undefined;
  const quorum = block.number("quorum") ?? (block.number("quorum_max") === 0 ? 0 : 1);
  const quorumMax = block.number("quorum_max") ?? 65535;
  if (quorum > quorumMax) {
    const reason = `quorum ${quorum} is more than quorum_max ${quorumMax}`;
    context.findings.error(block.at("quorum"), reason, "no number of processes could be right");
  }
  return {
    name: block.name,
    process: process.text,
    parameters: parameters.map((word) => word.text),
    parameterMatch: match ?? (parameters.length > 0 ? "exact" : "none"),
    fullCommand: block.has("full_command"),
    quorum,
    quorumMax,
    // As keepalived 2.2 does; its manual says 1, which would leave everything where it is.
    weight: weight?.weight ?? 0,
    reverse: weight?.reverse ?? false,
    forkDelayMs: block.number("fork_delay") ?? both,
    terminateDelayMs: block.number("terminate_delay") ?? both,
  };
}

function readFile(block: Block, context: Context): FileSettings | undefined {
  const path = block.words("file");
  if (path === undefined) {
    if (!block.has("file")) {
      context.findings.error(
        block.statement.keyword,
        `${block.title} has no file`,
        "add: file PATH",
      );
    }
    return undefined;
  }
  const weight = block.weight("weight");
  const init = block.words("init_file");
  const value = init?.find((word) => word.text !== "overwrite");
  const number =
    value === undefined
      ? 0
      : readInteger(value, { min: -(2 ** 31), max: 2 ** 31 - 1 }, "init_file", context.findings);
  return {
    name: block.name,
    path: joinWords(path),
    weight: weight?.weight ?? 1,
    reverse: weight?.reverse ?? false,
    ...optional("initialValue", init === undefined ? undefined : number),
    overwrite: init?.some((word) => word.text === "overwrite") === true,
  };
}

const KINDS = [
  ["interface", "track_interface", 253],
  ["script", "track_script", 253],
  ["process", "track_process", 254],
  ["file", "track_file", 254],
  ["bfd", "track_bfd", 253],
] as const;

/** Every `track_…` block of an instance or group; weights of definitions are filled in. */
export function readReferences(block: Block, tracked: Tracked, context: Context): TrackReference[] {
  return KINDS.flatMap(([kind, keyword, most]) =>
    uniqueLines(block.lines(keyword), keyword, context).flatMap(
      (line) => readReference({ kind, keyword, most, line }, tracked, context) ?? [],
    ),
  );
}

/** Two lines of one name would count its weight twice; keepalived takes the first. */
function uniqueLines(
  lines: readonly Statement[],
  block: string,
  context: Context,
): readonly Statement[] {
  const first = new Map<string, Statement>();
  for (const line of lines) {
    const { text } = line.keyword;
    const twin = first.get(text);
    if (twin === undefined) first.set(text, line);
    else {
      const reason = `${block} names ${text} already in line ${twin.keyword.line}`;
      context.findings.warn(line.keyword, reason, "the second one is left out");
    }
  }
  return [...first.values()];
}

interface ReferenceLine {
  readonly kind: (typeof KINDS)[number][0];
  readonly keyword: string;
  /** Largest weight either way. */
  readonly most: number;
  readonly line: Statement;
}

function readReference(
  at: ReferenceLine,
  tracked: Tracked,
  context: Context,
): TrackReference | undefined {
  const { keyword, args } = at.line;
  const found = definitionOf(at, keyword, tracked, context);
  if (found === undefined) return undefined;
  const own = readWeight(at, args, context);
  if (at.kind === "interface") remember(context, `interface ${keyword.text}`, keyword);
  return {
    kind: at.kind,
    name: keyword.text,
    weight: own.weight ?? found.weight,
    reverse: own.reverse ?? found.reverse,
  };
}

const BLOCKS = {
  script: "vrrp_script",
  process: "vrrp_track_process",
  file: "track_file",
  bfd: "bfd_instance",
} as const;

function definitionOf(
  at: ReferenceLine,
  word: Word,
  tracked: Tracked,
  context: Context,
): { weight: number; reverse: boolean } | undefined {
  if (at.kind === "interface") return { weight: 0, reverse: false };
  const known: readonly { name: string; weight: number; reverse: boolean }[] = {
    script: tracked.scripts,
    process: tracked.processes,
    file: tracked.files,
    bfd: tracked.bfds ?? [],
  }[at.kind];
  const found = known.find((definition) => definition.name === word.text);
  // A definition with a mistake is there all the same.
  if (found === undefined && !context.origins.has(`${BLOCKS[at.kind]} ${word.text}`)) {
    const near = closest(
      word.text,
      known.map((definition) => definition.name),
    );
    const next =
      near === undefined
        ? `define ${BLOCKS[at.kind]} ${word.text} { … }`
        : `did you mean '${near}'?`;
    context.findings.error(word, `${at.keyword} names '${word.text}', which is not defined`, next);
  }
  return found;
}

function readWeight(
  at: ReferenceLine,
  args: readonly Word[],
  context: Context,
): { weight?: number; reverse?: boolean } {
  const result: { weight?: number; reverse?: boolean } = {};
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (word.text === "weight" && args[i + 1] !== undefined) {
      const range = { min: -at.most, max: at.most };
      const weight = readInteger(args[++i]!, range, "weight", context.findings);
      if (weight !== undefined) result.weight = weight;
    } else if (word.text === "reverse") result.reverse = true;
    else if (/^no_?reverse$/u.test(word.text)) result.reverse = false;
    else {
      const next = `one name a line; after it: weight N [reverse]`;
      context.findings.error(
        word,
        `'${word.text}' cannot stand after '${at.line.keyword.text}'`,
        next,
      );
    }
  }
  return result;
}
