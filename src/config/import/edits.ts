/** Headers that rules remove, change, set and add, several after the other as one. */

export interface Edits {
  readonly remove?: readonly string[];
  readonly set?: Readonly<Record<string, string>>;
  readonly add?: Readonly<Record<string, string>>;
  readonly replace?: Readonly<Record<string, { readonly regex: string; readonly to: string }>>;
}

export const TWO_COOKIES = "a route adds one Set-Cookie";

/** A second line of a header is one more thing of its list. False: that header is none. */
export function addHeader(add: Record<string, string>, name: string, value: string): boolean {
  const known = Object.keys(add).find((one) => isSame(one, name));
  if (known !== undefined && isSame(name, "set-cookie")) return false;
  if (known === undefined) add[name] = value;
  else add[known] = `${add[known]!}, ${value}`;
  return true;
}

/** What comes later wins: a header set and then removed is removed. */
export function mergedEdits(a: Edits | undefined, b: Edits | undefined): Edits | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const without = (map: Edits["set"], gone: readonly string[]): Record<string, string> =>
    Object.fromEntries(
      Object.entries(map ?? {}).filter(([name]) => !gone.some((one) => isSame(one, name))),
    );
  const removed = b.remove ?? [];
  const replaced = Object.keys(b.set ?? {});
  const add = without(a.add, [...removed, ...replaced]);
  for (const [name, value] of Object.entries(b.add ?? {})) {
    if (!addHeader(add, name, value)) add[name] = value;
  }
  return {
    remove: [...new Set([...(a.remove ?? []), ...removed])],
    set: { ...without(a.set, [...removed, ...replaced]), ...b.set },
    add,
    replace: { ...a.replace, ...b.replace },
  };
}

export const CHANGED_ONCE = "a route changes the values of a header once, before it sets them";

/** The later one would change what the earlier one wrote: values are changed before others are written. */
export function changesAgain(earlier: readonly (Edits | undefined)[], later: Edits): boolean {
  const touched = earlier.flatMap((edits) =>
    [edits?.replace, edits?.set, edits?.add].flatMap((map) => Object.keys(map ?? {})),
  );
  return Object.keys(later.replace ?? {}).some((name) => touched.some((one) => isSame(one, name)));
}

export function addsTwoCookies(a: Edits | undefined, b: Edits | undefined): boolean {
  const adds = (edits: Edits | undefined): boolean =>
    Object.keys(edits?.add ?? {}).some((name) => isSame(name, "set-cookie"));
  return adds(a) && adds(b);
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
