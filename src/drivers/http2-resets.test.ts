/** Clients of HTTP/2 that ask and take back. */

import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { frame, PREFACE, withHttp2Server } from "../../test/kit/http2-rig.ts";

/** http / with the authority `a`. RFC 7541, appendix A. */
const GET = Buffer.from([0x82, 0x86, 0x84, 0x01, 0x01, 0x61]);
const CANCEL = Buffer.from([0, 0, 0, 8]);
/** Type, flags and stream of its frame. */
const GOAWAY = Buffer.from([7, 0, 0, 0, 0, 0]);

/** Whether a client with so many requests taken back is told to go before a later sign of life. */
async function isSentAway(resets: number): Promise<boolean> {
  const end = Promise.withResolvers<boolean>();
  await withHttp2Server(
    () => ({}),
    async (port) => {
      const socket = connect(port, "127.0.0.1");
      const ids = Array.from({ length: resets }, (_, i) => 2 * i + 1);
      const frames = ids.flatMap((id) => [frame(1, 5, id, GET), frame(3, 0, id, CANCEL)]);
      const ping = (which: number): Buffer => frame(6, 0, 0, Buffer.alloc(8, which));
      socket.write(Buffer.concat([PREFACE, ...frames, ping(0xf1)]));
      let came = Buffer.alloc(0);
      const isThere = (which: number): boolean => came.includes(Buffer.alloc(8, which));
      socket.on("data", (bytes: Buffer) => {
        came = Buffer.concat([came, bytes]);
        if (isThere(0xf2) || came.includes(GOAWAY)) end.resolve(came.includes(GOAWAY));
        else if (isThere(0xf1)) socket.write(ping(0xf2));
      });
      socket.on("error", () => {});
      socket.on("close", () => end.resolve(true));
      await end.promise;
      socket.destroy();
    },
  );
  return end.promise;
}

test("a client that takes back more than twice the requests it may have at once is sent away", async () => {
  assert.equal(await isSentAway(200), false);
  assert.equal(await isSentAway(400), true);
});
