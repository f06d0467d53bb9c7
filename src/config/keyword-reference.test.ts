import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { assertSameText } from "../../test/kit/same-text.ts";
import { keywordReference } from "./keyword-reference.ts";

const PAGE = new URL("../../docs/keepalived-keywords.md", import.meta.url);

test("docs/keepalived-keywords.md says what the schema says", () => {
  if (process.argv.includes("--update")) writeFileSync(PAGE, keywordReference());
  assertSameText(readFileSync(PAGE, "utf8"), keywordReference(), PAGE.pathname);
});
