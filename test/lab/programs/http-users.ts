/**
 * Each of so many users asks once: `http-users.ts ADDRESS PORT USERS`. Prints which server answered whom,
 * a word each, in the order of the users; `-` for a request that failed.
 */

import { Agent, request } from "node:http";

const [host = "", port = "", users = "0"] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 32 });

function ask(user: number): Promise<string> {
  return new Promise((resolve) => {
    const headers = { "x-user": `user${user}` };
    const call = request({ host, port, agent, headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      answer.on("end", () => resolve(text.trim()));
    });
    call.on("error", () => resolve("-"));
    call.end();
  });
}

const answers: string[] = [];
let next = 0;
async function line(): Promise<void> {
  for (let user = next++; user < Number(users); user = next++) answers[user] = await ask(user);
}
await Promise.all(Array.from({ length: 32 }, line));
agent.destroy();
process.stdout.write(answers.join(" "));
