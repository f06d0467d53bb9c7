/**
 * `http-mirror.ts NAME PORT …`: web servers that answer with the request they got, or send the client
 * to the path in its X-Redirect, at the name by which they were asked.
 */

import { createServer } from "node:http";

const words = process.argv.slice(2);
let left = words.length / 2;
for (let i = 0; i < words.length; i += 2) {
  const [name, port] = [words[i]!, Number(words[i + 1])];
  const server = createServer((request, response) => {
    request.resume();
    const { method, url, headers } = request;
    const path = headers["x-redirect"];
    const place = typeof path === "string" ? { location: `http://${headers.host}${path}` } : {};
    const known = { "content-type": "application/json", "x-server": name };
    response.writeHead("location" in place ? 302 : 200, { ...known, ...place });
    response.end(JSON.stringify({ name, method, url, headers }));
  });
  server.listen(port, "127.0.0.1", () => {
    if (--left === 0) process.stdout.write("listening\n");
  });
}
