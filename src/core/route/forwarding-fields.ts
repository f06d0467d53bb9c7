/** Who the client is, told to the server: X-Forwarded-* and Forwarded (RFC 7239). */

import type { FieldBlock } from "../http/field-block.ts";
import { fieldNumber, FIELDS, type FieldName } from "../http/field-names.ts";
import type { HeadWriter } from "../http/head-writer.ts";
import { AddressSet } from "./address-set.ts";
import type { HeadEdits } from "./head-edits.ts";
import type { RequestFacts } from "./request-facts.ts";

export type ForwardedKind = "x-forwarded" | "forwarded" | "both" | "off";

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
    const isFree = (name: FieldName): boolean => edits === undefined || !edits.drops(name);
    const isTrusted = this.#trusted.has(source);
    if (this.#kind === "x-forwarded" || this.#kind === "both") {
      // Of several the last was written by the proxy that we trust.
      const told = (name: (typeof X_FIELDS)[number]): string | undefined =>
        isTrusted ? valuesOf(head, name)?.split(",").at(-1)?.trim() : undefined;
      const before = isTrusted ? valuesOf(head, "x-forwarded-for") : undefined;
      if (source !== "" && isFree("x-forwarded-for")) {
        const chain = before === undefined ? source : `${before}, ${source}`;
        writer.field("x-forwarded-for", chain);
      }
      if (isFree("x-forwarded-proto")) {
        writer.field("x-forwarded-proto", told("x-forwarded-proto") ?? scheme);
      }
      if (isFree("x-forwarded-host")) {
        const host = told("x-forwarded-host");
        writer.text("x-forwarded-host: ");
        if (host !== undefined) writer.text(host);
        else writer.span(head.bytes, head.hostFrom, head.hostTo);
        writer.text("\r\n");
      }
      if (isFree("x-forwarded-port")) {
        writer.field("x-forwarded-port", told("x-forwarded-port") ?? String(facts.localPort));
      }
    }
    if ((this.#kind === "forwarded" || this.#kind === "both") && isFree("forwarded")) {
      const node = source.includes(":") ? `"[${source}]"` : source || "unknown";
      const own = `for=${node};proto=${scheme};host="${head.hostText()}"`;
      const before = isTrusted ? valuesOf(head, "forwarded") : undefined;
      writer.field("forwarded", before === undefined ? own : `${before}, ${own}`);
    }
  }
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
