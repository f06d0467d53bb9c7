/** What this node's console knows of the group, asked over its unix socket: nobody must answer. */

import { request } from "node:http";
import { join } from "node:path";

const WITHIN_MS = 1500;
const MAX_BYTES = 8 << 20;

export interface ConsoleFacts {
  /** Instance -> nodes that are ready to take it over. */
  readonly standbys: Readonly<Record<string, readonly string[]>>;
  readonly openIncidents: readonly string[];
}

interface OverviewLike {
  readonly holders?: readonly { readonly instance: string; readonly standbys: readonly string[] }[];
  readonly incidents?: readonly {
    readonly id: string;
    readonly repairedMs?: number;
    readonly closedMs?: number;
    readonly drill?: string;
  }[];
}

/** Nothing is known where no console answers. */
export async function consoleFacts(runDirectory: string): Promise<ConsoleFacts> {
  const overview = await ask(join(runDirectory, "console.sock")).catch((): OverviewLike => ({}));
  const { holders = [], incidents = [] } = overview;
  return {
    standbys: Object.fromEntries(holders.map(({ instance, standbys }) => [instance, standbys])),
    openIncidents: incidents.filter(isInTheWay).map(({ id }) => id),
  };
}

/** What an earlier drill broke is no trouble any more when it is mended: nobody waits for its end. */
function isInTheWay(one: NonNullable<OverviewLike["incidents"]>[number]): boolean {
  const isMended = one.drill !== undefined && one.repairedMs !== undefined;
  return one.closedMs === undefined && !isMended;
}

function ask(socketPath: string): Promise<OverviewLike> {
  return new Promise((resolve, reject) => {
    const headers = { host: "localhost" };
    const options = { socketPath, path: "/api/v1/overview", headers, timeout: WITHIN_MS };
    const call = request({ ...options, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (text.length > MAX_BYTES) call.destroy(new Error("too long"));
      });
      answer.once("end", () => {
        try {
          resolve(answer.statusCode === 200 ? (JSON.parse(text) as OverviewLike) : {});
        } catch (error) {
          reject(error);
        }
      });
    });
    call.once("timeout", () => call.destroy(new Error("no answer")));
    call.once("error", reject);
    call.end();
  });
}
