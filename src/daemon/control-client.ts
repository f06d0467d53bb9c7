/** Talks to a running node over its control socket; what the command line is made of. */

import { request, type IncomingMessage } from "node:http";
import { userInfo } from "node:os";
import type { AskedRequest, RequestExplanation } from "../core/proxy/request-explanation.ts";
import type { BalanceStatus } from "./balance-status.ts";
import type {
  Applied,
  Done,
  LoggedEvent,
  NodeStatus,
  Plan,
  Reloaded,
  ServiceFacts,
  TrafficLook,
  RenewedRole,
  Upgrading,
  ServerOrder,
  Why,
} from "./control-api.ts";
import { lineSplitter } from "./line-connection.ts";

/** Orders may start fresh processes, which takes seconds; a node that needs longer is in trouble. */
const ANSWER_WITHIN_MS = 30_000;
/** Looking takes milliseconds: who asks in an emergency must not wait for a node that hangs. */
const LOOK_WITHIN_MS = 5_000;

/** How far somebody has read. */
export interface EventPosition {
  readonly seq: number;
  readonly life?: string;
}

/** Operating trouble, with the next move in its message. */
export class ControlFailure extends Error {
  override readonly name = "ControlFailure";
}

export class ControlClient {
  readonly #socketPath: string;
  readonly #who: string;
  readonly #lookWithinMs: number;

  /** `who`: on whose behalf; stands in the journal beside every order. */
  constructor(socketPath: string, who: string = userName(), lookWithinMs: number = LOOK_WITHIN_MS) {
    this.#socketPath = socketPath;
    this.#who = who;
    this.#lookWithinMs = lookWithinMs;
  }

  status(): Promise<NodeStatus> {
    return this.#json<NodeStatus>("GET", "/v1/status");
  }

  /** As `events`, with the life in which their numbers count. */
  async eventsOfLife(
    since: EventPosition,
  ): Promise<{ readonly events: readonly LoggedEvent[]; readonly life: string }> {
    const life = since.life === undefined ? "" : `&life=${since.life}`;
    const response = await this.#open("GET", `/v1/events?since=${since.seq}${life}`, {});
    const text = await this.#whole(response);
    if (response.statusCode !== 200) throw failureOf(text, response.statusCode ?? 0);
    const events = JSON.parse(text) as readonly LoggedEvent[];
    return { events, life: String(response.headers["nines-life"] ?? "") };
  }

  events(since = 0): Promise<readonly LoggedEvent[]> {
    return this.#json<readonly LoggedEvent[]>("GET", `/v1/events?since=${since}`);
  }

  why(instance: string): Promise<Why> {
    return this.#json<Why>("GET", `/v1/why/${encodeURIComponent(instance)}`);
  }

  handOver(instance: string): Promise<Done> {
    return this.#json<Done>("POST", `/v1/handover/${encodeURIComponent(instance)}`);
  }

  /** A refused reload is an answer, not a failure. */
  async reload(): Promise<Reloaded> {
    const { code, text } = await this.#text("POST", "/v1/reload");
    if (code !== 200 && code !== 422) throw failureOf(text, code);
    return JSON.parse(text) as Reloaded;
  }

  async metrics(): Promise<string> {
    const { code, text } = await this.#text("GET", "/metrics");
    if (code !== 200) throw failureOf(text, code);
    return text;
  }

  balance(): Promise<BalanceStatus> {
    return this.#json<BalanceStatus>("GET", "/v1/balance");
  }

  order(order: ServerOrder): Promise<Done> {
    return this.#json<Done>("POST", "/v1/server", order);
  }

  explainRequest(asked: AskedRequest): Promise<RequestExplanation> {
    return this.#json<RequestExplanation>("POST", "/v1/explain-request", asked);
  }

  plan(file: string): Promise<Plan> {
    return this.#json<Plan>("POST", "/v1/plan", { file });
  }

  apply(file: string, confirmWithinMs: number | undefined): Promise<Applied> {
    const body = confirmWithinMs === undefined ? { file } : { file, confirmWithinMs };
    return this.#json<Applied>("POST", "/v1/apply", body);
  }

  confirm(): Promise<Done> {
    return this.#json<Done>("POST", "/v1/confirm");
  }

  /** Takes as long as fresh processes take to start. */
  upgrade(): Promise<Upgrading> {
    return this.#json<Upgrading>("POST", "/v1/upgrade");
  }

  renewRoles(): Promise<readonly RenewedRole[]> {
    return this.#json<readonly RenewedRole[]>("POST", "/v1/renew-roles");
  }

  replaceWorkers(): Promise<Done> {
    return this.#json<Done>("POST", "/v1/replace-workers");
  }

