/**
 * `http-request set-var(txn.host) req.hdr(host),lower`: what the variable is stands where it is asked for.
 * Source: configuration manual, sections 2.8 and 4.2.
 */

import type { Draft } from "../draft.ts";
import type { Line, Section } from "./lines.ts";

const SETTING = /^(?:un)?set-var(?:-fmt)?\(((?:txn|req|sess|proc)\.[\w.-]+)/u;
const REWRITING = /^(?:set-(?:path|pathq|query|uri|method)|replace-(?:path|pathq|uri))$/u;
const EDIT = /^(?:set|add|del|replace)-header$/u;

interface Variable {
  readonly name: string;
  readonly line: Line;
  readonly sample: string;
}

/** Of those that are set once, always, and from the request as it came. */
export function withVariables(sections: readonly Section[], draft: Draft): readonly Section[] {
  const settings = sections.flatMap(({ lines }) => lines.flatMap((line) => settingOf(line) ?? []));
  const isOnce = (name: string): boolean => settings.filter((one) => one === name).length === 1;
  const fronts = sections.filter(({ kind }) => kind === "frontend" || kind === "listen");
  let result = sections;
  for (const { at } of fronts) {
    const here = ({ at: other }: Section): boolean => other === at;
    const reaches = (one: Section): boolean =>
      here(one) || (one.kind === "backend" && fronts.length === 1);
    // One may be made of those before it.
    for (;;) {
      const variable = variableIn(result.find(here)!.lines, isOnce);
      if (variable === undefined) break;
      draft.unneeded(variable.line.at, "its value is written where it is used");
      result = result.map((one) => (reaches(one) ? written(one, variable) : one));
    }
  }
  return result;
}

function variableIn(
  lines: readonly Line[],
  isOnce: (name: string) => boolean,
): Variable | undefined {
  for (const [index, line] of lines.entries()) {
    const [, action = "", sample, ...condition] = line.words;
    const name = settingOf(line);
    if (name === undefined || sample === undefined || condition.length > 0) continue;
    if (!isOnce(name) || !/^set-var\([^,]+\)$/u.test(action) || sample.includes("var(")) continue;
    if (lines.slice(0, index).some((one) => spoils(one, sample, name))) continue;
    // It is set while there is no answer yet.
    return { name, line, sample: sample.replace(/^(?:f?hdr|cook)(?:_\w+)?\(/u, "req.$&") };
  }
  return undefined;
}

/** The variable that it sets or unsets. */
function settingOf({ words }: Line): string | undefined {
  return words.map((word) => SETTING.exec(word)?.[1]).find((name) => name !== undefined);
}

/** Before the variable is set: it would not be what it is of the request as it came, or asked for too early. */
function spoils({ words }: Line, sample: string, name: string): boolean {
  const [keyword, action = "", header = ""] = words;
  // All others are looked at afterwards.
  if (keyword !== "http-request") return false;
  if (words.some((word) => word.includes(`var(${name})`))) return true;
  if (REWRITING.test(action)) return true;
  return EDIT.test(action) && sample.toLowerCase().includes(`(${header.toLowerCase()}`);
}

function written(section: Section, { name, line, sample }: Variable): Section {
  const lines = section.lines
    .filter((one) => one !== line)
    .map((one) => {
      const words = one.words.map((word) => word.replaceAll(`var(${name})`, () => sample));
      return words.join(" ") === one.words.join(" ") ? one : { ...one, words };
    });
  return { ...section, lines };
}
