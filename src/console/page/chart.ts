/** Lines over time. uPlot draws; it is loaded when the first chart is shown. */

import { useEffect, useRef } from "preact/hooks";
import type { VNode } from "preact";
import type UPlot from "uplot";
import { el, names } from "./dom.ts";
import { aloneIn } from "./gaps.ts";
import { formatMoment, formatShort } from "./format.ts";
import { language, t, theme } from "./preferences.ts";

export interface ChartLine {
  readonly label: string;
  /** Of the style sheet's colours. */
  readonly tone: "accent" | "bad" | "drain";
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  readonly title: string;
  readonly unit: string;
  /** Unix s, growing. */
  readonly at: readonly number[];
  readonly lines: readonly ChartLine[];
  /** Lower and upper end of the axis, from the least value; default: 0 and a bit above the largest. */
  readonly range?: (low: number) => readonly [number, number];
}

const HEIGHT = 170;

export function Chart({ title, unit, at, lines, range }: ChartProps): VNode {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | undefined>(undefined);
  const data = [at, ...lines.map(({ values }) => values)] as unknown as UPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    let isWanted = true;
    const element = place.current!;
    const resize = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    void import("uplot").then(({ default: Plot }) => {
      if (!isWanted) return;
      plot.current = new Plot(
        optionsOf({ title, unit, at, lines, ...(range === undefined ? {} : { range }) }, element),
        latest.current,
        element,
      );
      resize.observe(element);
    });
    return () => {
      isWanted = false;
      resize.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [title, language.value, theme.value, lines.length]);
  useEffect(() => plot.current?.setData(data));
  return el(
    "figure",
    { class: "chart", role: "img", "aria-label": spoken(title, unit, lines) },
    el(
      "figcaption",
      null,
      el("strong", null, title),
      el(
        "span",
        { class: "legend" },
        lines.map((line) =>
          el(
            "span",
            { class: `key tone-${line.tone}`, key: line.label },
            line.label,
            " ",
            el("b", null, lastOf(line, unit)),
          ),
        ),
      ),
    ),
    at.length < 2 ? el("p", { class: "empty" }, t("chart.waiting")) : null,
    el("div", { class: names("plot", at.length < 2 && "early"), ref: place }),
  );
}

function lastOf({ values }: ChartLine, unit: string): string {
  const last = values.findLast((value) => value !== null);
  return last === undefined || last === null ? "–" : `${formatShort(language.value, last)} ${unit}`;
}

function spoken(title: string, unit: string, lines: readonly ChartLine[]): string {
  return `${title}: ${lines.map((line) => `${line.label} ${lastOf(line, unit)}`).join(", ")}`;
}

function optionsOf({ unit, lines, range }: ChartProps, element: HTMLElement): UPlot.Options {
  const ink = colourOf(element, "muted");
  const grid = colourOf(element, "line");
  const lang = language.value;
  const axis = {
    stroke: ink,
    font: "11px system-ui",
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1 },
  };
  return {
    width: Math.max(200, element.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true },
      y: {
        range: (_plot, low, high) => {
          const [from, to] = range?.(low ?? 0) ?? [0, Math.max(high * 1.1, 1)];
          return [from, to];
        },
      },
    },
    axes: [
      {
        ...axis,
        values: (_plot, marks) =>
          marks.map((mark) => formatMoment(lang, mark * 1000, marks.at(-1)! * 1000)),
        space: 90,
      },
      {
        ...axis,
        values: (_plot, marks) => marks.map((mark) => `${formatShort(lang, mark)} ${unit}`),
        size: 72,
      },
    ],
    series: [
      {},
      ...lines.map(({ label, tone }) => ({
        label,
        stroke: colourOf(element, tone),
        width: 1.75,
        points: {
          show: false,
          size: 4,
          filter: (plot: UPlot, i: number) => aloneIn(plot.data[i] ?? []),
        },
        ...(DASHES[tone] === undefined ? {} : { dash: [...DASHES[tone]] }),
      })),
    ],
  };
}

/** Lines differ by more than colour. */
const DASHES: Readonly<Record<string, readonly number[]>> = { bad: [5, 3], drain: [2, 2] };

/** Canvases know no custom properties: the browser works the colour out on an element. */
function colourOf(element: HTMLElement, tone: string): string {
  const probe = document.createElement("span");
  probe.className = `probe tone-${tone}`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
