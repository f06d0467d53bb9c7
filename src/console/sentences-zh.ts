/**
 * The console's sentences in Chinese, by their codes. What is not here is told in English; a test compares the
 * codes with those that the sources say.
 */

import type { Sentence } from "./api.ts";
import { reasonInChinese } from "./reasons-zh.ts";

export const chineseSentences: Readonly<Record<string, string>> = {
  // Of services and the whole
  "all-up": "全部服务正常",
  "services-degraded": "{count} 个服务降级：{services}",
  "services-down": "{count} 个服务故障：{services}",
  "services-unknown": "{count} 个服务状态未知：{services}",
  "not-known": "状态未知：消息已过时",
  "service-up": "{service} 正常",
  "service-degraded": "{service} 降级：{why}",
  "service-down": "{service} 故障：{why}",
  "service-unknown": "{service}：没有新消息",
  // Of the next failure
  survives: "任意一台机器都可以失效",
  "no-holder": "{name} 无人持有",
  "split-brain": "{name} 同时被多个节点持有（脑裂）",
  "standby-unknown": "{name} 是否有备用节点未知：请用 nines cert 连接各节点",
  "no-standby": "{name} 没有备用节点",
  "no-director": "{service} 没有调度节点",
  "one-director": "{service} 只有 {director} 一个调度节点",
  "pool-empty": "服务池 {pool} 没有可用服务器",
  "last-server": "服务池 {pool} 只剩一台服务器：{server}",
  "one-machine": "服务池 {pool} 的服务器都在同一台机器 {machine} 上",
  "too-small": "失去 {machine} 后服务池 {pool} 容量不足：上限 {left}，现有 {active}",
  // Of what needs attention
  "control-silent": "{node} 的控制进程没有应答：{reason}",
  "node-unheard": "联系不上节点 {name}：{reason}",
  "certificate-ends": "{name} 的证书将在 {days} 天后到期",
  "reload-refused": "上次重新加载被拒绝：{reason}",
  "budget-burns": "{service} 的错误预算消耗过快（{vantage}，{rule}）",
  // Of orders
  "moves-address": "{name} 从 {from} 移到 {to}",
  "standby-then": "之后由 {others} 为 {name} 待命",
  "order-not-ours": "{name} 不在本节点：持有者是 {holder}",
  "order-split-brain": "{name} 同时被 {others} 持有（脑裂）",
  "order-standby-unknown": "{name} 是否有备用节点未知",
  "order-no-standby": "没有节点能接管 {name}",
  "order-empty-there": "{to} 上的服务池 {pools} 没有可用服务器",
  "order-no-such-server": "没有服务器 {server}",
  "order-already": "{server} 已是该状态",
  "order-last-server": "{server} 是服务池 {pool} 的最后一台服务器",
  "order-too-small": "其余服务器容量 {capacity}，而服务池 {pool} 现有 {active} 个请求",
  "order-given": "{subject}：已执行 {order}",
  "handover-asked": "已请求 {subject} 移交",
  "moves-weight": "{server} 的权重变为 {weight}",
  "moves-back": "{server} 重新接收新请求",
  "moves-back-later": "{server} 检查正常后重新接收新请求",
  "moves-away-drain": "{server} 只接收已绑定的请求；现有 {active} 个请求",
  "moves-away-maintenance": "{server} 不再接收请求和检查；现有 {active} 个请求",
  "moves-away-weight": "{server} 只接收已绑定的请求；现有 {active} 个请求",
  "left-servers": "服务池 {pool} 还剩 {ready} 台可用服务器，共 {servers} 台",
  "drill-fault": "{reason}",
  "drill-radius": "{reason}",
  "drill-impossible": "{reason}",
  "drill-refused": "{reason}",
  "drill-fault-there": "{node}：{reason}",
  "drill-refused-there": "{node}：{reason}",
  "drill-begun": "演练 {subject} 开始",
  "drill-stops": "{subject} 造成的故障将立即恢复",
  "drill-stopped": "已通知演练停止",
  "no-drill": "没有正在进行的演练",
  "left-last": "{server} 成为服务池 {pool} 的最后一台",
  "console-trouble": "控制台异常：{reason}",
  "address-down": "地址 {name} 故障：{reason}",
  "address-degraded": "地址 {name} 降级：{reason}",
  "address-going-down": "地址 {name} 趋于故障：{reason}",
  "director-down": "调度节点 {name} 故障：{reason}",
  "director-degraded": "调度节点 {name} 降级：{reason}",
  "director-going-down": "调度节点 {name} 趋于故障：{reason}",
  "pool-down": "服务池 {name} 故障：{reason}",
  "pool-degraded": "服务池 {name} 降级：{reason}",
  "pool-going-down": "服务池 {name} 趋于故障：{reason}",
  "server-down": "服务器 {name} 故障：{reason}",
  "server-degraded": "服务器 {name} 降级：{reason}",
  "server-going-down": "服务器 {name} 趋于故障：{reason}",
};

/** Several troubles in one sentence; a server's own words may hold commas, but no pool's name after them. */
const LISTED = /, (?=nobody holds |two nodes hold |pool )/u;
/** Values whose own text is a sentence. */
const REASONS: ReadonlySet<string> = new Set(["reason", "why", "weight", "to"]);

/** As it was told where the catalog lacks its code, or it lacks a value. */
export function sentenceInChinese({ code, args, text }: Sentence): string {
  const template = Object.hasOwn(chineseSentences, code) ? chineseSentences[code]! : text;
  const places = [...template.matchAll(/\{(\w+)\}/gu)].map(([, name]) => name!);
  if (template === text || !places.every((name) => Object.hasOwn(args, name))) return text;
  return template.replaceAll(/\{(\w+)\}/gu, (_all, name: string) => {
    const value = args[name];
    if (typeof value !== "string" || !REASONS.has(name)) return String(value);
    return value.split(LISTED).map(reasonInChinese).join("，");
  });
}
