import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CheckLink, untilNextTryMs } from "./check-role-link.ts";
import { serveLines, type LineConnection } from "./line-connection.ts";
import type { FromCheck, ToCheck } from "./role-protocol.ts";
import { runDirectory } from "./run-directory.ts";

test("a vrrp role that is gone is asked for at once, one that stays away at the turn of a second", (t) => {
  t.mock.method(Date, "now", () => 1_800_000_000_400);
  assert.deepEqual([10, 500].map(untilNextTryMs), [10, 500]);
  assert.equal(untilNextTryMs(1000), 602);
});

test("the vrrp process in reserve is met before it is needed, and believed once it speaks", async (t) => {
  const path = mkdtempSync(join(tmpdir(), "nines-link-"));
  const directory = runDirectory(path);
  /** What comes to a socket, and the line to whoever said it. */
  const listen = async (
    socket: string,
  ): Promise<{ heard: () => Promise<FromCheck>; line: () => LineConnection<ToCheck> }> => {
    const waiting: ((message: FromCheck) => void)[] = [];
    const messages: FromCheck[] = [];
    const lines: LineConnection<ToCheck>[] = [];
    const server = await serveLines<FromCheck, ToCheck>(socket, (connection) => {
      lines.push(connection);
      const message = (one: FromCheck): void => {
        const next = waiting.shift();
        if (next === undefined) messages.push(one);
        else next(one);
      };
      return { message, closed: () => {} };
    });
    t.after(() => server.close());
    const heard = async (): Promise<FromCheck> => {
      const known = messages.shift();
      return known ?? new Promise<FromCheck>((resolve) => waiting.push(resolve));
    };
    return { heard, line: () => lines[0]! };
  };
  const [first, spare] = [await listen(directory.vrrpSocket), await listen(directory.spareSocket)];
  const told: string[] = [];
  const link: CheckLink = new CheckLink(directory, {
    connected: () => {
      told.push("connected");
      link.send({ type: "witness-changed", address: "192.0.2.1", reachable: true });
    },
    message: ({ type }) => void told.push(type),
    replaced: () => void told.push("replaced"),
  });
  t.after(() => {
    link.close();
    rmSync(path, { recursive: true, force: true });
  });
  await link.connect();
  assert.equal((await first.heard()).type, "hello");
  assert.equal((await first.heard()).type, "witness-changed");
  assert.equal((await spare.heard()).type, "hello");
  assert.deepEqual(told, ["connected"]);
  spare.line().send({ type: "stop" });
  assert.equal((await spare.heard()).type, "witness-changed", "every verdict is told anew");
  assert.deepEqual(told, ["connected", "connected", "stop"]);
  link.send({ type: "notified", seq: 1 });
  assert.equal((await spare.heard()).type, "notified");
});
