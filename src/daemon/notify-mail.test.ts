import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { MailSettings } from "../config/model.ts";
import { Agenda } from "./agenda.ts";
import { MailAlerts } from "./notify-mail.ts";

test("a mail that waits is not doubled by a reload that brings the server back", () => {
  const directory = mkdtempSync(join(tmpdir(), "nines-test-"));
  const spool = join(directory, "mail.json");
  writeFileSync(spool, JSON.stringify([{ subject: "MASTER", text: "of an earlier life" }]));
  const agenda = new Agenda();
  const alerts = new MailAlerts(directory, agenda, () => {});
  const without: MailSettings = {
    to: ["you@example.org"],
    from: "me@example.org",
    tls: "off",
    connectTimeoutMs: 100,
    onFault: true,
  };
  // Nobody listens there.
  const mail = { ...without, server: { host: "127.0.0.1", port: 1 } };
  const vrrp = { routerId: "r1" };
  alerts.configure({ mail, vrrp });
  alerts.configure({ mail: without, vrrp });
  alerts.configure({ mail, vrrp });
  assert.equal((JSON.parse(readFileSync(spool, "utf8")) as unknown[]).length, 1);
  alerts.close();
  agenda.close();
  rmSync(directory, { recursive: true });
});
