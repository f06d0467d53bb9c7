import assert from "node:assert/strict";
import { test } from "node:test";
import { ALGORITHMS, PoolRig, poolSettings, request } from "../../../test/kit/pool-rig.ts";
import type { Algorithm } from "./pool-settings.ts";

function rigOf(algorithm: Algorithm): PoolRig {
  const rig = new PoolRig(
    poolSettings([{ weight: 2 }, {}, { maxConnections: 1 }, {}], { algorithm }),
  );
  rig.start("web1");
  rig.start("web3");
  rig.down("web4", "check failed: status 503, wanted 200-399, 3 of 3");
  return rig;
}

function told(algorithm: Algorithm): string[] {
  const rig = rigOf(algorithm);
  return rig.pool.explain({ now: rig.now, hash: 7, key: "the client's address 192.0.2.1" });
}

test("each algorithm says what it compares, and who is left out and why", () => {
  const said = Object.fromEntries(ALGORITHMS.map((one) => [one.kind, told(one)[0]]));
  assert.equal(said["round-robin"], "round-robin: in turn by weight: web1 2, web2 1, web3 1");
  const least = "least-connections: fewest (requests + 1) / weight: web1 1, web2 1, web3 2";
  assert.equal(said["least-connections"], least);
  assert.match(said["two-choices"] ?? "", /requests \/ weight: web1 0\.5, web2 0, web3 1$/);
  assert.match(said["peak-ewma"] ?? "", /: web1 not answered yet, web2 not asked yet, web3 not/);
  const first =
    "first: the first with a free place: web1 1 of any number, web2 0 of any number, web3 1 of 1";
  assert.equal(said["first"], first);
  assert.equal(said["random"], "random: drawn by weight: web1 50 %, web2 25 %, web3 25 %");
  for (const algorithm of ALGORITHMS) {
    const left =
      "left out: web3 full (1 of 1), web4 down (check failed: status 503, wanted 200-399, 3 of 3)";
    assert.equal(told(algorithm)[1], left);
  }
});

test("of a hash the place in the table leads to the server that is picked", () => {
  for (const algorithm of ALGORITHMS) {
    if (algorithm.kind !== "hash" && algorithm.kind !== "maglev") continue;
    const rig = rigOf(algorithm);
    for (let hash = 1; hash < 200; hash += 7) {
      const [line = ""] = rig.pool.explain({ now: rig.now, hash, key: "k" });
      const picked = rig.pool.pick(rig.now, request({ hash })).server?.name;
      assert.ok(
        line.startsWith(`${algorithm.kind}: hash of k: ${hash.toString(16).padStart(8, "0")}, `),
      );
      assert.ok(line.endsWith(` is ${picked}`), `${line} - ${picked}`);
    }
  }
});

test("an explanation changes nothing", () => {
  for (const algorithm of ALGORITHMS) {
    const [one, other] = [rigOf(algorithm), rigOf(algorithm)];
    for (let i = 0; i < 20; i++) {
      one.pool.explain({ now: one.now, hash: i, key: "" });
      assert.equal(one.pick({ hash: i }), other.pick({ hash: i }), algorithm.kind);
    }
  }
});
