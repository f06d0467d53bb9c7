/** The generated page docs/config.md. */

import { allKeys, type Key } from "./keys.ts";

const HEAD = `# Keys of nines.yaml

Generated from \`src/config/service/schema\`; do not edit. After a change of the schema:
\`node --test src/config/service/service-reference.test.ts --update\`.
\`nines explain KEY\` shows one of them, \`nines check FILE\` checks a file.

- Durations: \`250ms\`, \`1s\`, \`5m\`, \`1h30m\`. Sizes: \`512\`, \`16KiB\`, \`1MB\`.
- \`\${NAME}\` and \`\${NAME:-default}\` are taken from the environment, in any value; names are upper case.
  \`$\${NAME}\` is that text itself.
- \`include: [conf.d/*.yaml]\` at the top of a file adds the sections of other files to it.
- Where a text may be long or secret, \`{ file: PATH }\` takes it from a file.
- Paths of files - certificates, keys, \`include\`, \`{ file: PATH }\` - are seen from the file that they stand in.
- Where a key takes a list, one value alone will do. Where the things of a list have names, a map of names will.
- Anchors and merge keys of YAML work: \`web: &w { … }\`, \`api: { <<: *w, check: api }\`.
- Editors complete with \`docs/nines.schema.json\`: begin the file with
  \`# yaml-language-server: $schema=…/nines.schema.json\`.

NAME stands for a name that you choose, [] for each thing of a list.
`;

/** Markdown, one table for each map. */
export function serviceReference(): string {
  const keys = allKeys();
  const maps = [...new Set(keys.map((key) => key.within))];
  return [HEAD, ...maps.map((within) => table(within, keys))].join("\n");
}

function table(within: string, keys: readonly Key[]): string {
  const rows = keys.filter((key) => key.within === within);
  return [
    `## ${within === "" ? "The file" : within}`,
    "",
    "| key | takes | range | default | meaning |",
    "|---|---|---|---|---|",
    ...rows.map(row),
    "",
  ].join("\n");
}

function row(key: Key): string {
  const standard = key.required ? "**required**" : key.default;
  const source = key.source === "" ? "" : ` (${key.source})`;
  const example = key.examples.length === 0 ? "" : ` E.g. ${key.examples.join(", ")}.`;
  const meaning = `${key.meaning}${example}${source}`;
  const cells = [`\`${key.name}\``, key.takes, key.range, standard, meaning];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
