/** Directives of nginx that have no counterpart, and why. */

const SELF = "it is for what nginx serves itself";
const TUNING = "it tunes nginx's inside";
const STREAMS = "bodies are streamed both ways, with back-pressure";

/** Nothing is missed without them. */
const UNNEEDED: Readonly<Record<string, string>> = {
  aio: SELF,
  auth_basic_user_file: "Nines asks for no passwords",
  autoindex: SELF,
  charset: SELF,
  client_body_buffer_size: STREAMS,
  client_header_buffer_size: "see limits.head",
  daemon: "a service manager runs Nines",
  default_type: SELF,
  directio: SELF,
  error_log: "one log for all: see nines events",
  etag: SELF,
  events: "it tunes nginx's inside",
  ignore_invalid_headers: "invalid headers are refused",
  index: SELF,
  keepalive_disable: "it is for browsers of the past",
  limit_conn_log_level: "one log for all: see nines events",
  limit_conn_zone: "nothing that was carried over counts in it",
  limit_conn_status: "connections above the limit are closed",
  limit_req_zone: "nothing that was carried over counts in it",
  limit_req_log_level: "one log for all: see nines events",
  load_module: "Nines has no modules",
  log_not_found: SELF,
  merge_slashes: "paths are compared in their normal form",
  mime_types: SELF,
  open_file_cache: SELF,
  pcre_jit: TUNING,
  pid: "a service manager runs Nines",
  proxy_buffer_size: STREAMS,
  proxy_half_close: "a connection that one side has ended goes on, whatever was written",
  proxy_buffering: STREAMS,
  proxy_buffers: STREAMS,
  proxy_busy_buffers_size: STREAMS,
  proxy_headers_hash_bucket_size: TUNING,
  proxy_headers_hash_max_size: TUNING,
  proxy_http_version: "servers are always spoken to in HTTP/1.1",
  client_body_temp_path: STREAMS,
  proxy_max_temp_file_size: STREAMS,
  proxy_temp_path: STREAMS,
  proxy_pass_request_headers: "headers are passed",
  proxy_request_buffering: STREAMS,
  proxy_send_timeout: "a server that does not read is found by timeouts.idle",
  proxy_socket_keepalive: "dead peers are found by time-outs",
  proxy_ssl_session_reuse: "sessions are used again",
  real_ip_recursive: "the last address that is no trusted proxy counts",
  reset_timedout_connection: TUNING,
  resolver: "names are resolved by the system",
  resolver_timeout: "names are resolved by the system",
  root: SELF,
  send_timeout: "see timeouts.body",
  sendfile: SELF,
  server_names_hash_bucket_size: TUNING,
  server_names_hash_max_size: TUNING,
  server_tokens: "answers do not name Nines",
  ssl_dhparam: "TLS comes with good parameters",
  ssl_prefer_server_ciphers: "TLS comes with good parameters",
  ssl_session_cache: "sessions are kept by tickets",
  ssl_session_tickets: "sessions are kept by tickets",
  ssl_session_timeout: "sessions are kept by tickets",
  tcp_nodelay: TUNING,
  tcp_nopush: TUNING,
  types: SELF,
  types_hash_bucket_size: TUNING,
  types_hash_max_size: TUNING,
  underscores_in_headers: "such headers are passed as they are",
  use: TUNING,
  user: "Nines gives up its rights itself",
  variables_hash_max_size: TUNING,
  worker_connections: "see limits.connections of a frontend",
  worker_cpu_affinity: TUNING,
  worker_priority: TUNING,
  worker_rlimit_nofile: "files are limited by the system",
  worker_shutdown_timeout: "see drain_deadline of a pool",
  zone: "the state of servers is shared by all workers",
};

