/** What the check role delivers: to real scripts, FIFOs and a mail server. */

import assert from "node:assert/strict";
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { waitFor } from "../../src/lab/wait.ts";
import { instance, withCheckRole } from "./check-role-kit.ts";

test("notify scripts run as their user, with keepalived's arguments and nothing inherited", async () => {
  await withCheckRole(async (role) => {
    role.script(
      "who.sh",
      "set -e",
      "echo 'an echo to /dev/stderr must work without privileges' > /dev/stderr",
      'cd /proc/$$/fd; echo "$*, user $(id -u), descriptors" *; exit 7',
    );
    role.script("root.sh", `id -u > ${role.path("root")}`);
    const scripts = `notify "${role.path("who.sh")} mine"
      notify_backup "${role.path("root.sh")}" root`;
    await role.serve(`global_defs { script_user nobody }\n${instance(scripts)}`);
    role.start();
    await role.until((m) => m.type === "hello", "hello");
    role.notify(1, "MASTER");
    const { message } = await role.until((m) => m.type === "check-event", "the failure");
    assert.ok(message.type === "check-event");
    // 255 is the script itself, 3 the directory being listed: what the role inherited is not there.
    const said = /exited 7: mine INSTANCE VI_1 MASTER 100, user 65534, descriptors 0 1 2 255 3$/;
    assert.match(message.event.reason, said);
    role.notify(2, "BACKUP");
    await waitFor(() => role.read("root") === "0\n", 5000, "a script with a user of its own");
  });
});

test("notify scripts run in order, one at a time, and stop waits for the last of them", async () => {
  await withCheckRole(async (role) => {
    role.script(
      "notify.sh",
      `echo "begin $3" >> ${role.path("log")}; sleep 0.1; echo "end $3" >> ${role.path("log")}`,
    );
    await role.serve(instance(`notify ${role.path("notify.sh")}`));
    role.start();
    await role.until((m) => m.type === "hello", "hello");
    role.notify(1, "BACKUP");
    role.notify(2, "MASTER");
    role.notify(3, "STOP");
    role.send({ type: "stop" });
    assert.equal(await role.ended(), 0);
    const words = ["BACKUP", "MASTER", "STOP"].flatMap((state) => [
      `begin ${state}`,
      `end ${state}`,
    ]);
    assert.equal(role.read("log"), `${words.join("\n")}\n`);
    assert.deepEqual(
      role.messages.flatMap(({ message }) => (message.type === "notified" ? [message.seq] : [])),
      [1, 2, 3],
    );
  });
});

test("a check role that is killed in the middle loses no notification", async () => {
  await withCheckRole(async (role) => {
    role.script("notify.sh", `echo "$3" >> ${role.path("log")}; [ "$3" = MASTER ] && sleep 1`);
    await role.serve(instance(`notify ${role.path("notify.sh")}`));
    role.start();
    await role.until((m) => m.type === "hello", "hello");
    role.notify(1, "BACKUP");
    role.notify(2, "MASTER");
    role.notify(3, "FAULT");
    await waitFor(() => role.read("log") === "BACKUP\nMASTER\n", 5000, "the second script");
    await role.end("SIGKILL");
    role.start();
    await role.until((m) => m.type === "notified" && m.seq === 3, "the last acknowledgement");
    assert.equal(role.read("log"), "BACKUP\nMASTER\nMASTER\nFAULT\n");
  });
});

test("FIFO lines come in order, the FIFO is 0600, and nobody waits for a reader", async () => {
  await withCheckRole(async (role) => {
    const fifo = role.path("fifo");
    role.script("reader.sh", `echo "$@" > ${role.path("argument")}; exec sleep 600`);
    await role.serve(
      `global_defs {\n script_user root\n vrrp_notify_fifo ${fifo}\n` +
        ` vrrp_notify_fifo_script ${role.path("reader.sh")}\n}\n${instance("")}`,
    );
    role.start();
    await role.until((m) => m.type === "hello", "hello");
    const states = ["BACKUP", "MASTER"] as const;
    const total = 3000;
    for (let seq = 1; seq <= total; seq++) role.notify(seq, states[seq % 2]!);
    await role.until((m) => m.type === "notified" && m.seq === total, "all acknowledgements");
    assert.equal(statSync(fifo).mode & 0o777, 0o600);
    assert.equal(role.read("argument"), `${fifo}\n`);
    const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    let text = "";
    const buffer = Buffer.alloc(65_536);
    await waitFor(
      () => {
        try {
          text += buffer.toString("utf8", 0, readSync(fd, buffer));
        } catch {
          // Nothing there yet.
        }
        return text.split("\n").length > total;
      },
      8000,
      "all lines",
    );
    closeSync(fd);
    const lines = Array.from({ length: total }, (_, i) => {
      return `INSTANCE "VI_1" ${states[(i + 1) % 2]} 100\n`;
    });
    assert.equal(text, lines.join(""));
  });
});

