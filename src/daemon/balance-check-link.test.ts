/** What control tells the check process besides whom to ask. */

import assert from "node:assert/strict";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readServiceYaml } from "../config/service/read-service.ts";
import { makeFifo } from "../drivers/descriptors.ts";
import { Agenda } from "./agenda.ts";
import { CheckRoleLink, noticeRules } from "./balance-check-link.ts";
import { ServerChecks } from "./check-role-servers.ts";
import { NotifyLines } from "./notify-lines.ts";
import type { MailModel } from "./notify-mail.ts";

const agenda = new Agenda();
after(() => agenda.close());

test("a pool without checks is not told of again by a check process that follows another", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nines-checks-"));
  const [path, fifo] = [join(folder, "check.sock"), join(folder, "lvs")];
  assert.equal(makeFifo(fifo), 0);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const lines = new NotifyLines(agenda);
  const heard = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let answers = 0;
  const control = new CheckRoleLink(path, "control", {
    // To `hello`, and to what it is to ask; the same from the second process.
    verdicts: () => {
      answers++;
      if (answers % 2 === 0) heard[answers / 2 - 1]?.resolve();
    },
  });
  const server = { server: "a", fifoName: "rs", weight: 1, startsDown: false };
  const quorum = { weight: 1, hysteresis: 0 };
  control.configure({
    targets: [],
    scripts: { enforce: false },
    notices: [{ pool: "web", fifoName: "vs", servers: [server], quorum, atEnd: false }],
    fifos: { all: {}, vrrp: {}, lvs: { target: { path: fifo } }, writeStatesOnReload: false },
  });
  const [first, second] = [1, 2].map(
    (seed) => new ServerChecks(seed, lines, { configure: () => {}, tell: () => {} }),
  );
  await first!.listen(path);
  await control.connect();
  await heard[0]!.promise;
  first!.close();
  await second!.listen(path);
  // Control comes by itself.
  await heard[1]!.promise;
  const read = Buffer.alloc(4096);
  assert.equal(read.toString("utf8", 0, readSync(reader, read)), "VS vs UP\n");
  closeSync(reader);
  for (const one of [control, second!]) one.close();
  await lines.close();
  rmSync(folder, { recursive: true });
});

test("a balancer without addresses is told by control where mail goes", async () => {
  const text = `
global: { smtp_server: "192.0.2.25 2525", notification_email: [ops@example.com], name: r1 }
frontends: { www: { listen: ":80", pool: web } }
pools: { web: { servers: ["10.0.0.1:80"], smtp_alert: true } }
`;
  const files = { readFile: () => text, glob: () => [] };
  const { service, diagnostics } = readServiceYaml("nines.yaml", { environment: {} }, files);
  assert.ok(service, JSON.stringify(diagnostics));
  assert.deepEqual(service.vrrp.vrrp.instances, []);
  const heard = Promise.withResolvers<MailModel>();
  const mails = { configure: (model: MailModel) => heard.resolve(model), tell: () => {} };
  const folder = mkdtempSync(join(tmpdir(), "nines-checks-"));
  const path = join(folder, "check.sock");
  const checks = new ServerChecks(1, new NotifyLines(agenda), mails);
  const control = new CheckRoleLink(path, "control", { verdicts: () => {} });
  control.configure({ targets: [], ...noticeRules(service) });
  await checks.listen(path);
  await control.connect();
  const { mail, vrrp } = await heard.promise;
  for (const one of [control, checks]) one.close();
  rmSync(folder, { recursive: true });
  assert.deepEqual([mail.to, mail.server?.port, vrrp.routerId], [["ops@example.com"], 2525, "r1"]);
});