/** Something is missed. */
const LOST: Readonly<Record<string, string>> = {
  access_log: "the log is the frontend's: that of its default server counts",
  alias: "Nines serves no files",
  auth_basic: "Nines asks for no passwords",
  expires: "write response_headers: { set: { Cache-Control: … } }",
  geo: "write source in a route",
  gzip: "answers are not compressed: let the servers do it",
  health_check: "write a check and name it in the pool",
  if: "conditions are not looked at here: write a route",
  limit_conn: "it is the frontend's: that of its default server counts",
  limit_req: "only what goes to servers is limited",
  log_format: "lines are combined or JSON",
  mail: "Nines balances HTTP only",
  map: "variables of your own have no counterpart: write routes",
  mirror: "requests are not doubled",
  proxy_bind: "connections to servers leave from the system's address",
  proxy_cookie_domain: "cookies are passed as they are",
  proxy_cookie_flags: "cookies are passed as they are",
  proxy_cookie_path: "cookies are passed as they are",
  proxy_ignore_client_abort: "a request whose client left is not carried on",
  proxy_intercept_errors: "answers of servers are passed as they are",
  proxy_limit_rate: "speed is not limited",
  proxy_method: "methods are passed as they are",
  proxy_next_upstream_timeout: "tries are limited by number: retry.attempts",
  limit_rate: "speed is not limited",
  return: "a return before it answers",
  set: "variables of your own have no counterpart",
  split_clients: "write pools with weights in a route (canary)",
  ssl_ciphers: "TLS has the runtime's ciphers",
  ssl_conf_command: "TLS has the runtime's settings",
  ssl_crl: "revocation lists are not read",
  ssl_ecdh_curve: "TLS has the runtime's curves",
  ssl_reject_handshake: "clients that ask for other names are answered with a certificate and 404",
  ssl_stapling: "OCSP answers are not stapled",
  ssl_stapling_verify: "OCSP answers are not stapled",
  ssl_trusted_certificate: "write client_ca",
  ssl_verify_depth: "chains of certificates are followed to their end",
  sub_filter: "bodies are passed as they are",
  try_files: "Nines serves no files",
};

const PREFIXES: readonly (readonly [start: string, why: string])[] = [
  ["lua_", "Nines runs no Lua"],
  ["gzip_", "answers are not compressed: let the servers do it"],
  ["brotli", "answers are not compressed: let the servers do it"],
  ["proxy_cache", "answers are not cached"],
  ["proxy_temp", "answers are not cached"],
  ["fastcgi_", "Nines speaks HTTP to servers"],
  ["uwsgi_", "Nines speaks HTTP to servers"],
  ["scgi_", "Nines speaks HTTP to servers"],
  ["grpc_", "Nines speaks HTTP to servers"],
  ["open_file_cache_", "files are not served"],
];

/** Off is not what Nines does. */
const ON_HERE: Readonly<Record<string, string>> = {
  ignore_invalid_headers: "requests with invalid headers are refused",
  merge_slashes: "paths are compared in their normal form",
  proxy_pass_request_body: "bodies are passed",
  proxy_pass_request_headers: "headers are passed",
  ssl_session_tickets: "TLS tickets stay on",
};

interface Fate {
  readonly severity: "lost" | "unneeded";
  readonly why: string;
}

export function fateOf(name: string, args: readonly string[]): Fate {
  if (name === "proxy_redirect") {
    if (args[0] === "default") return { severity: "unneeded", why: "it is so without it" };
    const isOff = args[0] === "off";
    const why = "Location headers are passed as the servers write them";
    return { severity: isOff ? "unneeded" : "lost", why };
  }
  if (args.length === 1 && args[0] === "off" && name !== "access_log") {
    if (Object.hasOwn(ON_HERE, name)) return { severity: "lost", why: ON_HERE[name]! };
    return { severity: "unneeded", why: "it is off here, too" };
  }
  if (Object.hasOwn(UNNEEDED, name)) return { severity: "unneeded", why: UNNEEDED[name]! };
  if (/_by_lua(?:_block|_file)?$/u.test(name))
    return { severity: "lost", why: "Nines runs no Lua" };
  const start = PREFIXES.find(([prefix]) => name.startsWith(prefix));
  return { severity: "lost", why: LOST[name] ?? start?.[1] ?? "it has no counterpart" };
}