  traffic(): Promise<TrafficLook> {
    return this.#json<TrafficLook>("GET", "/v1/traffic");
  }

  serverTraffic(): Promise<TrafficLook> {
    return this.#json<TrafficLook>("GET", "/v1/traffic/servers");
  }

  service(): Promise<ServiceFacts> {
    return this.#json<ServiceFacts>("GET", "/v1/service");
  }

  /**
   * Calls back for every event kept and to come, with the life in which its number counts; ends when
   * the node does or `signal` says so. `since.life`: of `since.seq`; absent: the life of now.
   */
  async follow(
    since: number | EventPosition,
    take: (event: LoggedEvent, life: string) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const { seq, life } = typeof since === "number" ? { seq: since } : since;
    const path = `/v1/events?since=${seq}&follow=1${life === undefined ? "" : `&life=${life}`}`;
    const response = await this.#open("GET", path, { signal });
    response.socket.setTimeout(0);
    const ofLife = String(response.headers["nines-life"] ?? "");
    const split = lineSplitter((line) => take(JSON.parse(line) as LoggedEvent, ofLife));
    response.setEncoding("utf8");
    try {
      for await (const chunk of response) split(chunk as string);
    } catch (error) {
      // The node ended, or the caller did not want more: both are the end of the story.
      if (!isAbort(error) && (error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
    }
  }

  async #json<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const { code, text } = await this.#text(method, path, body);
    if (code !== 200) throw failureOf(text, code);
    return JSON.parse(text) as Answer;
  }

  async #text(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ code: number; text: string }> {
    if (method === "POST") await this.#seeAnswer();
    const response = await this.#open(method, path, { body });
    return { code: response.statusCode ?? 0, text: await this.#whole(response) };
  }

  /**
   * Whatever it says to a question that it need not know. An order may take long, so one that hangs is found
   * before it gets any: it would carry it out whenever it wakes.
   */
  async #seeAnswer(): Promise<void> {
    const response = await this.#open("GET", "/v1/alive", {});
    response.resume();
  }

  /** A node that ends in the middle of its answer is one that does not answer. */
  async #whole(response: IncomingMessage): Promise<string> {
    response.setEncoding("utf8");
    let text = "";
    try {
      for await (const chunk of response) text += chunk as string;
    } catch (error) {
      throw this.#explain(error as NodeJS.ErrnoException);
    }
    return text;
  }

  #open(
    method: string,
    path: string,
    {
      body,
      signal,
    }: { readonly body?: object | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { "nines-who": this.#who };
      const base = { socketPath: this.#socketPath, method, path, headers };
      const options = { ...base, agent: false as const };
      const call = request(signal === undefined ? options : { ...options, signal }, resolve);
      const withinMs = method === "GET" ? this.#lookWithinMs : ANSWER_WITHIN_MS;
      call.setTimeout(withinMs, () => call.destroy(this.#hangs()));
      call.once("error", (error) => reject(this.#explain(error)));
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #hangs(): ControlFailure {
    return new ControlFailure(
      `nines runs but does not answer on ${this.#socketPath}: it hangs or is stopped. ` +
        "addresses and requests go on without it; end it and start it again (kill -9, nines run)",
    );
  }

  #explain(error: NodeJS.ErrnoException): Error {
    if (error instanceof ControlFailure) return error;
    switch (error.code) {
      case "ENOENT":
      case "ECONNREFUSED":
        return new ControlFailure(
          `nobody answers on ${this.#socketPath}: is nines running? ` +
            "start it with: nines run -f FILE",
        );
      case "EAGAIN":
        // Nobody has taken those who came before us out of the queue.
        return this.#hangs();
      case "EACCES":
        return new ControlFailure(
          `no permission to use ${this.#socketPath}: run this as the user that runs nines (root)`,
        );
      default:
        return new ControlFailure(`cannot talk to ${this.#socketPath}: ${error.message}`);
    }
  }
}

function failureOf(text: string, code: number): ControlFailure {
  try {
    const { error } = JSON.parse(text) as { error?: string };
    if (error !== undefined) return new ControlFailure(error);
  } catch {
    // Not ours; say what came.
  }
  return new ControlFailure(`unexpected answer ${code}: ${text.slice(0, 200)}`);
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** As the operating system calls whoever runs this; with sudo also who that was before. */
function userName(): string {
  const before = process.env["SUDO_USER"];
  let name: string;
  try {
    name = userInfo().username;
  } catch {
    name = `user ${process.getuid?.() ?? "unknown"}`;
  }
  const whole = before === undefined ? name : `${before} (as ${name})`;
  // A header takes no other letters.
  return whole.replace(/[^\x20-\x7e]/g, "?");
}
