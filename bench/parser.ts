/** `npm run bench -- parser`: what it costs to understand a head, and to write it anew. */

import { parseArgs } from "node:util";
import { HeadWriter } from "../src/core/http/head-writer.ts";
import { RequestHead } from "../src/core/http/request-head.ts";
import { ResponseHead } from "../src/core/http/response-head.ts";
import { formatTable } from "../src/lib/table.ts";
import { assert } from "../src/lib/assert.ts";

const LIMITS = { bytes: 16_384, fields: 100 };
const ROUNDS = 5;
const TIMES = 200_000;

/** As browsers send it. */
const REQUEST = [
  "GET /shop/articles/4711?color=blue&size=42 HTTP/1.1",
  "Host: www.example.com",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "Accept-Language: en-US,en;q=0.5",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Referer: https://www.example.com/shop/articles",
  "Connection: keep-alive",
  "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
  "Sec-Fetch-Dest: document",
  "Sec-Fetch-Mode: navigate",
  "",
  "",
].join("\r\n");

const ANSWER = [
  "HTTP/1.1 200 OK",
  "Server: nginx",
  "Date: Sat, 01 Jan 2028 00:00:00 GMT",
  "Content-Type: text/html; charset=utf-8",
  "Content-Length: 1024",
  "Connection: keep-alive",
  "Vary: Accept-Encoding",
  'ETag: "5f3a-1c2b3d4e5f"',
  "Cache-Control: private, max-age=0, must-revalidate",
  "Strict-Transport-Security: max-age=31536000; includeSubDomains",
  "X-Content-Type-Options: nosniff",
  "X-Frame-Options: DENY",
  "Referrer-Policy: strict-origin-when-cross-origin",
  "Set-Cookie: session=0123456789abcdef0123456789abcdef; Path=/; HttpOnly; Secure",
  "",
  "",
].join("\r\n");

export function parserBench(args: string[]): Promise<void> {
  parseArgs({ args, options: {} });
  const request = Buffer.from(REQUEST);
  const answer = Buffer.from(ANSWER);
  const head = new RequestHead();
  const response = new ResponseHead();
  const writer = new HeadWriter();
  const out = new Uint8Array(4096);
  const parse = (): void => {
    head.clear();
    assert(head.parse(request, 0, request.length, LIMITS) === request.length, "a good head");
  };
  const rows = [
    row("request head, parse and judge", request.length, parse),
    row("request head, parse, judge and write anew", request.length, () => {
      parse();
      writer.begin(out, 0);
      writer.requestLine(head);
      writer.fields(head);
      writer.end();
    }),
    row("request head in two pieces", request.length, () => {
      head.clear();
      assert(head.parse(request, 0, 300, LIMITS) === 0, "half a head");
      assert(head.parse(request, 0, request.length, LIMITS) === request.length, "a good head");
    }),
    row("answer's head, parse and frame", answer.length, () => {
      response.clear();
      assert(response.parse(answer, 0, answer.length, LIMITS) === answer.length, "a good head");
      response.frame(false);
    }),
  ];
  console.log(formatTable(["what", "bytes", "ns a head", "MB/s"], rows).join("\n"));
  return Promise.resolve();
}

/** The best of some rounds: what it costs when nothing else disturbs. */
function row(what: string, bytes: number, once: () => void): string[] {
  let bestNs = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < TIMES; i++) once();
    bestNs = Math.min(bestNs, Number(process.hrtime.bigint() - start) / TIMES);
  }
  return [what, String(bytes), bestNs.toFixed(0), ((bytes / bestNs) * 1000).toFixed(0)];
}
