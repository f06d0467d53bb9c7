/** One service: what its users got, by whom it was measured, its objective, and what went wrong. */

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { empty, moment, panel, span } from "./common-views.ts";
import { el, part } from "./dom.ts";
import { RecordList } from "./events-page.ts";
import { stateMark } from "./icons.ts";
import { addressOf, classOf } from "./incident-page.ts";
import { MeasuredCharts, type Range, RANGES, rangeSwitch } from "./measured-charts.ts";
import { t } from "./preferences.ts";
import { hashOf } from "./routes.ts";
import { serviceRow } from "./services-view.ts";
import { stateOfVerdict } from "./states.ts";
import { told } from "./store.ts";

export function ServicePage({ name }: { readonly name: string }): VNode {
  const service = told("services")?.find((one) => one.name === name);
  if (service === undefined) {
    return el(
      "div",
      { class: "stack" },
      el("h1", null, `${t("services.one")} ${name}`),
      empty(t("subject.missing")),
    );
  }
  const survival = told("survival")?.services.find((one) => one.service === name);
  return el(
    "div",
    { class: "stack" },
    el(
      "header",
      { class: "subject-head" },
      el("p", { class: "crumbs" }, t("services.one")),
      el("h1", null, name, stateMark(stateOfVerdict(service.state))),
      el("p", { class: "lead" }, service.sentence.text),
    ),
    panel(
      t("services.title"),
      { id: "uptime" },
      el("ul", { class: "services" }, serviceRow(service)),
    ),
    survival === undefined
      ? null
      : panel(
          t("answers.survival"),
          { id: "survival" },
          el("p", null, el("strong", null, t(`survives.${survival.survives}`))),
          el(
            "ul",
            { class: "lines" },
            survival.why.map((sentence) => el("li", { key: sentence.text }, sentence.text)),
          ),
        ),
    // A frontend that is in no service: nobody measures it.
    service.budget === undefined ? null : part(Measured, { key: name, name }),
    incidentsOf(name),
    part(RecordList, { subject: name, title: t("subject.events") }),
  );
}

function Measured({ name }: { readonly name: string }): VNode {
  const [range, setRange] = useState<Exclude<Range, "minutes">>("hour");
  const ranges = RANGES.filter((one) => one !== "minutes");
  const choose = (one: Range): void => void (one === "minutes" || setRange(one));
  return panel(
    t("chart.measured"),
    { id: "charts" },
    rangeSwitch(ranges, range, choose),
    part(MeasuredCharts, { of: { service: name }, range }),
  );
}

function incidentsOf(service: string): VNode {
  const incidents = (told("incidents") ?? []).filter((one) => one.service === service);
  return panel(
    t("nav.incidents"),
    { id: "incidents" },
    incidents.length === 0
      ? empty(t("incident.none"))
      : el(
          "ul",
          { class: "lines" },
          incidents.map(({ id, node, class: given, cause, startMs, closedMs }) =>
            el(
              "li",
              { key: addressOf({ id, node }) },
              el(
                "a",
                { href: hashOf("incident", addressOf({ id, node })) },
                `${id} · ${classOf(given)}`,
              ),
              ` ${cause}`,
              el(
                "span",
                { class: "under" },
                moment(startMs),
                closedMs === undefined ? "" : ` · ${span(closedMs - startMs)}`,
              ),
            ),
          ),
        ),
  );
}
