/** Every page in both languages, on a desk and on a phone: something is on it, and nothing is out of place. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fixture } from "../../src/console/fixture.ts";
import { ADDRESSES } from "./addresses.ts";
import { FixtureServer } from "./fixture-server.ts";
import { disorder, open, staged } from "./kit.ts";

const server = staged(new FixtureServer());
const closed = staged(new FixtureServer({ anonymous: "nobody" }));

before(() => {
  server.overview = fixture("one-server-left");
});

const SAID: Readonly<
  Record<(typeof ADDRESSES)[number], readonly [english: RegExp, chinese: RegExp]>
> = {
  "#/events": [/Events/u, /事件/u],
  "#/incidents": [/Incidents/u, /事故/u],
  "#/incident/web-20261102T114746Z%40lb1": [
    /Incident web-20261102T114746Z/u,
    /事故 web-20261102T114746Z/u,
  ],
  "#/drills": [/Drills/u, /演练/u],
  "#/drill/kill-vrrp": [/another process takes its place/u, /另一个进程接替/u],
  "#/drill/power-off": [/Not now: an incident is open/u, /现在不能执行/u],
  "#/nodes": [/Nodes of the group/u, /组内节点/u],
  "#/address/VI_1": [/Virtual router/u, /虚拟路由器/u],
  "#/director/lb2": [/STANDBY/u, /备用/u],
  "#/pool/web": [/1 of 3 servers usable/u, /3 台服务器/u],
  "#/server/web/web2": [/ECONNREFUSED/u, /故障/u],
  "#/service/web": [/Availability/u, /可用性/u],
  "#/server/web/gone": [/nothing of that name/u, /没有这个名称/u],
};

test("every page says what it is about, in order, in both languages, wide and narrow", async () => {
  for (const look of [
    { language: "en", width: 1280 },
    { language: "zh", width: 360, dark: true },
  ] as const) {
    const { page, troubles } = await open(server, { ...look, operator: true });
    await page.locator("#topology .node").first().waitFor();
    for (const hash of ADDRESSES) {
      const [english, chinese] = SAID[hash];
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      const wanted = look.language === "en" ? english : chinese;
      await page.locator("main .stack", { hasText: wanted }).first().waitFor();
      assert.equal(
        await page.locator("h1").count(),
        1,
        `${hash} has one heading of the first rank`,
      );
      const parts = ".panel, .actions > *, .facts > *, .subject-head > *, .card > *, td";
      assert.deepEqual(await disorder(page, parts), [], `${hash} ${look.language}`);
    }
    assert.deepEqual(troubles, []);
    await page.close();
  }
});

test("where nobody may read without a token, the page says so and lets one in", async () => {
  const { page } = await open(closed, { alone: true });
  await page.locator('[data-banner="refused"]', { hasText: "Not signed in" }).waitFor();
  assert.equal(await page.locator(".node").count(), 0);
  await page.locator('[data-banner="refused"] button').click();
  await page.getByLabel("Token").fill(closed.token);
  await page.keyboard.press("Enter");
  await page.locator("#topology .node").first().waitFor();
  assert.equal(await page.locator('[data-banner="refused"]').count(), 0);
  await page.close();
});
