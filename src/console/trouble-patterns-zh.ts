/** Troubles of a node, its processes and files, and what the console answers to a wrong question, in Chinese. */

import type { Patterns } from "./reasons-zh.ts";

const PROCESSES: Patterns = [
  ["nines {version} runs {file} (pid {pid})", "nines {version} 运行 {file}（进程 {pid}）"],
  ["started the {what} {pid} in {took} ms", "已启动 {what} {pid}，用时 {took} 毫秒"],
  ["started the balance worker {pid}", "已启动 balance 工作进程 {pid}"],
  ["the balance worker {pid} accepts on {places}", "balance 工作进程 {pid} 监听 {places}"],
  ["the balance worker {pid} hangs: killing it", "balance 工作进程 {pid} 停止响应：将其终止"],
  [
    "the balance worker {pid} that was found hangs: killing it",
    "遗留的 balance 工作进程 {pid} 停止响应：将其终止",
  ],
  ["took over the balance worker {pid}, which lived on", "接管了仍在运行的 balance 工作进程 {pid}"],
  ["the balance worker {pid} {~how}; {~next}", "balance 工作进程 {pid} {~how}；{~next}"],
  [
    "the new workers do not come up; the old ones go on",
    "新的工作进程没有启动成功；旧进程继续工作",
  ],
  ["fewer workers are wanted", "需要的工作进程变少"],
  ["starting another at once", "立即启动另一个"],
  ["starting it again at once", "立即重新启动"],
  ["starting it again in {s} s", "{s} 秒后重新启动"],
  ["the next one in {pause} ms", "{pause} 毫秒后启动下一个"],
  ["next try in {pause} ms", "{pause} 毫秒后重试"],
  ["could not be started: {~why}", "无法启动：{~why}"],
  ["was ended by {signal}", "被 {signal} 终止"],
  ["exited with {code}", "退出（{code}）"],
  ["did not come up", "没有启动成功"],
  ["its successor did not come up in time", "其继任进程没有及时启动"],
  ["it is being started", "正在启动"],
  ["it has shown no sign of life for {span} ms", "已 {span} 毫秒没有活动迹象"],
  [
    "the vrrp process {pid} makes way for a fresh one, which goes on in its lease",
    "vrrp 进程 {pid} 让位给新进程，后者在租约内继续",
  ],
  [
    "the vrrp process {pid} {~silence}: killing it, another goes on in its lease",
    "vrrp 进程 {pid} {~silence}：将其终止，另一进程在租约内继续",
  ],
  [
    "the vrrp process {pid} hangs: killing it, a fresh one follows",
    "vrrp 进程 {pid} 停止响应：将其终止并启动新进程",
  ],
  [
    "the vrrp process {pid} that was found hangs: killing it",
    "遗留的 vrrp 进程 {pid} 停止响应：将其终止",
  ],
  [
    "has not renewed {what} for {span} ms (lease {lease} ms)",
    "已 {span} 毫秒没有续约 {what}（租约 {lease} 毫秒）",
  ],
  ["the vrrp process was ended by {signal}; {~next}", "vrrp 进程被 {signal} 终止；{~next}"],
  ["the vrrp process exited with {code}; {~next}", "vrrp 进程退出（{code}）；{~next}"],
  ["replaced by another version of Nines", "被另一版本的 Nines 取代"],
  ["the vrrp process is being started; try again", "vrrp 进程正在启动；请稍后再试"],
  ["the vrrp process does not answer", "vrrp 进程没有应答"],
  [
    "a worker may open {files} files, and {connections} connections may need twice that: raise LimitNOFILE (ulimit -n) or lower limits.connections",
    "工作进程最多可打开 {files} 个文件，而 {connections} 个连接可能需要两倍：请调高 LimitNOFILE（ulimit -n）或调低 limits.connections",
  ],
  ["each worker counts its own clients: {~why}", "每个工作进程各自统计客户端：{~why}"],
];

