/** An agent beside a check: what HAProxy makes of its words, and what Nines does after an import. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { importFile } from "../../src/config/import/import-file.ts";
import { DISK } from "../../src/config/disk.ts";
import { untilListening } from "../../src/lab/listening.ts";
import { startAgent } from "../../src/lab/peers/small-servers.ts";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { pause } from "../../src/lab/wait.ts";
import { run, serverOf, withStage } from "./balance-kit.ts";

const CFG = `
global
    stats socket /run/old.sock

defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s

frontend main
    bind :8000
    default_backend web

backend web
    default-server check inter 200ms fall 1 rise 1
    server web1 10.80.0.1:80 weight 100 maxconn 40 agent-check agent-port 9000 agent-inter 200ms
    server web2 10.80.0.2:80 weight 100
`;

/** Each stays until the next; what the agent does not speak of stays as it was. */
const WORDS = [
  "up 50%",
  "drain",
  "up 100%",
  "ready up",
  "down",
  "up",
  "maint",
  "ready",
  "up maxconn:30",
  "up",
];

test("the words of an agent beside a check mean what they mean to HAProxy, and so does its silence", async () => {
  await withStage(async ({ world, lb }) => {
    const web1 = world.host("web1");
    for (const host of [web1, world.host("web2")]) await startNginx(host);
    web1.write("/run/agent", "up 100%\n");
    const agent = await startAgent(web1, 9000, "/run/agent");
    const file = lb.write("/run/old.cfg", CFG);
    const old = await lb.start(["haproxy", "-db", "-f", file], { name: "old" });
    await untilListening(old, 8000);
    const files = { ...DISK, readFile: () => CFG };
    const { text } = importFile("haproxy.cfg", { newSecret: () => "00".repeat(32) }, files);
    const peer = await run(lb, text!.replaceAll(":8000", ":8001"));
    const theirs = async (): Promise<string> => {
      const show = "echo show stat | socat stdio /run/old.sock";
      const lines = (await lb.run(["sh", "-c", show])).split("\n");
      const columns = lines[0]!.slice(2).split(",");
      const row = lines.find((line) => line.startsWith("web,web1,"))!.split(",");
      const state = /UP|DRAIN|DOWN|MAINT/u.exec(row[columns.indexOf("status")]!)![0];
      return `${state.toLowerCase()} ${row[columns.indexOf("weight")]} ${row[columns.indexOf("slim")]}`;
    };
    const ours = async (): Promise<string> => {
      const { state, effectiveWeight, maxConnections } = await serverOf(peer, "web/web1");
      return `${state} ${effectiveWeight} ${maxConnections}`;
    };
    const seen: string[] = [];
    for (const word of [...WORDS, undefined]) {
      if (word === undefined) agent.kill();
      else web1.write("/run/agent", `${word}\n`);
      await pause(1_500);
      const [a, b] = [await theirs(), await ours()];
      seen.push(`${word ?? "silence"}: ${b}`);
      for (const part of [0, 2]) {
        assert.equal(
          b.split(" ")[part],
          a.split(" ")[part],
          `${word ?? "silence"}: ${a}; Nines: ${b}`,
        );
      }
      // Later it starts slowly, as Nines does and HAProxy does not.
      if (word === "up 50%") assert.equal(b, a);
    }
    assert.equal(seen.length, WORDS.length + 1);
  });
});
