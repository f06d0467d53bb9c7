/** The generated page docs/keepalived-keywords.md. */

import { describeTakes } from "./explain.ts";
import { type Keyword, KEYWORDS } from "./schema/schema.ts";

const MARKS: Readonly<Record<Keyword["status"], string>> = {
  done: "yes",
  later: "balancer",
  ignored: "no",
};

const HEAD = `# Keywords of keepalived.conf in Nines

Generated from \`src/config/schema\`; do not edit. After a change of the schema:
\`node src/config/keyword-reference.test.ts --update\`.

"carried out": **yes**; **balancer** = read and checked, carried out by the load balancer; **no** = known,
accepted with a warning that says what is ignored. Times are seconds, fractions allowed.
`;

/** Markdown, one table for each block. */
export function keywordReference(): string {
  const blocks = [...new Set(KEYWORDS.flatMap((row) => row.blocks))];
  return [HEAD, ...blocks.map(blockTable)].join("\n");
}

const TITLES: Readonly<Record<string, string>> = {
  top: "Outside of all blocks",
  anywhere: "On any line",
};

function blockTable(block: string): string {
  const rows = KEYWORDS.filter((row) => row.blocks.includes(block));
  const title = TITLES[block] ?? block;
  return [
    `## ${title}`,
    "",
    "| keyword | takes | range | default | meaning | source | carried out |",
    "|---|---|---|---|---|---|---|",
    ...rows.map(tableRow),
    "",
  ].join("\n");
}

function tableRow(row: Keyword): string {
  const range = "min" in row.takes ? `${row.takes.min}-${row.takes.max}` : "";
  const takes = describeTakes(row.takes) + (row.takes.kind === "seconds" ? " of seconds" : "");
  const cells = [
    `\`${row.name}\``,
    row.status === "ignored" ? "" : takes,
    range,
    row.default,
    row.meaning,
    row.source,
    MARKS[row.status],
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
