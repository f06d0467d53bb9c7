import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DEFAULT_BOUNDS } from "../core/journal/retention.ts";
import type { ServiceFacts } from "../daemon/control-api.ts";
import { pastOfInstances } from "./instance-past.ts";
import { Journal } from "./journal.ts";

test("the last change of each instance before the moment, however much was written after it", () => {
  const folder = mkdtempSync(join(tmpdir(), "nines-past-"));
  const path = join(folder, "journal.db");
  const journal = new Journal({ path, boot: "b", node: () => "a", bounds: () => DEFAULT_BOUNDS });
  const say = (wallMs: number, kind: string, subject: string, to = ""): void =>
    journal.add({
      wallMs,
      monoMs: wallMs,
      source: "vrrp",
      level: "info",
      kind,
      subject,
      reason: "",
      data: { to },
    });
  try {
    say(100, "state-changed", "VI_1", "BACKUP");
    say(200, "state-changed", "VI_1", "MASTER");
    say(250, "priority-changed", "VI_1");
    say(300, "state-changed", "VI_2", "FAULT");
    for (let i = 0; i < 3_000; i++) say(400 + i, "server-weight", "web/web1");
    say(5_000, "state-changed", "VI_1", "BACKUP");
    journal.flush();
    const instances = ["VI_1", "VI_2"].map((name) => ({ name }));
    const service = { vrrp: { vrrp: { instances } } } as unknown as Pick<ServiceFacts, "vrrp">;
    const at = (atMs: number): readonly unknown[] =>
      pastOfInstances(service, journal, atMs).map((one) => [one.subject, one.data?.["to"]]);
    assert.deepEqual(at(4_000), [
      ["VI_1", "MASTER"],
      ["VI_2", "FAULT"],
    ]);
    assert.deepEqual(at(150), [["VI_1", "BACKUP"]]);
    assert.deepEqual(at(200), [["VI_1", "MASTER"]], "that very moment counts");
    assert.deepEqual(pastOfInstances(undefined, journal, 4_000), []);
  } finally {
    journal.close();
    rmSync(folder, { recursive: true });
  }
});
