/** haproxy.cfg becomes nines.yaml: frontends, pools and checks of what carries HTTP or TCP. */

import { resolve } from "node:path";
import { closest } from "../../../lib/spelling.ts";
import { directoryOf } from "../../keepalived/parameters.ts";
import type { ImportSource } from "../import-file.ts";
import type { Rule } from "../routes.ts";
import { importBackend } from "./backend.ts";
import { fateOf, NO_COUNTERPART } from "./fates.ts";
import { backendOf, carriedPool, importCarried } from "./carried.ts";
import { mapReader } from "./maps.ts";
import { aclsOf, type FrontendFacts, importFrontend, takeAcls } from "./frontend.ts";
import { defaultVersion } from "./binds.ts";
import { Bag, type Line, parseSections, type Section } from "./lines.ts";
import { type RuleFacts, rulesOf } from "./rules.ts";
import { withVariables } from "./variables.ts";
import { numberOf, type ServerFacts } from "./servers.ts";

interface Proxy {
  readonly section: Section;
  readonly bag: Bag;
  readonly isHttp: boolean;
  readonly isTcp: boolean;
}

const DISABLED = "it is disabled";

const PROXIES: readonly string[] = ["backend", "frontend", "listen"];

const SECTIONS: Readonly<Record<string, { readonly needed: boolean; readonly why: string }>> = {
  cache: { needed: true, why: "answers are not cached" },
  mailers: { needed: true, why: "pools send no mail; see nines events" },
  peers: { needed: true, why: "each director has tables of its own" },
  program: { needed: true, why: "programs are run by the service manager" },
  resolvers: { needed: false, why: "names are resolved by the system" },
  ring: { needed: false, why: "one log for all: see access_log and nines events" },
  userlist: { needed: true, why: "Nines asks for no passwords" },
};

export function importHaproxy(source: ImportSource): void {
  const { sections, outside } = parseSections(source.path, source.source);
  const [first] = outside;
  if (first !== undefined) {
    const next = "a haproxy.cfg starts with a section: global, defaults, frontend NAME";
    source.findings.error(first.at, "this stands in no section", next);
  }
  new Importer(source, withVariables(sections, source.draft)).run();
}

class Importer {
  readonly #source: ImportSource;
  readonly #sections: readonly Section[];
  readonly #taken = new Set<Line>();
  readonly #made = new Set<Line>();
  readonly #reached = new Set<Line>();
  /** Sections in mode tcp: those that became something, and why others did not. */
  readonly #carried = new Set<Section>();
  readonly #left = new Map<Section, string>();
  readonly #global: Bag;
  /** Whether a frontend takes the limit of `global`. */
  #usesTotal = false;
  readonly #proxies: readonly Proxy[];

