import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { chineseSentences, sentenceInChinese } from "./sentences-zh.ts";

test("every sentence of the server has its Chinese", () => {
  const said = new Set<string>();
  const sources = [
    "console/verdict.ts",
    "console/overview.ts",
    "core/survival/survival.ts",
    "core/survival/action-safety.ts",
    "console/operator-actions.ts",
    "console/drill-part.ts",
  ];
  for (const file of sources) {
    const source = readFileSync(join(import.meta.dirname, "..", file), "utf8");
    for (const [, code] of source.matchAll(/(?:\bsay\(|\btold\(|\bcode: )"([a-z-]+)"/gu))
      said.add(code!);
  }
  assert.ok(said.size > 15, `found ${said.size} sentences in the sources`);
  const missing = [...said].filter((code) => !Object.hasOwn(chineseSentences, code));
  assert.deepEqual(missing, []);
});

test("a sentence without its values in the catalog's place stays English", () => {
  const whole = { code: "service-up", args: { service: "web" }, text: "web is up" };
  assert.equal(sentenceInChinese(whole), "web 正常");
  assert.equal(sentenceInChinese({ ...whole, args: {} }), "web is up");
  assert.equal(sentenceInChinese({ ...whole, code: "never-heard-of" }), "web is up");
});

test("a reason within a sentence is told in Chinese where it is a usual one", () => {
  const reason = "check failed: ECONNREFUSED, 3 of 3";
  const down = { code: "server-down", args: { name: "web/web1", reason }, text: "…" };
  assert.equal(sentenceInChinese(down), "服务器 web/web1 故障：检查失败：连接被拒绝（3/3）");
});
