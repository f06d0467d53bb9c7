import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { NotifyState } from "../core/notify/commands.ts";
import { Agenda } from "./agenda.ts";
import type { CheckLink } from "./check-role-link.ts";
import { NotifyDesk } from "./notify-desk.ts";
import type { NotifyLines } from "./notify-lines.ts";
import type { MailAlerts } from "./notify-mail.ts";
import type { RoleModel } from "./role-protocol.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-desk-"));
// Scripts may run as another user.
chmodSync(folder, 0o777);
after(() => rmSync(folder, { recursive: true }));
const script = join(folder, "told.sh");
// The first one hangs, until it is killed.
writeFileSync(script, `#!/bin/sh\necho $4 >>$1\ntest $4 != BACKUP || exec sleep 60\n`, {
  mode: 0o755,
});

/** Told of three states, the first of which its script never comes to the end of. */
async function hanging(name: string): Promise<{ desk: NotifyDesk; said: () => string }> {
  const file = join(folder, name);
  const said = (): string => (existsSync(file) ? readFileSync(file, "utf8") : "");
  const link = { send: () => true, tell: () => {} } as unknown as CheckLink;
  const lines = { configure: () => {}, write: () => {} } as unknown as NotifyLines;
  const mails = { configure: () => {}, close: () => {} } as unknown as MailAlerts;
  const agenda = new Agenda();
  after(() => agenda.close());
  const desk = new NotifyDesk(link, agenda, lines, mails);
  const notify = { any: { argv: [script, file] }, priorityChanges: false, mail: false };
  desk.configure({
    scripts: { enforce: false },
    fifos: {},
    vrrp: { instances: [{ name: "A", notify }], groups: [] },
  } as unknown as RoleModel);
  const states: NotifyState[] = ["BACKUP", "MASTER", "STOP"];
  for (const [i, state] of states.entries()) {
    desk.request({ seq: i + 1, scope: "INSTANCE", name: "A", state, priority: 100, wallMs: i });
  }
  while (said() === "") await sleep(5);
  return { desk, said };
}

test("who hands over to a successor starts nothing more when its script is killed", async () => {
  const { desk, said } = await hanging("renewed");
  desk.close();
  await sleep(200);
  assert.equal(said(), "BACKUP\n");
});

test("the end of a node is told although a script hangs, and what is out of date is not", async () => {
  const { desk, said } = await hanging("ended");
  desk.finish(() => {});
  desk.close();
  while (said() === "BACKUP\n") await sleep(5);
  await sleep(100);
  assert.equal(said(), "BACKUP\nSTOP\n");
});
