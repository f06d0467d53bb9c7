/** A report in one of its forms. */

import { shellLine } from "../../core/drill/plan.ts";
import { resolve } from "node:path";
import { DEFAULT_STATE_DIRECTORY } from "../../daemon/run-directory.ts";
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
  /** The state directory: named where it is not the usual one. */
  readonly directory: string;
}

export function formatReport(
  data: ReportData,
  { month, lang, format, service, directory }: ReportForm,
): { readonly body: string; readonly type: string } {
  if (format === "json") {
    return { body: `${JSON.stringify(data, undefined, 2)}\n`, type: "application/json" };
  }
  const only = service === undefined ? "" : ` --service ${shellLine([service])}`;
  const isUsual = resolve(directory) === DEFAULT_STATE_DIRECTORY;
  const where = isUsual ? "" : ` --state-dir ${shellLine([resolve(directory)])}`;
  const command = `nines report --month ${monthText(month)}${only}${where} --recompute`;
  const blocks = documentOf(data, { month, lang, command });
  return format === "html"
    ? { body: htmlOf(blocks, lang), type: "text/html" }
    : { body: markdownOf(blocks), type: "text/markdown" };
}
