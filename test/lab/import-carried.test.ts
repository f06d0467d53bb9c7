/** An imported configuration carries connections as the program did that it was written for. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { importFile } from "../../src/config/import/import-file.ts";
import { untilListening } from "../../src/lab/listening.ts";
import { startBalancer } from "../../src/lab/peers/nines.ts";
import { pause } from "../../src/lab/wait.ts";
import { withWorld } from "../../src/lab/world.ts";
import type { TcpAnswer, TcpQuestion } from "./programs/tcp-ask.ts";

const GOLDEN = new URL("../golden/import", import.meta.url).pathname;
const PROGRAMS = `${import.meta.dirname}/programs`;
const [CLIENT, LB] = ["10.90.0.50", "10.90.0.10"];

const PLAN = {
  name: "carried",
  segments: ["lan"],
  hosts: {
    client: { eth0: { segment: "lan", address: [`${CLIENT}/24`] } },
    lb: { eth0: { segment: "lan", address: [`${LB}/24`] } },
  },
} as const;

/** A question, what of its answers must be the same, and what that is, so that none is the same by failing. */
interface Scene extends TcpQuestion {
  readonly look: (answers: readonly TcpAnswer[]) => unknown;
  readonly wanted: unknown;
}

const serverOf = ({ text }: TcpAnswer): string => text.split(" ", 1)[0]!;

