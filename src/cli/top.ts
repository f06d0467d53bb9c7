/** `nines top`: rates of frontends and servers, live; keys order what `nines backend` orders. */

import type { BalanceStatus } from "../daemon/balance-status.ts";
import type { ServerOrder } from "../daemon/control-api.ts";
import { ControlFailure, type ControlClient } from "../daemon/control-client.ts";
import { formatDuration } from "../lib/duration.ts";
import { counted } from "../lib/plural.ts";
import { formatTable, visibleLength } from "../lib/table.ts";
import { errorsOf, serverNames, STATE_COLORS } from "./pool.ts";
import { paint, type ExitCode, type Terminal } from "./terminal.ts";

const EVERY_MS = 1_000;
const KEYS = "q quit   up/down select   d drain   m maint   r ready   + - weight";

export interface TopOptions {
  /** Pictures, then the end; Infinity: until `q`. */
  readonly count: number;
  readonly input: NodeJS.ReadStream;
}

/** Without a terminal: one picture after another, each of the second that went by. */
export async function top(
  client: ControlClient,
  { count, input }: TopOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const isLive = terminal.columns !== undefined && input.isTTY;
  const screen = new Screen(client, terminal);
  const stopped = Promise.withResolvers<void>();
  // One after the other: the second + counts from what the first one made of the weight.
  let turns = Promise.resolve();
  const press = (key: string): void => {
    if (isQuit(key)) stopped.resolve();
    else turns = turns.then(() => screen.key(key)).catch(stopped.reject);
  };
  if (isLive) listen(input, press);
  try {
    for (let shown = 0; shown < count; shown++) {
      await screen.refresh();
      const over = await Promise.race([stopped.promise.then(() => true), pause(EVERY_MS)]);
      if (over === true) break;
      await screen.show(isLive);
    }
  } finally {
    if (isLive) {
      input.setRawMode(false);
      input.pause();
    }
  }
  return 0;
}

class Screen {
  readonly #client: ControlClient;
  readonly #terminal: Terminal;
  #before: BalanceStatus | undefined;
  #beforeMs = 0;
  #now: BalanceStatus | undefined;
  /** By name: a reload may put another server in its place, and `d` must not drain that one. */
  #selected: string | undefined;
  #note = "";

  constructor(client: ControlClient, terminal: Terminal) {
    this.#client = client;
    this.#terminal = terminal;
  }

  async refresh(): Promise<void> {
    this.#before = this.#now ?? (await this.#client.balance());
    this.#beforeMs = performance.now();
  }

