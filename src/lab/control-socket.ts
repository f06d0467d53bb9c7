/** Asks the control process of a node over its socket, from outside of its host. */
import { request } from "node:http";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}

/** Rejects when there is no answer within `withinMs`, or when it is not the good one. */
export function askControl(
  socketPath: string,
  { method, path, body }: Asked,
  withinMs = 5000,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const options = { socketPath, method, path, agent: false as const, timeout: withinMs };
    const call = request(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      answer.on("end", () => {
        if (answer.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text.trim()}`));
      });
    });
    call.on("timeout", () => call.destroy(new Error(`${method} ${path}: no answer`)));
    call.on("error", reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
