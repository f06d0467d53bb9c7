import assert from "node:assert/strict";
import { test } from "node:test";
import type { FromCheck, FromVrrp, RoleModel } from "./role-protocol.ts";
import { VrrpHub } from "./vrrp-hub.ts";

const hello = { type: "hello", role: "check", protocol: 1, pid: 7 } as const;

function modelOf(...scripts: string[]): RoleModel {
  const named = scripts.map((name) => ({ name }));
  const vrrp = { scripts: named, files: [{ name: "a" }] };
  return { vrrp, trackedChecks: [{ subject: "track alive" }] } as never;
}

function trackChanged(name: string, ok: boolean): FromCheck {
  return { type: "track-changed", kind: "script", name, ok, value: 0, reason: `${name}: ${ok}` };
}

/** A check role that comes; answers what it was told it knows. */
function comes(hub: VrrpHub): { say: (message: FromCheck) => void; known: () => string[] } {
  const sent: FromVrrp[] = [];
  const connection = { send: (message: FromVrrp) => sent.push(message), close: () => {} };
  const lines = hub.accept(connection as never);
  lines.message(hello);
  const known = (): string[] =>
    sent.flatMap((one) => (one.type === "configure-check" ? one.known.map((k) => k.reason) : []));
  return { say: (message) => lines.message(message), known };
}

test("a check role that is new is told what the one before it had said, of what is still watched", () => {
  const ignore = (): void => {};
  const listener = { onControl: ignore, onTrack: ignore, onWitness: ignore };
  const hub = new VrrpHub({ ...listener, isConfigured: () => true });
  hub.configureCheck(modelOf("a", "b"));
  const first = comes(hub);
  assert.deepEqual(first.known(), []);
  first.say(trackChanged("a", true));
  first.say(trackChanged("b", true));
  first.say(trackChanged("track alive", false));
  first.say(trackChanged("a", false));
  first.say({ ...trackChanged("a", true), kind: "file", reason: "file a" } as FromCheck);
  assert.deepEqual(comes(hub).known().toSorted(), [
    "a: false",
    "b: true",
    "file a",
    "track alive: false",
  ]);
  hub.configureCheck(modelOf("b"));
  hub.configureCheck(modelOf("a", "b"));
  assert.deepEqual(comes(hub).known().toSorted(), ["b: true", "file a", "track alive: false"]);
});
