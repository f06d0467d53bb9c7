/** Each way to pick and to stick, seen once with real web servers; and how requests end in the log. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { nginxConf, startNginx } from "../../src/lab/peers/nginx.ts";
import { untilListening } from "../../src/lab/listening.ts";
import type { NinesPeer } from "../../src/lab/peers/nines.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { curl, run, untilState, withStage, type Stage } from "./balance-kit.ts";

const SLOW = `${import.meta.dirname}/programs/http-slow.ts`;
const LOG = "/run/access.log";
const WEB = ["web1", "web2", "web3"] as const;

const ALGORITHMS = {
  least: "least-connections",
  hash: "hash header:X-User",
  maglev: "maglev header:X-User",
  ewma: "peak-ewma",
  random: "random",
} as const;

const SERVERS = `
    servers:
      - { name: web1, address: "10.80.0.1:80" }
      - { name: web2, address: "10.80.0.2:80" }
      - { name: web3, address: "10.80.0.3:80" }
    check: { http: /, every: 200ms, timeout: 300ms, rise: 1, fall: 1 }
    slow_start: false`;

const SECRET = "0123456789abcdef0123";

function yaml(): string {
  const pools = Object.entries(ALGORITHMS).map(
    ([name, algorithm]) => `  ${name}:${SERVERS}\n    balance: ${algorithm}`,
  );
  const routes = Object.keys(ALGORITHMS).map((name) => `      - { host: ${name}, pool: ${name} }`);
  return `
frontends:
  web:
    listen: ":8080"
    access_log: { format: json, file: ${LOG} }
    routes:
${routes.join("\n")}
      - { host: prefix, pool: prefix }
      - { host: rewrite, pool: rewrite }
      - { host: panic, pool: panic }
      - { host: slow, pool: slow }
      - { host: kill, pool: kill }
pools:
${pools.join("\n")}
  prefix:${SERVERS}
    sticky: { cookie: { name: app, mode: prefix, secret: ${SECRET} } }
  rewrite:${SERVERS}
    sticky: { cookie: { name: app, mode: rewrite, secret: ${SECRET} } }
  panic:${SERVERS}
    panic: 50
  slow: { servers: [{ name: slow, address: "127.0.0.1:9000" }], timeouts: { response: 5s } }
  kill:
    servers: [{ name: slow, address: "127.0.0.1:9000" }]
    retry: 0
    check: { tcp: true, every: 200ms, timeout: 200ms, rise: 1, fall: 1 }
`;
}

function asker({ client }: Stage): (host: string, ...words: string[]) => Promise<string> {
  return async (host, ...words) =>
    (await curl(client, "-H", `Host: ${host}`, ...words, "http://10.80.0.10:8080/")).trim();
}

function counted(answers: readonly string[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const answer of answers) all[answer] = (all[answer] ?? 0) + 1;
  return all;
}

/** One after the other: of requests side by side, whoever answers first rightly gets more. */
async function inTurn(
  whom: readonly string[],
  ask: (one: string) => Promise<string>,
): Promise<string[]> {
  const answers: string[] = [];
  for (const one of whom) answers.push(await ask(one));
  return answers;
}

async function algorithms(stage: Stage, peer: NinesPeer): Promise<void> {
  const ask = asker(stage);
  const times = (count: number, host: string): Promise<string>[] =>
    Array.from({ length: count }, () => ask(host));
  const nine = await inTurn(
    Array.from({ length: 9 }, () => "least"),
    ask,
  );
  assert.deepEqual(counted(nine), { web1: 3, web2: 3, web3: 3 });
  for (const host of ["hash", "maglev"]) {
    const users = Array.from({ length: 12 }, (_, i) => `user${i}`);
    const at = (user: string): Promise<string> => ask(host, "-H", `X-User: ${user}`);
    const first = await inTurn(users, at);
    assert.deepEqual(await inTurn(users, at), first);
    assert.equal(new Set(first).size, 3, `${host}: ${first.join(" ")}`);
    await peer.nines("backend", "maint", `${host}/web2`);
    const without = await inTurn(users, at);
    // Whoever was elsewhere stays there.
    assert.deepEqual(
      without.filter((_, i) => first[i] !== "web2"),
      first.filter((web) => web !== "web2"),
    );
    assert.ok(!without.includes("web2"));
    await peer.nines("backend", "ready", `${host}/web2`);
    const words = ["explain-request", "GET http://10.80.0.10:8080/", "-H", `Host: ${host}`];
    const told = await peer.nines(...words, "-H", "X-User: user0");
    assert.match(told, new RegExp(`server ${first[0]}: `));
    assert.match(told, /hash of header X-User "user0": [0-9a-f]{8}, place \d+ of 65537/);
  }
  for (const host of ["ewma", "random"]) {
    const seen = counted(await Promise.all(times(30, host)));
    assert.deepEqual(Object.keys(seen).toSorted(), [...WEB], JSON.stringify(seen));
  }
}

