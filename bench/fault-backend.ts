/**
 * A program of its own: a web server on port 80 that is what its standard input says: `well`,
 * `refusing` (503 to everything) or `slow` (answers after 1.5 s).
 */

import { createServer } from "node:http";

const SLOW_MS = 1500;
const BODY = "a page\n".repeat(100);

let mood = "well";
process.stdin.setEncoding("utf8").on("data", (text: string) => {
  mood = text.trim();
});

const server = createServer((_, answer) => {
  const say = (): void => {
    answer.writeHead(mood === "refusing" ? 503 : 200, { "content-length": BODY.length });
    answer.end(BODY);
  };
  if (mood === "slow") setTimeout(say, SLOW_MS);
  else say();
});
server.keepAliveTimeout = 75_000;
server.listen({ port: 80, backlog: 1024 });
