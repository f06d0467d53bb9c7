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
