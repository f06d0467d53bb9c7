/** Who the client is, told to the server: X-Forwarded-* and Forwarded (RFC 7239). */

import { formatIp } from "../../lib/ip-address.ts";
import { latin1Bytes } from "../../lib/text-bytes.ts";
import type { FieldBlock } from "../http/field-block.ts";
import { fieldNumber, FIELDS, type FieldName } from "../http/field-names.ts";
import type { HeadWriter } from "../http/head-writer.ts";
import { AddressSet, plainBytes } from "./address-set.ts";
import type { HeadEdits } from "./head-edits.ts";
import type { RequestFacts } from "./request-facts.ts";

export type ForwardedKind = "x-forwarded" | "forwarded" | "both" | "off";

const FOR = latin1Bytes("x-forwarded-for: ");
const HTTP = latin1Bytes("x-forwarded-proto: http\r\n");
const HTTPS = latin1Bytes("x-forwarded-proto: https\r\n");
const HOST = latin1Bytes("x-forwarded-host: ");
const PORT = latin1Bytes("x-forwarded-port: ");

const X_FIELDS = [
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
] as const;

export class ForwardingFields {
  readonly #kind: ForwardedKind;
  readonly #trusted: AddressSet;
  /** Field numbers that are written anew and so not copied; see `HeadWriter.fields`. */
  readonly without: Uint8Array = new Uint8Array(FIELDS.length + 1);

  constructor(kind: ForwardedKind, trustedProxies: readonly string[]) {
    this.#kind = kind;
    this.#trusted = new AddressSet(trustedProxies);
    // A client's own words about itself are dropped even when nothing is written instead.
    for (const name of [...X_FIELDS, "forwarded" as const]) this.without[fieldNumber(name)] = 1;
  }

  /**
   * The client itself: the sender, or behind trusted proxies the last address that is not one. Where
   * they name nobody, or what is no address, it is the farthest of them.
   */
  clientOf({ head, sender }: RequestFacts): string {
    let client = sender;
    if (!this.#trusted.has(client)) return client;
    const chain = head.joined("x-forwarded-for", ",") ?? "";
    for (const hop of chain.split(",").reverse()) {
      if (hop.trim() === "") continue;
      const address = addressIn(hop);
      if (address === undefined) return client;
      client = address;
      if (!this.#trusted.has(client)) return client;
    }
    return client;
  }

  /** One connection of it carries many people. */
  isProxy(sender: string): boolean {
    return this.#trusted.has(sender);
  }

  /** What a route edits itself is left to it. */
  write(writer: HeadWriter, facts: RequestFacts, edits?: HeadEdits): void {
    const { head, sender, scheme } = facts;
    const isTrusted = this.#trusted.has(sender);
    if (this.#kind === "x-forwarded" || this.#kind === "both") {
      if (isTrusted || edits?.touchesForwarding === true) extend(writer, facts, isTrusted, edits);
      else {
        writeOwn(writer, facts);
      }
    }
    if (
      (this.#kind === "forwarded" || this.#kind === "both") &&
      edits?.drops("forwarded") !== true
    ) {
      const node = sender.includes(":") ? `"[${sender}]"` : sender || "unknown";
      const host = head.hostText();
      const own = `for=${node};proto=${scheme}${host === "" ? "" : `;host="${host}"`}`;
      const before = isTrusted ? head.joined("forwarded", ", ") : undefined;
      writer.field("forwarded", before === undefined ? own : `${before}, ${own}`);
    }
  }
}

/** What a trusted proxy has said stays, and its address is added; what a route edits is left to it. */
function extend(
  writer: HeadWriter,
  facts: RequestFacts,
  isTrusted: boolean,
  edits: HeadEdits | undefined,
): void {
  const { head, sender, scheme, localPort } = facts;
  const put = (name: FieldName, value: string): void => {
    if (edits?.drops(name) !== true) writer.field(name, value);
  };
  const told = (name: FieldName): string | undefined =>
    isTrusted ? lastOf(head, name) : undefined;
  const before = isTrusted ? head.joined("x-forwarded-for", ", ") : undefined;
  if (sender !== "") put("x-forwarded-for", before === undefined ? sender : `${before}, ${sender}`);
  put("x-forwarded-proto", told("x-forwarded-proto") ?? scheme);
  const host = told("x-forwarded-host") ?? head.hostText();
  if (host !== "") put("x-forwarded-host", host);
  const port = told("x-forwarded-port") ?? portText(localPort);
  if (port !== "") put("x-forwarded-port", port);
}

/** Nobody has said anything before that counts. */
function writeOwn(writer: HeadWriter, { head, sender, scheme, localPort }: RequestFacts): void {
  if (sender !== "") {
    writer.octets(FOR);
    writer.text(sender);
    writer.lineEnd();
  }
  writer.octets(scheme === "https" ? HTTPS : HTTP);
  // HTTP/1.0 may have none.
  if (head.hostTo > head.hostFrom) writer.fieldOf(HOST, head.bytes, head.hostFrom, head.hostTo);
  if (localPort === 0) return;
  writer.octets(PORT);
  writer.number(localPort);
  writer.lineEnd();
}

/** A Unix socket has none. */
function portText(localPort: number): string {
  return localPort === 0 ? "" : String(localPort);
}

/** Of several the last was written by the proxy that we trust. */
function lastOf(head: FieldBlock, name: FieldName): string | undefined {
  return head.joined(name, ",")?.split(",").at(-1)?.trim();
}

/** `192.0.2.1`, `2001:db8::1`, and as some proxies write it: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function addressIn(hop: string): string | undefined {
  const text = hop.trim();
  const inBrackets = /^\[(.*)\](?::\d+)?$/.exec(text)?.[1];
  const bytes = plainBytes(inBrackets ?? text.replace(/^([^:]*):\d+$/, "$1"));
  return bytes === undefined ? undefined : formatIp(bytes);
}
