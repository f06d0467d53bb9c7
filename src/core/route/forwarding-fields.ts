/** Who the client is, told to the server: X-Forwarded-* and Forwarded (RFC 7239). */

import { latin1Bytes } from "../../lib/text-bytes.ts";
import type { FieldBlock } from "../http/field-block.ts";
import { fieldNumber, FIELDS, type FieldName } from "../http/field-names.ts";
import type { HeadWriter } from "../http/head-writer.ts";
import { AddressSet } from "./address-set.ts";
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

  /** The client itself: the sender, or behind trusted proxies the last address that is not one. */
  clientOf(facts: RequestFacts): string {
    if (!this.#trusted.has(facts.source)) return facts.source;
    const chain = (valuesOf(facts.head, "x-forwarded-for") ?? "").split(",");
    for (const hop of chain.reverse()) {
      const address = hop.trim();
      if (address !== "" && !this.#trusted.has(address)) return address;
    }
    return facts.source;
  }

  /** What a route edits itself is left to it. */
  write(writer: HeadWriter, facts: RequestFacts, edits?: HeadEdits): void {
    const { head, source, scheme } = facts;
    const isTrusted = this.#trusted.has(source);
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
      const node = source.includes(":") ? `"[${source}]"` : source || "unknown";
      const own = `for=${node};proto=${scheme};host="${head.hostText()}"`;
      const before = isTrusted ? valuesOf(head, "forwarded") : undefined;
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
  const { head, source, scheme, localPort } = facts;
  const put = (name: FieldName, value: string): void => {
    if (edits?.drops(name) !== true) writer.field(name, value);
  };
  const told = (name: FieldName): string | undefined =>
    isTrusted ? lastOf(head, name) : undefined;
  const before = isTrusted ? valuesOf(head, "x-forwarded-for") : undefined;
  if (source !== "") put("x-forwarded-for", before === undefined ? source : `${before}, ${source}`);
  put("x-forwarded-proto", told("x-forwarded-proto") ?? scheme);
  put("x-forwarded-host", told("x-forwarded-host") ?? head.hostText());
  put("x-forwarded-port", told("x-forwarded-port") ?? String(localPort));
}

/** Nobody has said anything before that counts. */
function writeOwn(writer: HeadWriter, { head, source, scheme, localPort }: RequestFacts): void {
  if (source !== "") {
    writer.octets(FOR);
    writer.text(source);
    writer.lineEnd();
  }
  writer.octets(scheme === "https" ? HTTPS : HTTP);
  writer.fieldOf(HOST, head.bytes, head.hostFrom, head.hostTo);
  writer.octets(PORT);
  writer.number(localPort);
  writer.lineEnd();
}

/** Of several the last was written by the proxy that we trust. */
function lastOf(head: FieldBlock, name: FieldName): string | undefined {
  return valuesOf(head, name)?.split(",").at(-1)?.trim();
}

/**
 * All fields of that name as one list (RFC 9110 5.3): proxies that add a field of their own leave
 * what the client claimed in front of it. Undefined = absent.
 */
function valuesOf(head: FieldBlock, name: FieldName): string | undefined {
  const number = fieldNumber(name);
  if (!head.has(number)) return undefined;
  const values = [];
  for (let i = head.indexOf(number); i < head.count; i++) {
    if (head.numbers[i] === number) values.push(head.valueText(i));
  }
  return values.join(", ");
}
