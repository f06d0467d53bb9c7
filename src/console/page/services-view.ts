/** How it has been: 90 days of each service, its objective, and what is left of its budget. */

import { useState } from "preact/hooks";
import type { VNode } from "preact";
import type { Budget, ServiceView, UptimeDays } from "../api.ts";
import { empty, panel, span } from "./common-views.ts";
import { el, names } from "./dom.ts";
import { formatDay, formatNumber, formatShare } from "./format.ts";
import { stateMark } from "./icons.ts";
import { language, t } from "./preferences.ts";
import { hashOf } from "./routes.ts";
import { rankOf, stateOfVerdict } from "./states.ts";
import { told } from "./store.ts";

const MOST = 12;
const DAYS = 90;

export function Services(): VNode {
  const [all, setAll] = useState(false);
  const services = (told("services") ?? []).toSorted(
    (a, b) => rankOf(stateOfVerdict(b.state)) - rankOf(stateOfVerdict(a.state)),
  );
  const shown = all ? services : services.slice(0, MOST);
  return panel(
    t("services.title"),
    { id: "services" },
    services.length === 0
      ? empty(t("services.none"))
      : el(
          "ul",
          { class: "services" },
          shown.map((service) => serviceRow(service)),
        ),
    shown.length < services.length
      ? el(
          "button",
          { type: "button", class: "button", onClick: () => setAll(true) },
          t("services.all", { count: services.length }),
        )
      : null,
  );
}

export function serviceRow(service: ServiceView): VNode {
  const { name, state, availability, days, budget } = service;
  const lang = language.value;
  return el(
    "li",
    { class: "service", key: name },
    el(
      "div",
      { class: "service-head" },
      el("a", { class: "service-name", href: hashOf("service", name) }, name),
      stateMark(stateOfVerdict(state)),
      el(
        "span",
        { class: "availability" },
        availability === undefined ? t("services.unmeasured") : formatShare(lang, availability),
      ),
    ),
    uptimeBars(days, budget?.objective ?? 0.999),
    budget === undefined ? null : budgetLine(budget),
  );
}

/** A bad day is told by colour and by how much of its bar is cut off; a day without data is a stub. */
export function uptimeBars(
  { firstDay, availability, badMinutes }: UptimeDays,
  objective: number,
): VNode {
  const lang = language.value;
  const step = 10;
  const missing = DAYS - availability.length;
  const bad = badMinutes.filter((minutes) => minutes > 0).length;
  const measured = availability.filter((share) => share !== null).length;
  const label = t("services.days", { days: measured, bad });
  return el(
    "div",
    { class: "uptime" },
    el(
      "svg",
      {
        class: "uptime-bars",
        viewBox: `0 0 ${DAYS * step} 34`,
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": label,
      },
      availability.map((share, i) => {
        const x = (i + missing) * step + 1.5;
        const day = formatDay(lang, firstDay, i);
        if (share === null) {
          return el(
            "rect",
            { class: "day no-data", key: i, x, y: 28, width: step - 3, height: 6 },
            el("title", null, `${day}: ${t("services.unmeasured")}`),
          );
        }
        const minutes = badMinutes[i] ?? 0;
        const cut = minutes <= 0 ? 0 : Math.min(26, 8 + Math.log2(1 + minutes) * 2);
        const title = `${day}: ${formatShare(lang, share)}${minutes > 0 ? `, ${t("services.bad", { span: span(minutes * 60_000) })}` : ""}`;
        return el(
          "g",
          { key: i },
          el("title", null, title),
          el("rect", {
            class: names("day", minutes <= 0 ? "good" : share >= objective ? "some" : "bad"),
            x,
            y: cut,
            width: step - 3,
            height: 34 - cut,
          }),
          cut === 0
            ? null
            : el("rect", { class: "day cut", x, y: 0, width: step - 3, height: cut - 2 }),
        );
      }),
    ),
    el(
      "div",
      { class: "scale", "aria-hidden": "true" },
      el("span", null, t("services.days-ago", { days: DAYS })),
      el("span", null, t("services.today")),
    ),
  );
}

export function budgetLine({ objective, windowDays, totalMs, leftMs, burnRate }: Budget): VNode {
  const lang = language.value;
  const left = totalMs <= 0 ? 0 : Math.max(0, Math.min(1, leftMs / totalMs));
  const tone = leftMs <= 0 ? "bad" : burnRate >= 6 || left < 0.25 ? "warn" : "good";
  return el(
    "div",
    { class: `budget tone-${tone}` },
    el(
      "svg",
      { class: "meter", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
      el("rect", { class: "meter-all", width: 100, height: 6 }),
      el("rect", { class: "meter-left", width: left * 100, height: 6 }),
    ),
    el(
      "span",
      null,
      leftMs > 0
        ? t("budget.left", { span: span(leftMs), total: span(totalMs) })
        : t("budget.spent", { span: span(-leftMs) }),
      ` · ${t("budget.objective", { objective: formatShare(lang, objective), days: windowDays })}`,
      burnRate > 0 ? ` · ${t("budget.burn", { rate: formatNumber(lang, burnRate) })}` : "",
    ),
  );
}
