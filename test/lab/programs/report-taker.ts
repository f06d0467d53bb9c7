/** A program of its own: `report-taker.ts PORT`. Takes reports of probers and prints them, one a line. */

import { createServer } from "node:http";

const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (part: string) => (body += part));
  request.on("end", () => {
    const { authorization: token = "" } = request.headers;
    const isReport = request.method === "POST" && request.url === "/api/v1/probe-report";
    if (isReport) {
      process.stdout.write(`${JSON.stringify({ report: JSON.parse(body) as unknown, token })}\n`);
    }
    response.statusCode = isReport ? 200 : 404;
    response.end("{}");
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => process.stderr.write("listening\n"));
