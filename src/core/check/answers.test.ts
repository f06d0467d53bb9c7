import assert from "node:assert/strict";
import { test } from "node:test";
import { isUsable } from "./check-settings.ts";
import { grpcHealthRequest, judgeGrpcHealth } from "./grpc-health.ts";
import { readAgentLine } from "./line-probes.ts";
import { judgeScript } from "./script-probe.ts";

test("a script's code is judged as MISC_CHECK does, with and without dynamic weights", () => {
  const rows = [0, 1, 2, 102, 255].map((code) => {
    const end = { kind: "exited", code } as const;
    const [plain, dynamic] = [false, true].map((on) => judgeScript({ dynamic: on }, end, ""));
    return `${code}: ${plain?.ok} ${dynamic?.ok} ${dynamic?.weightPercent ?? "-"}`;
  });
  assert.deepEqual(rows, [
    "0: true true -",
    "1: false false -",
    "2: false true 0",
    "102: false true 100",
    "255: false true 253",
  ]);
});

test("a script that failed is told with its last line", () => {
  const result = judgeScript({ dynamic: false }, { kind: "exited", code: 3 }, "first\nno disk\n");
  assert.equal(result.reason, 'the script exited 3 ("no disk")');
  const killed = judgeScript({ dynamic: true }, { kind: "signalled", signal: "SIGSEGV" }, "");
  assert.deepEqual(killed, { ok: false, reason: "the script was ended by SIGSEGV" });
  const end = { kind: "not-started", reason: "EAGAIN", isOurs: true } as const;
  assert.equal(judgeScript({ dynamic: false }, end, "").isOurs, true);
});

test("gRPC health: the request names the service, and every answer has its sentence", () => {
  assert.deepEqual([...grpcHealthRequest("")], [0, 0, 0, 0, 0]);
  assert.deepEqual([...grpcHealthRequest("ab")], [0, 0, 0, 0, 4, 10, 2, 97, 98]);
  const judge = (grpcStatus: string, body: readonly number[], httpStatus = 200): string => {
    const answer = { httpStatus, grpcStatus, grpcMessage: "m", body: Uint8Array.from(body) };
    const { ok, reason } = judgeGrpcHealth(answer);
    return `${ok} ${reason}`;
  };
  assert.equal(judge("0", [0, 0, 0, 0, 2, 8, 1]), "true SERVING");
  assert.equal(judge("0", [0, 0, 0, 0, 2, 8, 2]), "false NOT_SERVING, wanted SERVING");
  assert.equal(judge("0", [0, 0, 0, 0, 0]), "false UNKNOWN, wanted SERVING");
  assert.equal(judge("0", [0, 0, 0]), "false the answer is no health status");
  assert.equal(judge("5", []), "false grpc-status 5 (m), wanted 0");
  assert.equal(judge("", []), "false no grpc-status came, wanted 0");
  assert.equal(judge("0", [], 404), "false HTTP status 404, wanted 200");
});

test("a server is usable when it is up and its own agent keeps it in service", () => {
  assert.equal(isUsable({ up: true }), true);
  assert.equal(isUsable({ up: true, admin: "ready" }), true);
  assert.equal(isUsable({ up: true, admin: "drain" }), false);
  assert.equal(isUsable({ up: true, admin: "maint" }), false);
  assert.equal(isUsable({ up: false, admin: "ready" }), false);
});

test("HAProxy's words of agents are understood", () => {
  assert.deepEqual(readAgentLine("up 75%\n"), {
    ok: true,
    isWord: true,
    reason: 'the agent said "up 75%"',
    weightPercent: 75,
  });
  const percentOf = (text: string): number | undefined => readAgentLine(text).weightPercent;
  assert.deepEqual(["0%", "300%", "1000%", "99999%"].map(percentOf), [0, 300, 1000, 25_600]);
  assert.equal(readAgentLine("drain").admin, "drain");
  assert.deepEqual(readAgentLine("down#disk full"), {
    ok: false,
    isWord: true,
    reason: 'the agent said "down" (disk full)',
  });
  assert.equal(readAgentLine("what?").ok, false);
});
