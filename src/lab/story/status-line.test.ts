import assert from "node:assert/strict";
import { test } from "node:test";
import { ownersPart, statusLine, webPart } from "./status-line.ts";

const up = ["web1", "web2", "web3"].map((name) => ({ name, state: "up" }) as const);

test("the line never fills the terminal's last column, so that it can be drawn over", () => {
  const owners = ownersPart(["lb1", "lb2"], (name) => name === "lb2");
  const parts = ["497 answers/s", "failed 6619", owners, webPart(up), "broken: 1"];
  const whole = "497 answers/s  failed 6619  address on lb2 (lb1 silenced)  all web up";
  assert.equal(statusLine(parts, 81), `${whole}  broken: 1`);
  assert.equal(statusLine(parts, 0).length, 79, "a terminal without a size");
  for (const columns of [20, 60, 80]) {
    const line = statusLine(parts, columns);
    assert.equal(line.length, columns - 1);
    assert.ok(line.endsWith("\u2026"));
  }
});

test("a director that runs has the address before one that only has it left", () => {
  assert.equal(
    ownersPart(["lb1", "lb2"], () => true),
    "address on lb1 + lb2",
  );
  assert.equal(
    ownersPart(["lb1"], () => false),
    "address on lb1",
  );
  assert.equal(
    ownersPart([], () => true),
    "address on nobody",
  );
});

test("web servers are named when they are not up", () => {
  assert.equal(webPart([]), "");
  const [first, ...others] = up;
  assert.equal(webPart([{ ...first!, state: "down" }, ...others]), "web1 down");
});
