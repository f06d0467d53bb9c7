import assert from "node:assert/strict";
import { test } from "node:test";
import { Verdicts } from "./balance-verdicts.ts";

test("that checks are suspended is told once, and that they go on; not of servers that are gone", () => {
  const said: string[] = [];
  const verdicts = new Verdicts((kind, reason, subject) =>
    said.push(`${kind} ${subject}: ${reason}`),
  );
  const reason = "checks suspended: 10.0.0.100 is elsewhere";
  const servers = ["web/a", "web/b"].map((subject) => ({ subject, reason }));
  verdicts.suspended([]);
  verdicts.suspended(servers);
  verdicts.suspended(servers);
  assert.deepEqual(said.splice(0), [`note web: ${reason}`]);
  assert.equal(verdicts.notAsked.get("web/a"), reason);
  verdicts.keepOnly(new Set(["web/a"]));
  verdicts.suspended([]);
  assert.deepEqual(said, ["note web/a: checks go on"]);
  assert.equal(verdicts.notAsked.size, 0);
});