async function cookies(stage: Stage, peer: NinesPeer): Promise<void> {
  const ask = asker(stage);
  for (const host of ["prefix", "rewrite"]) {
    const head = await ask(host, "--include");
    const cookie = /^set-cookie: app=([^;\r]+)/im.exec(head)?.[1] ?? "";
    const web = head.slice(-4);
    assert.match(cookie, host === "prefix" ? /~session-of-web\d$/ : /^[^~]+$/);
    const again = Array.from({ length: 5 }, () => ask(host, "-b", `app=${cookie}`));
    assert.deepEqual(counted(await Promise.all(again)), { [web]: 5 });
    await peer.nines("backend", "maint", `${host}/${web}`);
    assert.notEqual(await ask(host, "-b", `app=${cookie}`), web);
    await peer.nines("backend", "ready", `${host}/${web}`);
  }
}

async function panics(stage: Stage, peer: NinesPeer): Promise<void> {
  const ask = asker(stage);
  const [first, second] = [stage.world.host("web1"), stage.world.host("web2")];
  for (const host of [first, second]) {
    await host.run(["nft", "-f", host.write("/run/drop.nft", DROP)]);
  }
  for (const web of ["web1", "web2"]) await untilState(peer, `least/${web}`, "down");
  assert.deepEqual(counted(await inTurn(["least", "least"], ask)), { web3: 2 });
  assert.match(await peer.nines("pool", "panic"), /panic/);
  const kinds = (await peer.events()).map(({ kind, instance }) => `${instance} ${kind}`);
  assert.ok(kinds.includes("panic server-panic-on"));
  for (const host of [first, second]) await host.run(["nft", "flush", "ruleset"]);
  for (const web of ["web1", "web2"]) await untilState(peer, `panic/${web}`, "up");
}

const DROP = `table inet x {
  chain in {
    type filter hook input priority 0
    tcp dport 80 drop
  }
}
`;

const SHUT = `table inet x {
  chain in {
    type filter hook input priority 0
    tcp dport 9000 tcp flags & (syn | ack) == syn drop
  }
}
`;

interface Line {
  readonly host: string;
  readonly status: number;
  readonly termination: string;
  readonly reason: string;
}

async function endings({ lb, client }: Stage, peer: NinesPeer): Promise<void> {
  const last = async (host: string): Promise<string> => {
    const found = (): string | undefined => {
      const lines = lb.read(LOG).trimEnd().split("\n");
      const line = lines.map((text) => JSON.parse(text) as Line).findLast((l) => l.host === host);
      return line === undefined ? undefined : `${line.status} ${line.termination}`;
    };
    await waitFor(() => found() !== undefined, 5000, `a line of ${host}`);
    return found()!;
  };
  const slow = await lb.start([process.execPath, SLOW, "9000", "1500"], { name: "slow" });
  await untilListening(slow, 9000);
  await untilState(peer, "kill/slow", "up");
  const words = ["-H", "Host: slow", "http://10.80.0.10:8080/"];
  // Gives up after a third of the server's time: the answer meets nobody.
  await client.run([
    "sh",
    "-c",
    `curl -s --max-time 0.3 ${words.map((w) => `'${w}'`).join(" ")} || true`,
  ]);
  await pause(2000);
  assert.equal(await last("slow"), "200 CH");
  const cut = client.run([
    "curl",
    "-s",
    "-o",
    "/dev/null",
    "-w",
    "%{http_code}",
    "-H",
    "Host: kill",
    words[2]!,
  ]);
  await pause(300);
  // Checks cannot connect any more; the request that runs does not notice until it is cut.
  await lb.run(["nft", "-f", lb.write("/run/shut.nft", SHUT)]);
  await untilState(peer, "kill/slow", "down");
  assert.equal(await cut, "502");
  assert.equal(await last("kill"), "502 DH");
}

const SESSION = 'add_header Set-Cookie "app=session-of-$hostname";';

test("every way to pick and to stick, a panic, a cut, and the letters of the log", async () => {
  await withStage(async (stage) => {
    for (const name of WEB) {
      const host = stage.world.host(name);
      const text = nginxConf(host).replace(
        "location / {",
        `location / { ${SESSION.replace("$hostname", name)}`,
      );
      await startNginx(host, text);
    }
    const peer = await run(stage.lb, yaml());
    for (const pool of [...Object.keys(ALGORITHMS), "prefix", "rewrite", "panic"]) {
      for (const name of WEB) await untilState(peer, `${pool}/${name}`, "up");
    }
    await algorithms(stage, peer);
    await cookies(stage, peer);
    await panics(stage, peer);
    await endings(stage, peer);
  });
});
