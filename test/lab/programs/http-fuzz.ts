/**
 * A program of its own: `http-fuzz.ts COUNT SEED OUT PORT…`. Sends COUNT mutated requests over many
 * connections to the ports in turn, and writes one line of JSON for each connection: what it was
 * answered.
 */

import { createWriteStream } from "node:fs";
import { connect } from "node:net";
import { Prng } from "../../../src/lib/prng.ts";
import { HttpMutants } from "../../kit/http-mutants.ts";

const [count = "1000", seed = "1", out = "", ...ports] = process.argv.slice(2);
const AT_ONCE = 32;
/** Without an answer for so long the client ends its half. */
const QUIET_MS = 100;
/** After that the balancer must have ended the connection. */
const STUCK_MS = 8000;

const prng = new Prng(Number(seed));
const mutants = new HttpMutants(prng);
const log = createWriteStream(out);
let sent = 0;
let serial = 0;

/** What a connection was answered, in order. */
interface Heard {
  readonly serial: number;
  readonly from: number;
  /** Ids that servers say they have seen. */
  readonly seen: readonly string[];
  readonly statuses: readonly number[];
  readonly isStuck: boolean;
}

function play(port: number): Promise<Heard> {
  const own = serial++;
  const { text, mutated } = mutants.batch(own);
  sent += mutated;
  const bytes = Buffer.from(text, "latin1");
  const style = prng.between(0, 3);
  const cut = prng.between(0, bytes.length);
  return new Promise((resolve) => {
    let heard = "";
    let from = 0;
    let quiet: NodeJS.Timeout | undefined;
    const socket = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
    const stuck = setTimeout(() => finish(true), STUCK_MS);
    const finish = (isStuck: boolean): void => {
      clearTimeout(stuck);
      clearTimeout(quiet);
      const seen = [...heard.matchAll(/^x-seen: ([0-9a-f]{32})\r$/gim)].map((match) => match[1]!);
      const statuses = [...heard.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
      resolve({ serial: own, from, seen, statuses, isStuck });
      socket.resetAndDestroy();
    };
    const endSoon = (): void => {
      clearTimeout(quiet);
      quiet = setTimeout(() => socket.end(), QUIET_MS);
    };
    socket.once("connect", () => {
      from = socket.localPort ?? 0;
      if (style === 0) socket.end(bytes);
      else if (style === 1) {
        socket.write(bytes.subarray(0, cut));
        setImmediate(() => socket.end(bytes.subarray(cut)));
      } else {
        socket.write(bytes);
        endSoon();
      }
    });
    socket.on("data", (data) => {
      heard += data.toString("latin1");
      if (style > 1) endSoon();
    });
    socket.once("end", () => finish(false));
    socket.once("error", () => finish(false));
  });
}

async function user(): Promise<void> {
  while (sent < Number(count)) {
    const port = Number(ports[serial % ports.length]);
    log.write(`${JSON.stringify(await play(port))}\n`);
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, () => user()));
await new Promise<void>((resolve) => log.end(resolve));
process.stdout.write(`${JSON.stringify({ sent, connections: serial })}\n`);
