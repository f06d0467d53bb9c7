/** Incidents: when it began, when it was noticed, when it was over, what it cost, and what people say about it. */

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { IncidentList, IncidentView } from "../api.ts";
import { ago, button, empty, moment, number, panel, span } from "./common-views.ts";
import { el, names, part } from "./dom.ts";
import { stateMark } from "./icons.ts";
import { language, t } from "./preferences.ts";
import { annotate, get } from "./requests.ts";
import { hashOf } from "./routes.ts";
import { mayOperate, notice, serverNow, told } from "./store.ts";

export function IncidentsPage(): VNode {
  const [all, setAll] = useState<readonly IncidentView[] | undefined>(undefined);
  const latest = told("incidents") ?? [];
  useEffect(() => {
    get<IncidentList>("/api/v1/incidents").then(
      ({ incidents }) => setAll(incidents.filter(({ dismissed }) => dismissed === undefined)),
      () => setAll(undefined),
    );
  }, [language.value, latest.map((one) => `${addressOf(one)}${one.closedMs}`).join()]);
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

/** The heaviest class has a name, the others are letters. */
export function classOf(given: string): string {
  return given === "accident" ? t("incident.class-accident") : given;
}

/** Ids are of a ledger, and two may choose the same one. */
export function addressOf({ id, node }: Pick<IncidentView, "id" | "node">): string {
  return `${id}@${node}`;
}

function card(incident: IncidentView): VNode {
  const { service, class: given, startMs, closedMs, cause, score } = incident;
  return el(
    "li",
    { class: names("panel", "card", closedMs === undefined && "open"), key: addressOf(incident) },
    el(
      "a",
      { class: "card-title", href: hashOf("incident", addressOf(incident)) },
      `${service} · ${classOf(given)}`,
    ),
    closedMs === undefined
      ? stateMark("DOWN")
      : el("span", { class: "muted" }, t("incident.lasted", { span: span(closedMs - startMs) })),
    el("p", null, cause),
    el(
      "p",
      { class: "muted" },
      moment(startMs),
      ` · ${ago(startMs)} · `,
      t("incident.score", { score: number(score) }),
      ` · ${seenBy(incident)}`,
    ),
  );
}

/** Who tells of it, and how old that is. */
function seenBy({ vantages, ageMs }: IncidentView): string {
  const nodes = t("incident.seen-by", { nodes: vantages.map(({ node }) => node).join(", ") });
  return ageMs === undefined ? nodes : `${nodes} · ${t("incident.old", { span: span(ageMs) })}`;
}

export function IncidentPage({ id }: { readonly id: string }): VNode {
  const [asked, setAsked] = useState<IncidentView | undefined>(undefined);
  const [trouble, setTrouble] = useState("");
  const known = told("incidents")?.find(
    (one) => addressOf(one) === id || one.vantages.some((at) => addressOf(at) === id),
  );
  const load = (): void =>
    void get<IncidentView>(`/api/v1/incidents/${encodeURIComponent(id)}`).then(
      setAsked,
      (error: Error) => setTrouble(error.message),
    );
  useEffect(load, [id, known?.closedMs, language.value]);
  const incident = asked ?? known;
  if (incident === undefined) {
    return el(
      "div",
      { class: "stack" },
      el("h1", null, t("incident.title", { id })),
      empty(trouble || t("link.connecting")),
    );
  }
  const { service, class: given, cause, score, closedMs, startMs, drill } = incident;
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
      el(
        "h1",
        null,
        t("incident.title", { id: incident.id }),
        closedMs === undefined ? stateMark("DOWN") : null,
      ),
      el("p", { class: "lead" }, cause),
    ),
    el(
      "dl",
      { class: "facts" },
      fact(t("incident.severity"), classOf(given)),
      fact(t("incident.duration"), span((closedMs ?? serverNow.value) - startMs)),
      fact(t("incident.score-word"), number(score)),
      drill === undefined ? null : fact(t("incident.drill"), drill),
    ),
    phases(incident),
    vantages(incident),
    part(Notes, { incident, onDone: load }),
  );
}

function fact(name: string, value: string): VNode {
  return el("div", { key: name }, el("dt", null, name), el("dd", null, value));
}

/** Start, noticed, switched, repaired: as a list, each with what it took since the start. */
function phases(incident: IncidentView): VNode {
  const { startMs, detectedMs, switchedMs, restoredMs, closedMs, segments } = incident;
  const steps = [
    [t("incident.start"), startMs],
    [t("incident.detected"), detectedMs],
    [t("incident.switched"), switchedMs],
    [t("incident.restored"), restoredMs],
    [t("incident.repaired"), closedMs],
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
          segments.map(({ class: given, severity, fromMs, toMs }) =>
            el(
              "li",
              { key: fromMs },
              el("strong", null, t(`severity.${severity}`)),
              ` ${classOf(given)} `,
              moment(fromMs),
              ` · ${span(toMs - fromMs)}`,
            ),
          ),
        ),
  );
}

/** The same outage as each node saw it; an old word is told with its age. */
function vantages({ vantages: all }: IncidentView): VNode {
  return panel(
    t("incident.vantages"),
    { id: "vantages" },
    el(
      "ul",
      { class: "lines" },
      all.map((at) =>
        el(
          "li",
          { key: addressOf(at) },
          el("strong", null, at.node),
          ` ${t(`incident.state-${at.state}`)} · ${t("incident.harm", { span: span(at.harmMs) })}`,
          el(
            "span",
            { class: "under" },
            moment(at.startMs),
            at.closedMs === undefined ? "" : ` · ${span(at.closedMs - at.startMs)}`,
            at.ageMs === undefined ? "" : ` · ${t("incident.old", { span: span(at.ageMs) })}`,
          ),
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
    void annotate(addressOf(incident), text.trim()).then(
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
