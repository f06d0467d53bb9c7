/** `tracks`, and the references of addresses and groups to them, as statements. */

import type { Statement } from "../../keepalived/tree.ts";
import { trackSubject } from "../check-targets.ts";
import {
  type AddressSections,
  TRACK_KEYS,
  type TrackDocument,
  type TrackReferenceDocument,
} from "../schema/address-schema.ts";
import type { KeywordKey } from "../schema/keyword-schema.ts";
import { type BuildContext, given, requireName } from "./context.ts";
import { blockStatement, keywordStatements, statement, word } from "./statements.ts";

type Kind = "script" | "process" | "file";

export interface TrackNames {
  /** Kind of each track by its name. */
  readonly tracks: ReadonlyMap<string, Kind>;
  readonly checkNames: readonly string[];
  /** Checks that were referred to; filled while references are read. */
  readonly trackedChecks: Set<string>;
}

const KINDS: readonly Kind[] = ["script", "process", "file"];
const BLOCKS = { script: "vrrp_script", process: "vrrp_track_process", file: "track_file" };

/** What each track is; those that are not exactly one thing are told and left out. */
export function trackKinds(
  { tracks }: Pick<AddressSections, "tracks">,
  { findings, places }: BuildContext,
): Map<string, Kind> {
  const kinds = new Map<string, Kind>();
  for (const [name, document] of Object.entries(tracks)) {
    const found = given(document, KINDS);
    if (found.length === 1) kinds.set(name, found[0]!);
    else {
      const reason =
        found.length === 0
          ? `track ${name} does not say what is watched`
          : `track ${name} watches ${found.join(" and ")}`;
      findings.error(places.of(document), reason, "write one of: script, process, file");
    }
  }
  return kinds;
}

export function trackDefinitions(
  { tracks }: Pick<AddressSections, "tracks">,
  kinds: ReadonlyMap<string, Kind>,
  context: BuildContext,
): Statement[] {
  return Object.entries(tracks).flatMap(([name, document]) => {
    const kind = kinds.get(name);
    if (kind === undefined) return [];
    const block = [
      subjectStatement(document, kind, context),
      ...keywordStatements(document, ownKeys(document, kind, context), context),
      ...weightStatement(document, kind, context),
    ];
    return [blockStatement(context.places.of(document), [BLOCKS[kind], name], block)];
  });
}

/** Said by statements of their own. */
const SPECIAL: readonly string[] = ["script", "process", "file", "weight"];

function ownKeys(
  document: TrackDocument,
  kind: Kind,
  { findings, places }: BuildContext,
): KeywordKey[] {
  const own = TRACK_KEYS[kind].filter(({ key }) => !SPECIAL.includes(key));
  const names = [...own.map(({ key }) => key), ...SPECIAL, "reverse"];
  for (const key of Object.keys(document)) {
    if (names.includes(key) || !places.wrote(document, key)) continue;
    const next = `a ${kind} has: ${own.map((one) => one.key).join(" ")}`;
    findings.error(places.key(document, key), `${key} is not for a ${kind}`, next);
  }
  return own;
}

function subjectStatement(document: TrackDocument, kind: Kind, context: BuildContext): Statement {
  const { places } = context;
  const keyword = word(places.key(document, kind), kind);
  const at = places.at(document, kind);
  const texts = { script: document.script, process: document.process, file: [document.file ?? ""] };
  const words = texts[kind] ?? [];
  return { keyword, args: words.map((text) => word(at, text)) };
}

/** Weight when none is written: keepalived.conf(5). */
const WEIGHTS = { script: 0, process: 1, file: 1 } as const;

function weightStatement(document: TrackDocument, kind: Kind, context: BuildContext): Statement[] {
  const { weight, reverse } = document;
  if (weight === undefined && reverse !== true) return [];
  const at = context.places.key(document, "weight");
  return [
    statement(at, "weight", `${weight ?? WEIGHTS[kind]}`, ...(reverse === true ? ["reverse"] : [])),
  ];
}

const REFERENCES = {
  script: "track_script",
  process: "track_process",
  file: "track_file",
  interface: "track_interface",
} as const;

/** The `track_…` blocks of an address or group. */
export function trackStatements(
  references: readonly TrackReferenceDocument[],
  names: TrackNames,
  context: BuildContext,
): Statement[] {
  return references.flatMap((reference) => {
    const found = referenceOf(reference, names, context);
    if (found === undefined) return [];
    const at = context.places.of(reference);
    const { weight, reverse } = reference;
    const args = [
      ...(weight === undefined ? [] : ["weight", `${weight}`]),
      ...(reverse === true ? ["reverse"] : []),
    ];
    const line = statement(at, found.name, ...args);
    return [{ ...statement(at, REFERENCES[found.kind]), block: [line] }];
  });
}

interface Reference {
  readonly kind: Kind | "interface";
  readonly name: string;
}

function referenceOf(
  reference: TrackReferenceDocument,
  names: TrackNames,
  context: BuildContext,
): Reference | undefined {
  const { places, findings } = context;
  if (given(reference, ["track", "check", "interface"]).length !== 1) {
    const next = "write one of: track, check, interface";
    findings.error(places.of(reference), "one thing is tracked at a time", next);
    return undefined;
  }
  const { track, check, interface: link } = reference;
  if (link !== undefined) return { kind: "interface", name: link };
  if (check !== undefined) {
    const at = places.at(reference, "check");
    if (!requireName(at, "check", names.checkNames, { wanted: check, context })) return undefined;
    names.trackedChecks.add(check);
    return { kind: "script", name: trackSubject(check) };
  }
  const kind = names.tracks.get(track!);
  if (kind !== undefined) return { kind, name: track! };
  const at = places.at(reference, "track");
  if (names.checkNames.includes(track!)) {
    findings.error(at, `${track} is a check, not a track`, `write check:${track}`);
  } else requireName(at, "track", [...names.tracks.keys()], { wanted: track!, context });
  return undefined;
}

/** Stand-ins for the checks that are tracked: the builder wants every script defined. */
export function trackedCheckStatements(
  checks: Iterable<string>,
  context: BuildContext,
  checkDocuments: Readonly<Record<string, object>>,
): Statement[] {
  const { findings, places } = context;
  return [...checks].map((name) => {
    const document = checkDocuments[name]!;
    if (places.wrote(document, "while_held")) {
      const reason = `an address tracks check ${name}: it would wait for what it decides`;
      const next = "make another check of it for the track, without while_held";
      findings.error(places.key(document, "while_held"), reason, next);
    }
    const at = places.of(document);
    const subject = trackSubject(name);
    return blockStatement(at, ["vrrp_script", subject], [statement(at, "script", subject)]);
  });
}
