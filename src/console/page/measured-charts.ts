/** What was measured, over an hour, a day or a month: asked for, while the last minutes come by themselves. */

import { useEffect, useState } from "preact/hooks";
import type { VNode } from "preact";
import type { SeriesView } from "../api.ts";
import { Chart, type ChartLine } from "./chart.ts";
import { empty } from "./common-views.ts";
import { el, part } from "./dom.ts";
import { language, t } from "./preferences.ts";
import { get } from "./requests.ts";
import { serverNow } from "./store.ts";

const HOUR_MS = 3_600_000;
export const RANGES = ["minutes", "hour", "day", "month"] as const;
export type Range = (typeof RANGES)[number];

const SPANS_MS: Readonly<Record<Exclude<Range, "minutes">, number>> = {
  hour: HOUR_MS,
  day: 24 * HOUR_MS,
  month: 30 * 24 * HOUR_MS,
};
const AGAIN_MS = 60_000;

/** Buttons: each can be reached by keys, and says whether it is chosen. */
export function rangeSwitch(
  ranges: readonly Range[],
  chosen: Range,
  choose: (range: Range) => void,
): VNode {
  return el(
    "div",
    { class: "segmented", role: "group", "aria-label": t("chart.range") },
    ranges.map((range) =>
      el(
        "button",
        {
          type: "button",
          key: range,
          "aria-pressed": String(range === chosen),
          onClick: () => choose(range),
        },
        t(`range.${range}`),
      ),
    ),
  );
}

export interface MeasuredChartsProps {
  readonly of:
    | { readonly service: string }
    | { readonly pool: string }
    | { readonly server: string };
  readonly range: Exclude<Range, "minutes">;
}

export function MeasuredCharts({ of, range }: MeasuredChartsProps): VNode {
  const [series, setSeries] = useState<SeriesView | undefined>(undefined);
  const [trouble, setTrouble] = useState("");
  const key = JSON.stringify([of, range, language.value]);
  useEffect(() => {
    let isWanted = true;
    const load = (): void => {
      const to = Math.round(serverNow.peek());
      if (to === 0) return;
      get<SeriesView>("/api/v1/series", { ...of, from: to - SPANS_MS[range], to }).then(
        (answer) => {
          if (!isWanted) return;
          setSeries(answer);
          setTrouble("");
        },
        (error: Error) => isWanted && setTrouble(error.message),
      );
    };
    setSeries(undefined);
    load();
    const timer = setInterval(load, AGAIN_MS);
    return () => {
      isWanted = false;
      clearInterval(timer);
    };
  }, [key]);
  if (series === undefined) return empty(trouble || t("link.connecting"));
  if (series.vantages.length === 0) return empty(trouble || t("chart.nothing"));
  return el(
    "div",
    { class: "charts" },
    chartsOf(series),
    series.missing.length === 0
      ? null
      : el(
          "p",
          { class: "muted" },
          t("chart.missing", { nodes: series.missing.map(({ node }) => node).join(", ") }),
        ),
  );
}

function chartsOf({ fromMs, stepMs, vantages }: SeriesView): readonly VNode[] {
  const [first] = vantages;
  const at = (first?.good ?? []).map((_count, i) => (fromMs + i * stepMs) / 1000);
  // The balancer first; beside it how a prober sees the same.
  const shown = vantages.toSorted((a, b) => rankOf(a.vantage) - rankOf(b.vantage)).slice(0, 3);
  const lines = (values: (one: (typeof shown)[number]) => ChartLine["values"]): ChartLine[] =>
    shown.map((one, i) => ({ label: one.vantage, tone: TONES[i]!, values: values(one) }));
  const rate = (count: number | null): number | null =>
    count === null ? null : (count * 1000) / stepMs;
  const [main] = shown;
  return [
    part(Chart, {
      key: "availability",
      title: t("services.title"),
      unit: "%",
      at,
      range: (low: number) => [Math.max(0, Math.min(99, Math.floor(low - 1))), 100],
      lines: lines(({ good, bad }) => good.map((count, i) => shareOf(count, bad[i] ?? null))),
    }),
    part(Chart, {
      key: "traffic",
      title: t("chart.traffic"),
      unit: t("unit.per-second"),
      at,
      lines: [
        {
          label: t("chart.requests"),
          tone: "accent",
          values: (main?.good ?? []).map((count, i) =>
            rate(count === null ? null : count + (main?.bad[i] ?? 0)),
          ),
        },
        { label: t("chart.errors"), tone: "bad", values: (main?.bad ?? []).map(rate) },
      ],
    }),
    part(Chart, {
      key: "latency",
      title: t("chart.latency"),
      unit: "ms",
      at,
      lines: [
        { label: "p50", tone: "accent", values: main?.p50 ?? [] },
        { label: "p99", tone: "drain", values: main?.p99 ?? [] },
      ],
    }),
  ];
}

const TONES = ["accent", "drain", "bad"] as const;

function rankOf(vantage: string): number {
  return vantage === "balancer" ? 0 : 1;
}

/** In percent; nothing where nobody asked, or nobody measured. */
function shareOf(good: number | null, bad: number | null): number | null {
  if (good === null || bad === null || good + bad === 0) return null;
  return (100 * good) / (good + bad);
}
