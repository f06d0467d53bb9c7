import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { NotifyRequest, NotifyState } from "./commands.ts";
import { LANE_LIMIT } from "./lane.ts";
import { NotifyQueue, SCRIPT_DEADLINE_MS, type NotifyAction } from "./queue.ts";

const OK = { end: { kind: "exited", code: 0 }, output: "" } as const;
const any = { argv: ["/n"] };

function configured(...names: string[]): NotifyQueue {
  const queue = new NotifyQueue();
  const notify = { any, priorityChanges: false, mail: false };
  const subjects = names.map((name) => ({ scope: "INSTANCE", name, notify }) as const);
  queue.step(0, { type: "configured", subjects });
  return queue;
}

function ask(seq: number, name = "A", state: NotifyState = "MASTER"): NotifyRequest {
  return { seq, scope: "INSTANCE", name, state, priority: 100, wallMs: 1000 + seq };
}

const requested = (request: NotifyRequest) => ({ type: "notify-requested", request }) as const;
const ended = (name = "A") => ({ type: "script-ended", lane: `INSTANCE ${name}`, ...OK }) as const;
const acks = (actions: readonly NotifyAction[]): number[] =>
  actions.flatMap((action) => (action.type === "acknowledge" ? [action.seq] : []));
const runs = (actions: readonly NotifyAction[]): string[] =>
  actions.flatMap((action) =>
    action.type === "run-script" ? [action.command.argv.slice(2).join(" ")] : [],
  );

test("an instance's scripts run one after the other, its FIFO lines go out at once", () => {
  const queue = configured("A");
  const first = queue.step(0, requested(ask(1, "A", "BACKUP")));
  const second = queue.step(1, requested(ask(2, "A", "MASTER")));
  assert.deepEqual(runs(first), ["A BACKUP 100"]);
  assert.deepEqual(runs(second), []);
  assert.equal(second.filter((action) => action.type === "write-fifo").length, 1);
  const third = queue.step(5, ended());
  assert.deepEqual(acks(third), [1]);
  assert.deepEqual(runs(third), ["A MASTER 100"]);
  assert.deepEqual(acks(queue.step(9, ended())), [2]);
  assert.ok(queue.idle);
});

test("instances do not wait for each other, acknowledgements stay in order", () => {
  const queue = configured("A", "B");
  queue.step(0, requested(ask(1, "A")));
  assert.deepEqual(runs(queue.step(0, requested(ask(2, "B")))), ["B MASTER 100"]);
  assert.deepEqual(acks(queue.step(1, ended("B"))), []);
  assert.deepEqual(acks(queue.step(2, ended("A"))), [2]);
});

test("without scripts a notification is acknowledged at once", () => {
  const queue = configured();
  const actions = queue.step(0, requested(ask(1)));
  assert.deepEqual(acks(actions), [1]);
  assert.equal(actions[0]?.type, "write-fifo");
  assert.ok(queue.idle);
});

test("what is told again while it runs is not run twice, when done it is acknowledged again", () => {
  const queue = configured("A");
  queue.step(0, requested(ask(1)));
  assert.deepEqual(queue.step(1, requested(ask(1))), []);
  queue.step(2, ended());
  assert.deepEqual(queue.step(3, requested(ask(1))), [{ type: "acknowledge", seq: 1 }]);
});

test("a vrrp role that counts anew is recognised and its notifications run", () => {
  const queue = configured("A");
  queue.step(0, requested(ask(1)));
  queue.step(1, requested(ask(2, "A", "BACKUP")));
  const reborn = { ...ask(1, "A", "FAULT"), wallMs: 9000 };
  assert.deepEqual(acks(queue.step(2, requested(reborn))), []);
  assert.deepEqual(acks(queue.step(3, ended())), [], "the old number 1 is nobody's any more");
  assert.deepEqual(runs(queue.step(4, ended())), ["A FAULT 100"]);
  assert.deepEqual(acks(queue.step(5, ended())), [1]);
});

test("a script that hangs is ended at its deadline and the next one runs", () => {
  const queue = configured("A");
  queue.step(0, requested(ask(1)));
  queue.step(0, requested(ask(2, "A", "BACKUP")));
  assert.equal(queue.deadline, SCRIPT_DEADLINE_MS);
  const late = queue.step(queue.deadline, { type: "woken" });
  assert.deepEqual(
    late.map((action) => action.type),
    ["note", "kill-script-group"],
  );
  const [kill] = queue.step(queue.deadline, { type: "woken" });
  assert.deepEqual(kill, { type: "kill-script-group", lane: "INSTANCE A", signal: "SIGKILL" });
  assert.deepEqual(runs(queue.step(queue.deadline, ended())), ["A BACKUP 100"]);
});

test("a failing script is told with its last words", () => {
  const queue = configured("A");
  queue.step(0, requested(ask(1)));
  const end = { kind: "exited", code: 3 } as const;
  const input = { type: "script-ended", lane: "INSTANCE A", end, output: "no route\n" } as const;
  assert.deepEqual(queue.step(1, input)[0], {
    type: "note",
    instance: "A",
    reason: "notify script /n (MASTER) exited 3: no route",
  });
});

