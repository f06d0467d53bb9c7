/** Two settings compared leaf by leaf, named and written as in nines.yaml. */

import { sameValue } from "../../../core/vrrp/reload.ts";
import type { Bind } from "../../../core/proxy/frontend-settings.ts";
import { durationText, endpointText, sizeText } from "../schema/kinds.ts";

export interface FieldChange {
  /** `timeouts.connect`. */
  readonly path: string;
  /** First step of the path as the settings name it: `timeouts`. */
  readonly root: string;
  /** `timeouts.connect 3s -> 5s`. */
  readonly text: string;
}

/** Names that are other words in nines.yaml. */
const WORDS: Readonly<Record<string, string>> = {
  accessLog: "access_log",
  acceptProxyFrom: "accept_proxy",
  algorithm: "balance",
  binds: "listen",
  defaultPool: "pool",
  requestIdHeader: "request_id",
  stickiness: "sticky",
  startPercent: "start",
  hosts: "host",
  paths: "path",
  methods: "method",
  networkNamespace: "net_namespace",
  sources: "source",
  hasCertificate: "client_certificate",
};

/** Said without their values. */
const SECRETS: ReadonlySet<string> = new Set(["secret", "password", "keyPassword", "keys"]);

/** `skip`: first steps that are told in another way. */
export function changedFields(
  before: object,
  after: object,
  skip: readonly string[] = [],
): FieldChange[] {
  const roots = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return roots
    .filter((root) => !skip.includes(root))
    .flatMap((root) => {
      const [old, now] = [value(before, root), value(after, root)];
      return leaves(root, old, now).map(({ path, text }) => ({ path, root, text }));
    });
}

function value(of: object, key: string): unknown {
  return (of as Readonly<Record<string, unknown>>)[key];
}

function leaves(key: string, before: unknown, after: unknown, within = ""): Leaf[] {
  if (sameValue(before, after)) return [];
  const path = `${within}${yamlName(key)}`;
  if (isMap(before) && isMap(after) && value(before, "kind") === value(after, "kind")) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((k) => leaves(k, value(before, k), value(after, k), `${path}.`));
  }
  if (SECRETS.has(key)) return [{ path, text: `${path} changed` }];
  const [old, now] = [shown(key, before), shown(key, after)];
  // What is not shown of them differs.
  return [{ path, text: old === now ? `${path} changed in detail` : `${path} ${old} -> ${now}` }];
}

interface Leaf {
  readonly path: string;
  readonly text: string;
}

function isMap(data: unknown): data is object {
  return typeof data === "object" && data !== null && !Array.isArray(data) && !isBytes(data);
}

function isBytes(data: unknown): boolean {
  return data instanceof Uint8Array;
}

/** `keepAliveMs` is `keep_alive`, `headBytes` is `head`. */
function yamlName(key: string): string {
  const known = WORDS[key];
  if (known !== undefined) return known;
  const plain = key.replace(/(?<=[a-z])(Ms|Bytes|Percent)$/u, "");
  return plain.replace(/[A-Z]/gu, (c) => `_${c.toLowerCase()}`);
}

function shown(key: string, data: unknown): string {
  if (data === undefined) return "none";
  if (typeof data === "number") {
    if (key.endsWith("Ms")) return durationText(data);
    return key.endsWith("Bytes") ? sizeText(data) : `${data}`;
  }
  if (typeof data === "string") return data === "" ? '""' : data;
  if (typeof data !== "object" || data === null) return JSON.stringify(data);
  if (Array.isArray(data)) return `[${data.map((one) => shown(key, one)).join(", ")}]`;
  if (isBytes(data)) return "…";
  const [kind, address, length] = [
    value(data, "kind"),
    value(data, "address"),
    value(data, "prefixLength"),
  ];
  if (kind === "ip" && typeof value(data, "port") === "number") return endpointText(data as Bind);
  if (typeof kind === "string") return kind;
  // Virtual addresses, with their dozen options, go by what people call them.
  if (typeof address === "string" && typeof length === "number") return `${address}/${length}`;
  const entries = Object.entries(data).map(([k, v]) => {
    return `${yamlName(k)}: ${SECRETS.has(k) ? "…" : shown(k, v)}`;
  });
  return `{${entries.join(", ")}}`;
}
