import assert from "node:assert/strict";
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Agenda } from "./agenda.ts";
import { NotifyLines } from "./notify-lines.ts";

/** What has been written and not read. */
function readable(fd: number): string {
  const bytes = Buffer.alloc(4096);
  return bytes.toString("utf8", 0, readSync(fd, bytes));
}

test("a FIFO that a successor writes to stays where it is, and so does one that somebody else has made", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nines-lines-"));
  const path = join(folder, "fifo");
  const agenda = new Agenda();
  const context = { defaults: {}, note: () => {} };
  const open = (): NotifyLines => {
    const lines = new NotifyLines(agenda);
    lines.configure("addresses", [{ target: { path } }], context);
    return lines;
  };
  try {
    const [old, successor] = [open(), open()];
    const fd = openSync(path, "r+");
    await old.close(true);
    assert.ok(existsSync(path));
    successor.write("addresses", { subject: "a", line: "still here\n" });
    assert.equal(readable(fd), "still here\n");
    closeSync(fd);
    await successor.close();
    rmSync(path);
    const third = open();
    rmSync(path);
    // Another file by the same name.
    const fourth = open();
    await third.close();
    assert.ok(existsSync(path));
    await fourth.close();
    assert.ok(!existsSync(path));
  } finally {
    agenda.close();
    rmSync(folder, { recursive: true });
  }
});

test("addresses and servers share a FIFO, and each has one of its own", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nines-lines-"));
  const [all, vrrp, lvs] = ["all", "vrrp", "lvs"].map((name) => join(folder, name));
  const fifo = (path: string | undefined): { target: { path: string } } => ({
    target: { path: path! },
  });
  const agenda = new Agenda();
  const lines = new NotifyLines(agenda);
  const notes: string[] = [];
  const context = { defaults: {}, note: (note: string) => notes.push(note) };
  try {
    lines.configure("servers", [fifo(all), fifo(lvs)], context);
    lines.configure("addresses", [fifo(all), fifo(vrrp)], context);
    const fds = [all, vrrp, lvs].map((path) => openSync(path!, "r+"));
    const [server, address] = ["RS [10.0.0.1]:tcp:80 [192.0.2.1]:tcp:80 DOWN\n", 'INSTANCE "A"\n'];
    lines.write("servers", { subject: "s", line: server });
    lines.write("addresses", { subject: "a", line: address });
    assert.deepEqual(fds.map(readable), [server + address, address, server]);
    // The one that both had stays as long as one of them wants it.
    lines.configure("addresses", [], context);
    assert.deepEqual(
      [all, vrrp, lvs].map((path) => existsSync(path!)),
      [true, false, true],
    );
    lines.write("servers", { subject: "s", line: server });
    lines.write("addresses", { subject: "a", line: address });
    assert.deepEqual([fds[0]!, fds[2]!].map(readable), [server, server]);
    for (const fd of fds) closeSync(fd);
    await lines.close();
    lines.write("servers", { subject: "s", line: server });
    lines.configure("servers", [fifo(all)], context);
    assert.deepEqual(
      [all, vrrp, lvs].map((path) => existsSync(path!)),
      [false, false, false],
    );
    assert.deepEqual(notes, []);
  } finally {
    agenda.close();
    rmSync(folder, { recursive: true });
  }
});