test("a deleted instance is still told by the scripts it had", () => {
  const queue = configured("A");
  queue.step(0, { type: "configured", subjects: [] });
  assert.deepEqual(runs(queue.step(1, requested(ask(1, "A", "DELETED")))), ["A DELETED 100"]);
  queue.step(2, { type: "configured", subjects: [] });
  queue.step(3, ended());
  assert.deepEqual(runs(queue.step(4, requested(ask(2, "A", "DELETED")))), []);
});

test("an instance that is gone is told so although an earlier script lasts over two reloads", () => {
  const queue = configured("A");
  queue.step(0, requested(ask(1, "A", "MASTER")));
  queue.step(1, { type: "configured", subjects: [] });
  queue.step(2, requested(ask(2, "A", "DELETED")));
  queue.step(3, { type: "configured", subjects: [] });
  queue.step(4, { type: "configured", subjects: [] });
  assert.deepEqual(runs(queue.step(5, ended())), ["A DELETED 100"]);
  assert.deepEqual(acks(queue.step(6, ended())), [2]);
  queue.step(7, { type: "configured", subjects: [] });
  assert.deepEqual(runs(queue.step(8, requested(ask(3, "A", "DELETED")))), []);
});

test("behind the bound the past gives way, remarks first, and never the final state", () => {
  const queue = configured("A");
  queue.step(0, requested(ask(1)));
  queue.step(0, requested(ask(2, "A", "MASTER_RX_LOWER_PRI")));
  const last = LANE_LIMIT + 10;
  for (let seq = 3; seq <= last; seq++) {
    queue.step(0, requested(ask(seq, "A", seq === last ? "FAULT" : "BACKUP")));
  }
  let ran: string[] = [];
  for (let i = 0; !queue.idle; i++) {
    assert.ok(i <= LANE_LIMIT + 1);
    ran = [...ran, ...runs(queue.step(i, ended()))];
  }
  assert.equal(ran.length, LANE_LIMIT);
  assert.equal(ran.at(-1), "A FAULT 100");
});

test("any interleaving runs every notification once, in order per instance, and acknowledges all", () => {
  const move = fc.constantFrom("ask A", "ask B", "end A", "end B", "again");
  const property = fc.property(fc.array(move, { maxLength: 100 }), (moves) => {
    const queue = configured("A", "B");
    const asked: Record<string, NotifyRequest[]> = { A: [], B: [] };
    const ran: Record<string, number> = { A: 0, B: 0 };
    let seq = 0;
    let acknowledged = 0;
    const take = (actions: readonly NotifyAction[]): void => {
      for (const action of actions) {
        if (action.type === "run-script") ran[action.command.argv[2]!]!++;
        if (action.type === "acknowledge") acknowledged = action.seq;
      }
    };
    for (const [now, what] of moves.entries()) {
      const name = what.slice(4);
      if (what === "again") {
        for (let old = acknowledged + 1; old <= seq; old++) {
          const request = [...asked["A"]!, ...asked["B"]!].find((entry) => entry.seq === old)!;
          take(queue.step(now, requested(request)));
        }
      } else if (what.startsWith("ask") && asked[name]!.length < LANE_LIMIT) {
        const request = ask(++seq, name, "BACKUP");
        asked[name]!.push(request);
        take(queue.step(now, requested(request)));
      } else take(queue.step(now, ended(name)));
    }
    for (let i = 0; !queue.idle && i < 200; i++) {
      take(queue.step(1000, ended("A")));
      take(queue.step(1000, ended("B")));
    }
    assert.deepEqual(ran, { A: asked["A"]!.length, B: asked["B"]!.length });
    assert.equal(acknowledged, seq);
  });
  fc.assert(property);
});

test("told again by a vrrp role that went on where another died: not run a second time", () => {
  const queue = configured("A");
  const again = { again: true } as const;
  // A fresh check role has heard nothing: it is better told twice than never.
  assert.deepEqual(runs(queue.step(0, requested({ ...ask(1), ...again }))), ["A MASTER 100"]);
  queue.step(1, ended());
  const second = queue.step(2, requested({ ...ask(1), ...again, wallMs: 5000 }));
  assert.deepEqual(second, [{ type: "acknowledge", seq: 1 }]);
  queue.step(3, requested(ask(2, "A", "BACKUP")));
  queue.step(4, ended());
  const third = queue.step(5, requested({ ...ask(3), ...again }));
  assert.deepEqual(runs(third), ["A MASTER 100"]);
});

test("what is for the FIFOs alone runs no script and is no news of the state", () => {
  const queue = configured("A");
  const wanted = ["write-fifo", "acknowledge"];
  const priority = queue.step(0, requested(ask(1, "A", "MASTER_PRIORITY")));
  assert.deepEqual(
    priority.map(({ type }) => type),
    wanted,
  );
  const state = queue.step(1, requested({ ...ask(2), fifoOnly: true }));
  assert.deepEqual(
    state.map(({ type }) => type),
    wanted,
  );
  assert.deepEqual(runs(queue.step(2, requested({ ...ask(3), again: true }))), ["A MASTER 100"]);
});
