/** What somebody has to look at, incidents that are open, and the nodes of the group. */

import type { VNode } from "preact";
import type { NodeView } from "../api.ts";
import { ago, empty, levelMark, linkOfSubject, panel, span } from "./common-views.ts";
import { el } from "./dom.ts";
import { stateMark } from "./icons.ts";
import { addressOf, classOf } from "./incident-page.ts";
import { t } from "./preferences.ts";
import { hashOf } from "./routes.ts";
import { told } from "./store.ts";

const MOST = 8;
/** That many a console tells at most: there may be more. */
const MOST_TOLD = 100;

export function Alerts(): VNode {
  const alerts = told("alerts") ?? [];
  const open = (told("incidents") ?? []).filter(({ closedMs }) => closedMs === undefined);
  const count = alerts.length + open.length;
  const sign = alerts.length < MOST_TOLD ? "" : "+";
  return panel(
    count === 0 ? t("alerts.title") : t("alerts.count", { count: `${count}${sign}` }),
    { id: "alerts" },
    count === 0 ? empty(t("alerts.none")) : null,
    el(
      "ul",
      { class: "alerts" },
      open.map(({ id, node, service, class: severity, startMs, cause, ageMs }) =>
        el(
          "li",
          { key: addressOf({ id, node }) },
          levelMark("error"),
          el(
            "div",
            null,
            el(
              "a",
              { href: hashOf("incident", addressOf({ id, node })) },
              t("incident.open-of", { service, severity: classOf(severity) }),
            ),
            el(
              "span",
              { class: "under" },
              `${cause} · ${node} · ${ago(startMs)}`,
              ageMs === undefined ? "" : ` · ${t("incident.old", { span: span(ageMs) })}`,
            ),
          ),
        ),
      ),
      alerts.slice(0, MOST).map(({ level, subject, node, sinceMs, sentence }) => {
        const href = linkOfSubject(subject);
        return el(
          "li",
          { key: `${node} ${subject} ${sentence.code}` },
          levelMark(level),
          el(
            "div",
            null,
            href === undefined ? sentence.text : el("a", { href }, sentence.text),
            el(
              "span",
              { class: "under" },
              sinceMs === undefined ? node : `${node} · ${ago(sinceMs)}`,
            ),
          ),
        );
      }),
    ),
    alerts.length > MOST
      ? el("p", { class: "muted" }, t("alerts.more", { count: `${alerts.length - MOST}${sign}` }))
      : null,
  );
}

export function Nodes(): VNode {
  const nodes = told("nodes") ?? [];
  return panel(
    t("nodes.title"),
    { id: "nodes" },
    el("ul", { class: "group-nodes" }, nodes.map(nodeLine)),
  );
}

const ROLE_STATES = ["starting", "running", "down", "backing-off"] as const;

/** `vrrp running`, in the reader's language; as it came when it is of another version. */
function roleWords(told: string): string {
  const [role = "", word] = told.split(" ");
  const state = ROLE_STATES.find((one) => one === word);
  return state === undefined ? told : t(`role.${state}`, { role });
}

function nodeLine({
  name,
  state,
  reason,
  ageMs,
  version,
  roles,
  address,
  isSelf,
  clockOffsetMs,
}: NodeView): VNode {
  const facts = [
    address ?? "",
    version === undefined ? "" : `v${version}`,
    ...roles.map(roleWords),
    clockOffsetMs === undefined || Math.abs(clockOffsetMs) < 100
      ? ""
      : t("nodes.clock", { span: span(clockOffsetMs) }),
  ].filter((part) => part !== "");
  return el(
    "li",
    { key: name },
    el(
      "span",
      { class: "node-head" },
      el("strong", null, name),
      isSelf ? el("span", { class: "muted" }, t("holder.self")) : null,
      stateMark(state),
    ),
    el(
      "span",
      { class: "under" },
      state === "UNKNOWN"
        ? ageMs === undefined
          ? reason
          : t("nodes.stale", { span: span(ageMs), reason: reason })
        : reason,
    ),
    el("span", { class: "under" }, facts.join(" · ")),
  );
}
