/** What stays while pages change: name, ways, choices, and how fresh all this is. */

import type { VNode } from "preact";
import { button, moment } from "./common-views.ts";
import { el, names } from "./dom.ts";
import { formatSpan } from "./format.ts";
import { lineIcon } from "./icons.ts";
import { language, nextLanguage, nextTheme, t, theme } from "./preferences.ts";
import { signOut } from "./requests.ts";
import { hashOf } from "./routes.ts";
import { cursor, dialog, link, notice, route, silentForMs, told } from "./store.ts";
import { lookAt } from "./timeline-view.ts";

const PLACES = ["overview", "events", "incidents", "drills", "nodes"] as const;
/** A pause shorter than this is a reconnection that nobody has to hear of. */
const QUIET_MS = 2_000;

export function Header({ onSignedOut }: { readonly onSignedOut: () => void }): VNode {
  return el(
    "header",
    { class: "top" },
    el("a", { class: "skip", href: "#main", onClick: skip }, t("frame.skip")),
    el(
      "a",
      { class: "brand", href: hashOf("overview") },
      el("span", { class: "logo", "aria-hidden": "true" }, "9"),
      "Nines",
      el("span", { class: "node-name" }, told("node") ?? ""),
    ),
    el("nav", { "aria-label": t("frame.ways") }, PLACES.map(way)),
    el("div", { class: "tools" }, freshness(), choices(), person(onSignedOut)),
  );
}

function way(page: (typeof PLACES)[number]): VNode {
  const here = route.value.page;
  const isHere = here === page || `${here}s` === page;
  return el(
    "a",
    { key: page, href: hashOf(page), "aria-current": isHere ? "page" : undefined },
    t(`nav.${page}`),
  );
}

function choices(): readonly VNode[] {
  const colours = `${t("frame.theme")}: ${t(`theme.${theme.value}`)}`;
  const isEnglish = language.value === "en";
  return [
    iconButton(lineIcon("search"), t("search.title"), () => (dialog.value = { kind: "search" })),
    iconButton(lineIcon("theme"), colours, nextTheme),
    el(
      "button",
      {
        type: "button",
        class: "button quiet language",
        lang: isEnglish ? "zh-CN" : "en",
        onClick: nextLanguage,
      },
      isEnglish ? "中文" : "English",
    ),
  ];
}

function iconButton(icon: VNode, label: string, onClick: () => void): VNode {
  const attributes = { type: "button", class: "button icon", "aria-label": label, title: label };
  return el("button", { ...attributes, onClick }, icon);
}

function person(onSignedOut: () => void): VNode {
  const viewer = told("viewer");
  if (viewer === undefined || (viewer.who === "anonymous" && viewer.role === "read")) {
    const open = (): void => void (dialog.value = { kind: "sign-in" });
    return button(t("sign-in.title"), open, { class: "quiet" });
  }
  const leave = (): void => void signOut().then(onSignedOut, onSignedOut);
  return el(
    "span",
    { class: "viewer" },
    el("span", { title: t(`role.${viewer.role}`) }, viewer.who),
    viewer.who === "local" ? null : button(t("sign-in.leave"), leave, { class: "quiet" }),
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function freshness(): VNode {
  const { phase } = link.value;
  const stale = phase === "live" && told("source")?.state === "stale";
  const word = stale ? "stale" : phase;
  return el(
    "span",
    { class: `freshness is-${word}` },
    el("span", { class: "dot", "aria-hidden": "true" }),
    t(`link.${word}`),
  );
}

/** Why what is shown is not the present: the line is broken, control is silent, or one looks back. */
export function Banners(): VNode {
  const source = told("source");
  const line = link.value;
  const silent = silentForMs.value;
  const banners: VNode[] = [];
  if (line.phase === "lost" && silent !== undefined && silent > QUIET_MS) {
    const text =
      source === undefined
        ? t("link.no-answer", { reason: line.reason })
        : t("link.lost-for", {
            span: formatSpan(language.value, Math.floor(silent / 1000) * 1000),
            reason: line.reason,
          });
    banners.push(banner("bad", "lost", text));
  }
  if (line.phase === "refused") {
    banners.push(
      banner(
        "warn",
        "refused",
        t("link.refused", { reason: line.reason }),
        button(t("sign-in.title"), () => (dialog.value = { kind: "sign-in" })),
      ),
    );
  }
  if (source?.state === "stale" && line.phase === "live") {
    banners.push(
      banner(
        "warn",
        "stale",
        t("link.source", {
          span: formatSpan(language.value, source.ageMs),
          reason: source.reason,
        }),
      ),
    );
  }
  const past = cursor.value;
  if (past !== undefined) {
    banners.push(
      banner(
        "drain",
        "past",
        past.trouble ?? (past.state === undefined ? t("timeline.loading") : t("timeline.past")),
        el("strong", null, moment(past.atMs)),
        button(t("timeline.back"), () => lookAt(undefined)),
      ),
    );
  }
  return el("div", { class: "banners" }, banners);
}

function banner(tone: string, id: string, text: string, ...more: VNode[]): VNode {
  return el(
    "div",
    {
      class: `banner tone-${tone}`,
      key: id,
      "data-banner": id,
      role: id === "past" ? undefined : "alert",
    },
    el("span", null, text),
    ...more,
  );
}

export function Notice(): VNode {
  const now = notice.value;
  return el(
    "div",
    {
      class: names(
        "notice",
        now !== undefined && "shown",
        now?.isBad === true ? "tone-bad" : "tone-good",
      ),
      role: "status",
    },
    now === undefined ? null : el("span", null, now.text),
    now === undefined
      ? null
      : el(
          "button",
          {
            type: "button",
            class: "button icon",
            "aria-label": t("window.close"),
            onClick: () => (notice.value = undefined),
          },
          lineIcon("close"),
        ),
  );
}
