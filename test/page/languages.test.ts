/** In Chinese everything is Chinese, on every page, in every state; a change of language needs no reload. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { fixture, FIXTURE_NAMES } from "../../src/console/fixture.ts";
import { ADDRESSES } from "./addresses.ts";
import { FixtureServer } from "./fixture-server.ts";
import { open, staged } from "./kit.ts";

const server = staged(new FixtureServer());

/** What comes last on pages that ask for more. */
const WHOLE: Readonly<Record<string, string>> = {
  "#/": "#nodes",
  "#/events": ".records li",
  "#/incidents": ".card",
  "#/drills": ".drills li",
  "#/drill/kill-vrrp": ".facts",
  "#/pool/web": ".records li, #records .empty",
  "#/service/web": ".charts",
};

/** What people read and hear: two English words in a row. Commands, and what people wrote, may be. */
function englishOn(page: Page): Promise<readonly string[]> {
  return page.evaluate<string[]>(`(() => {
    const told = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const { parentElement, textContent } = walker.currentNode;
      if (!parentElement.closest("code, noscript, #notes .lines")) told.push(textContent);
    }
    for (const name of ["aria-label", "aria-valuetext", "title", "placeholder", "alt"]) {
      for (const one of document.querySelectorAll("[" + name + "]")) told.push(one.getAttribute(name));
    }
    return [...new Set(told)].filter((text) => /[a-z]{2,},? [a-z]{2,}/u.test(text.replaceAll(/nines [ -~]+/gu, "")));
  })()`);
}

test("no page has an English sentence when it is Chinese, in any state", async () => {
  server.overview = fixture("small");
  const { page } = await open(server, { language: "zh", operator: true });
  const found: string[] = [];
  for (const name of FIXTURE_NAMES) {
    server.change({ ...fixture(name), node: `${name}-shown` });
    await page.locator(".node-name", { hasText: `${name}-shown` }).waitFor();
    for (const hash of ["#/", ...ADDRESSES]) {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page
        .locator(WHOLE[hash] ?? "main h1")
        .first()
        .waitFor({ state: "attached" });
      for (const text of await englishOn(page)) found.push(`${name} ${hash}: ${text}`);
    }
    await page.evaluate(`location.hash = "#/"`);
  }
  assert.deepEqual(found, []);
  await page.close();
});

test("windows of orders are Chinese, too", async () => {
  server.overview = fixture("small");
  const look = { language: "zh", operator: true, hash: "#/server/web/web1" } as const;
  const { page } = await open(server, look);
  await page.getByRole("button", { name: "排空" }).click();
  await page.getByRole("dialog").getByText("现有 3 个请求").waitFor();
  server.conflict = "something changed since the preview: look again";
  await page.getByLabel("原因").fill("新内核");
  await page.getByRole("dialog").getByRole("button", { name: "排空" }).click();
  await page.getByText("预览之后情况有变：请重新确认").waitFor();
  assert.deepEqual(await englishOn(page), []);
  await page.close();
});

test("a change of language changes what was told already, without a reload or a word of a lost line", async () => {
  server.overview = fixture("one-server-left");
  const { page, troubles } = await open(server, { alone: true, hash: "#/drills" });
  await page.getByText("as promised: another process takes its place").waitFor();
  await page.evaluate(
    `new MutationObserver(() => { if (document.querySelector(".is-lost") !== null) document.title = "lost"; })
      .observe(document.body, { subtree: true, childList: true, attributes: true })`,
  );
  await page.keyboard.press("l");
  await page.getByText("符合预期：另一个进程接替").waitFor();
  await page.evaluate(`location.hash = "#/server/web/web2"`);
  await page.locator(".lead", { hasText: "检查失败：连接被拒绝（3/3）" }).waitFor();
  await page.keyboard.press("l");
  await page.locator(".lead", { hasText: "check failed: ECONNREFUSED, 3 of 3" }).waitFor();
  assert.notEqual(await page.title(), "lost");
  assert.deepEqual(troubles, []);
  await page.close();
});
