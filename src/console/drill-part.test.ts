/** What the API says of drills, on a node whose control process does not answer. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { answerMistakes } from "../../test/kit/answer-mistakes.ts";
import { catalogue } from "../core/drill/catalogue/catalogue.ts";
import type { DrillResult } from "../core/drill/result.ts";
import { runDirectory } from "../daemon/run-directory.ts";
import { appendLine } from "../drivers/drill-files.ts";
import type { DrillRunView, DrillView } from "./api.ts";
import type { ConsoleCore, RunningPart } from "./console-core.ts";
import type { RecordDraft } from "../core/journal/record.ts";
import { DRILLS } from "./drill-part.ts";
import { type Call, isProblem } from "./routes.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-drill-part-"));
after(() => rmSync(folder, { recursive: true }));

const RESULT: DrillResult = {
  id: "1",
  drill: "kill-vrrp",
  title: "the vrrp process is killed",
  layer: "director",
  target: "lb1",
  site: "lb1",
  startedWallMs: 1_800_000_000_000,
  endedWallMs: 1_800_000_002_000,
  verdict: "passed",
  reason: "as promised: a successor goes on",
  deviations: [],
  promise: "a successor goes on",
  promisedOutageMs: 400,
  faulted: true,
  switchExpected: false,
  switched: false,
  measured: { requests: 9, failed: 0, outageMs: 12, returnOutageMs: 3, slowestMs: 4 },
  undoneBy: "guard",
  steps: [],
};

async function ask(part: RunningPart, path: string, query = {}): Promise<unknown> {
  const route = part.routes!.find((one) => one.path === path)!;
  const answer = await route.handle({ query } as Call);
  assert.ok(answer !== undefined && !isProblem(answer));
  const value: unknown = JSON.parse(String(answer.body));
  assert.deepEqual(answerMistakes(route.answers, value), []);
  return value;
}

test("the catalogue and the past of drills are answered as described", async () => {
  const line = { wallMs: RESULT.startedWallMs, drill: "kill-vrrp", reason: "kill -9" };
  appendLine(folder, { ...line, kind: "drill-started", id: "1" });
  appendLine(folder, { ...line, kind: "drill-finished", id: "1", result: RESULT });
  appendLine(folder, { ...line, kind: "drill-asked", id: "2", on: "lb2" });
  const core = {
    directory: runDirectory(folder),
    stateDirectory: folder,
    node: () => "lb1",
    journal: { find: () => [], add: () => undefined, onOpen: () => undefined },
    control: { service: undefined },
    parts: () => [],
  } as unknown as ConsoleCore;
  const part = await DRILLS.start(core);
  try {
    const { drills } = (await ask(part, "/api/v1/drills")) as { drills: readonly DrillView[] };
    assert.equal(drills.length, catalogue.length);
    assert.equal(drills[0]?.refused, "the node does not answer");
    const { runs } = (await ask(part, "/api/v1/drills/history")) as {
      runs: readonly DrillRunView[];
    };
    assert.deepEqual(
      runs.map(({ id, node, verdict }) => [id, node, verdict]),
      [
        ["2", "lb2", undefined],
        ["1", undefined, "passed"],
      ],
    );
    appendLine(folder, { ...line, wallMs: Date.now(), kind: "drill-started", id: "3" });
    assert.equal(
      part.exhibits!().drills!.running?.id,
      "3",
      "who looks sees what was written just now",
    );
  } finally {
    await part.close();
  }
});

test("what the journal has already is not written again, however late its file could be opened", async ({
  mock,
}) => {
  const home = mkdtempSync(join(folder, "late-"));
  const line = { wallMs: RESULT.startedWallMs, drill: "kill-vrrp", reason: "kill -9" };
  appendLine(home, { ...line, kind: "drill-started", id: "1" });
  appendLine(home, { ...line, kind: "drill-finished", id: "1", result: RESULT });
  const written: RecordDraft[] = [];
  let opened = (): void => undefined;
  let isOpen = false;
  const find = ({ kind }: { kind: string }): object[] =>
    isOpen && kind === "drill-started" ? [{ wallMs: line.wallMs, subject: line.drill }] : [];
  const core = {
    directory: runDirectory(home),
    stateDirectory: home,
    node: () => "lb1",
    journal: {
      find,
      add: (draft: RecordDraft) => void written.push(draft),
      onOpen: (tell: () => void) => (opened = tell),
    },
    parts: () => [],
    control: { service: undefined },
  } as unknown as ConsoleCore;
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const part = await DRILLS.start(core);
  try {
    mock.timers.tick(1_010);
    assert.deepEqual(written, []);
    isOpen = true;
    opened();
    mock.timers.tick(1_010);
    assert.deepEqual(
      written.map(({ kind }) => kind),
      ["drill-finished"],
    );
  } finally {
    await part.close();
    mock.timers.reset();
  }
});

test("a drill that cannot be started is refused, and does not end the console", async () => {
  const program = process.execPath;
  process.execPath = join(folder, "no such program");
  const core = {
    directory: runDirectory(folder),
    stateDirectory: folder,
    node: () => "lb1",
    journal: { find: () => [], onOpen: () => undefined },
    control: { service: undefined },
  } as unknown as ConsoleCore;
  const part = await DRILLS.start(core);
  process.execPath = program;
  try {
    const order = { who: "anna", reason: "friday" };
    const request = { action: "drill-run", subject: "kill-worker" } as const;
    await assert.rejects(part.actions!["drill-run"]!.perform(request, order), /ENOENT/);
  } finally {
    await part.close();
  }
});
