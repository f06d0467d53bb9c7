import assert from "node:assert/strict";

/** Both are the same, or the first line that is not is told: a diff of two long texts takes minutes. */
export function assertSameText(actual: string, wanted: string, name: string): void {
  if (actual === wanted) return;
  const [has, wants] = [actual.split("\n"), wanted.split("\n")];
  const at = has.findIndex((line, i) => line !== wants[i]);
  const line = at < 0 ? has.length : at;
  assert.fail(
    `${name}:${line + 1} is\n  ${has[line] ?? "(no more)"}\nand should be\n  ${wants[line] ?? "(no more)"}`,
  );
}