test("a check process that another one has taken the place of leaves the FIFO to it", async () => {
  await withCheckRole(async (role) => {
    const fifo = role.path("fifo");
    await role.serve(`global_defs {\n script_user root\n notify_fifo ${fifo}\n}\n${instance("")}`);
    role.start();
    await role.until((m) => m.type === "hello", "hello");
    await waitFor(() => existsSync(fifo), 5000, "the FIFO");
    // As a successor does at its start.
    writeFileSync(role.path("check.pid"), "1\n");
    assert.equal(await role.end("SIGTERM"), 0);
    assert.ok(existsSync(fifo));
  });
});

test("the script that reads a FIFO gets its last lines before the end", async () => {
  await withCheckRole(async (role) => {
    const [fifo, log] = [role.path("fifo"), role.path("log")];
    role.script("reader.sh", `while read -r line; do sleep 0.1; echo "$line" >> ${log}; done < $1`);
    await role.serve(
      `global_defs {\n script_user root\n notify_fifo ${fifo}\n` +
        ` notify_fifo_script ${role.path("reader.sh")}\n}\n${instance("")}`,
    );
    role.start();
    await role.until((m) => m.type === "hello", "hello");
    role.notify(1, "MASTER");
    await waitFor(() => role.read("log") !== "", 5000, "the reader");
    role.notify(2, "BACKUP");
    role.notify(3, "STOP");
    role.send({ type: "stop" });
    assert.equal(await role.ended(), 0);
    const lines = ["MASTER", "BACKUP", "STOP"].map((state) => `INSTANCE "VI_1" ${state} 100\n`);
    assert.equal(role.read("log"), lines.join(""));
  });
});

/** A mail server that refuses the first connection and keeps what the later ones bring. */
function mailServer(): { readonly port: Promise<number>; readonly got: string[]; close(): void } {
  const got: string[] = [];
  let connections = 0;
  const talk = (socket: Socket): void => {
    let data: string | undefined;
    socket.write("220 test ESMTP\r\n");
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      if (data !== undefined) {
        data += chunk;
        if (!data.endsWith("\r\n.\r\n")) return;
        got.push(data);
        data = undefined;
        socket.write("250 kept\r\n");
        return;
      }
      for (const line of chunk.split("\r\n").filter((word) => word !== "")) {
        got.push(line);
        if (line === "DATA") data = "";
        socket.write(line === "DATA" ? "354 go on\r\n" : "250 fine\r\n");
        if (line === "QUIT") socket.end();
      }
    });
  };
  const server = createServer((socket) => {
    socket.on("error", () => {});
    if (++connections === 1) socket.end("421 too busy\r\n");
    else talk(socket);
  });
  const port = new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
  return { port, got, close: () => void server.close() };
}

test("a mail arrives, also when the server was busy at first", async () => {
  const server = mailServer();
  try {
    await withCheckRole(async (role) => {
      await role.serve(
        `global_defs {\n router_id LVS_1\n smtp_server 127.0.0.1 ${await server.port}\n` +
          " smtp_helo_name lb1.example\n notification_email_from lb1@example.org\n" +
          " notification_email {\n ops@example.org\n boss@example.org\n }\n}\n" +
          instance("smtp_alert"),
      );
      role.start();
      await role.until((m) => m.type === "hello", "hello");
      role.notify(1, "MASTER");
      await role.until((m) => m.type === "notified", "the acknowledgement");
      const waiting = JSON.parse(role.read("state/mail.json")) as { subject: string }[];
      assert.equal(waiting[0]?.subject, "[LVS_1] VRRP Instance VI_1 - Entering MASTER state");
      assert.equal(statSync(role.path("state/mail.json")).mode & 0o777, 0o600);
      // Killed before it could be delivered: the next one sends it.
      await role.end("SIGKILL");
      role.start();
      await waitFor(() => server.got.at(-1)?.includes("Subject:"), 8000, "the mail");
      await waitFor(() => role.read("state/mail.json") === "", 2000, "an empty spool");
    });
  } finally {
    server.close();
  }
  const [hello, from, ...rest] = server.got;
  assert.equal(hello, "EHLO lb1.example");
  assert.match(from!, /^MAIL FROM:<lb1@example.org>/);
  assert.deepEqual(rest.slice(0, 2), ["RCPT TO:<ops@example.org>", "RCPT TO:<boss@example.org>"]);
  const mail = server.got.at(-1)!;
  assert.match(mail, /^Subject: \[LVS_1\] VRRP Instance VI_1 - Entering MASTER state\r$/m);
  assert.match(mail, /VRRP Instance VI_1 on LVS_1: Entering MASTER state\./);
});
