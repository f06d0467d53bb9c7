/** Writes numbered values while a drill runs, and asks afterwards for each that was acknowledged. */

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { WriteProbe } from "../drivers/drill-site.ts";

const WRITE_EVERY_MS = 50;
const PATIENCE_MS = 2000;
const MAX_WRITES = 100_000;
const READ_ATTEMPTS = 3;

/** PUT and GET below `base`: `BASE/drill-RUN-NUMBER` with that name as its body. */
export function startWrites(base: string): WriteProbe {
  const run = randomBytes(4).toString("hex");
  const acknowledged: string[] = [];
  const stopping = new AbortController();
  const urlOf = (key: string): string => `${base.replace(/\/$/, "")}/${key}`;
  const write = async (key: string): Promise<void> => {
    const answer = await ask(urlOf(key), { method: "PUT", body: key });
    if (answer?.ok === true) acknowledged.push(key);
  };
  const writing = (async () => {
    for (let i = 0; !stopping.signal.aborted && i < MAX_WRITES; i++) {
      await Promise.all([write(`drill-${run}-${i}`), sleep(WRITE_EVERY_MS)]);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await writing;
      let lost = 0;
      for (const key of acknowledged) if (!(await isThere(urlOf(key), key))) lost++;
      return { acknowledged: acknowledged.length, lost };
    },
  };
}

async function isThere(url: string, key: string): Promise<boolean> {
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
    const answer = await ask(url, { method: "GET" });
    if (answer?.ok === true) return (await answer.text()).trim() === key;
    if (answer?.status === 404) return false;
    await sleep(WRITE_EVERY_MS);
  }
  return false;
}

function ask(url: string, init: RequestInit): Promise<Response | undefined> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return fetch(url, { ...init, signal }).catch(() => undefined);
}