function shares(answers: readonly TcpAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of answers.map(serverOf).sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Whose port it is is chance. */
const words = ([answer]: readonly TcpAnswer[]): unknown => [
  answer!.text.replace(/\d{4,5} \d{4,5}\n/u, "PORT PORT\n"),
  answer!.how,
];
const size = ([answer]: readonly TcpAnswer[]): unknown => [answer!.bytes, answer!.how];
const isOne = (answers: readonly TcpAnswer[]): unknown => new Set(answers.map(serverOf)).size;

const BYTES = 3_000_000;

const SCENES = {
  turns: {
    port: 8000,
    say: "hello\n",
    ends: true,
    times: 6,
    look: shares,
    wanted: { green: 2, red: 4 },
  },
  near: { port: 8002, say: "hello\n", ends: true, times: 8, look: isOne, wanted: 1 },
  bound: { port: 8004, say: "hello\n", ends: true, times: 8, look: isOne, wanted: 1 },
  "half closed": {
    port: 8006,
    say: "one\ntwo\nthree",
    ends: true,
    look: words,
    wanted: ["green one\ngreen two\ngreen end 13\n", "end"],
  },
  "ended by the server": {
    port: 8006,
    say: "one\nbye\n",
    look: words,
    wanted: ["green one\ngreen leaves\n", "end"],
  },
  "much to read": {
    port: 8006,
    say: `send ${BYTES}\nbye\n`,
    look: size,
    wanted: [BYTES + "green leaves\n".length, "end"],
  },
  "much to say": {
    port: 8006,
    say: `hush ${"x".repeat(994)}\n`.repeat(BYTES / 1000),
    ends: true,
    look: words,
    wanted: [`green end ${BYTES}\n`, "end"],
  },
  silence: {
    port: 8006,
    say: "one\nhush\n",
    look: ([answer]: readonly TcpAnswer[]): unknown => [
      answer!.text,
      answer!.ms > 1800 && answer!.ms < 4500,
    ],
    wanted: ["green one\n", true],
  },
  nobody: {
    port: 8008,
    say: "hello\n",
    look: ([answer]: readonly TcpAnswer[]): unknown => [answer!.bytes, answer!.ms < 4500],
    wanted: [0, true],
  },
  named: {
    port: 8010,
    say: "hello\n",
    ends: true,
    look: words,
    wanted: [`red PROXY TCP4 ${CLIENT} ${LB} PORT PORT\nred hello\nred end 51\n`, "end"],
  },
  packed: {
    port: 8012,
    say: "hello\n",
    ends: true,
    look: words,
    wanted: [`red PROXY v2 ${CLIENT} ${LB}\nred hello\nred end 34\n`, "end"],
  },
  sealed: {
    port: 8014,
    tls: true,
    say: "hello\n",
    ends: true,
    look: words,
    wanted: ["green hello\ngreen end 6\n", "end"],
  },
  "much sealed": {
    port: 8014,
    tls: true,
    say: `send ${BYTES}\nbye\n`,
    look: size,
    wanted: [BYTES + "green leaves\n".length, "end"],
  },
  unsealed: {
    port: 8016,
    say: "hello\nbye\n",
    look: words,
    wanted: ["secret hello\nsecret leaves\n", "end"],
  },
  "too many": {
    port: 8018,
    say: "hello\n",
    ends: false,
    times: 4,
    together: true,
    look: (answers: readonly TcpAnswer[]): unknown => shares(answers),
    wanted: { "": 2, blue: 2 },
  },
} as const satisfies Record<string, Scene>;

interface Case {
  readonly source: string;
  /** Where its certificate lies. */
  readonly pem: string;
  readonly command: (file: string) => readonly string[];
  readonly without: readonly (keyof typeof SCENES)[];
}

async function compare({ source, pem, command, without }: Case): Promise<void> {
  const here = "/run/carried.pem";
  const text = readFileSync(`${GOLDEN}/${source}`, "utf8").replaceAll(pem, here);
  const { text: yaml } = importFile(`${GOLDEN}/${source}`, { newSecret: () => "00".repeat(32) });
  const scenes = Object.entries<Scene>(SCENES).filter(([name]) => !without.includes(name as never));
  await withWorld(PLAN, async (world) => {
    const [lb, client] = [world.host("lb"), world.host("client")];
    const key =
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=lab";
    await lb.run(["openssl", ...key.split(" "), "-keyout", here, "-out", here]);
    const servers = ["red", "9001", "green", "9002", "blue", "9003", "secret", "9443"];
    const mirror = await lb.start(
      [process.execPath, `${PROGRAMS}/tcp-mirror.ts`, here, ...servers],
      { name: "mirror" },
    );
    await untilListening(mirror, 9443);
    const old = await lb.start(command(lb.write(`/run/old/${source}`, text)), { name: "old" });
    await untilListening(old, 8016);
    // Each port of Nines is the one behind the old program's.
    const moved = yaml!.replaceAll(pem, here).replaceAll(/:80(\d\d)\b/gu, (_, port: string) => {
      return `:${8001 + Number(port)}`;
    });
    const nines = await startBalancer(lb, ["run", "-f", lb.write("/run/nines.yaml", moved)]);
    await untilListening(nines.supervisor, 8017);
    await pause(1000);
    const asked = async (shift: number): Promise<TcpAnswer[][]> => {
      const questions = scenes.map(([, scene]) => ({ ...scene, port: scene.port + shift }));
      const file = client.write("/run/questions.json", JSON.stringify(questions));
      const argv = [process.execPath, `${PROGRAMS}/tcp-ask.ts`, LB, file];
      return JSON.parse(await client.run(argv, { timeoutMs: 120_000 })) as TcpAnswer[][];
    };
    const [theirs, ours] = [await asked(0), await asked(1)];
    const seen = (all: TcpAnswer[][]): object =>
      Object.fromEntries(scenes.map(([name, { look }], i) => [name, look(all[i]!)]));
    const wanted = Object.fromEntries(scenes.map(([name, scene]) => [name, scene.wanted]));
    assert.deepEqual(seen(theirs), wanted, "the old program, as its manual says");
    assert.deepEqual(seen(ours), wanted, "Nines");
  });
}

test("an imported haproxy.cfg carries connections as HAProxy does", async () => {
  await compare({
    source: "haproxy/carried.cfg",
    pem: "/etc/haproxy/carried.pem",
    command: (file) => ["haproxy", "-db", "-f", file],
    without: ["too many"],
  });
});

test("an imported nginx.conf carries connections as nginx does", async () => {
  const folder = (file: string): string => file.replace(/\/[^/]*$/u, "");
  const modules = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;";
  await compare({
    source: "nginx/carried.conf",
    pem: "/etc/nginx/carried.pem",
    command: (file) => ["nginx", "-e", "stderr", "-p", folder(file), "-c", file, "-g", modules],
    without: ["bound", "packed"],
  });
});
