/** What an operator does on the page, and what a reader cannot do. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { fixture } from "../../src/console/fixture.ts";
import { FixtureServer } from "./fixture-server.ts";
import { disorder, open, staged } from "./kit.ts";

const server = staged(new FixtureServer());

beforeEach(() => {
  server.overview = fixture("small");
  server.confirmed.length = 0;
  server.previewed = (usual) => usual;
});

test("an order shows what it will do and its command, wants a reason, and is sent once", async () => {
  const { page, troubles } = await open(server, {
    operator: true,
    hash: "#/server/web/web1",
  });
  await page.getByRole("button", { name: "Drain" }).click();
  const window = page.getByRole("dialog", { name: "Drain: web/web1" });
  await window.getByText("3 requests of web/web1 may finish").waitFor();
  await window.getByText("pool web has 2 servers left: web2, web3").waitFor();
  await window.getByText("nines pool drain web/web1").waitFor();
  const send = window.getByRole("button", { name: "Drain", exact: true });
  assert.equal(await send.isDisabled(), true, "not without a reason");
  await window.getByLabel("What still runs may finish for").selectOption("60");
  await window.getByLabel("Reason").fill("new kernel");
  assert.deepEqual(await disorder(page, "dialog > *, .action-form > *"), []);
  await send.click();
  await page.locator(".notice", { hasText: "drain of web/web1 done" }).waitFor();
  assert.deepEqual(server.confirmed, [
    {
      action: "drain",
      subject: "web/web1",
      deadlineMs: 60_000,
      confirm: "seen-drain",
      reason: "new kernel",
    },
  ]);
  assert.deepEqual(troubles, []);
  await page.close();
});

test("what is typed while the preview is asked for anew is kept, and nothing goes out before its answer", async () => {
  const { page } = await open(server, { operator: true, hash: "#/server/web/web1" });
  await page.getByRole("button", { name: "Drain" }).click();
  const window = page.getByRole("dialog", { name: "Drain: web/web1" });
  const send = window.getByRole("button", { name: "Drain", exact: true });
  await send.waitFor();
  const answer = Promise.withResolvers<void>();
  await page.route("**/preview", async (route) => {
    await answer.promise;
    await route.continue();
  });
  const asked = page.waitForRequest("**/preview");
  await window.getByLabel("What still runs may finish for").selectOption("60");
  await asked;
  await window.getByLabel("Reason").fill("new kernel");
  assert.equal(await send.isDisabled(), true);
  answer.resolve();
  await send.click();
  await page.locator(".notice.shown").waitFor();
  assert.deepEqual(
    server.confirmed.map(({ deadlineMs, reason }) => [deadlineMs, reason]),
    [[60_000, "new kernel"]],
  );
  await page.close();
});

test("when something changed meanwhile, the order is looked at anew and may be confirmed then", async () => {
  const { page } = await open(server, { operator: true, hash: "#/server/web/web1" });
  await page.getByRole("button", { name: "Drain" }).click();
  const window = page.getByRole("dialog", { name: "Drain: web/web1" });
  await window.getByLabel("Reason").fill("new kernel");
  let looks = 0;
  server.previewed = (usual) => ({ ...usual, confirm: `seen-${++looks}` });
  server.conflict = "something changed since the preview: look again";
  const send = window.getByRole("button", { name: "Drain", exact: true });
  await send.click();
  await window.getByText("something changed since the preview").waitFor();
  await send.click();
  await page.locator(".notice", { hasText: "drain of web/web1 done" }).waitFor();
  assert.deepEqual(
    server.confirmed.map(({ confirm, reason }) => [confirm, reason]),
    [
      ["seen-drain", "new kernel"],
      ["seen-1", "new kernel"],
    ],
  );
  await page.close();
});