const CONFIGURATION: Patterns = [
  ["and {count} more changes", "以及另外 {count} 处更改"],
  ["in the configuration", "已加入配置"],
  ["not in the configuration any more", "已从配置中删除"],
  ["removed from the configuration", "已从配置中删除"],
  ["configured anew", "已重新配置"],
  ["mistakes in the configuration; the one before goes on", "配置有错误；之前的配置继续生效"],
  ["reload refused, old configuration runs", "重新加载被拒绝，旧配置继续运行"],
  ["the operator confirmed the configuration", "操作员已确认配置"],
  [
    "nobody confirmed the configuration: the one before it runs again",
    "无人确认配置：已恢复之前的配置",
  ],
  [
    "nobody confirmed the last configuration in time: the one before it runs again",
    "无人及时确认最近的配置：已恢复之前的配置",
  ],
  [
    "nobody confirmed the configuration, and going back failed: {~why}",
    "无人确认配置，而恢复失败：{~why}",
  ],
  ["there is no change that waits to be confirmed", "没有等待确认的更改"],
  ["the operator asked {name} to hand over", "操作员要求 {name} 移交"],
  ["the operator asked for a handover", "操作员要求移交"],
  ["the operator asked for fresh workers", "操作员要求更换工作进程"],
  ["the operator asked for {order}: {~why}", "操作员要求 {order}：{~why}"],
  ["the operator asked for {order}", "操作员要求 {order}"],
  ["the operator said so", "操作员的要求"],
  ["{~stop}; masters hand over first", "{~stop}；主节点先移交"],
  ["{who} asked for {what} over the control socket", "{who} 经控制套接字请求 {what}"],
  ["{what}, asked for by {who}, was refused ({~why})", "{who} 请求的 {what} 被拒绝（{~why}）"],
  [
    "the name {name} does not resolve ({why}); asking again",
    "名称 {name} 无法解析（{why}）；将重试",
  ],
  ["the name {name} is {addresses} now", "名称 {name} 现在是 {addresses}"],
  [
    "this host does not have the address of {place} now; listening on it",
    "本机目前没有 {place} 的地址；仍在其上监听",
  ],
  ["frontend {name}: a connection was refused: {~why}", "前端 {name}：拒绝了一个连接：{~why}"],
  ["{object} was gone and was put back", "{object} 已丢失并已恢复"],
  [
    "{object} was there before us: used, and left there afterwards",
    "{object} 早已存在：直接使用，结束后保留",
  ],
  ["witness {address} cannot be asked: {~why}", "无法询问见证地址 {address}：{~why}"],
  ["servers cannot be checked: {~why}", "无法检查服务器：{~why}"],
  [
    "{count} {lines} missing here: the log could not be written",
    "此处缺少 {count} 条（{lines}）：日志无法写入",
  ],
];

