/** A server that thinks: `http-slow.ts PORT MS`. */

import { createServer } from "node:http";

const [port, thinksMs] = process.argv.slice(2).map(Number);

createServer((_request, response) => {
  setTimeout(() => response.end("thought\n"), thinksMs);
}).listen(port);
