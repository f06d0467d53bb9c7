import assert from "node:assert/strict";
import { createServer, type Server, type ServerResponse } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { Overview, OverviewChange, RecordView } from "./api.ts";
import { eventId, EventStreams, seqOfEventId } from "./event-stream.ts";
import { fixture } from "./fixture.ts";
import { applyChange } from "./overview-change.ts";

let server: Server;
let port = 0;
let open: (response: ServerResponse) => void;

before(async () => {
  server = createServer((_request, response) => open(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
});

after(() => {
  server.closeAllConnections();
  server.close();
});

interface Told {
  readonly id?: string;
  readonly event?: string;
  readonly data?: unknown;
}

/** The events of a stream, until it ends or the caller has enough. */
async function* listen(): AsyncGenerator<Told> {
  const { body } = await fetch(`http://127.0.0.1:${port}/`);
  let text = "";
  for await (const part of body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const value = (name: string): string | undefined =>
        fields.find((one) => one.startsWith(`${name}: `))?.slice(name.length + 2);
      const [id, event, data] = [value("id"), value("event"), value("data")];
      yield {
        ...(id === undefined ? {} : { id }),
        ...(event === undefined ? {} : { event }),
        ...(data === undefined ? {} : { data: JSON.parse(data) }),
      };
    }
  }
}

async function next(events: AsyncGenerator<Told>): Promise<Told> {
  const { value } = await events.next();
  return value as Told;
}

const RECORD: RecordView = {
  node: "lb1",
  seq: 7,
  wallMs: 1,
  source: "vrrp",
  level: "info",
  kind: "state-changed",
  subject: "VI_1",
  reason: "two lines\nof text",
};

test("a reader gets what it missed, the whole, then what changes: the same as asking again", async () => {
  const streams = new EventStreams();
  const before = fixture("small");
  const viewer = { role: "read", who: "eyes" } as const;
  const isWelcome = (): boolean => true;
  open = (response) => streams.add({ response, viewer, isWelcome }, before, [RECORD]);
  const events = listen();
  assert.deepEqual(await next(events), {});
  assert.deepEqual(await next(events), { id: "lb1:7", event: "record", data: RECORD });
  const snapshot = await next(events);
  assert.deepEqual((snapshot.data as Overview).viewer, viewer);
  const later = { ...fixture("everything-down"), nowMs: before.nowMs + 5 };
  streams.show(before);
  streams.show(later);
  const change = await next(events);
  assert.equal(change.event, "overview");
  const made = applyChange(snapshot.data as Overview, change.data as OverviewChange);
  assert.deepEqual(made, { ...JSON.parse(JSON.stringify(later)), viewer });
  streams.tell({ ...RECORD, seq: 8 });
  assert.equal((await next(events)).id, "lb1:8");
  streams.close();
  assert.equal(streams.count, 0);
});

test("a reader that does not read is dropped; the others go on", async () => {
  const streams = new EventStreams();
  const gone = Promise.withResolvers<void>();
  open = (response) => {
    response.once("close", gone.resolve);
    const isWelcome = (): boolean => true;
    streams.add(
      { response, viewer: { role: "read", who: "slow" }, isWelcome },
      fixture("small"),
      [],
    );
  };
  const slow = connect(port, "127.0.0.1");
  slow.pause();
  const opened = Promise.withResolvers<void>();
  const first = open;
  open = (response) => {
    first(response);
    opened.resolve();
  };
  slow.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await opened.promise;
  const long = { ...RECORD, reason: "x".repeat(100_000) };
  for (let i = 0; i < 500 && streams.count > 0; i++) {
    streams.tell({ ...long, seq: i });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await gone.promise;
  assert.equal(streams.count, 0);
  slow.destroy();
  streams.close();
});

test("the number of an event is of this node's journal or none", () => {
  assert.equal(seqOfEventId(eventId(RECORD), "lb1"), 7);
  assert.equal(seqOfEventId("lb2:7", "lb1"), undefined);
  assert.equal(seqOfEventId("lb1:x", "lb1"), undefined);
  assert.equal(seqOfEventId("lb1:-1", "lb1"), undefined);
  assert.equal(seqOfEventId(undefined, "lb1"), undefined);
});
