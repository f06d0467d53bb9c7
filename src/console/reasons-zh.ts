/**
 * Reasons in Chinese. A reason is the sentence of whoever decided, and is kept in English; the usual ones
 * are sentences of ours with values in them, and are told in Chinese by these patterns. All others - an
 * answer of a server, what a person wrote - stay as they were told.
 */

/** English with places, Chinese with the same places. `{~x}`: itself a reason. The first that fits counts. */
const PATTERNS: readonly (readonly [english: string, chinese: string])[] = [
  // Elections
  ["no advert from {peer} for {span} (limit {limit})", "{peer} 已 {span} 没有通告（上限 {limit}）"],
  ["no master heard for {span}", "{span} 内没有听到主节点"],
  ["{peer} resigned {span} ago", "{peer} 在 {span} 前让位"],
  [
    "master {peer} has lower priority {theirs} (ours {ours})",
    "主节点 {peer} 的优先级 {theirs} 低于本节点的 {ours}",
  ],
  ["{~why}; all of group {group} take over", "{~why}；同步组 {group} 全部接管"],
  ["{name} of group {group} gave up: {~why}", "同步组 {group} 的 {name} 放弃：{~why}"],
  [
    "{peer} has higher priority {theirs} (ours {ours})",
    "{peer} 的优先级 {theirs} 高于本节点的 {ours}",
  ],
  [
    "{peer} has our priority {priority} and the higher address",
    "{peer} 与本节点优先级同为 {priority}，且地址更高",
  ],
  ["{peer} wins with priority {priority}", "{peer} 以优先级 {priority} 胜出"],
  ["started, listening for a master", "已启动，正在监听主节点"],
  ["everything tracked is well again", "被跟踪的对象全部恢复正常"],
  ["we own the addresses (priority 255)", "本节点是地址的所有者（优先级 255）"],
  [
    "{peer} also says that it owns the addresses (priority 255)",
    "{peer} 也自称地址所有者（优先级 255）",
  ],
  ["priority {before} -> {after}: {~why}", "优先级 {before} → {after}：{~why}"],
  ["nothing tracked changes it any more", "被跟踪的对象不再影响它"],
  ["the configuration says {priority} now", "配置现为 {priority}"],
  ["first advert of {peer}, priority {priority}", "首次收到 {peer} 的通告，优先级 {priority}"],
  ["{peer} is heard again, priority {priority}", "重新听到 {peer}，优先级 {priority}"],
  ["{peer} sends adverts as master while we are master", "本节点为主时 {peer} 也以主节点身份通告"],
  ["our address {address} is answered from {mac}", "本节点的地址 {address} 由 {mac} 应答"],
  ["split brain: {~why}", "脑裂：{~why}"],
  ["split brain is over: {~why}", "脑裂结束：{~why}"],
  [
    "address {address} was removed by somebody else and put back",
    "地址 {address} 被他人删除，已恢复",
  ],
  ["address {address} was removed by somebody else", "地址 {address} 被他人删除"],
  [
    "this process did not run for {silent}, longer than its lease of {lease}",
    "本进程停顿 {silent}，超过租约 {lease}",
  ],
  ["adverts go out {late} late: this machine is starved of CPU", "通告延迟 {late}：本机处理器不足"],
  ["the kernel refused our addresses: {why}", "内核拒绝了地址：{why}"],
  ["interface {name} is down", "网卡 {name} 已断开"],
  ["script {name} fails", "脚本 {name} 失败"],
  // Checks and servers
  ["check failed: {~why}, {row} of {of}", "检查失败：{~why}（{row}/{of}）"],
  ["check passed: {~why}, {row} of {of}", "检查通过：{~why}（{row}/{of}）"],
  ["active check: {~why}", "主动检查：{~why}"],
  ["connection refused", "连接被拒绝"],
  ["no answer within {limit} ms", "{limit} 毫秒内没有应答"],
  ["no answer", "没有应答"],
  ["status {status}, wanted {wanted}", "状态码 {status}，应为 {wanted}"],
  ["status {status} in {time}", "状态码 {status}，用时 {time}"],
  ["status {status}", "状态码 {status}"],
  ["connected in {time}", "已连接，用时 {time}"],
  ["has not passed a check yet", "尚未通过检查"],
  ["{count} errors in a row; out for {span}", "连续 {count} 次错误；摘除 {span}"],
  [
    "success rate {rate} %, under {limit} % (mean {mean} %); out for {span}",
    "成功率 {rate}%，低于 {limit}%（平均 {mean}%）；摘除 {span}",
  ],
  ["the configuration says {state}", "配置为 {state}"],
  ["left: {requests}, {span}", "剩余：{requests}，{span}"],
  ["time is over with {left} left", "时间已到，还剩 {left}"],
  ["serves when all before it are down", "前面的都故障时才服务"],
  ["holds {names}", "持有 {names}"],
  ["all its processes run", "所有进程都在运行"],
  ["{up} of {all} servers are usable", "{all} 台服务器中 {up} 台可用"],
  ["nobody: {~why}", "无人持有：{~why}"],
  // Nodes and processes
  ["started the {role} process {pid}", "已启动 {role} 进程 {pid}"],
  [
    "the {role} process {how}; starting it again in {pause} ms",
    "{role} 进程结束（{how}）；{pause} 毫秒后重新启动",
  ],
  ["took over the {role} process {pid}, which lived on", "接管了仍在运行的 {role} 进程 {pid}"],
  [
    "the {role} process {pid} hangs: {why}; killing it",
    "{role} 进程 {pid} 停止响应：{why}；将其终止",
  ],
  ["the control process answers again", "控制进程恢复应答"],
  ["the control process answers", "控制进程有应答"],
  [
    "the control process does not answer: what it does is not known until it is back",
    "控制进程没有应答：恢复之前不知道它在做什么",
  ],
  ["nothing was heard yet: {~why}", "还没有任何消息：{~why}"],
  ["news of {span} ago: {~why}", "{span} 前的消息：{~why}"],
  ["it answers", "有应答"],
  ["it does not answer", "没有应答"],
  ["it has not been asked yet", "还没有询问过"],
  ["the page is at {place}", "页面位于 {place}"],
  ["{who} signed in from {from}", "{who} 从 {from} 登录"],
  ["stopping: {~why}", "停止：{~why}"],
  // Ledger and drills
  ["{id} opened: {~why} (drill {drill})", "{id} 开始：{~why}（演练 {drill}）"],
  ["{id} opened: {~why}", "{id} 开始：{~why}"],
  ["{id} switched: {~why}", "{id} 已切换：{~why}"],
  ["{id} restored: {service} answers: {~how}", "{id} 恢复：{service} 有应答，{~how}"],
  [
    "{id} closed: class {class}, nobody was hurt, recovered {~how}",
    "{id} 结束：{class} 级，无人受影响，{~how}",
  ],
  [
    "{id} closed: class {class}, {minutes} min, score {score}, recovered {~how}",
    "{id} 结束：{class} 级，{minutes} 分钟，故障分 {score}，{~how}",
  ],
  ["{id} closed: {~why}", "{id} 结束：{~why}"],
  ["by itself", "自动恢复"],
  ["by people", "由人恢复"],
  ["by repair", "修复后恢复"],
  ["harmless", "没有影响"],
  ["not yet", "尚未恢复"],
  ["false start: over after {span} ms, nobody was hurt", "误报：{span} 毫秒后结束，无人受影响"],
  [
    "false start: {count} failed in all, and nothing else was wrong",
    "误报：总共 {count} 次失败，别无异常",
  ],
  ["no failures within {span}", "{span} 内没有失败"],
  [
    "the budget burns {long} times as fast as allowed over {span} and {short} times over {brief} (limit {limit})",
    "预算消耗速度在 {span} 内为允许值的 {long} 倍，{brief} 内为 {short} 倍（上限 {limit}）",
  ],
  [
    "{service}: {rule} burn alert ({vantage}): {~why}",
    "{service}：{rule} 消耗告警（{vantage}）：{~why}",
  ],
  ["{rule} burn alert ({vantage}): {~why}", "{rule} 消耗告警（{vantage}）：{~why}"],
  ["as promised: {what}", "符合预期：{what}"],
  ["maintenance is over: {why}", "维护结束：{why}"],
  // Services, as verdicts are told
  ["all services are up", "全部服务正常"],
  ["all {count} services are up", "全部 {count} 个服务正常"],
  ["{count} services are {state}: {services}", "{count} 个服务 {state}：{services}"],
  ["1 service is degraded: {services}", "1 个服务降级：{services}"],
  ["1 service is down: {services}", "1 个服务故障：{services}"],
];

