/** A line with a map in it, once for each value that the map gives. */

import type { Place } from "../../diagnostic.ts";
import { type AclContext, alternativesOf, type RawTerm } from "./acls.ts";
import { criterion } from "./criteria.ts";
import { choicesOf, mappedText, readEntries } from "./maps.ts";

/** Of those of one line the first whose condition holds counts. */
export interface Variant {
  /** With the value in place of the map, and the keys that lead to it in the condition. */
  readonly words: readonly string[];
  /** Of the map, or the line. */
  readonly at: Place;
  /** For what the map does not know. */
  readonly isNothing?: true;
}

/** Undefined: there is no map in it. A text says why its map cannot be carried over. */
export function variantsOf(
  words: readonly string[],
  at: Place,
  context: AclContext,
): readonly Variant[] | string | undefined {
  const end = words.findIndex((word) => word === "if" || word === "unless");
  const [action, given] = end < 0 ? [words, []] : [words.slice(0, end), words.slice(end)];
  const index = action.findIndex((word) => mappedText(word) !== undefined);
  const found = mappedText(action[index] ?? "");
  if (found === undefined) return undefined;
  const { before, after, mapped } = found;
  const alternatives = alternativesIn(given);
  if (alternatives === undefined) return "beside a map no such unless is understood";
  const text = context.readFile(mapped.path);
  if (text === undefined) return `the map cannot be read here: ${mapped.path}`;
  const choices = choicesOf(readEntries(mapped.path, text), mapped);
  if (choices.some((one) => criterion(one.words, context) === undefined)) {
    return "routes have no condition like those of its map";
  }
  const isName = words[0] === "use_backend";
  const line = (value: string, condition: readonly string[]): string[] => {
    const told = isName ? value : value.replaceAll("%", "%%");
    return [...action.with(index, `${before}${told}${after}`), ...condition];
  };
  const isAsked = (term: RawTerm): boolean => asksFor(term, mapped.sample, context);
  const variants = choices.map(({ value, words: keys, at: place }) => {
    // Whoever has one of the keys is known to be found.
    const terms = alternatives.map((all) => all.filter((term) => !isAsked(term)));
    return { words: line(value, conditionOf(terms, ["{", ...keys, "}"])), at: place };
  });
  const condition = conditionOf(alternatives, []);
  if (mapped.otherwise !== undefined) {
    return [...variants, { words: line(mapped.otherwise, condition), at }];
  }
  if (alternatives.every((terms) => terms.some(isAsked))) return variants;
  return [...variants, { words: line("", condition), at, isNothing: true }];
}

/** With `if`. Undefined: the opposite of such an `unless` is more than that. */
function alternativesIn([keyword, ...rest]: readonly string[]): RawTerm[][] | undefined {
  const alternatives = alternativesOf(rest);
  if (keyword !== "unless") return alternatives;
  const [first = [], ...others] = alternatives.map((terms) =>
    terms.map((term) => ({ ...term, negated: !term.negated })),
  );
  if (others.length === 0) return first.map((term) => [term]);
  return [first, ...others].every((terms) => terms.length === 1)
    ? [[first, ...others].flat()]
    : undefined;
}

/** `{ SAMPLE -m found }`, also by the name of an ACL. */
function asksFor(term: RawTerm, sample: string, { acls, used }: AclContext): boolean {
  const { negated, anonymous, words } = term;
  const lines = anonymous ? [] : (acls.get(words[0]!) ?? []);
  const asked = anonymous ? words : lines.length === 1 ? lines[0]!.words.slice(2) : [];
  const isIt = !negated && asked.join(" ") === `${sample} -m found`;
  if (isIt && !anonymous) used.add(words[0]!);
  return isIt;
}

/** `also`: words of one more term, or none. */
function conditionOf(
  alternatives: readonly (readonly RawTerm[])[],
  also: readonly string[],
): readonly string[] {
  const written = alternatives.map((terms) => [...also, ...terms.flatMap(wordsOf)]);
  if (written.some((words) => words.length === 0)) return [];
  return ["if", ...written.flatMap((words, i) => (i === 0 ? words : ["or", ...words]))];
}

function wordsOf({ negated, anonymous, words }: RawTerm): readonly string[] {
  return [...(negated ? ["!"] : []), ...(anonymous ? ["{", ...words, "}"] : words)];
}
