/**
 * `npm run bench -- engine [--batches 200] [--only lean] [--uncounted]`: what the proxy engine itself costs one request, without
 * kernel, descriptors and event loop. 64 clients ask in turn as wrk does in `bench -- http`, the
 * servers answer as nginx does, 2 bytes or 1 KiB; wires copy what they are given, as the real ones do. In the
 * rows `new` every request comes over a connection of its own.
 *
 * The best batch is the figure: it is the one that nothing else on the machine has disturbed.
 */

import { parseArgs } from "node:util";
import { Engine } from "../src/core/proxy/engine.ts";
import { Traffic } from "../src/core/proxy/traffic.ts";
import type { Peer, ServerPeer, Wire } from "../src/core/proxy/wire.ts";
import { Prng } from "../src/lib/prng.ts";
import { formatTable } from "../src/lib/table.ts";
import { latin1Bytes } from "../src/lib/text-bytes.ts";
import { balanceSettings, edits, type FrontendDraft } from "../test/kit/proxy-settings.ts";
import { HEADERS } from "./http-wrk.ts";
import { namesOf, wholeNumber } from "./options.ts";

const CLIENTS = 64;
/** Of all clients, each asking once. */
const TURNS = 12;
const WARM_UP = 2500;

const HEAD = Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}\r\n`);
const REQUEST = latin1Bytes(`GET /2 HTTP/1.1\r\n${HEAD.join("")}\r\n`);
const LAST_REQUEST = latin1Bytes(`GET /2 HTTP/1.1\r\n${HEAD.join("")}Connection: close\r\n\r\n`);
const SMALL = answerOf("ok", "");
const KIBIBYTE = answerOf(
  "x".repeat(1024),
  'Last-Modified: Sat, 21 Nov 2026 16:34:15 GMT\r\nETag: "6921f0a7-400"\r\nAccept-Ranges: bytes\r\n',
);

function answerOf(body: string, ofFile: string): Uint8Array {
  return latin1Bytes(
    "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Sat, 21 Nov 2026 16:34:15 GMT\r\n" +
      `Content-Type: text/html\r\nContent-Length: ${body.length}\r\nConnection: keep-alive\r\n` +
      `${ofFile}X-Powered-By: bench\r\n\r\n${body}`,
  );
}

/** As the rows of these names in `bench -- http`. */
const DOORS: Readonly<Record<string, FrontendDraft>> = {
  lean: { accessLog: { format: "off", file: "-" } },
  "full features": {
    accessLog: { format: "off", file: "-" },
    forwarded: "x-forwarded",
    requestIdHeader: "x-request-id",
    routes: [
      {
        when: { paths: [{ kind: "prefix", value: "/" }] },
        requestHeaders: edits({ remove: ["dnt"], set: [{ name: "x-bench", value: "yes" }] }),
        responseHeaders: edits({
          remove: ["x-powered-by"],
          set: [{ name: "x-frame-options", value: "DENY" }],
        }),
      },
    ],
  },
};

/** What the engine sends in a turn is gathered there, and overwritten in the next one. */
class Arena {
  readonly bytes = new Uint8Array(512 * 1024);
  at = 0;
}

class CopyingWire implements Wire {
  readonly queued = 0;
  readonly #arena: Arena;
  readonly #sent: () => void;

  constructor(arena: Arena, sent: () => void) {
    this.#arena = arena;
    this.#sent = sent;
  }

  send(bytes: Uint8Array, from: number, to: number): boolean {
    const arena = this.#arena;
    arena.bytes.set(bytes.subarray(from, to), arena.at);
    arena.at += to - from;
    this.#sent();
    return true;
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

class Stage {
  readonly #arena = new Arena();
  readonly #input = new Uint8Array(64 * 1024);
  readonly #engine: Engine;
  readonly #clients: Peer[] = [];
  #connecting: ServerPeer[] = [];
  #asked: Peer[] = [];
  #answered = 0;
  #now = 1;
  readonly #isFresh: boolean;
  readonly #answer: Uint8Array;

  constructor(frontend: FrontendDraft, isFresh: boolean, answer: Uint8Array = SMALL) {
    this.#isFresh = isFresh;
    this.#answer = answer;
    this.#engine = new Engine(this.#now, {
      connector: { connect: (_target, peer) => this.#connect(peer) },
      sinks: { access: () => {}, event: () => {} },
      prng: new Prng(1),
    });
    const algorithm = { kind: "two-choices" } as const;
    const web = { servers: [{}, {}], algorithm, maxIdlePerServer: 256 };
    this.#engine.configure(this.#now, balanceSettings({ frontend, pools: { web } }));
    this.#connectClients();
  }

  #connectClients(): void {
    for (let i = 0; i < CLIENTS; i++) {
      const wire = new CopyingWire(this.#arena, () => this.#answered++);
      const origin = {
        frontend: "www",
        source: "127.0.0.1",
        sourcePort: 1024 + i,
        localAddress: "127.0.0.1",
        localPort: 80,
        http2: false,
      };
      this.#clients.push(this.#engine.accept(this.#now, wire, origin));
    }
  }

  /** Every client asks and is answered. */
  turn(): void {
    const input = this.#input;
    this.#arena.at = this.#answered = 0;
    this.#now += 2;
    const request = this.#isFresh ? LAST_REQUEST : REQUEST;
    input.set(request);
    for (const client of this.#clients) client.received(this.#now, input, 0, request.length);
    for (const peer of this.#connecting.splice(0)) peer.connected(this.#now);
    const asked = this.#asked;
    this.#asked = [];
    this.#now++;
    const answer = this.#answer;
    input.set(answer);
    for (const server of asked) server.received(this.#now, input, 0, answer.length);
    // A body may be sent by itself.
    if (this.#answered < CLIENTS) throw new Error(`${this.#answered} of ${CLIENTS} answered`);
    if (this.#isFresh) {
      for (const client of this.#clients.splice(0)) client.closed(this.#now, "");
      this.#connectClients();
    }
    if (this.#now >= this.#engine.deadline) this.#engine.wake(this.#now);
  }

  #connect(peer: ServerPeer): Wire {
    this.#connecting.push(peer);
    return new CopyingWire(this.#arena, () => this.#asked.push(peer));
  }
}

/** Microseconds per request of each batch, sorted. */
function measured(stage: Stage, batches: number): number[] {
  for (let i = 0; i < WARM_UP; i++) stage.turn();
  const times = Array.from({ length: batches }, () => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < TURNS; i++) stage.turn();
    return Number(process.hrtime.bigint() - start) / 1000 / (TURNS * CLIENTS);
  });
  return times.sort((a, b) => a - b);
}

/** For `--uncounted`: the same engine, blind. Before the compiler has seen a request, so that it inlines what it finds. */
function countNothing(): void {
  Traffic.prototype.add = Traffic.prototype.answered = Traffic.prototype.took = () => {};
}

export async function engineBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      batches: { type: "string", default: "200" },
      only: { type: "string", default: Object.keys(DOORS).join(",") },
      uncounted: { type: "boolean", default: false },
    },
  });
  const batches = wholeNumber("batches", values.batches);
  const doors = namesOf(DOORS, ["only", values.only]);
  if (values.uncounted) countNothing();
  const cases = doors.flatMap((name): [string, Stage][] => [
    [`${name}, kept`, new Stage(DOORS[name]!, false)],
    [`${name}, kept, 1 KiB`, new Stage(DOORS[name]!, false, KIBIBYTE)],
    [`${name}, new`, new Stage(DOORS[name]!, true)],
  ]);
  const rows = cases.map(([name, stage]) => {
    const times = measured(stage, batches);
    return [name, times[0]!.toFixed(2), times[batches >> 1]!.toFixed(2)];
  });
  console.log(formatTable(["", "us per request, best", "median"], rows).join("\n"));
}
