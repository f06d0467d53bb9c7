/** Four questions, answered in five seconds: is it up, can it survive the next failure, who holds what, what changed. */

import type { VNode } from "preact";
import type { Holder, Overview, RecordView, State, Survival } from "../api.ts";
import { ago, empty, linkOfRecord, moment } from "./common-views.ts";
import { el, names } from "./dom.ts";
import { stateIcon } from "./icons.ts";
import { sayKind, t } from "./preferences.ts";
import { hashOf } from "./routes.ts";
import { stateOfVerdict, toneOf } from "./states.ts";
import { cursor, overview, told } from "./store.ts";

const MOST_LINES = 4;

export function Answers(): VNode | null {
  const now = overview.value;
  if (now === undefined) return null;
  const then = cursor.value?.state;
  const verdict = then?.verdict ?? now.verdict;
  return el(
    "section",
    { class: "answers", id: "answers", "aria-label": t("answers.label") },
    answer(
      {
        id: "answer-up",
        question: t("answers.up"),
        state: stateOfVerdict(verdict.state),
        word: t(`verdict.${verdict.state}`),
      },
      el("p", { class: "lead" }, verdict.sentence.text),
      verdict.sinceMs === undefined
        ? null
        : el("p", { class: "muted" }, t("time.since", { moment: ago(verdict.sinceMs) })),
    ),
    then === undefined ? survival(now.survival) : null,
    holders(then?.holders ?? now.holders, now),
    changes(then?.records ?? now.records),
  );
}

interface Headline {
  readonly id: string;
  readonly question: string;
  readonly state?: State;
  readonly word?: string;
}

function answer({ id, question, state, word }: Headline, ...children: (VNode | null)[]): VNode {
  return el(
    "article",
    {
      class: names("panel", "answer", state !== undefined && `tone-${toneOf(state)}`),
      id,
      "aria-labelledby": `${id}-title`,
    },
    el("h2", { class: "question", id: `${id}-title` }, question),
    state === undefined
      ? null
      : el("p", { class: "headline" }, stateIcon(state, 30), el("strong", null, word)),
    ...children,
  );
}

const SURVIVAL_STATES: Readonly<Record<Survival["survives"], State>> = {
  yes: "UP",
  no: "DEGRADED",
  unknown: "UNKNOWN",
};

function survival({ survives, services }: Survival): VNode {
  const troubled = services.filter((service) => service.survives === survives);
  const shown = troubled.slice(0, 2);
  const lines = shown.flatMap(({ service, why }) =>
    why
      .slice(0, 2)
      .map((sentence, i) =>
        el(
          "li",
          { key: `${service} ${i}` },
          services.length > 1 ? el("strong", null, `${service}: `) : null,
          sentence.text,
        ),
      ),
  );
  const rest = troubled.length - shown.length;
  return answer(
    {
      id: "answer-survival",
      question: t("answers.survival"),
      state: SURVIVAL_STATES[survives],
      word: t(`survives.${survives}`),
    },
    el("ul", { class: "lines" }, lines),
    rest > 0 ? el("p", { class: "muted" }, t("answers.more-services", { count: rest })) : null,
  );
}

function holders(all: readonly Holder[], { node }: Overview): VNode {
  const troubled = all.toSorted((a, b) => trouble(b) - trouble(a));
  const shown = troubled.slice(0, MOST_LINES);
  return answer(
    { id: "answer-holders", question: t("answers.holders") },
    all.length === 0
      ? empty(t("answers.no-addresses", { node }))
      : el("ul", { class: "lines holders" }, shown.map(holderLine)),
    all.length > shown.length
      ? el(
          "p",
          { class: "muted" },
          t("answers.more-addresses", { count: all.length - shown.length }),
        )
      : null,
  );
}

function trouble({ holder, rivals, standbys }: Holder): number {
  if (rivals.length > 0) return 3;
  if (holder === undefined) return 2;
  return standbys.length === 0 ? 1 : 0;
}

function holderLine({
  instance,
  addresses,
  holder,
  rivals,
  standbys,
  isSelf,
  sinceMs,
}: Holder): VNode {
  return el(
    "li",
    { key: instance, title: addresses.join(", ") },
    el("a", { href: hashOf("address", instance) }, instance),
    " ",
    holder === undefined
      ? el("strong", { class: "tone-bad ink" }, t("holder.nobody"))
      : el("strong", null, `→ ${holder}`),
    isSelf ? el("span", { class: "muted" }, ` ${t("holder.self")}`) : null,
    rivals.length > 0
      ? el(
          "span",
          { class: "tone-bad ink under" },
          t("holder.rivals", { names: rivals.join(", ") }),
        )
      : el(
          "span",
          { class: names("under", standbys.length === 0 ? "tone-warn ink" : "muted") },
          standbys.length === 0
            ? t("holder.no-standby")
            : t("holder.standby", { names: standbys.join(", ") }),
          sinceMs === undefined ? null : ` · ${t("time.since", { moment: ago(sinceMs) })}`,
        ),
  );
}

/** Told in the journal, and nothing that clients or the next failure would notice. */
const QUIET: ReadonlySet<string> = new Set([
  "access-refused",
  "drill-refused",
  "handover-asked",
  "limited",
  "note",
  "operator-asked",
  "page-open",
  "server-change-asked",
  "server-tier",
  "signed-in",
]);

/** To what, where the record says it. */
function whatChanged({ kind, reason, node, data }: RecordView): string {
  if (kind === "verdict-changed") return reason;
  const state = kind === "state-changed" ? data?.["to"] : undefined;
  return typeof state === "string" ? t("answers.became", { state, node }) : sayKind(kind);
}

function changes(records: Overview["records"]): VNode {
  const own = told("node");
  const shown = records.filter(
    ({ kind, node }) => !QUIET.has(kind) && (kind !== "verdict-changed" || node === own),
  );
  return answer(
    { id: "answer-changes", question: t("answers.changes") },
    shown.length === 0
      ? empty(t("answers.no-changes"))
      : el(
          "ol",
          { class: "lines changes" },
          shown.slice(0, MOST_LINES).map((record) => {
            const { node, seq, wallMs, subject, reason } = record;
            const href = linkOfRecord(record);
            return el(
              "li",
              { key: `${node}:${seq}`, title: reason },
              moment(wallMs),
              " ",
              href === undefined ? el("strong", null, subject || node) : el("a", { href }, subject),
              " ",
              whatChanged(record),
            );
          }),
        ),
    el("p", { class: "muted" }, el("a", { href: hashOf("events") }, t("answers.all-events"))),
  );
}
