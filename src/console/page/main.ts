/** The page starts here. */

import { render, type VNode } from "preact";
import { effect, signal } from "@preact/signals";
import { Alerts, Nodes } from "./alerts-view.ts";
import { flipsBetween } from "./announcer.ts";
import { Answers } from "./answers.ts";
import { empty } from "./common-views.ts";
import { Connection } from "./connection.ts";
import { Dialogs } from "./dialogs.ts";
import { el, part } from "./dom.ts";
import { DrillPage, DrillsPage } from "./drills-page.ts";
import { EventsPage } from "./events-page.ts";
import { Banners, Header, Notice } from "./frame.ts";
import { IncidentPage, IncidentsPage } from "./incident-page.ts";
import { onKey } from "./keyboard.ts";
import { followPreferences, language, t } from "./preferences.ts";
import { routeOf, type Route } from "./routes.ts";
import { ServicePage } from "./service-page.ts";
import { Services } from "./services-view.ts";
import { SubjectPage } from "./subject-page.ts";
import { cursor, link, overview, route, tick, told } from "./store.ts";
import { lookAt, Timeline } from "./timeline-view.ts";
import { TopologyView } from "./topology-view.ts";
import { TrafficHistory } from "./traffic-history.ts";

const history = new TrafficHistory();
const connection = new Connection();
const spoken = signal("");
/** More than these at once are told as a number. */
const MOST_SPOKEN = 3;

function App(): VNode {
  const reconnect = (): void => connection.reconnect();
  return el(
    "div",
    { class: "app" },
    part(Header, { onSignedOut: reconnect }),
    part(Banners, {}),
    el("main", { id: "main", tabIndex: -1 }, page(route.value)),
    part(Notice, {}),
    part(Dialogs, { onSignedIn: reconnect }),
    el(
      "div",
      { class: "visually-hidden", role: "status", "aria-live": "polite", id: "spoken" },
      spoken.value,
    ),
  );
}

function page({ page: name, subject }: Route): VNode {
  if (told("node") === undefined) {
    return el(
      "div",
      { class: "stack" },
      empty(link.value.phase === "connecting" ? t("link.connecting") : t("link.nothing")),
    );
  }
  if (name === "events") return part(EventsPage, {});
  if (name === "incidents") return part(IncidentsPage, {});
  if (name === "drills") return part(DrillsPage, {});
  if (name === "nodes")
    return el("div", { class: "stack" }, el("h1", null, t("nodes.title")), part(Nodes, {}));
  if (name === "incident") return part(IncidentPage, { key: subject, id: subject });
  if (name === "drill") return part(DrillPage, { key: subject, name: subject });
  if (name === "service") return part(ServicePage, { key: subject, name: subject });
  if (name === "overview") return firstScreen();
  return part(SubjectPage, { key: `${name} ${subject}`, layer: name, subject, history });
}

function firstScreen(): VNode {
  return el(
    "div",
    { class: "first-screen" },
    el("h1", { class: "visually-hidden" }, t("nav.overview")),
    part(Answers, {}),
    part(TopologyView, {}),
    part(Timeline, {}),
    el(
      "div",
      { class: "columns" },
      part(Services, {}),
      el("div", { class: "stack" }, part(Alerts, {}), part(Nodes, {})),
    ),
  );
}

function start(): void {
  followPreferences(document.documentElement);
  connection.onChange((before, after) => {
    history.add(after);
    const flips = flipsBetween(before, after);
    if (flips.length === 0) return;
    const told = flips
      .slice(0, MOST_SPOKEN)
      .map(({ name, to }) => t("spoken.flip", { name, state: t(`state.${to}`) }));
    if (flips.length > MOST_SPOKEN)
      told.push(t("spoken.more", { count: flips.length - MOST_SPOKEN }));
    spoken.value = told.join("; ");
  });
  effect(() => {
    const now = overview.value;
    const mark =
      now === undefined || link.value.phase !== "live"
        ? "?"
        : { up: "✓", degraded: "▲", down: "✕", unknown: "?" }[now.verdict.state];
    document.title = now === undefined ? "Nines" : `${mark} ${now.node} · Nines`;
  });
  addEventListener("hashchange", () => {
    route.value = routeOf(location.hash);
    scrollTo(0, 0);
  });
  addEventListener("keydown", onKey);
  addEventListener("online", () => connection.reconnect());
  // What has come is in the language of before; what is looked at of the past, too.
  language.subscribe(() => {
    connection.reconnect();
    lookAt(cursor.peek()?.atMs);
  });
  setInterval(() => tick.value++, 1_000);
  render(part(App, {}), document.getElementById("app")!);
  void connection.run();
}

start();
