import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { COUNTS, PATTERNS, reasonInChinese } from "./reasons-zh.ts";

const placesIn = (text: string): readonly string[] =>
  [...text.matchAll(/\{(~?\w+)\}/gu)].map(([, name]) => name!);

test("both languages of a pattern have the same values, and Chinese is Chinese", () => {
  for (const [english, chinese] of PATTERNS) {
    const [there, here] = [placesIn(english), placesIn(chinese)];
    assert.deepEqual(here.toSorted(), there.filter((name) => here.includes(name)).toSorted());
    // A role's or a service's name may be clear from the rest; a value of its own may not be lost.
    assert.deepEqual(new Set(there).size - new Set(here).size, 0, english);
    assert.match(chinese, /\p{Script=Han}/u);
  }
  const all = PATTERNS.map(([english]) => english);
  assert.equal(new Set(all).size, all.length);
});

test("every pattern is reached by its own sentence: none hides behind one before it", () => {
  for (const [english, chinese] of PATTERNS) {
    const filled = (text: string): string =>
      text.replaceAll(/\{~?(\w+)\}/gu, (_all, name: string) =>
        COUNTS.has(name) ? "7" : `<${name}>`,
      );
    assert.equal(reasonInChinese(filled(english)), filled(chinese));
  }
});

for (const [english, chinese] of [
  [
    "no advert from 192.0.2.2 for 3609 ms (limit 3609 ms)",
    "192.0.2.2 已 3609 ms 没有通告（上限 3609 ms）",
  ],
  ["check failed: status 503, wanted 200-399, 3 of 3", "检查失败：状态码 503，应为 200-399（3/3）"],
  [
    "web-20261121T132134Z opened: check failed: ECONNREFUSED, 2 of 2 (drill kill-server)",
    "web-20261121T132134Z 开始：检查失败：连接被拒绝（2/2）（演练 kill-server）",
  ],
  [
    "web-20261121T132134Z closed: class B, 1.5 min, score 7.5, recovered by itself",
    "web-20261121T132134Z 结束：B 级，1.5 分钟，故障分 7.5，自动恢复",
  ],
  [
    "an advert from 192.0.2.2 was not believed: wrong-version; write the same version on all nodes",
    "不采信来自 192.0.2.2 的通告：wrong-version；请在所有节点上写相同的 version",
  ],
  ["priority 150 -> 100: script web fails", "优先级 150 → 100：脚本 web 失败"],
  [
    "the console process was ended by SIGKILL; starting it again in 100 ms",
    "console 进程被 SIGKILL 终止；100 毫秒后重新启动",
  ],
] as const) {
  test(`in Chinese: ${english}`, () => assert.equal(reasonInChinese(english), chinese));
}

test("what a person or another program said stays as it was", () => {
  for (const told of ["new kernel", "EWHATEVER", "", "第一次", "x".repeat(5000)]) {
    assert.equal(reasonInChinese(told), told);
  }
});

/** Put together of shorter words. */
const COMPOSED: readonly string[] = [
  "1 service is degraded",
  "1 service is down",
  "1 service is unknown",
  "ahead of ours",
  "asked for although",
  "connected in",
  "services are degraded",
  "services are down",
  "services are unknown",
  "started the balance worker",
  "the vrrp process exited with",
  "the vrrp process was ended by",
  "times as fast as allowed over",
  "undone by 1 command",
];

test("no pattern outlives its sentence: its words are in the sources", () => {
  const root = join(import.meta.dirname, "..");
  const files = globSync("{core,daemon,console,drivers,lib}/**/*.ts", { cwd: root });
  const sources = files
    .filter((file) => !/-zh\.|\.test\.ts$|fixture|\/page\//u.test(file))
    .map((file) => readFileSync(join(root, file), "utf8"))
    .join("\n")
    .replaceAll(/["`]\s*\+\s*["`]/gu, "");
  const gone = PATTERNS.flatMap(([english]) =>
    english
      .split(/\{~?\w+\}|[:;,()]/u)
      .map((piece) => piece.replaceAll(/^[ %']+|[ %']+$/gu, ""))
      .filter((piece) => piece.length >= 12 && piece.includes(" ") && !sources.includes(piece)),
  );
  assert.deepEqual([...new Set(gone)].toSorted(), COMPOSED);
});
