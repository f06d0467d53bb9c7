/** Finds what has a name, by any part of it. */

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Overview, TopologyNode } from "../api.ts";
import { linkOfNode, subjectOf } from "./common-views.ts";
import { el, names } from "./dom.ts";
import { stateIcon } from "./icons.ts";
import { t } from "./preferences.ts";
import { addressOf } from "./incident-page.ts";
import { hashOf } from "./routes.ts";
import { rankOf } from "./states.ts";
import { dialog, overview } from "./store.ts";

const MOST = 12;

interface Hit {
  readonly href: string;
  readonly name: string;
  readonly kind: string;
  readonly node?: TopologyNode;
}

export function SearchBox(): VNode {
  const [wanted, setWanted] = useState("");
  const [at, setAt] = useState(0);
  const hitsFor = (text: string): readonly Hit[] =>
    overview.value === undefined ? [] : hitsOf(overview.value, text).slice(0, MOST);
  const hits = hitsFor(wanted);
  const go = (hit: Hit | undefined): void => {
    if (hit === undefined) return;
    dialog.value = undefined;
    location.hash = hit.href;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setAt(Math.max(0, Math.min(hits.length - 1, at + step)));
    else if (event.key === "Enter") {
      // Whoever types fast is ahead of what is drawn.
      const typed = (event.target as HTMLInputElement).value;
      go(typed === wanted ? hits[at] : hitsFor(typed)[0]);
    } else return;
    event.preventDefault();
  };
  return el(
    "div",
    { class: "search" },
    el("input", {
      type: "search",
      autoFocus: true,
      role: "combobox",
      "aria-expanded": String(hits.length > 0),
      "aria-controls": "search-hits",
      "aria-activedescendant": hits.length > 0 ? `hit-${at}` : undefined,
      "aria-label": t("search.title"),
      placeholder: t("search.placeholder"),
      value: wanted,
      onKeyDown,
      onInput: (event: Event) => {
        setWanted((event.target as HTMLInputElement).value);
        setAt(0);
      },
    }),
    hitList(hits, at, go),
    hits.length === 0 ? el("p", { class: "empty", role: "status" }, t("search.none")) : null,
  );
}

function hitList(hits: readonly Hit[], at: number, go: (hit: Hit) => void): VNode {
  return el(
    "ul",
    { id: "search-hits", role: "listbox", "aria-label": t("search.title") },
    hits.map((hit, i) =>
      el(
        "li",
        {
          key: hit.href,
          id: `hit-${i}`,
          role: "option",
          "aria-selected": String(i === at),
          class: names(i === at && "current"),
          onClick: () => go(hit),
        },
        hit.node === undefined ? el("span", { class: "no-icon" }) : stateIcon(hit.node.state, 16),
        el("strong", null, hit.name),
        el("span", { class: "muted" }, hit.kind),
      ),
    ),
  );
}

function hitsOf({ topology, services, incidents }: Overview, wanted: string): readonly Hit[] {
  const words = wanted
    .toLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== "");
  const nodes = topology.nodes
    .filter(({ layer }) => layer !== "client")
    .filter((node) =>
      matches(
        `${node.id} ${node.state} ${String(node.facts["endpoint"] ?? "")} ${String(node.facts["addresses"] ?? "")}`,
        words,
      ),
    )
    .toSorted((a, b) => rankOf(b.state) - rankOf(a.state) || a.id.length - b.id.length)
    .map((node): Hit => ({
      href: linkOfNode(node),
      name: subjectOf(node.id),
      kind: t(`layer.${node.layer}`),
      node,
    }));
  const others: Hit[] = [
    ...services.map(({ name }) => ({
      href: hashOf("service", name),
      name,
      kind: t("services.one"),
    })),
    ...incidents.map(({ id, node }) => ({
      href: hashOf("incident", addressOf({ id, node })),
      name: id,
      kind: t("incident.one"),
    })),
  ].filter(({ name, kind }) => matches(`${name} ${kind}`, words));
  return [...nodes, ...others];
}

function matches(text: string, words: readonly string[]): boolean {
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}
