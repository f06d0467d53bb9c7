/** A report in one of its forms. */

import type { ReportData } from "../../core/ledger/report.ts";
import { htmlOf, markdownOf } from "./blocks.ts";
import { documentOf } from "./document.ts";
import { type Month, monthText } from "./month.ts";
import type { Language } from "./words.ts";

export const FORMATS = ["md", "html", "json"] as const;
export type ReportFormat = (typeof FORMATS)[number];

export interface ReportForm {
  readonly month: Month;
  readonly lang: Language;
  readonly format: ReportFormat;
  readonly service?: string;
}

export function formatReport(
  data: ReportData,
  { month, lang, format, service }: ReportForm,
): { readonly body: string; readonly type: string } {
  if (format === "json") {
    return { body: `${JSON.stringify(data, undefined, 2)}\n`, type: "application/json" };
  }
  const only = service === undefined ? "" : ` --service ${service}`;
  const command = `nines report --month ${monthText(month)}${only} --recompute`;
  const blocks = documentOf(data, { month, lang, command });
  return format === "html"
    ? { body: htmlOf(blocks, lang), type: "text/html" }
    : { body: markdownOf(blocks), type: "text/markdown" };
}
