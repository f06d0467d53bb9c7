/** Words after the address of a `bind` or `server`: `NAME` or `NAME VALUE`. */

/** Options of `server` and `default-server` (section 5.2) and of `bind` (5.1) that take a value. */
const WITH_VALUE: ReadonlySet<string> = new Set([
  "accept-netscaler-cip",
  "addr",
  "agent-addr",
  "agent-inter",
  "agent-port",
  "agent-send",
  "alpn",
  "backlog",
  "ca-file",
  "ca-ignore-err",
  "ca-sign-file",
  "ca-sign-pass",
  "ca-verify-file",
  "check-alpn",
  "check-proto",
  "check-sni",
  "ciphers",
  "ciphersuites",
  "cookie",
  "crl-file",
  "crt",
  "crt-ignore-err",
  "crt-list",
  "curves",
  "downinter",
  "ecdhe",
  "error-limit",
  "fall",
  "fastinter",
  "gid",
  "group",
  "guid",
  "hash-key",
  "id",
  "init-addr",
  "init-state",
  "inter",
  "interface",
  "level",
  "log-proto",
  "maxconn",
  "max-reuse",
  "maxqueue",
  "minconn",
  "mode",
  "name",
  "namespace",
  "nice",
  "npn",
  "observe",
  "on-error",
  "on-marked-down",
  "on-marked-up",
  "pool-low-conn",
  "pool-max-conn",
  "pool-purge-delay",
  "port",
  "process",
  "proto",
  "proxy-v2-options",
  "redir",
  "resolve-net",
  "resolve-opts",
  "resolve-prefer",
  "resolvers",
  "rise",
  "severity-output",
  "shards",
  "slowstart",
  "sni",
  "source",
  "ssl-max-ver",
  "ssl-min-ver",
  "tcp-ut",
  "thread",
  "tls-ticket-keys",
  "track",
  "uid",
  "user",
  "usesrc",
  "verify",
  "verifyhost",
  "weight",
  "ws",
]);

export interface Option {
  readonly name: string;
  /** Empty for flags. */
  readonly value: string;
}

export function optionsOf(words: readonly string[]): Option[] {
  const options: Option[] = [];
  for (let i = 0; i < words.length; i++) {
    const name = words[i]!;
    const value = WITH_VALUE.has(name) ? (words[++i] ?? "") : "";
    options.push({ name, value });
  }
  return options;
}

/** The last of a name counts; `no-x` takes `x` back. */
export class Options {
  readonly #values = new Map<string, string>();

  constructor(options: readonly Option[]) {
    for (const { name, value } of options) {
      if (name.startsWith("no-")) this.#values.delete(name.slice(3));
      else if (name === "enabled") this.#values.delete("disabled");
      else this.#values.set(name, value);
    }
  }

  value(name: string): string | undefined {
    return this.#values.get(name);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }
}