const CONSOLE: Patterns = [
  [
    "no permission to use {path}: run this as the user that runs nines (root)",
    "无权使用 {path}：请以运行 nines 的用户（root）运行",
  ],
  ["{part} cannot be started: {~why}", "{part} 无法启动：{~why}"],
  [
    "{count} events are missing: control had forgotten them before they were read",
    "缺少 {count} 个事件：读取之前控制进程已将其清除",
  ],
  ["records could not be written ({why}); {~missing}", "记录无法写入（{why}）；{~missing}"],
  ["none is missing", "没有缺失"],
  ["{count} are missing, {from} to {to}", "缺少 {count} 条（{from} 至 {to}）"],
  [
    "the journal was broken ({why}): it stands in {path} now, a new one begins",
    "日志已损坏（{why}）：移至 {path}，并新建日志",
  ],
  ["the journal cannot be written: {why}", "日志无法写入：{why}"],
  ["the page's certificate cannot be used: {why}", "页面的证书无法使用：{why}"],
  [
    "the page is not at {place}, another program listens there: {next}; trying again",
    "页面未能监听 {place}，另一程序正在使用：{next}；将重试",
  ],
  [
    "the page is not at {place}, this machine does not have that address; trying again",
    "页面未能监听 {place}，本机没有该地址；将重试",
  ],
  ["the page is not at {place} ({why}); trying again", "页面未能监听 {place}（{why}）；将重试"],
  ["{what} from {from} was refused: {~why}", "来自 {from} 的 {what} 被拒绝：{~why}"],
  [
    "the nodes are not connected: nines cert init, then request, invite and join for each other node",
    "各节点尚未连接：先运行 nines cert init，再为其他各节点运行 request、invite 和 join",
  ],
  ["this node is in no group: {~why}", "本节点不属于任何组：{~why}"],
  ["{who} is nobody of this group and was refused: {~why}", "{who} 不属于本组，已拒绝：{~why}"],
  ["other nodes cannot ask this one at {place}: {why}", "其他节点无法在 {place} 询问本节点：{why}"],
  ["it shows no certificate", "它没有出示证书"],
  ["its certificate has expired", "其证书已过期"],
  ["its certificate is not valid yet: see the clocks", "其证书尚未生效：请检查时钟"],
  [
    "its certificate is not of this group's authority ({code})",
    "其证书不是本组机构签发的（{code}）",
  ],
  [
    "its certificate was replaced by one of {time}: renew it with nines cert request, invite and join",
    "其证书已被 {time} 的新证书取代：请用 nines cert request、invite 和 join 更新",
  ],
  ["its certificate is of {node}", "其证书属于 {node}"],
  ["its certificate names no node of a group", "其证书没有指明组内节点"],
  ["it belongs to the group {group}", "它属于另一个组 {group}"],
  ["{name} is none of our nodes", "{name} 不是本组的节点"],
  ["incidents before now are not known: {why}", "无法得知此前的事故：{why}"],
  [
    "{probe} gets no good answer from {target}: {~why}",
    "{probe} 从 {target} 得不到正常应答：{~why}",
  ],
  [
    "{probe} got no good answer from {target} for {span} and slept {own} of it: {~why}",
    "{probe} 在 {span} 内从 {target} 得不到正常应答（其中自身停顿 {own}）：{~why}",
  ],
  [
    "{probe} got no good answer from {target} for {span}: {~why}",
    "{probe} 在 {span} 内从 {target} 得不到正常应答：{~why}",
  ],
  ["the clock of prober {probe} is right again", "探测器 {probe} 的时钟已恢复正确"],
  [
    "the clock of prober {probe} is {span} behind ours: its times are moved by that",
    "探测器 {probe} 的时钟慢 {span}：其时间已相应调整",
  ],
  [
    "the clock of prober {probe} is {span} ahead of ours: its times are moved by that",
    "探测器 {probe} 的时钟快 {span}：其时间已相应调整",
  ],
  [
    "{probe} wrote to {target}: {lost} acknowledged writes are gone, {span} of work",
    "{probe} 写入 {target}：丢失 {lost} 次已确认的写入，相当于 {span} 的工作",
  ],
  [
    "the drill '{drill}': {lost} acknowledged writes are gone, {span} of work",
    "演练 {drill}：丢失 {lost} 次已确认的写入，相当于 {span} 的工作",
  ],
  [
    "{lost} acknowledged writes are gone, {span} of work",
    "丢失 {lost} 次已确认的写入，相当于 {span} 的工作",
  ],
  ["alert by {way}: {~why}", "经 {way} 发送告警：{~why}"],
  [
    "alert {name} of {service} not told to {whom}: too many wait for it",
    "{service} 的告警 {name} 未能告知 {whom}：排队过多",
  ],
  ["alert not told: {why}", "告警未能送达：{why}"],
  ["no mail server is configured any more", "已不再配置邮件服务器"],
];

