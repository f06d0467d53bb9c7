/** The judge of the request fuzzer sees each kind of difference. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Evidence, type Forwarded, judge } from "./kit/http-fuzz-judge.ts";
import { HttpMutants, markOf } from "./kit/http-mutants.ts";
import { Prng } from "../src/lib/prng.ts";

function forwarded(requestId: string, draft: Partial<Forwarded> = {}): Forwarded {
  const server = "127.0.0.1:9001";
  const ended = { status: 200, termination: "--", reason: "" };
  return {
    frontend: "nginx",
    sourcePort: 4000,
    target: "/",
    requestId,
    server,
    ...ended,
    ...draft,
  };
}

function counted(id: string, status = 200, on = "1"): { id: string; on: string; status: number } {
  return { id, on, status };
}

/** What is wrong with it, without the details. */
function differences(draft: {
  readonly forwarded?: readonly Forwarded[];
  readonly counted?: readonly ReturnType<typeof counted>[];
  readonly heard?: Evidence["heard"];
}): number {
  const evidence = {
    forwarded: draft.forwarded ?? [],
    heard: draft.heard ?? [],
    counted: { nginx: draft.counted ?? [] },
  };
  return judge(evidence).differences.length;
}

function heard(...seen: string[]): Evidence["heard"][number] {
  return { serial: 7, from: 4000, seen, statuses: [200], isStuck: false };
}

describe("the judge of the request fuzzer", () => {
  const one = [forwarded("a")];

  it("is content when each request was counted once", () => {
    assert.equal(differences({ forwarded: one, counted: [counted("a")], heard: [heard("a")] }), 0);
  });

  it("sees requests that were counted twice, or not at all, or that nobody forwarded", () => {
    assert.equal(differences({ forwarded: one, counted: [counted("a"), counted("a")] }), 1);
    assert.equal(differences({ forwarded: one }), 1);
    assert.equal(differences({ counted: [counted("b")] }), 1);
    assert.equal(differences({ counted: [counted("-")] }), 2);
  });

  it("lets a request that broke off be counted once or not at all", () => {
    const broken = [forwarded("a", { termination: "CR" })];
    assert.equal(differences({ forwarded: broken }), 0);
    assert.equal(differences({ forwarded: broken, counted: [counted("a")] }), 0);
    assert.equal(differences({ forwarded: broken, counted: [counted("a"), counted("a")] }), 1);
  });

  it("pairs refusals without an id with requests that were answered by an error", () => {
    const refused = [forwarded("a", { status: 400 })];
    assert.equal(differences({ forwarded: refused, counted: [counted("-", 400)] }), 0);
    assert.equal(differences({ forwarded: refused }), 1);
    const two = [counted("-", 400), counted("-", 400, "2")];
    assert.equal(differences({ forwarded: refused, counted: two }), 1);
    const behind = [counted("-", 400), counted("b")];
    assert.equal(differences({ forwarded: [...refused, forwarded("b")], counted: behind }), 1);
  });

  it("sees answers that came to somebody else, or in another order", () => {
    const all = { counted: [counted("a"), counted("b")] };
    const [first, second] = [markOf(7, 0), markOf(7, 1)];
    const two = [forwarded("a", { target: first }), forwarded("b", { target: second })];
    assert.equal(differences({ ...all, forwarded: two, heard: [heard("a", "b")] }), 0);
    assert.equal(differences({ ...all, forwarded: two, heard: [heard("b", "a")] }), 1);
    assert.equal(differences({ ...all, forwarded: two, heard: [heard("a", "x")] }), 1);
    const other = [forwarded("a", { sourcePort: 1 }), forwarded("b", { target: markOf(8, 1) })];
    assert.equal(differences({ ...all, forwarded: other, heard: [heard("a")] }), 1);
    assert.equal(differences({ ...all, forwarded: other, heard: [heard("b")] }), 1);
  });

  it("sees requests that a server never answered, and connections that nobody ends", () => {
    const silent = [forwarded("a", { status: 504, termination: "sH" })];
    assert.equal(differences({ forwarded: silent }), 1);
    assert.equal(differences({ heard: [{ ...heard(), isStuck: true }] }), 1);
  });
});

describe("mutated requests", () => {
  it("are the same for the same seed, and of every kind", () => {
    const [one, two] = [new HttpMutants(new Prng(5)), new HttpMutants(new Prng(5))];
    let all = "";
    for (let i = 0; i < 3000; i++) {
      const batch = one.batch(i);
      assert.deepEqual(two.batch(i), batch);
      all += batch.text;
    }
    for (const kind of [
      /^GET \/m/m,
      /Transfer-Encoding: chunked, identity/,
      /Content-Length: 18446744073709551621/,
      /GET \/smuggled/,
      /X: y\rTransfer-Encoding/,
      /\n0x[0-9a-f]+\r\n/,
      /HTTP\/1\.2/,
    ]) {
      assert.match(all, kind);
    }
  });
});