export type Patterns = typeof PATTERNS;

export const REASON_PATTERNS: Patterns = PATTERNS;

interface Pattern {
  readonly match: RegExp;
  readonly chinese: string;
}

/** Places that hold a whole number: texts end before them, and not at the first comma. */
const COUNTS: ReadonlySet<string> = new Set(["row", "of", "pid"]);

function compiled([english, chinese]: Patterns[number]): Pattern {
  const parts = english.split(/\{~?(\w+)\}/u);
  const source = parts
    .map((part, i) =>
      i % 2 === 1
        ? `(?<${part}>${COUNTS.has(part) ? "\\d+" : ".+?"})`
        : part.replaceAll(/[()[\]{}.*+?^$|\\]/gu, "\\$&"),
    )
    .join("");
  return { match: new RegExp(`^${source}$`, "su"), chinese };
}

/** A reason holds a few others at most. */
const DEEPEST = 4;
/** Longer ones are output of programs. */
const LONGEST = 600;

/** What tells them in Chinese; as they were told where no pattern knows them. */
export function chineseBy(patterns: Patterns): (reason: string) => string {
  const all = patterns.map(compiled);
  const told = (reason: string, depth: number): string => {
    if (depth > DEEPEST || reason.length > LONGEST) return reason;
    for (const { match, chinese } of all) {
      const values = match.exec(reason)?.groups ?? (match.test(reason) ? {} : undefined);
      if (values === undefined) continue;
      return chinese.replaceAll(/\{(~?)(\w+)\}/gu, (_all, mark: string, name: string) => {
        const value = values[name] ?? "";
        return mark === "" ? value : told(value, depth + 1);
      });
    }
    return reason;
  };
  return (reason) => told(reason, 0);
}

export const reasonInChinese: (reason: string) => string = chineseBy(PATTERNS);
