/**
 * Who is connected to the vrrp process, and what is told to them. Nothing is written while a
 * step of the router is being carried out: reports and notifications are queued and go out a
 * moment later, after the adverts.
 */

import type { RouterAction, RouterEvent } from "../core/vrrp/router-ports.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import type { LineConnection, LineHandlers } from "./line-connection.ts";
import { NotificationOutbox } from "./notification-outbox.ts";
import {
  ROLE_PROTOCOL,
  type FromCheck,
  type FromControl,
  type FromVrrp,
  type KnownTrack,
  type RoleModel,
  type ToControl,
  type ToVrrp,
} from "./role-protocol.ts";

/** Events kept for the next control process while there is none. */
const KEPT_EVENTS = 512;

/**
 * Whoever is told wakes up and wants a CPU. After a takeover these first milliseconds belong to
 * the service, which has clients to answer.
 */
const TELL_AFTER_MS = 5;

type Told = Extract<ToControl, { type: "event" }>;
type Connection = LineConnection<FromVrrp>;

export interface HubListener {
  /** A question or an order of the control role; the answer is sent back. */
  readonly onControl: (message: FromControl, answer: (message: ToControl) => void) => void;
  readonly onTrack: (message: Extract<FromCheck, { type: "track-changed" }>) => void;
  readonly onWitness: (message: Extract<FromCheck, { type: "witness-changed" }>) => void;
  readonly isConfigured: () => boolean;
}

export class VrrpHub {
  readonly outbox: NotificationOutbox = new NotificationOutbox();
  readonly #listener: HubListener;
  readonly #controls = new Set<Connection>();
  #check: { readonly connection: Connection; readonly pid: number } | undefined;
  #model: RoleModel | undefined;
  /** Of scripts and checks, by name: for a check role that is new. */
  readonly #known = new Map<string, KnownTrack>();
  #events: Told[] = [];
  #flushing = false;
  /** Notifications up to this number were sent to the check role of now. */
  #sentSeq = 0;

  constructor(listener: HubListener) {
    this.#listener = listener;
  }

  get hasCheckRole(): boolean {
    return this.#check !== undefined;
  }

  /** What a new connection is answered with. */
  accept(connection: Connection): LineHandlers<ToVrrp> {
    return {
      message: (message) => this.#receive(connection, message),
      closed: () => {
        this.#controls.delete(connection);
        if (this.#check?.connection === connection) this.#setCheck(undefined);
      },
    };
  }

  report(event: RouterEvent, source: "vrrp" | "check" = "vrrp"): void {
    if (this.#events.length >= KEPT_EVENTS) this.#events.shift();
    const at = { wallMs: wallMs(), monoMs: monotonicMs() };
    this.#events.push({ type: "event", source, ...at, event });
    this.#flushSoon();
  }

  notify(order: Extract<RouterAction, { type: "notify" }>): void {
    this.outbox.add(order, wallMs());
    this.#flushSoon();
  }

  /** The check role's part of a new configuration. */
  configureCheck(model: RoleModel): void {
    this.#model = model;
    const scripts = model.vrrp.scripts.map(({ name }) => name);
    const checks = model.trackedChecks.map(({ subject }) => subject);
    const kept = new Set([
      ...[...scripts, ...checks].map((name) => `script ${name}`),
      ...model.vrrp.files.map(({ name }) => `file ${name}`),
    ]);
    for (const key of this.#known.keys()) if (!kept.has(key)) this.#known.delete(key);
    if (this.#check !== undefined) this.#tellCheck(this.#check.connection, model);
  }

  /** Everybody gets what is queued; the check role is told to finish. */
  farewell(): void {
    this.#flush();
    this.#check?.connection.send({ type: "stop" });
  }

  #receive(connection: Connection, message: ToVrrp): void {
    switch (message.type) {
      case "hello":
        return this.#greet(connection, message);
      case "track-changed":
        this.#note(message);
        return this.#listener.onTrack(message);
      case "witness-changed":
        return this.#listener.onWitness(message);
      case "check-event":
        return this.report(message.event, "check");
      case "notified":
        this.outbox.acknowledge(message.seq);
        return;
      default:
        this.#listener.onControl(message, (answer) => void connection.send(answer));
    }
  }

  #greet(connection: Connection, hello: Extract<ToVrrp, { type: "hello" }>): void {
    if (hello.role === "check") {
      // Two at once would run every script twice: the newer one stays.
      this.#check?.connection.close();
      this.#setCheck({ connection, pid: hello.pid });
      this.#sentSeq = 0;
      if (this.#model !== undefined) this.#tellCheck(connection, this.#model);
    } else {
      const checkPid = this.#check?.pid;
      this.#controls.add(connection);
      connection.send({
        type: "welcome",
        protocol: ROLE_PROTOCOL,
        pid: process.pid,
        configured: this.#listener.isConfigured(),
        ...(checkPid === undefined ? {} : { checkPid }),
      });
    }
    this.#flushSoon();
  }

  #tellCheck(connection: Connection, model: RoleModel): void {
    connection.send({ type: "configure-check", model, known: [...this.#known.values()] });
  }

  #note({ kind, name, ok, reason }: Extract<ToVrrp, { type: "track-changed" }>): void {
    if (kind !== "script" && kind !== "file") return;
    this.#known.set(`${kind} ${name}`, { name, kind, ok, reason });
  }

  #setCheck(check: { readonly connection: Connection; readonly pid: number } | undefined): void {
    const pid = check?.pid ?? this.#check?.pid ?? 0;
    this.#check = check;
    for (const control of this.#controls) {
      control.send({ type: "check-role", pid, connected: check !== undefined });
    }
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setTimeout(() => this.#flush(), TELL_AFTER_MS);
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#controls.size > 0) {
      const events = this.#events;
      this.#events = [];
      for (const event of events) for (const control of this.#controls) control.send(event);
    }
    if (this.#check === undefined || this.#model === undefined) return;
    for (const notification of this.outbox.list()) {
      if (notification.seq <= this.#sentSeq) continue;
      this.#sentSeq = notification.seq;
      this.#check.connection.send({ type: "notify", ...notification });
    }
  }
}
