/**
 * The page's files, ready to send: TypeScript without its types, libraries from node_modules, each
 * compressed once. There is no build step: what is served is what stands in `page/`.
 *
 * Addresses are `/assets/VERSION/PATH` with PATH below `src/`, so that relative imports hold, and
 * `/assets/VERSION/vendor/NAME.js`. VERSION is a digest of everything: browsers keep such a file for
 * good, and a new program has new addresses.
 */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { setImmediate as breath } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

export interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly body: Buffer;
  readonly gzip: Buffer;
}

export interface Assets {
  /** Names its `version`. */
  readonly index: Asset;
  readonly version: string;
  /** By path below `/assets/VERSION/`. */
  readonly files: ReadonlyMap<string, Asset>;
}

const HERE = fileURLToPath(new URL("../", import.meta.url));
/** A package has the page's sources beside what was compiled. */
const SOURCES = existsSync(join(HERE, "console", "page", "index.html"))
  ? HERE
  : fileURLToPath(new URL("../../../src/", import.meta.url));
const PAGE = join(SOURCES, "console", "page");

/** What the page may import by name. The minified script of uPlot is half of its module. */
const VENDORS: Readonly<Record<string, (text: (file: string) => string) => string>> = {
  preact: (text) => text("preact"),
  "preact/hooks": (text) => text("preact/hooks"),
  "@preact/signals": (text) => text("@preact/signals"),
  "@preact/signals-core": (text) => text("@preact/signals-core"),
  uplot: (text) => `${text("uplot/dist/uPlot.iife.min.js")}\nexport default uPlot;\n`,
};

const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  ts: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  json: "application/json",
  svg: "image/svg+xml",
};

const IMPORT = /(\bfrom\s*|\bimport\s*\(\s*|\bimport\s*)(["'])([^"'\n]+)\2/gu;

interface Draft {
  readonly files: Map<string, string>;
  /** Modules that the entry needs before it can run, in the order in which they were found. */
  readonly needed: Set<string>;
}

interface Wanted {
  readonly path: string;
  readonly isNeeded: boolean;
}

/**
 * Throws when the page imports what is not there: a test would have said so. Takes half a second of
 * work, a file at a time: the journal is written in between.
 */
export async function loadAssets(page: string = PAGE): Promise<Assets> {
  const draft: Draft = { files: new Map(), needed: new Set() };
  for (const file of readdirSync(page, { recursive: true, encoding: "utf8" })) {
    if (/\.(css|svg|json)$/u.test(file) && !file.endsWith("tsconfig.json")) {
      draft.files.set(pathOf(join(page, file)), readFileSync(join(page, file), "utf8"));
    }
  }
  const html = readFileSync(join(page, "index.html"), "utf8");
  const entries = html.matchAll(/<script type="module" src="\/assets\/([^"]+)"/gu);
  const wanted = [...entries].map(([, path = ""]): Wanted => ({ path, isNeeded: true }));
  for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) {
    if (!addModule(draft, next, wanted)) continue;
    await breath();
  }
  const version = digest([html, ...[...draft.files].flat()].join("\0")).slice(0, 12);
  const files = new Map<string, Asset>();
  for (const [path, text] of draft.files) {
    files.set(path, assetOf(path, atVersion(text, version)));
    await breath();
  }
  const preloads = [...draft.needed].map(
    (path) => `<link rel="modulepreload" href="/assets/${path}">`,
  );
  const head = html.replace("</head>", `${preloads.join("")}</head>`);
  return { index: assetOf("index.html", atVersion(head, version)), version, files };
}

/** The path behind `/assets/`, with any version in front; and whether it is the current one. */
export function findAsset(
  { files, version }: Assets,
  path: string,
): { readonly asset: Asset; readonly isCurrent: boolean } | undefined {
  const slash = path.indexOf("/");
  const first = path.slice(0, slash);
  const isVersioned = /^[0-9a-f]{12}$/u.test(first);
  const asset = files.get(isVersioned ? path.slice(slash + 1) : path);
  return asset === undefined ? undefined : { asset, isCurrent: first === version };
}

/** False: it was there already. What it imports goes to the end of `wanted`. */
function addModule(draft: Draft, { path, isNeeded }: Wanted, wanted: Wanted[]): boolean {
  const isKnown = draft.files.has(path);
  if (isKnown && (!isNeeded || draft.needed.has(path))) return false;
  const name = /^vendor\/(.+)\.js$/u.exec(path)?.[1];
  const text = name === undefined ? ownModule(path) : VENDORS[name]!(vendor);
  if (isNeeded) draft.needed.add(path);
  const linked = text.replaceAll(IMPORT, (_all, word: string, quote: string, target: string) => {
    const to = targetOf(path, target);
    wanted.push({ path: to, isNeeded: isNeeded && !word.includes("(") });
    return `${word}${quote}${target.startsWith(".") ? target : `/assets/${to}`}${quote}`;
  });
  draft.files.set(path, linked);
  return true;
}

function targetOf(from: string, target: string): string {
  if (Object.hasOwn(VENDORS, target)) return `vendor/${target}.js`;
  if (!target.startsWith(".")) throw new Error(`${from} imports '${target}', which is not served`);
  const path = join(dirname(from), target).replaceAll(sep, "/");
  if (path.startsWith("..")) throw new Error(`${from} imports '${target}', outside of the sources`);
  return path;
}

/** Comments are for whoever reads the sources; what types leave behind is spaces. */
function ownModule(path: string): string {
  const text = readFileSync(join(SOURCES, path), "utf8");
  if (!path.endsWith(".ts")) return text;
  return stripTypeScriptTypes(text)
    .replaceAll(/^[ \t]*\/\*\*[^]*?\*\/[ \t]*\n/gmu, "")
    .replaceAll(/^[ \t]*\/\/.*\n/gmu, "")
    .replaceAll(/[ \t]+$/gmu, "")
    .replaceAll(/\n{2,}/gu, "\n");
}

/** `NAME` of a package's module, or `PACKAGE/PATH` of one of its files. */
function vendor(name: string): string {
  if (!name.includes("/dist/")) return withoutMap(readFileSync(resolved(name), "utf8"));
  const [packageName = "", ...rest] = name.split("/");
  return readFileSync(join(packageFolder(packageName), ...rest), "utf8");
}

function resolved(name: string): string {
  return fileURLToPath(import.meta.resolve(name));
}

function packageFolder(name: string): string {
  const entry = resolved(name);
  return entry.slice(0, entry.lastIndexOf(`${sep}${name}${sep}`) + name.length + 2);
}

function withoutMap(text: string): string {
  return text.replace(/\n\/\/# sourceMappingURL=.*\n?$/u, "\n");
}

function pathOf(file: string): string {
  return relative(SOURCES, file).replaceAll(sep, "/");
}

/** Our own absolute addresses in a text get the version. */
function atVersion(text: string, version: string): string {
  return text.replaceAll(/(["'(])\/assets\//gu, `$1/assets/${version}/`);
}

function assetOf(path: string, text: string): Asset {
  const body = Buffer.from(text);
  return {
    type: TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream",
    etag: `"${digest(text).slice(0, 24)}"`,
    body,
    gzip: gzipSync(body, { level: 9 }),
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
