import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { withCatalogue } from "./drill-document.ts";

const file = new URL("../../docs/drills.md", import.meta.url);

test("docs/drills.md lists the catalogue as it is", () => {
  const text = readFileSync(file, "utf8");
  const fresh = withCatalogue(text);
  if (process.argv.includes("--update")) writeFileSync(file, fresh);
  else assert.equal(text, fresh, "run: node src/cli/drill-document.test.ts --update");
});
