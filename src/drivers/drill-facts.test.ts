/** What a plan is told of a host, from what its programs print. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { facts } from "../../test/kit/drill-facts.ts";
import { delayFacts, linkFacts, type Ask } from "./drill-facts.ts";

/** A host on which these commands succeed: the beginning of the line, and what it prints. */
function host(answers: Readonly<Record<string, string>>): Ask {
  return async (...argv) => {
    const line = argv.join(" ");
    const found = Object.keys(answers).find((start) => line.startsWith(start));
    return found === undefined ? undefined : answers[found];
  };
}

const ROUTES = {
  "ip -o route get 10.0.0.1": "10.0.0.1 dev eth0 src 10.0.0.9 uid 0 \\    cache",
  "ip -o route get 10.0.0.2": "10.0.0.2 via 10.0.1.1 dev eth1 src 10.0.1.9 uid 0 \\    cache",
};
const OWN_QUEUE = { "tc qdisc show": "qdisc fq_codel 0: root refcnt 2 limit 10240p\n" };

test("where the kernel delays, the ways to the servers are known by their interfaces", async () => {
  const ask = host({ "unshare --net": "", ...ROUTES, ...OWN_QUEUE });
  assert.deepEqual(await delayFacts(ask, facts.target), [
    { interface: "eth0", addresses: ["10.0.0.1"] },
    { interface: "eth1", addresses: ["10.0.0.2"] },
  ]);
});

test("why it does not is said: no netem, a queue of somebody's, a server on this host", async () => {
  const why = async (ask: Ask): Promise<string> => {
    const found = await delayFacts(ask, facts.target);
    assert.ok(typeof found === "string");
    return found;
  };
  assert.equal(await why(host({ ...ROUTES, ...OWN_QUEUE })), "this kernel has no netem for it");
  const shaped = { "tc qdisc show": "qdisc htb 1: root refcnt 2 r2q 10\n" };
  const ask = host({ "unshare --net": "", ...ROUTES, ...shaped });
  assert.match(await why(ask), /set a queue on eth0/u);
  const local = { "ip -o route get": "local 10.0.0.1 dev lo src 10.0.0.1 uid 0" };
  assert.match(
    await why(host({ "unshare --net": "", ...OWN_QUEUE, ...local })),
    /10\.0\.0\.1 is on this host/u,
  );
  assert.match(
    await why(host({ "unshare --net": "", ...OWN_QUEUE })),
    /nobody knows the way to 10\.0\.0\.1/u,
  );
});

test("a queue of the kernel's own may be replaced, another one not", async () => {
  const shapedBy = async (text: string): Promise<boolean | undefined> =>
    (await linkFacts(host({ "tc qdisc show": text }), facts.target))[0]?.isShaped;
  assert.equal(await shapedBy("qdisc noqueue 0: root refcnt 2\n"), false);
  assert.equal(await shapedBy("qdisc mq 0: root\n"), false);
  assert.equal(await shapedBy("qdisc tbf 8001: root refcnt 2 rate 1Mbit\n"), true);
  assert.equal((await linkFacts(host({}), facts.target))[0]?.isShaped, false, "no tc here");
});