/** Answers to whoever asks wrongly, or may not. */
const REFUSALS: Patterns = [
  [
    "show a token: Authorization: Bearer TOKEN (nines token create NAME)",
    "请出示令牌：Authorization: Bearer TOKEN（nines token create NAME）",
  ],
  [
    "the token is unknown, expired or revoked: see `nines token list`",
    "令牌不存在、已过期或已吊销：参见 `nines token list`",
  ],
  [
    "{who} may only {role}; another token: nines token create NAME --role {wanted}",
    "{who} 的权限仅为 {role}；另建令牌：nines token create NAME --role {wanted}",
  ],
  ["too many wrong tokens: wait {s} s", "错误令牌过多：请等待 {s} 秒"],
  ["wait {s} s", "请等待 {s} 秒"],
  ["a mistake of ours: {why}", "内部错误：{why}"],
  ["there is no {path} here", "这里没有 {path}"],
  [
    "this is not the page of '{host}': add the name to console.allowed_hosts",
    "这不是 {host} 的页面：请将该名称加入 console.allowed_hosts",
  ],
  ["changes are taken from our own page only", "只接受来自本页面的更改"],
  [
    "changes are taken from {own} only, not from {other}",
    "只接受来自 {own} 的更改，不接受来自 {other} 的",
  ],
  ["send it as application/json", "请以 application/json 发送"],
  ["close another page, or poll", "打开的页面过多：请关闭其他页面"],
  ["{~why}; nothing is ordered on old news", "{~why}；消息过时，不执行任何操作"],
  ["ask for a preview first, and send what it says", "请先预览，再提交预览给出的内容"],
  ["the preview is older than two minutes: look again", "预览已超过两分钟：请重新预览"],
  ["that was confirmed already: look again", "该预览已被确认过：请重新预览"],
  ["something changed since the preview: look again", "预览之后情况有变：请重新确认"],
  ["{~why}; to insist type {name}", "{~why}；如坚持执行，请输入 {name}"],
  ["this node cannot do '{action}'", "本节点不能执行 {action}"],
  ["no drill is at work any more", "演练已经结束"],
  ["there is no drill '{name}'", "没有演练 {name}"],
  ["there is no incident '{id}'", "没有事故 {id}"],
  ["there is no node '{node}'; there are: {nodes}", "没有节点 {node}；现有：{nodes}"],
  ["there is no service '{name}'; there are: {names}", "没有服务 {name}；现有：{names}"],
  ["there is no class '{name}'; there are: {names}", "没有级别 {name}；现有：{names}"],
  ["no server '{name}'; did you mean '{other}'?", "没有服务器 {name}；是否指 {other}？"],
  ["no server '{name}'; there are: {names}", "没有服务器 {name}；现有：{names}"],
  ["no instance '{name}'; there are: {names}", "没有实例 {name}；现有：{names}"],
  ["{node} did not take it: {~why}; {~next}", "{node} 没有接受：{~why}；{~next}"],
  ["say it there: nines incidents on {node}", "请在 {node} 上运行 nines incidents"],
  ["the journal cannot be read now", "目前无法读取日志"],
  ["'from' is before 'to', by at most 92 days", "from 须早于 to，且不超过 92 天"],
  ["name a service, a pool or a server", "请指定服务、服务池或服务器"],
  ["too many ask", "请求过多"],
  ["no answer came", "没有收到应答"],
  ["no worker is running", "没有运行中的工作进程"],
  ["this node does not balance", "本节点不做负载均衡"],
  ["control has not answered yet", "控制进程尚未应答"],
  ["the control process has not answered yet", "控制进程尚未应答"],
  [
    "nobody answers on {path}: is nines running? start it with: nines run -f {file}",
    "{path} 没有应答：nines 是否在运行？启动：nines run -f {file}",
  ],
];

export const TROUBLE_PATTERNS: Patterns = [...PROCESSES, ...CONFIGURATION, ...CONSOLE, ...REFUSALS];
