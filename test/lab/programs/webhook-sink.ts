/** Takes what is posted to it: PORT FILE. The first request is told to come again. One JSON line each. */

import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

const [port, file] = process.argv.slice(2);
let requests = 0;
createServer((request, response) => {
  void text(request).then((body) => {
    const status = requests++ === 0 ? 503 : 200;
    const signature = request.headers["nines-signature"];
    appendFileSync(file!, `${JSON.stringify({ status, signature, body })}\n`);
    response.writeHead(status).end();
  });
}).listen(Number(port));
