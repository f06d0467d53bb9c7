/** What becomes of each statement of a virtual server: whatever is not listed as used is told. */

import { isKnownRegexOption } from "../../virtual/check-data.ts";
import type { Statement } from "../../keepalived/tree.ts";
import { keywordsOf } from "../../schema/schema.ts";
import type { Draft } from "../draft.ts";
import { lose, statementAt } from "./keywords.ts";

export interface ServerBlock {
  readonly kind: "virtual_server" | "real_server";
  /** What it became. */
  readonly mode: "http" | "tcp";
}

/** Undefined: it was carried over. */
type Fate = { readonly lost: string } | { readonly unneeded: string } | undefined;

const KNOWN_BY: Readonly<Record<ServerBlock["mode"], string>> = {
  http: "X-Forwarded-For has the client's",
  tcp: "send_proxy tells them the client's, if they understand it",
};

function forwarding({ args }: Statement, mode: ServerBlock["mode"]): Fate {
  const method = args[0]?.text.toUpperCase() ?? "";
  const seen = `servers see the address of the proxy: ${KNOWN_BY[mode]}`;
  if (method === "NAT" && mode === "http") {
    return { unneeded: "a proxy answers in its own name, as NAT does" };
  }
  if (method === "NAT") return { lost: seen };
  return {
    lost: `with ${method} answers went to clients directly; now they come back here, and ${seen}`,
  };
}

function scheduler({ args }: Statement): Fate {
  const name = args[0]?.text ?? "";
  if (["rr", "wrr", "lc", "wlc", "twos", "sh", "mh", "fo"].includes(name)) return undefined;
  return { lost: `the nearest that Nines has was taken for the scheduler ${name}` };
}

function weight({ args }: Statement): Fate {
  if (Number(args[0]?.text) <= 256) return undefined;
  return { unneeded: "256 is the highest weight: all of the pool were scaled down to it" };
}

const used = (): Fate => undefined;
const lost = (why: string) => (): Fate => ({ lost: why });
const unneeded = (why: string) => (): Fate => ({ unneeded: why });

type Fates = Readonly<Record<string, (statement: Statement, mode: ServerBlock["mode"]) => Fate>>;

const TIMING: Fates = {
  alpha: used,
  connect_timeout: used,
  delay_before_retry: used,
  delay_loop: used,
  log_all_failures: used,
  nb_get_retry: used,
  retry: used,
  smtp_alert: used,
  virtualhost: used,
  warmup: used,
};

const SERVER: Fates = {
  ...TIMING,
  inhibit_on_failure: used,
  lb_kind: forwarding,
  lthreshold: lost("a server takes requests again as soon as it is below max_connections"),
  lvs_method: forwarding,
  uthreshold: used,
  weight,
};

const FATES: Readonly<Record<ServerBlock["kind"], Fates>> = {
  virtual_server: {
    ...SERVER,
    ha_suspend: used,
    hysteresis: used,
    lb_algo: scheduler,
    lvs_sched: scheduler,
    omega: used,
    "flag-1": used,
    "flag-2": used,
    "mh-fallback": used,
    "mh-port": used,
    "sh-fallback": used,
    "sh-port": used,
    ops: lost("it is for UDP"),
    persistence_granularity: used,
    persistence_timeout: used,
    protocol: used,
    quorum: used,
    quorum_down: used,
    quorum_up: used,
    real_server: used,
    sorry_server: used,
    sorry_server_inhibit: unneeded("the sorry server is a backup: it is used last anyway"),
    sorry_server_lvs_method: forwarding,
  },
  real_server: { ...SERVER, notify_down: used, notify_up: used },
};

const CHECKERS: ReadonlySet<string> = new Set([
  "DNS_CHECK",
  "HTTP_GET",
  "MISC_CHECK",
  "PING_CHECK",
  "SMTP_CHECK",
  "SSL_GET",
  "TCP_CHECK",
  "UDP_CHECK",
]);

const NO_CHECKERS: Fates = {
  BFD_CHECK: lost("Nines has no BFD"),
  FILE_CHECK: lost("a file changes no weight of a server"),
};

const CHECK: Fates = {
  ...TIMING,
  bindto: used,
  connect_ip: used,
  connect_port: used,
  digest: used,
  enable_sni: used,
  fast_recovery: unneeded("each page is a check of its own, and all are asked at once"),
  helo_name: used,
  http_protocol: unneeded("checks speak HTTP/1.1"),
  misc_dynamic: used,
  misc_path: used,
  misc_timeout: used,
  name: used,
  path: used,
  payload: used,
  regex: used,
  regex_no_match: used,
  regex_options: ({ args }) => {
    const unknown = args.filter(({ text }) => !isKnownRegexOption(text));
    if (unknown.length === 0) return undefined;
    return { lost: "of these options only caseless, multiline and dotall have a counterpart" };
  },
  require_reply: used,
  sni_name: used,
  status_code: used,
  type: used,
  url: used,
  host: used,
  user: used,
};

/** Every statement of the block is carried over or told. */
export function accountFor(statement: Statement, block: ServerBlock, draft: Draft): void {
  const { kind, mode } = block;
  const fates = { ...FATES[kind], ...NO_CHECKERS };
  for (const line of statement.block ?? []) {
    if (CHECKERS.has(line.keyword.text)) accountForCheck(line, mode, draft);
    else tell(line, { fates, block: kind, mode }, draft);
  }
}

function accountForCheck(checker: Statement, mode: ServerBlock["mode"], draft: Draft): void {
  const block = checker.keyword.text === "SSL_GET" ? "HTTP_GET" : checker.keyword.text;
  for (const line of checker.block ?? []) {
    tell(line, { fates: CHECK, block, mode }, draft);
    for (const inner of line.block ?? []) {
      tell(inner, { fates: CHECK, block: line.keyword.text, mode }, draft);
    }
  }
}

interface TellFacts {
  readonly fates: Fates;
  readonly block: string;
  readonly mode: ServerBlock["mode"];
}

function tell(line: Statement, { fates, block, mode }: TellFacts, draft: Draft): void {
  const name = line.keyword.text;
  const fate = Object.hasOwn(fates, name)
    ? fates[name]!(line, mode)
    : { lost: keywordsOf(block).get(name)?.meaning ?? "Nines does not know it" };
  if (fate === undefined) return;
  if ("lost" in fate) lose(line, fate.lost, draft);
  else draft.unneeded(statementAt(line), fate.unneeded);
}
