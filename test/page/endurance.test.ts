/** The page while the daemon restarts under it, hangs, or while the browser's clock is wrong; keys; a thousand servers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fixture } from "../../src/console/fixture.ts";
import { Theft } from "../../src/lab/stolen.ts";
import { FixtureServer } from "./fixture-server.ts";
import { disorder, open, staged } from "./kit.ts";

const server = staged(new FixtureServer());

test("a console that ends is told with the age of what is shown; when it is back the page goes on by itself", async () => {
  server.overview = fixture("small");
  const { page } = await open(server, { operator: true });
  await page.locator(".is-live").waitFor();
  await server.stop();
  await page.locator(".is-lost").waitFor();
  const banner = page.locator('[data-banner="lost"]');
  await banner.waitFor();
  assert.match(await banner.innerText(), /No news for \d(\.\d)? s: what follows is old\./u);
  assert.equal(await page.locator(".node").count(), 8, "what was known stays");
  server.overview = fixture("one-server-left");
  await server.start();
  await page.locator('.node[data-id="server web/web2"][data-state="DOWN"]').waitFor();
  await banner.waitFor({ state: "detached" });
  await page.locator(".is-live").waitFor();
  await page.close();
});

test("a console that hangs is known by its silence, and asked anew", async () => {
  server.overview = fixture("small");
  const { page } = await open(server, { alone: true, fakeClock: true });
  await page.locator(".is-live").waitFor();
  await page.clock.fastForward(26_000);
  await page.locator('[data-banner="lost"]', { hasText: "It says nothing any more" }).waitFor();
  await page.clock.fastForward(1_000);
  await page.locator(".is-live").waitFor();
  await page.close();
});

test("flips are spoken, shown within the second, and the picture stays in order", async () => {
  server.overview = fixture("small");
  const { page } = await open(server);
  await page.locator("#topology .node").first().waitFor();
  const [changedMs, theft] = [performance.now(), new Theft()];
  server.change(fixture("one-server-left"));
  await page.locator('.node[data-id="server web/web3"][data-state="DOWN"]').waitFor();
  const tookMs = performance.now() - changedMs;
  assert.ok(tookMs < 1000 + theft.ms, `${tookMs} ms, of which ${theft.ms} were stolen`);
  assert.equal(
    await page.locator("#spoken").textContent(),
    "web is DEGRADED; web2 is DOWN; web3 is DOWN",
  );
  assert.equal(await page.locator("#answer-survival .headline").innerText(), "No");
  assert.match(await page.title(), /^▲ lb1/u);
  await page.close();
});

test("with a browser whose clock is a year off every time shown is the server's", async () => {
  server.overview = fixture("small");
  const { page } = await open(server, { clockOffMs: 365 * 86_400_000 });
  await page.locator("#answer-up .muted").waitFor();
  assert.match(await page.locator("#answer-up .muted").innerText(), /since 12 min 1\d s ago/u);
  assert.match(await page.locator("#timeline .steering").innerText(), /11:00:0\d/u);
  await page.close();
});

test("everything is done by keys alone", async () => {
  server.overview = fixture("small");
  const { page } = await open(server, { alone: true });
  await page.locator("#topology .node").first().waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("/");
  await page.getByRole("combobox").waitFor();
  await page.keyboard.type("web/web2");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "web/web2" }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await page.getByRole("heading", { name: "Events", exact: true }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  await page.locator("#topology-title:focus").waitFor();
  for (let i = 0; i < 3; i++) await page.keyboard.press("Tab");
  const focused = await page.evaluate<string>(`(() => {
    const { stroke, strokeWidth } = getComputedStyle(document.activeElement.querySelector(".box"));
    return document.activeElement.getAttribute("data-id") + " " + strokeWidth + " " + stroke;
  })()`);
  assert.match(focused, /^address VI_1 3px rgb/u, "the focus is seen");
  await page.keyboard.press("l");
  await page.getByRole("heading", { name: "拓扑" }).waitFor();
  await page.keyboard.press("t");
  assert.equal(await page.evaluate("document.documentElement.dataset.theme"), "light");
  await page.reload();
  await page.getByRole("heading", { name: "拓扑" }).waitFor();
  await page.close();
});

test("charts of a pool are drawn from what comes, and say their values in words", async () => {
  const small = fixture("small");
  server.overview = small;
  const { page, troubles } = await open(server, { hash: "#/pool/web" });
  await page.getByRole("heading", { name: "web", exact: false }).first().waitFor();
  for (let i = 1; i <= 3; i++) {
    server.change({
      ...small,
      nowMs: small.nowMs + i * 1000,
      topology: {
        ...small.topology,
        edges: small.topology.edges.map((edge) => ({
          ...edge,
          requestsPerSecond: edge.requestsPerSecond + i,
        })),
      },
    });
    await page.getByRole("img", { name: `Traffic: requests ${36 + i} /s` }).waitFor();
  }
  await page.locator(".plot canvas").first().waitFor();
  const inked = await page.evaluate<boolean>(`(() => {
    const canvas = document.querySelector(".plot canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value !== 0);
  })()`);
  assert.ok(inked, "something is drawn");
  assert.deepEqual(troubles, []);
  await page.close();
});

test("a pool of a hundred servers is a table, worst first, searched as one types", async () => {
  server.overview = fixture("thousand-servers");
  const { page } = await open(server, {
    hash: "#/pool/web",
    width: 360,
    height: 740,
  });
  await page.locator("#members tbody tr").first().waitFor();
  assert.match(await page.locator("#members tbody tr").first().innerText(), /DOWN/u);
  await page.getByPlaceholder("Filter").fill("10.0.0.42");
  await page.locator("#members .count", { hasText: "1 of 1" }).waitFor();
  assert.deepEqual(await disorder(page, ".panel, .subject-head > *"), []);
  await page.close();
});

test("charts go back an hour, a day, 30 days, by keys and in both languages", async () => {
  server.overview = fixture("small");
  const { page, troubles } = await open(server, { hash: "#/service/web" });
  await page.getByRole("img", { name: "Availability: balancer 90 %" }).waitFor();
  await page.getByText("Without lb2: no answer.").waitFor();
  const day = page.getByRole("button", { name: "a day" });
  await page.getByRole("button", { name: "an hour" }).focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await day.getAttribute("aria-pressed"), "true");
  // 300 s a step: ten requests in one.
  await page.getByRole("img", { name: "requests 0 /s", exact: false }).waitFor();
  await page.keyboard.press("Escape");
  await page.evaluate(`location.hash = "#/pool/web"`);
  await page.getByRole("button", { name: "30 days" }).click();
  await page.getByRole("img", { name: "Latency: p50 2 ms, p99 40 ms" }).waitFor();
  await page.evaluate("document.activeElement?.blur()");
  await page.keyboard.press("l");
  await page.getByRole("img", { name: "可用性: balancer 90 %" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "30 天" }).count(), 1);
  await page.evaluate(`location.hash = "#/server/web/web1"`);
  await page.getByRole("button", { name: "30 天" }).click();
  await page.getByRole("img", { name: "p50 2 ms, p99 40 ms" }).waitFor();
  assert.deepEqual(troubles, []);
  await page.close();
});
