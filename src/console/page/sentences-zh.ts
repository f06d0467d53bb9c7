/**
 * The server's sentences in Chinese, by their codes. What is not here is shown in English; a test compares
 * the codes with those that the server's own sources say.
 */

export const chineseSentences: Readonly<Record<string, string>> = {
  // Of services and the whole
  "all-up": "全部 {count} 个服务正常",
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
  "split-brain": "{holder} 与 {others} 同时持有 {name}（脑裂）",
  "standby-unknown": "{name} 是否有备用节点未知：请用 nines cert 连接各节点",
  "no-standby": "{name} 没有备用节点：{holder} 失效则地址丢失",
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
