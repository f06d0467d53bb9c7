/** The journal of the whole group, searched where it lies. */

import { useEffect, useState } from "preact/hooks";
import type { VNode } from "preact";
import type { RecordPage, RecordView } from "../api.ts";
import { button, empty, panel, recordRow } from "./common-views.ts";
import { el, part } from "./dom.ts";
import { language, t } from "./preferences.ts";
import { get } from "./requests.ts";
import { told } from "./store.ts";
import { lookAt } from "./timeline-view.ts";

const PAGE = 100;

export interface RecordListProps {
  /** Only of this subject, with `/*` behind it of what is below it, too; empty: of all. */
  readonly subject: string;
  readonly title: string;
}

export function EventsPage(): VNode {
  const [subject, setSubject] = useState("");
  return el(
    "div",
    { class: "stack" },
    el("h1", null, t("nav.events")),
    el(
      "label",
      { class: "filter" },
      el("span", null, t("events.subject")),
      el("input", {
        type: "search",
        value: subject,
        placeholder: "web/web1",
        onChange: (event: Event) => setSubject((event.target as HTMLInputElement).value.trim()),
      }),
    ),
    part(RecordList, { subject, title: t("events.title") }),
  );
}

/** Newest first; new ones appear by themselves. */
export function RecordList({ subject, title }: RecordListProps): VNode {
  const [older, setOlder] = useState<readonly RecordView[]>([]);
  const [next, setNext] = useState<string | undefined>(undefined);
  const [trouble, setTrouble] = useState("");
  const load = (cursor: string | undefined, before: readonly RecordView[]): Promise<void> =>
    get<RecordPage>("/api/v1/records", {
      limit: PAGE,
      subject: subject === "" ? undefined : subject,
      cursor,
    }).then(
      (page) => {
        setOlder([...before, ...page.records]);
        setNext(page.next);
        setTrouble("");
      },
      (error: Error) => setTrouble(error.message),
    );
  useEffect(() => void load(undefined, []), [subject, language.value]);
  const live = (told("records") ?? []).filter((record) => isOf(record.subject, subject));
  const all = new Map<string, RecordView>();
  for (const record of [...live, ...older]) all.set(`${record.node}:${record.seq}`, record);
  const records = [...all.values()];
  return panel(
    title,
    { id: "records" },
    trouble === "" ? null : el("p", { class: "trouble" }, trouble),
    records.length === 0
      ? empty(t("events.none"))
      : el(
          "ol",
          { class: "records" },
          records.map((record) => recordRow(record, lookAtFirstScreen)),
        ),
    next === undefined ? null : button(t("table.more"), () => void load(next, older)),
  );
}

/** As the journal understands it, for what comes by itself. */
export function isOf(subject: string, wanted: string): boolean {
  if (!wanted.endsWith("/*")) return wanted === "" || subject === wanted;
  const above = wanted.slice(0, -2);
  return subject === above || subject.startsWith(`${above}/`);
}

function lookAtFirstScreen(atMs: number): void {
  lookAt(atMs);
  location.hash = "#/";
}
