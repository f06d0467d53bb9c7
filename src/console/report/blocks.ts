/** A report as a list of plain blocks, which any format can be made of. */

export type Block =
  | { readonly kind: "heading"; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "code"; readonly text: string }
  | {
      readonly kind: "table";
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
    }
  /** A part of a whole: 0 to 1, more is overdrawn. */
  | { readonly kind: "meter"; readonly label: string; readonly share: number };

export function markdownOf(blocks: readonly Block[]): string {
  return `${blocks.map(markdownBlock).join("\n\n")}\n`;
}

function markdownBlock(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `${"#".repeat(block.level)} ${block.text}`;
    case "text":
      return block.text;
    case "list":
      return block.items.map((item) => `- ${item}`).join("\n");
    case "code":
      return `\`\`\`sh\n${block.text}\n\`\`\``;
    case "meter":
      return `${block.label}: \`${bar(block.share)}\``;
    case "table":
      return [
        line(block.head),
        line(block.head.map(() => "---")),
        ...block.rows.map((row) => line(row)),
      ].join("\n");
  }
}

function line(cells: readonly string[]): string {
  const safe = cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " "));
  return `| ${safe.join(" | ")} |`;
}

const BAR = 20;

function bar(share: number): string {
  const full = Math.max(0, Math.min(BAR, Math.round(share * BAR)));
  return `${"#".repeat(full)}${".".repeat(BAR - full)}`;
}

/** One file that needs nothing else, prints on paper, and holds no script. */
export function htmlOf(blocks: readonly Block[], lang: string): string {
  const title = blocks.find((block) => block.kind === "heading");
  const head = [
    "<!doctype html>",
    `<html lang="${lang === "zh" ? "zh-CN" : "en"}">`,
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escape(title?.kind === "heading" ? title.text : "")}</title>`,
    `<style>${STYLE}</style>`,
    "<body><main>",
  ];
  return `${[...head, ...blocks.map(htmlBlock), "</main></body></html>"].join("\n")}\n`;
}

const STYLE = `
:root { color-scheme: light dark; --line: #8886; --bad: #b3261e; --good: #1b6e3a; }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 64rem; }
h1 { font-size: 1.7rem; } h2 { margin-top: 2.2rem; border-bottom: 2px solid var(--line); } h3 { margin-bottom: .3rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; margin: .6rem 0; font-size: .92em; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th { border-bottom-width: 2px; } td { font-variant-numeric: tabular-nums; }
pre { padding: .6rem; border: 1px solid var(--line); overflow-x: auto; }
.meter { height: .7rem; border: 1px solid var(--line); margin: .2rem 0 .8rem; }
.meter i { display: block; height: 100%; background: var(--good); } .meter.over i { background: var(--bad); }
@page { margin: 18mm; }
@media print { :root { color-scheme: light; } body { margin: 0; max-width: none; font-size: 10.5pt; }
  h2, h3 { break-after: avoid; } tr, pre, .meter { break-inside: avoid; } thead { display: table-header-group; } .wide { overflow: visible; } }
`.trim();

function htmlBlock(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `<h${block.level}>${escape(block.text)}</h${block.level}>`;
    case "text":
      return `<p>${escape(block.text)}</p>`;
    case "list":
      return `<ul>${block.items.map((item) => `<li>${escape(item)}</li>`).join("")}</ul>`;
    case "code":
      return `<pre><code>${escape(block.text)}</code></pre>`;
    case "meter": {
      const width = Math.max(0, Math.min(100, block.share * 100)).toFixed(1);
      const over = block.share > 1 ? " over" : "";
      return `<p>${escape(block.label)}</p><div class="meter${over}"><i style="width:${width}%"></i></div>`;
    }
    case "table": {
      const row = (cells: readonly string[], tag: "th" | "td"): string =>
        `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join("")}</tr>`;
      const rows = block.rows.map((cells) => row(cells, "td")).join("\n");
      const head = `<thead>${row(block.head, "th")}</thead>`;
      return `<div class="wide"><table>${head}<tbody>\n${rows}\n</tbody></table></div>`;
    }
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"]/gu, (c) => ENTITIES[c]!);
}
