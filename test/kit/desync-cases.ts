/** Classified requests of test/cases/http-desync.json. */

import { readFileSync } from "node:fs";

export interface DesyncCase {
  readonly name: string;
  readonly method: string;
  readonly uri: string;
  readonly version: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[] | null;
  readonly expected: { readonly tier: string; readonly reason?: string };
}

export function desyncCases(): readonly DesyncCase[] {
  const file = new URL("../cases/http-desync.json", import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as readonly DesyncCase[];
}

/** The head on the wire. */
export function bytesOf({ method, uri, version, headers }: DesyncCase): Uint8Array {
  const fields = (headers ?? []).map(({ name, value }) => `${name}: ${value}\r\n`);
  // The cases are about other fields and often leave out the Host that HTTP/1.1 wants.
  if (!fields.some((line) => /^host:/i.test(line))) fields.unshift("Host: example.com\r\n");
  const text = `${method} ${uri} ${version}\r\n${fields.join("")}\r\n`;
  const isWide = Array.from(text).some((c) => c.codePointAt(0)! > 255);
  return Buffer.from(text, isWide ? "utf8" : "latin1");
}
