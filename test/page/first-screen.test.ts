/** The first screen in a real browser: what it says in each state, and that it stays in order. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type { Sentence } from "../../src/console/api.ts";
import { fixture, FIXTURE_NAMES, type FixtureName } from "../../src/console/fixture.ts";
import { FixtureServer } from "./fixture-server.ts";
import { disorder, open, regions, textsOutside, staged } from "./kit.ts";

const server = staged(new FixtureServer());

const PANELS = [
  "answer-up",
  "answer-survival",
  "answer-holders",
  "answer-changes",
  "topology",
  "timeline",
  "services",
  "alerts",
  "nodes",
];

/** As when the group becomes that; done when the page shows it. */
async function show(page: Page, name: FixtureName): Promise<void> {
  server.change({ ...fixture(name), node: `${name}-shown` });
  await page.locator(".node-name", { hasText: `${name}-shown` }).waitFor();
  await page.locator("#topology-title").waitFor();
}

const SAID: Readonly<Record<FixtureName, readonly [up: string, survives: string]>> = {
  small: ["Yes", "Yes"],
  "thousand-servers": ["Partly", "Yes"],
  "one-server-left": ["Partly", "No"],
  "split-brain": ["Partly", "No"],
  "everything-down": ["No", "No"],
  "stale-peer": ["Yes", "No"],
  "control-dead": ["Not known", "Not known"],
};

test("each state of the group is said in the first two answers, and no word or box is out of place", async () => {
  server.overview = fixture("small");
  const { page, troubles } = await open(server);
  const headline = (id: string): Promise<string> => page.locator(`#${id} .headline`).innerText();
  for (const name of FIXTURE_NAMES) {
    await show(page, name);
    const [up, survives] = SAID[name];
    assert.equal(await headline("answer-up"), up, name);
    assert.equal(await headline("answer-survival"), survives, name);
    assert.deepEqual(await disorder(page, ".panel, .node, .answer > *"), [], name);
    assert.deepEqual(await textsOutside(page), [], name);
    assert.deepEqual(troubles, [], name);
  }
  await page.close();
});

test("on a phone, in the dark and in Chinese everything is there, below each other, in the same order", async () => {
  const look = { width: 360, height: 740, language: "zh", dark: true, operator: true } as const;
  const { page, troubles } = await open(server, look);
  for (const name of ["one-server-left", "thousand-servers", "split-brain"] as const) {
    await show(page, name);
    assert.match(await page.locator("#answer-up .question").innerText(), /服务正常吗/u);
    assert.deepEqual(
      await disorder(page, ".panel, .node, .answer > *, .top > *:not(.skip)"),
      [],
      name,
    );
    assert.deepEqual(await textsOutside(page), [], name);
    const panels = await regions(page, "main .panel");
    assert.deepEqual(
      panels.map((panel) => panel.name),
      PANELS,
    );
    const tops = panels.map(({ y }) => y);
    assert.deepEqual(
      tops,
      tops.toSorted((a, b) => a - b),
    );
    assert.ok(panels.every(({ x, width }) => x >= 0 && x + width <= 360));
    assert.deepEqual(troubles, []);
  }
  await page.close();
});

test("on a desk the four answers stand side by side above the topology, and all of it within the first screen", async () => {
  server.overview = fixture("small");
  const { page } = await open(server, { width: 1440, height: 900 });
  await page.locator("#topology .node").first().waitFor();
  const answers = await regions(page, ".answer");
  assert.equal(new Set(answers.map(({ y }) => y)).size, 1);
  const [topology] = await regions(page, "#topology");
  assert.ok(topology!.y >= Math.max(...answers.map(({ y, height }) => y + height)));
  assert.ok(topology!.y + topology!.height <= 900, "the topology is seen without scrolling");
  const names = await page.locator(".node .name").allTextContents();
  assert.deepEqual(
    names.toSorted(),
    ["Clients", "VI_1", "lb1", "lb2", "web", "web1", "web2", "web3"].toSorted(),
  );
  const details = await page.locator(".node .detail").allTextContents();
  assert.ok(
    details.some((text) => text.endsWith(" · 192.0.2.10")),
    `an address stands there whole: ${details.join(", ")}`,
  );
  await page.close();
});

