/**
 * A program of its own: `web-server.ts NAME PORT`. The smallest web server that tells who it is,
 * for machines without nginx. Listens on every address, present and future.
 */
import { createServer } from "node:http";

const [name, port] = process.argv.slice(2) as [string, string];
const body = `${name}\n`;

const server = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "text/plain", "content-length": body.length });
  response.end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), "::", () => process.stdout.write(`listening on ${port}\n`));
