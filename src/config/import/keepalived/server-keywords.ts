/** What becomes of each statement of a virtual server: whatever is not listed as used is told. */

import type { Statement } from "../../keepalived/tree.ts";
import { keywordsOf } from "../../schema/schema.ts";
import type { CheckSettings } from "../../virtual-server.ts";
import type { Draft } from "../draft.ts";
import { lose, statementAt } from "./keywords.ts";

export interface ServerBlock {
  readonly kind: "virtual_server" | "real_server";
  /** The check that was taken; the others of the server are lost. */
  readonly check?: CheckSettings;
}

/** Undefined: it was carried over. */
type Fate = { readonly lost: string } | { readonly unneeded: string } | undefined;

const NO_SCRIPTS = "no script runs for servers and pools; see nines events";

function isNat({ args }: Statement): boolean {
  return args[0]?.text.toUpperCase() === "NAT";
}

function forwarding(statement: Statement): Fate {
  if (isNat(statement)) return { unneeded: "a proxy answers in its own name, as NAT does" };
  const method = statement.args[0]?.text.toUpperCase() ?? "";
  return {
    lost: `with ${method} answers went to clients directly; through a proxy they come back here, and servers see its address: X-Forwarded-For has the client's`,
  };
}

function scheduler({ args }: Statement): Fate {
  const name = args[0]?.text ?? "";
  if (["rr", "wrr", "lc", "wlc", "twos", "sh", "mh", "fo"].includes(name)) return undefined;
  return { lost: `the nearest that Nines has was taken for the scheduler ${name}` };
}

function weight({ args }: Statement): Fate {
  return Number(args[0]?.text) > 256 ? { lost: "256 is the highest weight" } : undefined;
}

function granularity({ args }: Statement): Fate {
  const isEach = ["255.255.255.255", "32", "128"].includes(args[0]?.text ?? "");
  return isEach ? undefined : { lost: "clients stick one by one, not by network" };
}

function quorum({ args }: Statement): Fate {
  if (args[0]?.text === "1") return { unneeded: "a pool serves as long as one server can" };
  return { lost: "a pool serves as long as one server can; the sorry server comes after the last" };
}

const used = (): Fate => undefined;
const lost = (why: string) => (): Fate => ({ lost: why });
const unneeded = (why: string) => (): Fate => ({ unneeded: why });

type Fates = Readonly<Record<string, (statement: Statement) => Fate>>;

const TIMING: Fates = {
  alpha: used,
  connect_timeout: used,
  delay_before_retry: used,
  delay_loop: used,
  log_all_failures: lost("every change is told with its reason; single failures are not"),
  nb_get_retry: used,
  retry: used,
  smtp_alert: lost("pools send no mail; see nines events"),
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
    ha_suspend: lost("checks run whoever holds the address, so that a takeover finds them done"),
    hysteresis: lost("a pool serves as long as one server can"),
    lb_algo: scheduler,
    lvs_sched: scheduler,
    omega: lost(NO_SCRIPTS),
    ops: lost("it is for UDP"),
    persistence_granularity: granularity,
    persistence_timeout: used,
    protocol: used,
    quorum,
    quorum_down: lost(NO_SCRIPTS),
    quorum_up: lost(NO_SCRIPTS),
    real_server: used,
    sorry_server: used,
    sorry_server_inhibit: unneeded("the sorry server is a backup: it is used last anyway"),
    sorry_server_lvs_method: forwarding,
  },
  real_server: { ...SERVER, notify_down: lost(NO_SCRIPTS), notify_up: lost(NO_SCRIPTS) },
};

const CHECKERS: Readonly<Record<string, CheckSettings["kind"]>> = {
  BFD_CHECK: "bfd",
  DNS_CHECK: "dns",
  FILE_CHECK: "file",
  HTTP_GET: "http",
  MISC_CHECK: "misc",
  PING_CHECK: "ping",
  SMTP_CHECK: "smtp",
  SSL_GET: "http",
  TCP_CHECK: "tcp",
  UDP_CHECK: "udp",
};

const CHECK: Fates = {
  ...TIMING,
  bindto: used,
  connect_ip: used,
  connect_port: used,
  digest: used,
  enable_sni: used,
  fast_recovery: unneeded("a check asks one page"),
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
    const isCaseless = args.every((word) => word.text === "caseless");
    return isCaseless ? undefined : { lost: "of these options only caseless has a counterpart" };
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
  const taken = takenChecker(statement, block.check);
  for (const line of statement.block ?? []) {
    if (line === taken) accountForCheck(line, draft);
    else if (CHECKERS[line.keyword.text] !== undefined) {
      lose(line, otherChecker(line, block.check), draft);
    } else tell(line, { fates: FATES[block.kind], block: block.kind }, draft);
  }
}

function otherChecker(line: Statement, check: CheckSettings | undefined): string {
  if (line.keyword.text === "FILE_CHECK") return "a file changes no weight of a server";
  if (line.keyword.text === "BFD_CHECK") return "Nines has no BFD";
  return check === undefined
    ? "it has no counterpart"
    : "a server has one check: another was taken";
}

function takenChecker(
  { block = [] }: Statement,
  check: CheckSettings | undefined,
): Statement | undefined {
  if (check === undefined) return undefined;
  const keyword = check.kind === "http" ? (check.tls ? "SSL_GET" : "HTTP_GET") : undefined;
  return block.find(({ keyword: { text } }) =>
    keyword === undefined ? CHECKERS[text] === check.kind : text === keyword,
  );
}

function accountForCheck(checker: Statement, draft: Draft): void {
  const block = checker.keyword.text === "SSL_GET" ? "HTTP_GET" : checker.keyword.text;
  const seen = new Set<string>();
  for (const line of checker.block ?? []) {
    const name = line.keyword.text;
    if (line.block !== undefined && seen.has(name)) {
      lose(line, `a check asks one ${name}: the first`, draft);
      continue;
    }
    seen.add(name);
    tell(line, { fates: CHECK, block }, draft);
    for (const inner of line.block ?? []) tell(inner, { fates: CHECK, block: name }, draft);
  }
}

function tell(
  line: Statement,
  { fates, block }: { readonly fates: Fates; readonly block: string },
  draft: Draft,
): void {
  const name = line.keyword.text;
  const fate = Object.hasOwn(fates, name)
    ? fates[name]!(line)
    : { lost: keywordsOf(block).get(name)?.meaning ?? "Nines does not know it" };
  if (fate === undefined) return;
  if ("lost" in fate) lose(line, fate.lost, draft);
  else draft.unneeded(statementAt(line), fate.unneeded);
}