  constructor(source: ImportSource, sections: readonly Section[]) {
    this.#source = source;
    this.#sections = sections;
    const globals = sections.filter(({ kind }) => kind === "global");
    this.#global = new Bag(
      globals.flatMap(({ lines }) => lines),
      this.#taken,
    );
    this.#proxies = this.#readProxies();
  }

  run(): void {
    this.#checkNames();
    if (this.#source.findings.failed) return;
    const workers = numberOf(this.#global.last("nbthread")?.[0]) ?? 1;
    if (this.#global.has("nbthread"))
      this.#source.draft.workers = Math.min(64, Math.max(1, workers));
    for (const proxy of this.#proxies) if (proxy.isHttp) this.#importBackend(proxy);
    for (const proxy of this.#proxies) if (proxy.isHttp) this.#importFrontend(proxy);
    for (const proxy of this.#proxies) if (proxy.isTcp) this.#importCarried(proxy);
    const total = this.#global.lastLine("maxconn");
    if (total !== undefined && !this.#usesTotal) {
      this.#source.draft.unneeded(total.at, "each frontend has a limit of its own");
    }
    this.#tellRest();
  }

  /** With the lines of their defaults: the named ones, else the last before them. */
  #readProxies(): Proxy[] {
    const named = new Map<string, readonly Line[]>();
    let defaults: readonly Line[] = [];
    const proxies: Proxy[] = [];
    for (const section of this.#sections) {
      const from = section.words[0] === "from" ? named.get(section.words[1] ?? "") : undefined;
      if (section.kind === "defaults") {
        const isFrom = section.name === "from" || section.words[0] === "from";
        const base = isFrom ? (named.get(section.words.at(-1) ?? "") ?? []) : [];
        defaults = [...base, ...section.lines];
        named.set(section.name, defaults);
      } else if (PROXIES.includes(section.kind)) {
        const inherited = from ?? defaults;
        const lines = [...inherited, ...section.lines];
        const bag = new Bag(lines, this.#taken, inherited.length);
        const isOff = lines.findLast(isSwitch)?.words[0] === "disabled";
        const mode = isOff ? "disabled" : (bag.last("mode")?.[0] ?? "tcp");
        if (isOff) this.#left.set(section, DISABLED);
        proxies.push({ section, bag, isHttp: mode === "http", isTcp: mode === "tcp" });
      }
    }
    return proxies;
  }

  /** Mistakes that HAProxy refuses, too: a name that is missing, twice there or unknown. */
  #checkNames(): void {
    const { findings } = this.#source;
    const backends = this.#proxies.filter(({ section }) => section.kind !== "frontend");
    const known = backends.map(({ section }) => section.name);
    const seen = new Set<string>();
    for (const { section } of this.#proxies) {
      const { kind, name, at } = section;
      if (name === "") findings.error(at, `${kind} without a name`, `write: ${kind} NAME`);
      const key = `${kind === "frontend" ? "frontend" : "backend"} ${name}`;
      if (seen.has(key)) findings.error(at, `there is another ${key}`, "rename one of them");
      seen.add(key);
      for (const line of section.lines) {
        const [keyword = "", wanted = ""] = line.words;
        const isUse = keyword === "use_backend" || keyword === "default_backend";
        if (!isUse || wanted.includes("%[") || known.includes(wanted)) continue;
        const near = closest(wanted, known);
        const next = near === undefined ? `write: backend ${wanted}` : `did you mean '${near}'?`;
        findings.error(line.at, `there is no backend ${wanted}`, next);
      }
    }
  }

  get #pools(): string[] {
    return this.#proxies
      .filter(({ section, isHttp }) => section.kind !== "frontend" && isHttp && !isTable(section))
      .map(({ section }) => section.name);
  }

  get #bases(): Pick<ServerFacts, "caBase" | "crtBase" | "verifies"> {
    // Whole paths: the nines.yaml may stand elsewhere.
    const own = directoryOf(this.#source.path);
    const base = (name: string): string => resolve(own, this.#global.last(name)?.[0] ?? "");
    const verifies = this.#global.last("ssl-server-verify")?.[0] !== "none";
    return { caBase: base("ca-base"), crtBase: base("crt-base"), verifies };
  }

  #importBackend({ section, bag, isHttp }: Proxy): void {
    if (section.kind === "frontend" || isStats(section) || isTable(section)) return;
    const { draft, files, path, options } = this.#source;
    const ports = bag.lines.flatMap(({ words }) =>
      words[0] === "bind" ? Number(/:(\d+)$/u.exec(words[1] ?? "")?.[1]) || [] : [],
    );
    const pages = { files, directory: directoryOf(path) };
    const port = ports.length === 1 ? ports[0] : undefined;
    const { newSecret } = options;
    importBackend(section.name, bag, { draft, port, ...this.#bases, newSecret, pages });
    // Seen once without a frontend, so that what cannot be a rule is told whoever uses it.
    if (section.kind === "backend" && isHttp) {
      const readFile = this.#readMap;
      const used = new Set<string>();
      const own = { acls: aclsOf(bag), used, tls: false, ports: [], readFile };
      const context = { ...own, certificates: "some" } as const;
      this.#rules(bag, { draft, context, pools: [], isBackend: true, ...this.#seen });
    }
  }

  get #seen(): FrontendFacts["seen"] {
    const tables = this.#proxies.flatMap(({ section, bag }): [string, Line][] => {
      const table = bag.lines.find(({ words }) => words[0] === "stick-table");
      return table === undefined ? [] : [[section.name, table]];
    });
    return {
      made: this.#made,
      reached: this.#reached,
      taken: this.#taken,
      tables: new Map(tables),
    };
  }

  get #readMap(): FrontendFacts["readMap"] {
    return mapReader(this.#source.path, this.#source.files);
  }

  #rules(bag: Bag, facts: RuleFacts): readonly Rule[] {
    const rules = rulesOf(bag, facts);
    takeAcls(bag, facts.context.used);
    return rules;
  }

  #importFrontend({ section, bag }: Proxy): void {
    const { draft } = this.#source;
    const { name, kind, at, lines } = section;
    if (kind === "backend") return;
    const last = lines.at(-1)?.at.line ?? at.line;
    if (isStats(section)) {
      for (const line of lines) this.#taken.add(line);
      draft.unneeded(
        at,
        `the whole section to line ${last}: see nines top, nines metrics and the page of Nines`,
      );
      return;
    }
    this.#usesTotal ||= !bag.has("maxconn");
    const isUsed = importFrontend(
      name,
      bag,
      {
        draft,
        ...this.#defaults,
        pools: this.#pools,
        readMap: this.#readMap,
        backendRules: (pool, facts) => this.#backendRules(pool, facts),
        seen: this.#seen,
      },
      kind === "listen" ? name : undefined,
    );
    if (!isUsed) draft.lost(at, "nothing leads from here to a server or an answer");
  }

  get #defaults(): Pick<FrontendFacts, "bindDefaults" | "maxconn"> {
    const line = this.#global.lastLine("ssl-default-bind-options");
    const minimumVersion = defaultVersion(line, this.#source.draft);
    const maxconn = numberOf(this.#global.last("maxconn")?.[0]);
    return { bindDefaults: { ...this.#bases, minimumVersion, files: this.#source.files }, maxconn };
  }

  /** Of `mode tcp`: a frontend with the backend that it leads to. */
  #importCarried(proxy: Proxy): void {
    const { section, bag } = proxy;
    if (section.kind === "backend") return;
    const found = section.kind === "listen" ? listenTo(section.name, bag) : backendOf(bag);
    const { draft } = this.#source;
    if ("why" in found) {
      this.#left.set(section, found.why);
      return;
    }
    const there = this.#proxies.find(
      (one) => one.section.kind !== "frontend" && one.section.name === found.pool && one.isTcp,
    );
    if (there === undefined) {
      this.#left.set(section, `backend ${found.pool} is not in mode tcp`);
      return;
    }
    if (!importCarried(section.name, bag, found.pool, { draft, ...this.#defaults })) {
      this.#left.set(section, "it listens nowhere");
      return;
    }
    this.#usesTotal ||= !bag.has("maxconn");
    this.#carried.add(section);
    if (there !== proxy && this.#carried.has(there.section)) return;
    this.#carried.add(there.section);
    this.#importBackend(there);
    carriedPool(found.pool, there.bag, draft);
  }

  #backendRules(pool: string, facts: RuleFacts): readonly Rule[] {
    const proxy = this.#proxies.find(
      ({ section }) => section.name === pool && section.kind !== "frontend",
    );
    if (proxy === undefined) return [];
    const { bag } = proxy;
    const context = { ...facts.context, acls: aclsOf(bag), used: new Set<string>() };
    return this.#rules(bag, { ...facts, context, isBackend: true });
  }

  /** Every line that nobody took. */
  #tellRest(): void {
    const { draft } = this.#source;
    for (const line of this.#made) {
      if (!this.#reached.has(line)) {
        draft.unneeded(line.at, "never reached: every request was decided before");
      }
    }
    for (const section of this.#sections) {
      const { kind, at, lines } = section;
      const last = lines.at(-1)?.at.line ?? at.line;
      const whole = `the whole section to line ${last}`;
      const proxy = this.#proxies.find((one) => one.section === section);
      const rare = SECTIONS[kind];
      if (proxy !== undefined && !proxy.isHttp && !this.#carried.has(section)) {
        const standard = proxy.isTcp
          ? "nothing that was carried over leads here"
          : "Nines has no such mode";
        const why = this.#left.get(section) ?? standard;
        if (why === DISABLED) draft.unneeded(at, `${whole}: ${why}`);
        else draft.lost(at, `${whole}: ${why}`);
      } else if (proxy === undefined && !["global", "defaults"].includes(kind)) {
        const why = `${whole}: ${rare?.why ?? "it has no counterpart"}`;
        if (rare?.needed === false) draft.unneeded(at, why);
        else draft.lost(at, why);
      } else for (const line of lines) this.#tellLine(line, section);
    }
  }

  #tellLine(line: Line, { kind }: Section): void {
    if (this.#taken.has(line)) return;
    const { draft } = this.#source;
    const { severity, why } = fateOf(line.words);
    if (line.words[0] === "acl") draft.unneeded(line.at, "no rule that was carried over asks it");
    else if (severity === "unneeded") draft.unneeded(line.at, why);
    else if (kind === "defaults" && why === NO_COUNTERPART && isKnownDefault(line)) {
      draft.unneeded(line.at, "no section that was carried over uses it");
    } else draft.lost(line.at, why);
  }
}

function isSwitch({ words }: Line): boolean {
  return words.length === 1 && (words[0] === "disabled" || words[0] === "enabled");
}

/** A `listen` has servers of its own, and may shut out as a frontend does. */
function listenTo(name: string, bag: Bag): ReturnType<typeof backendOf> {
  const found = backendOf(bag);
  return "why" in found && bag.lines.some(({ words }) => words[0] === "server")
    ? found.why.startsWith("nothing")
      ? { pool: name }
      : found
    : found;
}

/** Only counts for others. */
function isTable({ kind, lines }: Section): boolean {
  const isBackend = kind === "backend" && lines.length > 0;
  return isBackend && lines.every(({ words }) => words[0] === "stick-table");
}

/** Only shows statistics. */
function isStats({ lines }: Section): boolean {
  const leads = ["server", "server-template", "use_backend", "default_backend"];
  return (
    lines.some(({ words }) => words[0] === "stats") &&
    !lines.some(({ words }) => leads.includes(words[0]!))
  );
}

const DEFAULTS: readonly string[] =
  "balance cookie default-server errorfile http-check maxconn mode option retries retry-on timeout".split(
    " ",
  );

/** Read where a section asks for it. */
function isKnownDefault({ words }: Line): boolean {
  return DEFAULTS.includes(words[0] === "no" ? (words[1] ?? "") : words[0]!);
}
