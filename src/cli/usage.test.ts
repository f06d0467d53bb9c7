import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { claimJournal } from "../drivers/journal-database.ts";
import { main } from "./main.ts";

test("write probes that cannot be meant are a mistake of usage, told in a line", async () => {
  const told: string[] = [];
  const terminal = {
    out: () => {},
    err: (text: string) => void told.push(text),
    color: false,
  };
  const at = ["--run-dir", "/nowhere"];
  for (const line of [
    ["probe", "http://127.0.0.1:1/", "--write-command", "true"],
    ["probe", "http://127.0.0.1:1/", "--write", "shop.example/rows"],
    ["drill", "run", "kill-worker", ...at, "--read-command", "true"],
    ["drill", "plan", "kill-worker", ...at, "--on", "lb2", "--write-probe", "shop.example/rows"],
  ]) {
    assert.equal(await main(line, terminal), 2, line.join(" "));
  }
  assert.deepEqual(told, [
    "nines: --write-command and --read-command go together",
    "nines: rows cannot be written to 'shop.example/rows': write http://HOST/PATH",
    "nines: --write-command and --read-command go together",
    "nines: rows cannot be written to 'shop.example/rows': write http://HOST/PATH",
  ]);
});

test("two probers of one name do not write the same rows: each would call its own lost", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "nines-probers-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const record = join(folder, "probe.db");
  const told: string[] = [];
  const terminal = { out: () => {}, err: (text: string) => void told.push(text), color: false };
  const other = claimJournal(record);
  const line = ["probe", "http://127.0.0.1:1/", "--name", "home", "--record", record];
  const words = [...line, "--duration", "10ms", "--write", "http://127.0.0.1:1/rows"];
  assert.equal(await main(words, terminal), 1);
  assert.deepEqual(told, ["nines: another prober 'home' writes from here already: --name OTHER"]);
  other?.close();
});
