/**
 * The page with a thousand servers in a headless Chromium: how long until the first picture, until the topology
 * stands, and until a change on the server is on the screen. `npm run bench -- evidence --only page`.
 */

import type { Browser, Page } from "playwright-core";
import type { Overview } from "../src/console/api.ts";
import { loadAssets } from "../src/console/assets.ts";
import { fixture } from "../src/console/fixture.ts";
import { FixtureServer } from "../test/page/fixture-server.ts";
import { launch } from "../test/page/kit.ts";
import { median } from "./median.ts";

/** Changes come this often: slower than a frame, faster than a console tells of. */
const EVERY_MS = 60;

/** In the page, before its own scripts: when the topology stands, and when each change is drawn. */
const WATCH = `{
  window.seen = [];
  const look = () => {
    const name = document.querySelector(".node-name")?.textContent ?? "";
    if (window.stood === undefined && document.querySelector(".node") !== null) requestAnimationFrame(() => (window.stood = performance.now()));
    if (name.startsWith("change-") && window.seen.at(-1)?.name !== name) {
      const one = { name, at: 0 };
      window.seen.push(one);
      requestAnimationFrame(() => (one.at = performance.timeOrigin + performance.now()));
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
}`;

export async function pageBench(rounds: number, flips: number): Promise<void> {
  const server = new FixtureServer();
  await server.start();
  const browser = await launch();
  try {
    console.log(`page: ${((await weight()) / 1024).toFixed(1)} KB compressed, all of it`);
    for (const name of ["small", "thousand-servers"] as const) {
      server.overview = fixture(name);
      const servers = server.overview.topology.nodes.filter(({ layer }) => layer === "server");
      console.log(`${servers.length} servers`);
      await firstPicture(browser, server, rounds);
      await changes(browser, server, flips);
    }
  } finally {
    await browser.close();
    await server.end();
  }
}

async function weight(): Promise<number> {
  const { files, index } = await loadAssets();
  const own = [...files].filter(([path]) => path !== "vendor/uplot.css");
  return own.reduce((total, [, { gzip }]) => total + gzip.length, index.gzip.length);
}

async function firstPicture(
  browser: Browser,
  server: FixtureServer,
  rounds: number,
): Promise<void> {
  const paints: number[] = [];
  const stands: number[] = [];
  for (let i = 0; i < rounds; i++) {
    // A context of its own: nothing is in the cache.
    const page = await opened(browser, server);
    const [paint, stood] = await page.evaluate<[number, number]>(
      `[performance.getEntriesByName("first-contentful-paint")[0].startTime, window.stood]`,
    );
    paints.push(paint);
    stands.push(stood);
    await page.context().close();
  }
  console.log(`  first paint ${spread(paints)}, topology stands ${spread(stands)} (cold cache)`);
}

async function opened(browser: Browser, server: FixtureServer): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(WATCH);
  await page.goto(server.url);
  await until(page, "window.stood !== undefined");
  // The browser says only afterwards when it painted first.
  await until(page, 'performance.getEntriesByName("first-contentful-paint").length > 0');
  return page;
}

/** Playwright's own waiting evaluates texts inside the page, which the page's policy forbids. */
async function until(page: Page, condition: string): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  while (!(await page.evaluate<boolean>(condition))) {
    if (performance.now() > giveUpAt) throw new Error(`in vain: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** One server of all flips, again and again. */
async function changes(browser: Browser, server: FixtureServer, count: number): Promise<void> {
  const page = await opened(browser, server);
  const before = server.overview;
  const told = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const node = `change-${i}`;
    told.set(node, performance.timeOrigin + performance.now());
    server.change({ ...flipped(before, i % 2 === 0), node });
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  await until(
    page,
    `window.seen.at(-1)?.name === "change-${count - 1}" && window.seen.at(-1).at > 0`,
  );
  const seen = await page.evaluate<{ name: string; at: number }[]>("window.seen");
  const delays = seen.filter(({ at }) => at > 0).map(({ name, at }) => at - told.get(name)!);
  console.log(
    `  a change is on the screen after ${spread(delays)}; ${delays.length} of ${count} drawn one by one`,
  );
  await page.context().close();
}

function flipped(overview: Overview, isDown: boolean): Overview {
  const last = overview.topology.nodes.findLast(({ layer }) => layer === "server")!;
  const state = isDown ? "DOWN" : "UP";
  const nodes = overview.topology.nodes.map((node) =>
    node === last ? ({ ...node, state } as const) : node,
  );
  return { ...overview, topology: { ...overview.topology, nodes } };
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const high = sorted[Math.floor(sorted.length * 0.95)] ?? 0;
  return `${Math.round(median(values))} ms (95 %: ${Math.round(high)} ms)`;
}