test("a dangerous order wants its name typed; one that nobody may give says why and has no button", async () => {
  const refused = {
    code: "order-no-standby",
    args: { name: "VI_1" },
    text: "nobody stands by for VI_1",
  };
  server.previewed = (usual) => ({ ...usual, refused, override: "VI_1" });
  const { page } = await open(server, { operator: true, hash: "#/address/VI_1" });
  await page.getByRole("button", { name: "Hand over" }).click();
  const window = page.getByRole("dialog");
  await window.getByRole("alert").filter({ hasText: "nobody stands by for VI_1" }).waitFor();
  await window.getByLabel("Reason").fill("moving house");
  const send = window.getByRole("button", { name: "Hand over", exact: true });
  await window.getByLabel("Type VI_1").fill("VI_2");
  assert.equal(await send.isDisabled(), true);
  await window.getByLabel("Type VI_1").fill("VI_1");
  await send.click();
  await page.locator(".notice.shown").waitFor();
  assert.equal(server.confirmed[0]?.override, "VI_1");
  server.previewed = ({ confirm: _confirm, ...usual }) => ({ ...usual, refused });
  await page.getByRole("button", { name: "Hand over" }).click();
  await page.getByRole("dialog").getByText("Refused", { exact: true }).waitFor();
  assert.equal(
    await page.getByRole("dialog").getByRole("button", { name: "Hand over", exact: true }).count(),
    0,
  );
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(
    await page.evaluate<string>("document.activeElement.textContent"),
    "Hand over",
    "the focus is where it was",
  );
  await page.close();
});

test("a weight is previewed as it is typed, and empty means as configured", async () => {
  const { page } = await open(server, {
    operator: true,
    hash: "#/server/web/web2",
    language: "zh",
  });
  await page.getByRole("button", { name: "权重" }).click();
  const window = page.getByRole("dialog", { name: "权重: web/web2" });
  await window.getByText("nines pool weight web/web2 null").waitFor();
  await window.getByLabel("权重，0 到 256").fill("20");
  await window.getByText("nines pool weight web/web2 20").waitFor();
  await window.getByLabel("原因").fill("新机器");
  await window.getByRole("button", { name: "权重", exact: true }).click();
  await page.locator(".notice.shown").waitFor();
  assert.equal(server.confirmed[0]?.weight, 20);
  assert.equal(server.confirmed[0]?.reason, "新机器");
  await page.close();
});

test("a reader sees no orders; with a token one becomes an operator, and signed out a reader again", async () => {
  const { page } = await open(server, { alone: true, hash: "#/server/web/web1" });
  await page.getByRole("heading", { name: "web/web1" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Drain" }).count(), 0);
  await page.getByRole("button", { name: "Sign in" }).click();
  const window = page.getByRole("dialog", { name: "Sign in" });
  await window.getByLabel("Token").fill("nines_wrong");
  await window.getByRole("button", { name: "Sign in" }).click();
  await window.getByRole("alert").filter({ hasText: "unknown, expired or revoked" }).waitFor();
  await window.getByLabel("Token").fill(server.token);
  await window.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Drain" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Drain" }).waitFor({ state: "detached" });
  await page.close();
});

test("a note on an incident is kept and shown; a drill is run from its page", async () => {
  const { page } = await open(server, {
    operator: true,
    hash: "#/incident/web-20261102T114746Z%40lb1",
  });
  await page.getByText("check failed: ECONNREFUSED, 3 of 3").waitFor();
  assert.match(
    await page.locator(".phases").innerText(),
    /Noticed[\s\S]*after 2\.1 s[\s\S]*Repaired/u,
  );
  await page.getByRole("textbox", { name: "Add a note" }).fill("<b>it was the kernel</b>");
  await page.getByRole("button", { name: "Add a note" }).click();
  await page.getByText("<b>it was the kernel</b>").waitFor();
  await page.evaluate(`location.hash = "#/drill/kill-vrrp"`);
  await page.getByRole("button", { name: "Run this drill" }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("game day");
  await page.getByRole("dialog").getByRole("button", { name: "Run this drill" }).click();
  await page.locator(".notice.shown").waitFor();
  assert.equal(server.confirmed[0]?.action, "drill-run");
  assert.equal(server.confirmed[0]?.subject, "kill-vrrp");
  await page.close();
});
