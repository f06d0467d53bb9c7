/** Whoever has no mouse does everything: sign in, look back, order, answer; and every control says what it is. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { Page } from "playwright-core";
import { fixture } from "../../src/console/fixture.ts";
import { FixtureServer } from "./fixture-server.ts";
import { open, staged } from "./kit.ts";

const server = staged(new FixtureServer());

beforeEach(() => {
  server.overview = fixture("small");
  server.confirmed.length = 0;
});

const MOST_STEPS = 60;

/** Goes on with Tab until that is in focus, which must be seen. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let i = 0; i < MOST_STEPS; i++) {
    await page.keyboard.press("Tab");
    const found = await page.evaluate<string>(`(() => {
      const focused = document.activeElement;
      if (!focused.matches(${JSON.stringify(selector)})) return "";
      const { outlineStyle, boxShadow } = getComputedStyle(focused);
      return outlineStyle !== "none" || boxShadow !== "none" ? "seen" : "not seen";
    })()`);
    if (found === "") continue;
    assert.equal(found, "seen", `the focus on ${selector}`);
    return;
  }
  assert.fail(`Tab does not lead to ${selector}`);
}

test("an order is given by keys alone, and the focus comes back to where it was", async () => {
  const { page } = await open(server, { operator: true, hash: "#/server/web/web1" });
  await page.getByRole("button", { name: "Drain" }).waitFor();
  await tabTo(page, ".actions button");
  await page.keyboard.press("Enter");
  const window = page.getByRole("dialog", { name: "Drain: web/web1" });
  await window.getByText("3 requests of web/web1 may finish").waitFor();
  await tabTo(page, "dialog input[type=text]");
  await page.keyboard.type("new kernel");
  await tabTo(page, "dialog button[type=submit]");
  await page.keyboard.press("Enter");
  await page.locator(".notice", { hasText: "drain of web/web1 done" }).waitFor();
  assert.deepEqual(
    server.confirmed.map(({ reason }) => reason),
    ["new kernel"],
  );
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const focused = await page.evaluate<string>("document.activeElement.textContent");
  assert.equal(focused, "Drain");
  await page.close();
});

test("one looks back by keys alone: by the slider, by events, and home again", async () => {
  const { page } = await open(server);
  await page.locator("#topology .node").first().waitFor();
  await tabTo(page, "#timeline input[type=range]");
  await page.keyboard.press("Home");
  await page.locator('.node[data-id="server web/web1"][data-state="DOWN"]').waitFor();
  const said = (): Promise<string | null> =>
    page.locator("#timeline input").getAttribute("aria-valuetext");
  assert.match((await said()) ?? "", /11:00:0\d/u);
  await page.keyboard.press("Escape");
  await page.locator('[data-banner="past"]').waitFor({ state: "detached" });
  await page.keyboard.press("[");
  await page.locator('[data-banner="past"]').waitFor();
  await page.keyboard.press("Escape");
  await page.locator('[data-banner="past"]').waitFor({ state: "detached" });
  await page.close();
});

test("whatever can be pressed, chosen or filled in says what it is, on every page", async () => {
  const { page } = await open(server, { operator: true });
  await page.locator("#topology .node").first().waitFor();
  const nameless: string[] = [];
  for (const hash of [
    "#/",
    "#/events",
    "#/incidents",
    "#/incident/web-20261102T114746Z%40lb1",
    "#/drills",
    "#/drill/kill-vrrp",
    "#/nodes",
    "#/address/VI_1",
    "#/pool/web",
    "#/server/web/web1",
    "#/service/web",
  ]) {
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
    await page.locator("main h1").first().waitFor({ state: "attached" });
    for (const line of (await page.locator("body").ariaSnapshot()).split("\n")) {
      if (
        /^\s*- (?:button|link|textbox|searchbox|combobox|slider|checkbox|img)(?::|$)/u.test(line)
      ) {
        nameless.push(`${hash}:${line}`);
      }
    }
  }
  assert.deepEqual(nameless, []);
  await page.close();
});
