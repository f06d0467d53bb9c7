import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { findAsset, loadAssets } from "./assets.ts";

const BUDGET = 100 * 1024;
const assets = await loadAssets();

test("the whole page with its libraries is under 100 KB compressed", () => {
  const sizes: (readonly [string, number])[] = [["index.html", assets.index.gzip.length]];
  for (const [path, { gzip }] of assets.files) sizes.push([path, gzip.length]);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  const largest = sizes.toSorted((a, b) => b[1] - a[1]).slice(0, 8);
  assert.ok(total < BUDGET, `${total} bytes; the largest: ${largest.join(" ")}`);
});

test("every module that another one imports is served, and none from elsewhere", () => {
  const imported = /(?:\bfrom|\bimport)\s*\(?\s*["']([^"'\n]+)["']/gu;
  for (const [path, { body, type }] of assets.files) {
    if (!type.startsWith("text/javascript")) continue;
    for (const [, target = ""] of body.toString().matchAll(imported)) {
      const base = `http://x/assets/${assets.version}/${path}`;
      const { pathname, origin } = new URL(target, base);
      assert.equal(origin, "http://x", `${path} imports ${target}`);
      const found = findAsset(assets, pathname.slice("/assets/".length));
      assert.ok(found?.isCurrent, `${path} imports ${target}`);
    }
  }
});

test("what is sent is what was compressed, and nothing of it is TypeScript or inline", () => {
  for (const [path, { body, gzip }] of assets.files) {
    assert.deepEqual(gunzipSync(gzip), body, path);
    assert.doesNotMatch(body.toString(), /^(?:import|export) type|^interface /mu, path);
  }
  const html = assets.index.body.toString();
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|https?:\/\//u);
});

test("the head asks for every module at once: first paint does not wait for one after the other", () => {
  const html = assets.index.body.toString();
  const preloaded = [...html.matchAll(/rel="modulepreload" href="([^"]+)"/gu)].map(
    ([, to = ""]) => to,
  );
  assert.ok(preloaded.length > 5);
  for (const href of preloaded) {
    assert.ok(href.startsWith(`/assets/${assets.version}/`));
    assert.ok(findAsset(assets, href.slice("/assets/".length)) !== undefined, href);
  }
  assert.match(html, new RegExp(`<script type="module" src="/assets/${assets.version}/`, "u"));
});

test("an address of an earlier program still finds the file, but is not kept for good", () => {
  const [path = ""] = assets.files.keys();
  assert.equal(findAsset(assets, `${assets.version}/${path}`)?.isCurrent, true);
  assert.equal(findAsset(assets, `0123456789ab/${path}`)?.isCurrent, false);
  assert.equal(findAsset(assets, path)?.isCurrent, false);
  for (const wrong of ["", "../api.ts", "console/page/../../../package.json", "no/such.js"]) {
    assert.equal(findAsset(assets, wrong), undefined, wrong);
  }
});
