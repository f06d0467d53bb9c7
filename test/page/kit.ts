/** A headless Chromium before the console, as a test wants it. */

import { after, before } from "node:test";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import type { FixtureServer } from "./fixture-server.ts";

const CHROMIUM = process.env["NINES_CHROMIUM"] ?? "/usr/bin/chromium";

let launched: Promise<Browser> | undefined;

/** One for all tests of this process. */
export function launch(): Promise<Browser> {
  // Tests run as root in containers, where Chromium's own sandbox cannot be set up.
  launched ??= chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  return launched;
}

/** A server, there with the browser while the tests of the file that asks for it run. */
export function staged(server: FixtureServer): FixtureServer {
  before(async () => {
    await server.start();
    await launch();
  });
  after(async () => {
    await (await launch()).close();
    await server.end();
  });
  return server;
}

export interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly language?: "en" | "zh";
  readonly dark?: boolean;
  readonly hash?: string;
  /** With the token of an operator. */
  readonly operator?: boolean;
  readonly reducedMotion?: boolean;
  /** Shares neither cookies nor choices with other tests. */
  readonly alone?: boolean;
  /** Time passes as the test says (`page.clock`). */
  readonly fakeClock?: boolean;
  /** The browser's clock is that much off, ms. */
  readonly clockOffMs?: number;
}

export interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the browser complained about. */
  readonly troubles: string[];
}

export async function open(
  server: Pick<FixtureServer, "url" | "token">,
  look: Look = {},
): Promise<Opened> {
  const context = await contextFor(server, look);
  const page = await context.newPage();
  await page.setViewportSize({ width: look.width ?? 1280, height: look.height ?? 860 });
  if (look.fakeClock === true) await page.clock.install();
  page.setDefaultTimeout(8_000);
  if (look.clockOffMs !== undefined) {
    await page.addInitScript(
      `{ const now = Date.now; Date.now = () => now() + ${look.clockOffMs}; }`,
    );
  }
  const troubles: string[] = [];
  page.on("pageerror", (error) => troubles.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (message.type() === "error") troubles.push(message.text());
  });
  await page.goto(`${server.url}${look.hash ?? ""}`);
  return { page, context, troubles };
}

/** Contexts are kept while the browser lives: those after the first find the page's files in their cache. */
const contexts = new Map<string, Promise<BrowserContext>>();

async function contextFor(
  server: Pick<FixtureServer, "url" | "token">,
  look: Look,
): Promise<BrowserContext> {
  const browser = await launch();
  const made = async (): Promise<BrowserContext> => {
    const context = await browser.newContext({
      locale: look.language === "zh" ? "zh-CN" : "en-GB",
      colorScheme: look.dark === true ? "dark" : "light",
      reducedMotion: look.reducedMotion === true ? "reduce" : "no-preference",
      timezoneId: "UTC",
    });
    if (look.operator === true) await signIn(context, server);
    return context;
  };
  if (look.alone === true) return made();
  const key = [server.url, look.language, look.dark, look.reducedMotion, look.operator].join();
  const kept = contexts.get(key) ?? made();
  contexts.set(key, kept);
  return kept;
}

export async function signIn(
  context: BrowserContext,
  { url, token }: Pick<FixtureServer, "url" | "token">,
): Promise<void> {
  const headers = { origin: url.slice(0, -1) };
  const answer = await context.request.post(`${url}api/v1/session`, { data: { token }, headers });
  if (!answer.ok()) throw new Error(`signing in: ${answer.status()} ${await answer.text()}`);
}

export interface Region {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What lies on something else, sticks out of the window or is wider than its own box. Empty: nothing. */
export async function disorder(page: Page, selector: string): Promise<readonly string[]> {
  const source = `((selector) => {
    const found = [];
    const wide = document.documentElement;
    if (wide.scrollWidth > wide.clientWidth) found.push("the page is " + wide.scrollWidth + " wide in " + wide.clientWidth);
    const boxes = [...document.querySelectorAll(selector)].map((element) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      const name = element.id || element.getAttribute("data-id") || element.className.baseVal || element.className || element.tagName;
      if (element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX === "visible" && element instanceof HTMLElement) found.push(name + " is wider inside than outside");
      return { name, x, y, width, height };
    }).filter(({ width, height }) => width > 0 && height > 0);
    boxes.forEach((a, i) => {
      if (a.x < -0.5 || a.x + a.width > innerWidth + 0.5) found.push(a.name + " sticks out of the window");
      for (const b of boxes.slice(i + 1)) {
        const apart = a.x + a.width <= b.x + 0.5 || b.x + b.width <= a.x + 0.5 || a.y + a.height <= b.y + 0.5 || b.y + b.height <= a.y + 0.5;
        const within = (p, q) => p.x >= q.x - 0.5 && p.y >= q.y - 0.5 && p.x + p.width <= q.x + q.width + 0.5 && p.y + p.height <= q.y + q.height + 0.5;
        if (!apart && !within(a, b) && !within(b, a)) found.push(a.name + " lies on " + b.name);
      }
    });
    return found;
  })(${JSON.stringify(selector)})`;
  return page.evaluate<string[]>(source);
}

/** Texts of the picture that stick out of their boxes. */
export function textsOutside(page: Page): Promise<readonly string[]> {
  return page.evaluate<string[]>(`(() => {
    const found = [];
    for (const node of document.querySelectorAll(".node")) {
      const box = node.querySelector(".box").getBoundingClientRect();
      for (const text of node.querySelectorAll("text")) {
        const { right, left } = text.getBoundingClientRect();
        if (right > box.right + 1 || left < box.left) found.push(text.textContent);
      }
    }
    return found;
  })()`);
}

export function regions(page: Page, selector: string): Promise<readonly Region[]> {
  return page.evaluate<
    Region[]
  >(`[...document.querySelectorAll(${JSON.stringify(selector)})].map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return { name: element.id, x, y, width, height };
  })`);
}
