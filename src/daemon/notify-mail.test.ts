import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
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

test("mail about servers goes to the mail server with this node's name in front", async () => {
  const { promise: subject, resolve } = Promise.withResolvers<string>();
  const server = createServer((socket) => {
    let inData = false;
    socket.on("error", () => {});
    socket.write("220 test ESMTP\r\n");
    socket.on("data", (chunk: Buffer) => {
      for (const line of chunk.toString().split("\r\n").slice(0, -1)) {
        if (inData && line.startsWith("Subject: ")) resolve(line);
        if (inData && line !== ".") continue;
        inData = line === "DATA";
        socket.write(inData ? "354 go on\r\n" : "250 fine\r\n");
      }
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const directory = mkdtempSync(join(tmpdir(), "nines-test-"));
  const agenda = new Agenda();
  const alerts = new MailAlerts(directory, agenda, () => {});
  const mail: MailSettings = {
    to: ["you@example.org"],
    from: "me@example.org",
    server: { host: "127.0.0.1", port },
    tls: "off",
    connectTimeoutMs: 10_000,
    onFault: true,
  };
  alerts.configure({ mail, vrrp: { routerId: "r1" } });
  alerts.tell({ subject: "Realserver a of virtual server b - UP", text: "=> <=\n" });
  assert.equal(await subject, "Subject: [r1] Realserver a of virtual server b - UP");
  alerts.close();
  agenda.close();
  server.close();
  rmSync(directory, { recursive: true });
});
