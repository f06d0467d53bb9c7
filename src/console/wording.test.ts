import assert from "node:assert/strict";
import { test } from "node:test";
import { openApi } from "./open-api.ts";
import { wordingOf } from "./wording.ts";

const chinese = wordingOf({ "accept-language": "zh" });

for (const [wanted, isChinese] of [
  [undefined, false],
  ["", false],
  ["zh", true],
  ["zh-CN,zh;q=0.9,en;q=0.8", true],
  ["en-GB,en;q=0.9,zh;q=0.8", false],
  ["en;q=0.5, zh-Hans;q=0.6", true],
  ["fr, zh;q=0.2", true],
  ["zh;q=0, de", false],
  ["*", false],
  ["zhx", false],
  [";;;,=,q=zh", false],
] as const) {
  test(`${isChinese ? "Chinese" : "English"} for a visitor that wants '${wanted}'`, () => {
    const headers = wanted === undefined ? {} : { "accept-language": wanted };
    assert.equal(wordingOf(headers) !== undefined, isChinese);
  });
}

test("reasons and sentences are told in Chinese at any depth; names, kinds and what people wrote stay", () => {
  const reason = "check failed: ECONNREFUSED, 3 of 3";
  const said = {
    code: "server-down",
    args: { name: "web/no answer", reason },
    text: `web/no answer is down: ${reason}`,
  };
  const answer = {
    name: "no answer",
    nodes: [{ reason, kind: "no answer" }],
    drills: [
      { faults: ["SIGKILL to a balance worker"], radius: "unknown", refused: "its frontends" },
    ],
    alerts: [{ sentence: said }],
    records: [{ reason: "new kernel", data: { count: 1 } }],
  };
  assert.deepEqual(JSON.parse(JSON.stringify(answer, chinese)), {
    name: "no answer",
    nodes: [{ reason: "检查失败：连接被拒绝（3/3）", kind: "no answer" }],
    drills: [{ faults: ["对一个 balance 工作进程 SIGKILL"], radius: "未知", refused: "其前端" }],
    alerts: [
      {
        sentence: {
          ...said,
          args: { name: "web/no answer", reason: "检查失败：连接被拒绝（3/3）" },
          text: "服务器 web/no answer 故障：检查失败：连接被拒绝（3/3）",
        },
      },
    ],
    records: [{ reason: "new kernel", data: { count: 1 } }],
  });
  assert.equal(JSON.stringify(answer, wordingOf({})), JSON.stringify(answer));
});

test("the description of the API can be read in Chinese, too", () => {
  const description = openApi([], "1");
  const told = JSON.parse(JSON.stringify(description, chinese)) as object;
  assert.deepEqual(Object.keys(told), Object.keys(description));
});