  async show(isLive: boolean): Promise<void> {
    const before = this.#before;
    if (before === undefined) return;
    try {
      this.#now = await this.#client.balance();
    } catch (error) {
      // A node that is renewed or restarted is back soon; whoever watches it wants to see that.
      if (!isLive || this.#now === undefined || !(error instanceof ControlFailure)) throw error;
      this.#draw([paint(this.#terminal, "red", error.message)]);
      return;
    }
    const seconds = (performance.now() - this.#beforeMs) / 1000;
    const picture = { before, now: this.#now, seconds };
    if (isLive) this.#selected ??= serverNames(this.#now)[0];
    const lines = topLines(picture, this.#selected, this.#terminal);
    if (isLive) this.#draw(lines);
    else this.#terminal.out([...lines, ""].join("\n"));
  }

  #draw(lines: readonly string[]): void {
    const { columns = 80, rows = Infinity } = this.#terminal;
    const footer = ["", this.#note, paint(this.#terminal, "dim", KEYS)];
    const cut = [...inView(lines, rows - footer.length - 1), ...footer];
    const picture = cut.map((line) => fit(line, columns)).join("\n");
    this.#terminal.out(`\u001B[H\u001B[2J${picture}`);
  }

  async key(key: string): Promise<void> {
    const names = this.#now === undefined ? [] : serverNames(this.#now);
    const at = names.indexOf(this.#selected ?? "");
    if (key === "\u001B[A") this.#selected = names[Math.max(0, at - 1)];
    if (key === "\u001B[B") this.#selected = names[Math.min(names.length - 1, at + 1)];
    const server = this.#selected;
    const order = server === undefined ? undefined : this.#orderFor(key, server);
    if (order !== undefined) await this.#order(order);
    await this.show(true);
  }

  #orderFor(key: string, server: string): ServerOrder | undefined {
    const reason = "asked for in nines top";
    switch (key) {
      case "d":
        return { server, state: "drain", reason };
      case "m":
        return { server, state: "maint", reason };
      case "r":
        return { server, state: "ready", reason };
      case "+":
        return { server, weight: Math.min(256, this.#weightOf(server) + 1) };
      case "-":
        return { server, weight: Math.max(0, this.#weightOf(server) - 1) };
      default:
        return undefined;
    }
  }

  #weightOf(name: string): number {
    const servers = this.#now?.pools.flatMap((pool) =>
      pool.servers.map((server) => ({ name: `${pool.name}/${server.name}`, server })),
    );
    return servers?.find((one) => one.name === name)?.server.weight ?? 0;
  }

  async #order(order: ServerOrder): Promise<void> {
    try {
      await this.#client.order(order);
      this.#note = `${order.server}: ${order.state ?? `weight ${order.weight}`}`;
    } catch (error) {
      if (!(error instanceof ControlFailure)) throw error;
      this.#note = error.message;
    }
  }
}

export interface Picture {
  readonly before: BalanceStatus;
  readonly now: BalanceStatus;
  readonly seconds: number;
}

export function topLines(
  picture: Picture,
  selected: string | undefined,
  terminal: Terminal,
): readonly string[] {
  const { workers } = picture.now;
  const frontends = "FRONTEND,LISTENS,OPEN,CONN/S,REQ/S,NOW,4XX/S,5XX/S,IN,OUT".split(",");
  const servers = "  SERVER,STATE,WEIGHT,ACTIVE,REQ/S,ERR/S,LATENCY,WHY".split(",");
  return [
    counted(workers.length, "worker"),
    "",
    ...formatTable(frontends, frontendRows(picture)),
    "",
    ...formatTable(servers, serverRows(picture, selected, terminal)),
  ];
}

function frontendRows({ before, now, seconds }: Picture): readonly (readonly string[])[] {
  return now.frontends.map((one) => {
    const earlier = before.frontends.find(({ name }) => name === one.name)?.traffic.counts;
    const { counts } = one.traffic;
    const rate = (counter: keyof typeof counts): number =>
      (counts[counter] - (earlier?.[counter] ?? 0)) / seconds;
    return [
      one.name,
      one.listening.join(" "),
      String(counts.openConnections),
      rounded(rate("connections")),
      rounded(rate("requests")),
      String(counts.inFlight),
      rounded(rate("clientError")),
      rounded(rate("serverError")),
      `${bytes(rate("bytesIn"))}/s`,
      `${bytes(rate("bytesOut"))}/s`,
    ];
  });
}

function serverRows(
  { before, now, seconds }: Picture,
  selected: string | undefined,
  terminal: Terminal,
): readonly (readonly string[])[] {
  return now.pools.flatMap((pool) => {
    const earlierPool = before.pools.find(({ name }) => name === pool.name);
    return pool.servers.map((server) => {
      const name = `${pool.name}/${server.name}`;
      const earlier = earlierPool?.servers.find((one) => one.name === server.name) ?? server;
      const { requests } = server.traffic.counts;
      const errors = errorsOf(server) - errorsOf(earlier);
      return [
        name === selected ? `> ${paint(terminal, "bold", name)}` : `  ${name}`,
        paint(terminal, STATE_COLORS[server.state], server.state),
        String(server.weight),
        String(server.active),
        rounded((requests - earlier.traffic.counts.requests) / seconds),
        rounded(errors / seconds),
        server.latencyMs < 0 ? "-" : formatDuration(server.latencyMs),
        server.active > 0 ? (server.drain?.text ?? server.reason) : server.reason,
      ];
    });
  });
}

function rounded(rate: number): string {
  // Counts begin again where everything was stopped.
  return String(Math.max(0, Math.round(rate)));
}

function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let value = Math.max(0, count);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Who orders a server about has it before their eyes, however many there are. */
function inView(lines: readonly string[], room: number): readonly string[] {
  if (lines.length <= room) return lines;
  const selected = lines.findIndex((line) => line.startsWith("> "));
  const from = Math.max(0, Math.min(selected - Math.floor(room / 2), lines.length - room));
  return lines.slice(from, from + Math.max(0, room));
}

/** Colours count nothing; a line that is too long is shown without them. */
function fit(line: string, columns: number): string {
  if (visibleLength(line) <= columns) return line;
  // eslint-disable-next-line no-control-regex -- colour codes start with ESC
  return line.replaceAll(/\u001B\[[\d;]*m/g, "").slice(0, columns);
}

/** An arrow, or a letter. */
// eslint-disable-next-line no-control-regex -- arrows start with ESC
const KEY = /\u001B\[[A-Z]|[^]/gu;

function listen(input: NodeJS.ReadStream, take: (key: string) => void): void {
  input.setRawMode(true);
  input.setEncoding("utf8");
  input.resume();
  // Over a slow line several keys come at once.
  input.on("data", (text: string) => {
    for (const [key] of text.matchAll(KEY)) take(key);
  });
}

function isQuit(key: string): boolean {
  return key === "q" || key === "\u0003";
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
