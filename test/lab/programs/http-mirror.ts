/** `http-mirror.ts NAME PORT …`: web servers that answer with the request they got. */

import { createServer } from "node:http";

const words = process.argv.slice(2);
let left = words.length / 2;
for (let i = 0; i < words.length; i += 2) {
  const [name, port] = [words[i]!, Number(words[i + 1])];
  const server = createServer((request, response) => {
    request.resume();
    const { method, url, headers } = request;
    response.writeHead(200, { "content-type": "application/json", "x-server": name });
    response.end(JSON.stringify({ name, method, url, headers }));
  });
  server.listen(port, "127.0.0.1", () => {
    if (--left === 0) process.stdout.write("listening\n");
  });
}
