/** Incidents: when it began, when it was noticed, when it was over, what it cost, and what people say about it. */

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { IncidentView } from "../api.ts";
import { ago, button, empty, moment, number, panel, span } from "./common-views.ts";
import { el, names, part } from "./dom.ts";
import { stateMark } from "./icons.ts";
import { language, t } from "./preferences.ts";
import { annotate, get } from "./requests.ts";
import { hashOf } from "./routes.ts";
import { incidentView } from "./incident-fields.ts";
import { mayOperate, notice, serverNow, told } from "./store.ts";

interface IncidentList {
  readonly incidents: readonly IncidentView[];
}

export function IncidentsPage(): VNode {
  const [all, setAll] = useState<readonly IncidentView[] | undefined>(undefined);
  const latest = told("incidents") ?? [];
  useEffect(() => {
    get<IncidentList>("/api/v1/incidents").then(
      ({ incidents }) => setAll(incidents.map(incidentView)),
      () => setAll(undefined),
    );
  }, [latest.map(({ id, endMs }) => `${id}${endMs}`).join()]);
  const incidents = all ?? latest;
  return el(
    "div",
    { class: "stack" },
    el("h1", null, t("nav.incidents")),
    el(
      "p",
      null,
      el(
        "a",
        {
          href: `/api/v1/report?format=html&lang=${language.value}`,
          target: "_blank",
          rel: "noopener",
        },
        t("incident.report"),
      ),
    ),
    incidents.length === 0
      ? empty(t("incident.none"))
      : el(
          "ul",
          { class: "cards" },
          incidents.map((incident) => card(incident)),
        ),
  );
}

function card({
  id,
  service,
  severity,
  startMs,
  endMs,
  reason,
  score,
  isPlanned,
}: IncidentView): VNode {
  return el(
    "li",
    { class: names("panel", "card", endMs === undefined && "open"), key: id },
    el("a", { class: "card-title", href: hashOf("incident", id) }, `${service} · ${severity}`),
    endMs === undefined
      ? stateMark("DOWN")
      : el("span", { class: "muted" }, t("incident.lasted", { span: span(endMs - startMs) })),
    el("p", null, reason),
    el(
      "p",
      { class: "muted" },
      moment(startMs),
      ` · ${ago(startMs)} · `,
      isPlanned ? t("incident.planned") : t("incident.score", { score: number(score) }),
    ),
  );
}

export function IncidentPage({ id }: { readonly id: string }): VNode {
  const [asked, setAsked] = useState<IncidentView | undefined>(undefined);
  const [trouble, setTrouble] = useState("");
  const known = told("incidents")?.find((one) => one.id === id);
  const load = (): void =>
    void get<IncidentView>(`/api/v1/incidents/${encodeURIComponent(id)}`).then(
      (answer) => setAsked(incidentView(answer)),
      (error: Error) => setTrouble(error.message),
    );
  useEffect(load, [id, known?.endMs]);
  const incident = asked ?? known;
  if (incident === undefined) {
    return el(
      "div",
      { class: "stack" },
      el("h1", null, t("incident.title", { id })),
      empty(trouble || t("link.connecting")),
    );
  }
  const { service, severity, reason, score, isPlanned, endMs } = incident;
  return el(
    "div",
    { class: "stack" },
    el(
      "header",
      { class: "subject-head" },
      el(
        "p",
        { class: "crumbs" },
        el("a", { href: hashOf("incidents") }, t("nav.incidents")),
        " · ",
        el("a", { href: hashOf("service", service) }, service),
      ),
      el("h1", null, t("incident.title", { id }), endMs === undefined ? stateMark("DOWN") : null),
      el("p", { class: "lead" }, reason),
    ),
    el(
      "dl",
      { class: "facts" },
      fact(t("incident.severity"), severity),
      fact(t("incident.duration"), span((endMs ?? serverNow.value) - incident.startMs)),
      fact(t("incident.score-word"), isPlanned ? t("incident.planned") : number(score)),
    ),
    phases(incident),
    part(Notes, { incident, onDone: load }),
  );
}

function fact(name: string, value: string): VNode {
  return el("div", { key: name }, el("dt", null, name), el("dd", null, value));
}

/** Start, noticed, switched, repaired: as a list, each with what it took since the start. */
function phases({ startMs, detectedMs, switchedMs, endMs, segments }: IncidentView): VNode {
  const steps = [
    [t("incident.start"), startMs],
    [t("incident.detected"), detectedMs],
    [t("incident.switched"), switchedMs],
    [t("incident.repaired"), endMs],
  ] as const;
  return panel(
    t("incident.phases"),
    { id: "phases" },
    el(
      "ol",
      { class: "phases" },
      steps.map(([word, atMs]) =>
        el(
          "li",
          { key: word, class: names(atMs === undefined && "pending") },
          el("strong", null, word),
          atMs === undefined ? el("span", { class: "muted" }, t("incident.pending")) : moment(atMs),
          atMs === undefined || atMs === startMs
            ? null
            : el("span", { class: "muted" }, t("incident.after", { span: span(atMs - startMs) })),
        ),
      ),
    ),
    segments.length < 2
      ? null
      : el(
          "ul",
          { class: "lines" },
          segments.map(({ severity, startMs: from, endMs: to }) =>
            el(
              "li",
              { key: from },
              el("strong", null, severity),
              " ",
              moment(from),
              to === undefined ? "" : ` · ${span(to - from)}`,
            ),
          ),
        ),
  );
}

function Notes({
  incident,
  onDone,
}: {
  readonly incident: IncidentView;
  readonly onDone: () => void;
}): VNode {
  const [text, setText] = useState("");
  const send = (): void =>
    void annotate(incident.id, text.trim()).then(
      () => {
        setText("");
        onDone();
      },
      (error: Error) => (notice.value = { text: error.message, isBad: true }),
    );
  return panel(
    t("incident.notes"),
    { id: "notes" },
    incident.annotations.length === 0 ? empty(t("incident.no-notes")) : null,
    el(
      "ul",
      { class: "lines" },
      incident.annotations.map((note) =>
        el(
          "li",
          { key: `${note.atMs} ${note.who}` },
          note.text,
          el("span", { class: "under" }, `${note.who} · `, moment(note.atMs)),
        ),
      ),
    ),
    mayOperate.value
      ? el(
          "div",
          { class: "note-form" },
          el("textarea", {
            rows: 2,
            maxLength: 2000,
            "aria-label": t("incident.add-note"),
            placeholder: t("incident.add-note"),
            value: text,
            onInput: (event: Event) => setText((event.target as HTMLTextAreaElement).value),
          }),
          button(t("incident.add-note"), send, { disabled: text.trim() === "" }),
        )
      : null,
  );
}
