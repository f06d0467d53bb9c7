/** Asks this node's console over its unix socket, as the page does over TCP. */

import { request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { userInfo } from "node:os";
import type { Problem } from "../console/api.ts";
import { ControlFailure } from "../daemon/control-client.ts";

const WITHIN_MS = 30_000;

export class ConsoleClient {
  readonly #socketPath: string;

  constructor(runDirectory: string) {
    this.#socketPath = join(runDirectory, "console.sock");
  }

  get<T>(path: string): Promise<T> {
    return this.#ask<T>("GET", path);
  }

  /** Whoever runs this is named with it. */
  post<T>(path: string, body: Readonly<Record<string, unknown>>): Promise<T> {
    return this.#ask<T>("POST", path, JSON.stringify({ ...body, who: userName() }));
  }

  async #ask<T>(method: string, path: string, body?: string): Promise<T> {
    const response = await this.#open(method, path, body);
    response.setEncoding("utf8");
    let text = "";
    try {
      for await (const chunk of response) text += chunk as string;
    } catch (error) {
      // It ended in the middle of its answer.
      throw new ControlFailure(`the console at ${this.#socketPath}: ${(error as Error).message}`);
    }
    const { statusCode = 0 } = response;
    if (statusCode < 300) return JSON.parse(text) as T;
    throw new ControlFailure(detailOf(text) ?? `the console answers ${statusCode}`);
  }

  #open(method: string, path: string, body: string | undefined): Promise<IncomingMessage> {
    const headers = { host: "localhost", "content-type": "application/json" };
    const options = { socketPath: this.#socketPath, method, path, headers, timeout: WITHIN_MS };
    return new Promise((resolve, reject) => {
      const sent = request(options, resolve);
      sent.once("error", (error: NodeJS.ErrnoException) => {
        const why = error.code === "ENOENT" || error.code === "ECONNREFUSED";
        const reason = why
          ? `no console listens at ${this.#socketPath}: is nines running, with its console on?`
          : `the console at ${this.#socketPath}: ${error.message}`;
        reject(new ControlFailure(reason));
      });
      sent.once("timeout", () => sent.destroy(new Error("no answer")));
      sent.end(body);
    });
  }
}

function detailOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as Partial<Problem>).detail;
  } catch {
    return undefined;
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "?"}`;
  }
}
