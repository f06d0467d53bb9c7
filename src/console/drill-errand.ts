/** Asks another node of the group for a drill, and stays on the line while it lasts. */

import { request } from "node:https";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { gunzipSync } from "node:zlib";
import { BEAT_EVERY_MS, MAX_LINE, type Errand, type ErrandWord } from "../core/drill/errand.ts";
import type { ServiceFacts } from "../daemon/control-api.ts";
import type { DrillOutcome } from "./drill-door.ts";
import { readPapers, strangenessOf, type Papers } from "./group-files.ts";

const CONNECT_WITHIN_MS = 5000;
const MAX_ANSWER = 4 << 20;
export const DRILL_PROTOCOL = "nines-drill";
export const DRILL_PATH = "/api/v1/node/drill";

export interface Colleague {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly papers: Papers;
}

/** Throws with what is missing. */
export function colleague(name: string, service: ServiceFacts, stateDirectory: string): Colleague {
  const names = service.nodes.map((one) => one.name);
  const node = service.nodes.find((one) => one.name === name);
  if (node === undefined) {
    throw new Error(`there is no node '${name}'; there are: ${names.join(", ") || "none"}`);
  }
  const papers = readPapers(stateDirectory);
  if (papers === undefined) {
    throw new Error(
      "this node is in no group: nines cert init, then request, invite and join for each other node",
    );
  }
  return { name, address: node.address, port: service.console.groupPort, papers };
}

/**
 * `ended`: the last word was heard; `cut`: the line broke before. Rejects when there was no line. After
 * `signal` the other side is asked to stop, and its verdict is waited for.
 */
export async function runErrand(
  to: Colleague,
  errand: Errand,
  { heard, signal }: { heard: (word: ErrandWord) => void; signal?: AbortSignal },
): Promise<"ended" | "cut"> {
  const socket = await connect(to);
  const write = (word: object): void => void socket.write(`${JSON.stringify(word)}\n`);
  const beat = setInterval(() => write({ beat: true }), BEAT_EVERY_MS);
  const stop = (): void => write({ stop: true });
  signal?.addEventListener("abort", stop);
  if (signal?.aborted === true) stop();
  try {
    write(errand);
    return await lastWord(socket, heard);
  } finally {
    clearInterval(beat);
    signal?.removeEventListener("abort", stop);
    socket.destroy();
  }
}

/** What became of it, asked anew: after a line that the drill itself has cut. */
export function outcomeOf(to: Colleague, id: string): Promise<DrillOutcome> {
  return new Promise((resolve, reject) => {
    const path = `${DRILL_PATH}?id=${encodeURIComponent(id)}`;
    const asked = request({ ...tlsOf(to), path, timeout: CONNECT_WITHIN_MS }, (response) => {
      void bodyOf(response).then((value) => resolve(value as DrillOutcome), reject);
    });
    asked.on("timeout", () => asked.destroy(new Error("it does not answer")));
    asked.on("error", reject);
    asked.on("close", () => reject(new Error("the line broke")));
    asked.end();
  });
}

async function bodyOf(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const bytes = gunzipSync(Buffer.concat(chunks), { maxOutputLength: MAX_ANSWER });
  const value = JSON.parse(bytes.toString("utf8")) as { readonly error?: string };
  if (response.statusCode !== 200) throw new Error(value.error ?? "it is in trouble");
  return value;
}

function tlsOf({ address: host, port, name, papers }: Colleague) {
  return {
    host,
    port,
    cert: papers.certificate,
    key: papers.key,
    ca: papers.authority,
    minVersion: "TLSv1.3",
    servername: "",
    agent: false,
    checkServerIdentity: (_host: string, peer: { readonly subjectaltname?: string }) =>
      strangenessOf(peer.subjectaltname, { group: papers.group, node: name }),
  } as const;
}

function connect(to: Colleague): Promise<Duplex> {
  const headers = { connection: "Upgrade", upgrade: DRILL_PROTOCOL };
  const asked = request({ ...tlsOf(to), path: DRILL_PATH, headers });
  const deadline = setTimeout(
    () => asked.destroy(new Error("it does not answer")),
    CONNECT_WITHIN_MS,
  );
  return new Promise<Duplex>((resolve, reject) => {
    asked.on("upgrade", (_response, socket, head) => {
      socket.on("error", () => socket.destroy());
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    asked.on("response", (response) => {
      response.resume();
      reject(new Error("it runs no drills for others: an older version?"));
    });
    asked.on("error", ({ message }) => reject(new Error(`${to.name}: ${message}`)));
    asked.on("close", () => reject(new Error(`${to.name}: the line broke at once`)));
    asked.end();
  }).finally(() => clearTimeout(deadline));
}

function lastWord(socket: Duplex, heard: (word: ErrandWord) => void): Promise<"ended" | "cut"> {
  return new Promise((resolve) => {
    let text = "";
    const take = (line: string): void => {
      const word = JSON.parse(line) as ErrandWord;
      heard(word);
      const { result, refused, planned } = word;
      if ((result ?? refused ?? planned) !== undefined) resolve("ended");
    };
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      const lines = `${text}${chunk}`.split("\n");
      text = lines.pop() ?? "";
      if (text.length > MAX_LINE) return void socket.destroy();
      try {
        for (const line of lines) if (line !== "") take(line);
      } catch {
        socket.destroy();
      }
      return undefined;
    });
    socket.once("close", () => resolve("cut"));
    socket.once("end", () => resolve("cut"));
  });
}
