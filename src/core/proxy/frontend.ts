/** One frontend at work: its routes compiled, its clients counted. */

import { latin1Bytes } from "../../lib/text-bytes.ts";
import type { HeadLimits } from "../http/field-block.ts";
import { nameHash } from "../http/field-names.ts";
import { ForwardingFields } from "../route/forwarding-fields.ts";
import { HeadEdits, rewriter } from "../route/head-edits.ts";
import { coded } from "../route/letters.ts";
import { RateLimiter } from "../route/rate-limiter.ts";
import type { RequestFacts } from "../route/request-facts.ts";
import type { RouteSettings } from "../route/route-settings.ts";
import { RouteTable, type TooLong } from "../route/route-table.ts";
import { template } from "../route/template.ts";
import type { FrontendSettings } from "./frontend-settings.ts";
import { GuestCount } from "./guest-count.ts";
import type { SharedState } from "./shared-state.ts";
import { Traffic } from "./traffic.ts";

/** What a route does, compiled. */
export class CompiledRoute {
  readonly settings: RouteSettings;
  readonly requestEdits: HeadEdits;
  readonly responseEdits: HeadEdits;
  readonly rewrite: (facts: RequestFacts) => string | undefined;
  readonly limiter: RateLimiter | undefined;
  /** Of a redirect. */
  readonly location: (facts: RequestFacts) => string;

  constructor(settings: RouteSettings, before: CompiledRoute | undefined) {
    this.settings = settings;
    this.requestEdits = new HeadEdits(settings.requestHeaders);
    this.responseEdits = new HeadEdits(settings.responseHeaders);
    this.rewrite = rewriter(settings.rewrite);
    const { rateLimit, target } = settings;
    const isSame = JSON.stringify(before?.settings.rateLimit) === JSON.stringify(rateLimit);
    if (isSame) this.limiter = before?.limiter;
    else this.limiter = rateLimit === undefined ? undefined : new RateLimiter(rateLimit);
    this.location = redirection(target.kind === "redirect" ? target.location : "", this.rewrite);
  }
}

/**
 * The path in it is the rewritten one. Two slashes at its start would lead to another host, and browsers
 * take a backslash for one.
 */
function redirection(
  text: string,
  rewrite: CompiledRoute["rewrite"],
): (facts: RequestFacts) => string {
  const location = template(coded(text));
  return (facts) => location(facts, (rewrite(facts) ?? facts.uri).replace(/^[/\\]{2,}/, "/"));
}

const WITHOUT_EDITS = new HeadEdits({ remove: [], set: [], add: [] });

export class Frontend {
  readonly name: string;
  readonly traffic: Traffic = new Traffic();
  settings: FrontendSettings;
  headLimits: HeadLimits = { bytes: 0, fields: 0 };
  /** Lower case; "" = off. */
  requestIdHeader = "";
  /** The same with its colon and space, and its `nameHash`. */
  requestIdLine: Uint8Array = new Uint8Array(0);
  requestIdHash = 0;
  /** Takes away what only we say: that applications are to switch features off. */
  ownWords: HeadEdits = WITHOUT_EDITS;
  forwarding: ForwardingFields = new ForwardingFields("off", []);
  readonly guests: GuestCount = new GuestCount();
  #table = new RouteTable([]);
  #routes = new Map<RouteSettings, CompiledRoute>();
  #shared: SharedState | undefined;

  constructor(settings: FrontendSettings) {
    this.name = settings.name;
    this.settings = settings;
    this.configure(settings);
  }

  /** In place; limiters of unchanged routes go on counting. */
  configure(settings: FrontendSettings): void {
    const before = [...this.#routes.values()];
    this.settings = settings;
    this.guests.configure(settings.limits);
    this.requestIdHeader = settings.requestIdHeader.toLowerCase();
    this.requestIdLine = latin1Bytes(`${this.requestIdHeader}: `);
    this.requestIdHash = nameHash(this.requestIdHeader);
    this.headLimits = { bytes: settings.limits.headBytes, fields: settings.limits.headers };
    this.forwarding = new ForwardingFields(settings.forwarded, settings.trustedProxies);
    const { degradedHeader } = settings.shedding;
    const remove = degradedHeader === "" ? [] : [degradedHeader];
    this.ownWords = new HeadEdits({ remove, set: [], add: [] });
    this.#table = new RouteTable(settings.routes);
    this.#routes = new Map(
      settings.routes.map((route) => {
        const old = before.find((compiled) => compiled.settings.name === route.name);
        return [route, new CompiledRoute(route, old)];
      }),
    );
    this.#shareLimits();
  }

  /** From now on its limits are those of all workers. */
  share(shared: SharedState): void {
    this.#shared = shared;
    const count = shared.count(this.name);
    if (count !== undefined) this.guests.share(count, shared.sources(this.name));
    this.#shareLimits();
  }

  match(facts: RequestFacts): CompiledRoute | TooLong | undefined {
    const route = this.#table.match(facts);
    return typeof route === "object" ? this.#routes.get(route) : route;
  }

  explain(facts: RequestFacts): ReturnType<RouteTable["explain"]> {
    return this.#table.explain(facts);
  }

  /** Undefined: welcome, and counted. Otherwise why not. */
  admit(source: string): string | undefined {
    return this.guests.admit(source, this.settings.limits);
  }

  left(source: string): void {
    this.guests.left(source);
  }

  #shareLimits(): void {
    const shared = this.#shared;
    if (shared === undefined) return;
    for (const { settings, limiter } of this.#routes.values()) {
      if (limiter === undefined) continue;
      // Other figures are another limit.
      const { perSecond, burst, per } = settings.rateLimit!;
      const figures = JSON.stringify([this.name, settings.name, perSecond, burst, per]);
      limiter.share(shared.arrivals(figures));
    }
  }
}
