/** `docs/drills.md`: the catalogue as a table, generated, so that it cannot grow old. */

import { catalogue } from "../core/drill/catalogue/catalogue.ts";

export const TABLE_BEGIN = "<!-- generated: node src/cli/drill-document.test.ts --update -->";
export const TABLE_END = "<!-- end of the generated part -->";

/** The document with its table as the catalogue is now. */
export function withCatalogue(document: string): string {
  const begin = document.indexOf(TABLE_BEGIN);
  const end = document.indexOf(TABLE_END);
  if (begin < 0 || end < begin) throw new Error("the document has no place for the catalogue");
  const before = document.slice(0, begin + TABLE_BEGIN.length);
  return `${before}\n\n${table()}\n\n${document.slice(end)}`;
}

function table(): string {
  const rows = catalogue.map(({ name, layer, title, says }) => {
    return `| \`${name}\` | ${layer} | ${title} | ${says.replaceAll("|", String.raw`\|`)} |`;
  });
  return [
    "| drill | layer | what happens | how, and what should follow |",
    "|---|---|---|---|",
    ...rows,
  ].join("\n");
}
