/** Words of HAProxy 1 that were taken out later, as those that stand for them. Source: announcement of HAProxy 2.1. */

const TIMEOUTS: Readonly<Record<string, string>> = {
  clitimeout: "client",
  contimeout: "connect",
  srvtimeout: "server",
};

const ADDED: Readonly<Record<string, string>> = {
  reqadd: "http-request",
  rspadd: "http-response",
};

const REMOVED: Readonly<Record<string, string>> = {
  reqdel: "http-request",
  reqidel: "http-request",
  rspdel: "http-response",
  rspidel: "http-response",
};

export function currentWords(words: readonly string[]): readonly string[] {
  const [keyword = "", first = "", ...rest] = words;
  const timeout = TIMEOUTS[keyword];
  if (timeout !== undefined) return ["timeout", timeout, first, ...rest];
  const adds = ADDED[keyword];
  const [, name, value = ""] = /^([\w-]+):\s*(.*)$/su.exec(first) ?? [];
  if (adds !== undefined && name !== undefined) {
    return [adds, "add-header", name, value.replaceAll("%", "%%"), ...rest];
  }
  const removes = REMOVED[keyword];
  // Of whole lines: an expression of the value stays what it is.
  const whole = /^\^([\w-]+):(?:\.\*)?$/u.exec(first)?.[1];
  if (removes !== undefined && whole !== undefined) return [removes, "del-header", whole, ...rest];
  return words;
}