test("every state is told by a word and a shape of its own, not by colour alone", async () => {
  const shapes = new Map<string, string>();
  const { page } = await open(server);
  await page.getByRole("button", { name: "As a table" }).click();
  for (const name of ["thousand-servers", "stale-peer", "one-server-left", "small"] as const) {
    await show(page, name);
    const seen = await page.evaluate<[string, string][]>(
      `[...document.querySelectorAll("#topology .state")].map((mark) => [mark.textContent, [...mark.querySelectorAll("path")].map((path) => path.getAttribute("d")).join()])`,
    );
    for (const [word, shape] of seen) shapes.set(word, shape);
  }
  await page.close();
  const words = [
    "DEGRADED",
    "DOWN",
    "DRAINING",
    "GOING-DOWN",
    "MAINTENANCE",
    "STANDBY",
    "UNKNOWN",
    "UP",
  ];
  assert.deepEqual([...shapes.keys()].toSorted(), words);
  assert.equal(new Set(shapes.values()).size, words.length);
});

test("traffic moves on the lines, and stands still for people who want no motion", async () => {
  server.overview = fixture("small");
  const names: string[] = [];
  for (const reducedMotion of [false, true]) {
    const { page } = await open(server, { reducedMotion });
    await page.locator(".flow").first().waitFor({ state: "attached" });
    names.push(
      await page.evaluate<string>(
        `getComputedStyle(document.querySelector(".flow")).animationName`,
      ),
    );
    assert.match((await page.locator(".labels").textContent()) ?? "", /36\/s.*0\.1 err\/s/u);
    await page.close();
  }
  assert.deepEqual(names, ["flow", "none"]);
});

test("what a screen reader hears of the first screen", async () => {
  server.overview = fixture("one-server-left");
  const { page } = await open(server);
  await page.locator("#topology .node").first().waitFor();
  const tree = await page.locator("body").ariaSnapshot();
  for (const part of [
    /banner/u,
    /navigation "Pages"/u,
    /main/u,
    /region "Topology"/u,
    /article "Is the service up\?"/u,
    /link "web2, DOWN, 10\.0\.0\.2:8080, check failed: ECONNREFUSED, 3 of 3"/u,
    /slider "Moment that is shown"/u,
    /img "85 days measured, 3 with trouble"/u,
    /heading "Needs attention \(\d\)"/u,
  ]) {
    assert.match(tree, part);
  }
  assert.doesNotMatch(tree, /img\n/u, "no picture is without a name");
  await page.close();
});

test("a look at the past replays the state of that moment, and says that it is the past", async () => {
  server.overview = fixture("small");
  const { page } = await open(server);
  const web1 = page.locator('.node[data-id="server web/web1"]');
  await web1.waitFor();
  assert.equal(await web1.getAttribute("data-state"), "UP");
  await page.evaluate(`{
    const slider = document.querySelector("#timeline input");
    slider.value = "500";
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }`);
  await page.locator('.node[data-id="server web/web1"][data-state="DOWN"]').waitFor();
  assert.match(
    await page.locator('[data-banner="past"]').innerText(),
    /This is the past:\s+11:30:/u,
  );
  await page.keyboard.press("Escape");
  await page.locator('.node[data-id="server web/web1"][data-state="UP"]').waitFor();
  assert.equal(await page.locator('[data-banner="past"]').count(), 0);
  await page.close();
});

test("of more than can be told the page says that there is more", async () => {
  const small = fixture("small");
  const [record] = small.records;
  const alert = { level: "error", subject: "web/web1", node: "lb1" } as const;
  const sentence = (i: number): Sentence => ({ code: `c${i}`, args: {}, text: `server ${i}` });
  server.overview = {
    ...small,
    alerts: Array.from({ length: 100 }, (_, i) => ({ ...alert, sentence: sentence(i) })),
    incidents: [],
    records: Array.from({ length: 510 }, (_, i) => ({
      ...record!,
      seq: 9_000 - i,
      wallMs: small.nowMs - i * 1000,
    })),
  };
  const { page } = await open(server);
  await page.getByRole("heading", { name: "Needs attention (100+)" }).waitFor();
  await page.getByText("and 92+ more").waitFor();
  await page.getByText(/^Marks are those since .+: the newest 500\./u).waitFor();
  await page.close();
});

test("names from servers stay text", async () => {
  const small = fixture("small");
  const evil = `<img src=x onerror="document.title='owned'">`;
  server.overview = {
    ...small,
    topology: {
      ...small.topology,
      nodes: small.topology.nodes.map((node) =>
        node.layer === "server" ? { ...node, name: evil, reason: evil } : node,
      ),
    },
    records: small.records.map((record) => ({ ...record, reason: evil, subject: evil })),
  };
  const { page } = await open(server);
  await page.locator("#topology .node").first().waitFor();
  assert.equal(await page.locator("img").count(), 0);
  assert.match(await page.locator("#answer-changes").innerText(), /<img src=x/u);
  assert.doesNotMatch(await page.title(), /owned/u);
  await page.close();
});
