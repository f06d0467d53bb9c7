/** Clients that connect, send half a request, and then a byte now and then: for ever. */

import { createConnection } from "node:net";

const DRIBBLE_EVERY_MS = 1000;
/** So many begin at once: a flood, but not one that only our own queue feels. */
const BATCH = 50;
const BATCH_EVERY_MS = 20;

export interface Flood {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
}

/** Resolves when all have begun; who is thrown out does not come again. */
export async function flood({ host, port, connections }: Flood): Promise<void> {
  for (let begun = 0; begun < connections; begun++) {
    dribble(host, port);
    if (begun % BATCH === BATCH - 1) {
      await new Promise((resolve) => setTimeout(resolve, BATCH_EVERY_MS));
    }
  }
}

function dribble(host: string, port: number): void {
  const socket = createConnection({ host, port }, () => {
    socket.write(`GET /drill HTTP/1.1\r\nHost: ${host}\r\nX-Drill: `);
  });
  const timer = setInterval(() => socket.write("x"), DRIBBLE_EVERY_MS);
  socket.on("error", () => socket.destroy()).resume();
  socket.once("close", () => clearInterval(timer));
}
