import assert from "node:assert/strict";
import { test } from "node:test";
import type { NotifySettings } from "../vrrp/settings.ts";
import { commandsFor, fifoLine, mailFor, type NotifyRequest } from "./commands.ts";

const REQUEST: NotifyRequest = {
  seq: 1,
  scope: "INSTANCE",
  name: "VI_1",
  state: "MASTER",
  priority: 100,
  wallMs: 0,
};
const NOTIFY: NotifySettings = {
  master: { argv: ["/etc/master.sh", "as written"] },
  masterReceivedLowerPriority: { argv: ["/etc/lower.sh"] },
  any: { argv: ["/etc/notify.sh", "mine"], user: "nobody" },
  priorityChanges: false,
  mail: false,
};

test("the script of the state runs first, then the generic one with four more arguments", () => {
  assert.deepEqual(commandsFor(NOTIFY, REQUEST), [
    { argv: ["/etc/master.sh", "as written"] },
    { argv: ["/etc/notify.sh", "mine", "INSTANCE", "VI_1", "MASTER", "100"], user: "nobody" },
  ]);
  assert.deepEqual(
    commandsFor(NOTIFY, { ...REQUEST, scope: "GROUP", state: "FAULT" }).map((c) => c.argv),
    [["/etc/notify.sh", "mine", "GROUP", "VI_1", "FAULT", "100"]],
  );
});

test("a master of lower priority runs only its own script", () => {
  const request = { ...REQUEST, state: "MASTER_RX_LOWER_PRI" } as const;
  assert.deepEqual(commandsFor(NOTIFY, request), [{ argv: ["/etc/lower.sh"] }]);
  assert.deepEqual(commandsFor({ priorityChanges: false, mail: false }, request), []);
});

test("the FIFO line is keepalived's", () => {
  assert.equal(fifoLine(REQUEST).line, 'INSTANCE "VI_1" MASTER 100\n');
});

test("the mail's subject names router, instance and state, and stays one line", () => {
  const mail = mailFor({ ...REQUEST, name: "VI\r\nBcc: x" }, "LVS_1", "2026-01-01T00:00:00Z");
  assert.equal(mail.subject, "[LVS_1] VRRP Instance VI Bcc: x - Entering MASTER state");
  assert.match(mail.text, /state\.\nPriority: 100\nTime: 2026-01-01T00:00:00Z\n$/);
});

test("a mail says why, as the log does", () => {
  const reason = "script web exited 1 (3 of 3)";
  const mail = mailFor({ ...REQUEST, state: "FAULT", reason }, "LVS_1", "2026-01-01T00:00:00Z");
  assert.match(mail.text, /FAULT state\.\nReason: script web exited 1 \(3 of 3\)\nPriority: 100\n/);
});
