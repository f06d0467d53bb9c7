/** Lines of haproxy.cfg that have no counterpart, and why; the longest beginning counts. */

const STATS = "see nines top, nines metrics and the page of Nines";
const LOGS = "one log for all: see access_log and nines events";
const TCP_KEEPALIVE = "dead peers are found by time-outs";

/** Nothing is missed without them. */
const UNNEEDED: Readonly<Record<string, string>> = {
  "ca-base": "paths are written whole",
  "ssl-server-verify": "verify is written at each pool",
  chroot: "Nines gives up its rights itself",
  "crt-base": "paths are written whole",
  daemon: "a service manager runs Nines",
  "default-path": "paths are written whole",
  description: "it is for people",
  "expose-fd": "sockets are handed over by nines upgrade",
  group: "Nines gives up its rights itself",
  "http-reuse": "connections to servers are always kept and shared",
  "load-server-state-from-file": "the state of servers survives by itself",
  log: LOGS,
  "log-send-hostname": LOGS,
  "log-tag": LOGS,
  "master-worker": "Nines supervises its processes",
  "max-spread-checks": "checks are spread",
  nbproc: "see workers",
  "option accept-invalid-http-response": "answers are checked as HTTP says",
  "option allbackups": "all backups are used together",
  "option clitcpka": TCP_KEEPALIVE,
  "option contstats": STATS,
  "option dontlog-normal": LOGS,
  "option dontlognull": LOGS,
  "option http-keep-alive": "connections are kept on both sides",
  "option log-health-checks": "every change of a server is told with its reason",
  "option log-separate-errors": LOGS,
  "option logasap": LOGS,
  "option redispatch": "a retry always goes to another server",
  "option socket-stats": STATS,
  "option splice-auto": "it is about the speed of copying",
  "option splice-request": "it is about the speed of copying",
  "option splice-response": "it is about the speed of copying",
  "option srvtcpka": TCP_KEEPALIVE,
  "option tcp-smart-accept": "it is about the speed of connecting",
  "option tcp-smart-connect": "it is about the speed of connecting",
  "option tcpka": TCP_KEEPALIVE,
  presetenv: "its value is written where it is used",
  setenv: "its value is written where it is used",
  pidfile: "a service manager runs Nines",
  "server-state-base": "the state of servers survives by itself",
  "server-state-file": "the state of servers survives by itself",
  "set-dumpable": "it is for developers of HAProxy",
  "spread-checks": "checks are spread",
  "ssl-dh-param-file": "TLS comes with good parameters",
  stats: STATS,
  "tcp-request inspect-delay": "requests are read before they are routed",
  "timeout client-fin": "closing connections have the time-outs of open ones",
  "timeout server-fin": "closing connections have the time-outs of open ones",
  "timeout tarpit": "nothing is delayed",
  "tune.": "it tunes HAProxy's inside",
  uid: "Nines gives up its rights itself",
  gid: "Nines gives up its rights itself",
  "ulimit-n": "files are limited by the system",
  user: "Nines gives up its rights itself",
};

const OPEN = "these requests are let through: write a route";
const EXPRESSION = "write it as http-request or http-response";

/** Something is missed. */
const LOST: Readonly<Record<string, string>> = {
  compression: "answers are not compressed: let the servers do it",
  "email-alert": "pools send no mail; see nines events",
  errorfile: "only the page for 503 has a counterpart (sorry)",
  errorfiles: "only the page for 503 has a counterpart (sorry)",
  errorloc: "only the page for 503 has a counterpart (sorry)",
  errorloc302: "only the page for 503 has a counterpart (sorry)",
  errorloc303: "only the page for 503 has a counterpart (sorry)",
  filter: "Nines has no filters",
  "force-persist": "a down server gets nothing",
  fullconn: "limits of servers do not grow with the load",
  "http-check disable-on-404": "see nines backend drain, or an agent check",
  "http-check send-state": "checks do not tell the server its state",
  "ignore-persist": "stickiness holds for all requests of a pool",
  "log-format": LOGS,
  "log-format-sd": LOGS,
  lua: "Nines runs no Lua",
  "monitor fail": "ready_path answers 503 while the balancer drains",
  "option abortonclose": "a request whose client left is not called back",
  "option accept-invalid-http-request":
    "invalid requests are refused: forwarding them is dangerous",
  "option h1-case-adjust-bogus-client": "header names go as they came",
  "option h1-case-adjust-bogus-server": "header names go as they came",
  "option http-buffer-request": "bodies are streamed; see limits.body",
  "option http-no-delay": "it has no counterpart",
  "option http-pretend-keepalive": "answers are framed as HTTP says",
  "option http-use-proxy-header": "it has no counterpart",
  "option http_proxy": "Nines is no forward proxy",
  "option independent-streams": "silence is counted in each direction",
  "option nolinger": "it has no counterpart",
  "option originalto": "the address that the client connected to is not told",
  "option persist": "a down server gets nothing",
  "option prefer-last-server": "see sticky",
  "option spop-check": "it is for agents of HAProxy",
  "option transparent": "Nines needs addresses of servers",
  "external-check": "write a check with script, and name it in the pool",
  "option external-check": "write a check with script, and name it in the pool",
  "option ldap-check": "Nines has no such check",
  "rate-limit sessions": "see rate_limit of a route",
  reqdel: EXPRESSION,
  reqdeny: OPEN,
  reqidel: EXPRESSION,
  reqideny: OPEN,
  reqirep: EXPRESSION,
  reqitarpit: OPEN,
  reqrep: EXPRESSION,
  reqtarpit: OPEN,
  rspdel: EXPRESSION,
  rspdeny: OPEN,
  rspidel: EXPRESSION,
  rspideny: OPEN,
  rspirep: EXPRESSION,
  rsprep: EXPRESSION,
  source: "connections to servers leave from the system's address",
  "ssl-default-bind-ciphers": "TLS has the runtime's ciphers",
  "ssl-default-bind-ciphersuites": "TLS has the runtime's ciphers",
  "ssl-default-bind-curves": "TLS has the runtime's curves",
  "ssl-default-server-ciphers": "TLS has the runtime's ciphers",
  "ssl-default-server-ciphersuites": "TLS has the runtime's ciphers",
  "ssl-default-server-options": "TLS has the runtime's versions",
  "stick match": "a client is known by one key, looked up and stored",
  "stick store-request": "a client is known by one key, looked up and stored",
  "stick store-response": "answers are not looked at: see sticky.cookie",
  "tcp-check": "a check that speaks a protocol: see checks",
  "unique-id-format": "request ids are random",
  "use-server": "servers are chosen by the pool; make a pool and a route of it",
};

export const NO_COUNTERPART = "it has no counterpart";

interface Fate {
  readonly severity: "lost" | "unneeded";
  readonly why: string;
}

export function fateOf(words: readonly string[]): Fate {
  if (words.join(" ") === "option forwardfor") {
    return { severity: "unneeded", why: "the frontend says who the client is: see forwarded" };
  }
  const start = words[0] === "no" ? words.slice(1) : words;
  for (const text of [start.slice(0, 2).join(" "), start[0] ?? "", start[0]?.slice(0, 5) ?? ""]) {
    if (Object.hasOwn(UNNEEDED, text)) return { severity: "unneeded", why: UNNEEDED[text]! };
    if (Object.hasOwn(LOST, text)) return { severity: "lost", why: LOST[text]! };
  }
  return { severity: "lost", why: NO_COUNTERPART };
}
