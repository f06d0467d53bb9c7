/**
 * Drills in Chinese: what they are called, what they break, promise and refuse; see `reasons-zh.ts`.
 */

import { CATALOGUE_PATTERNS } from "./drill-titles-zh.ts";
import type { Patterns } from "./reasons-zh.ts";

/** What is broken. */
const FAULTS: Patterns = [
  ["SIGKILL to the {role} process", "对 {role} 进程 SIGKILL"],
  ["SIGKILL to a balance worker", "对一个 balance 工作进程 SIGKILL"],
  ["SIGKILL to the program of {server}", "对 {server} 的程序 SIGKILL"],
  [
    "SIGSTOP to the program of {server}: it accepts and never answers",
    "对 {server} 的程序 SIGSTOP：接受连接但不应答",
  ],
  [
    "every process of Nines dies; the addresses stay in the kernel, their lease runs out",
    "Nines 的所有进程死亡；地址留在内核中，租约到期",
  ],
  [
    "all of Nines is stopped dead; the lease of its addresses runs out in the kernel",
    "Nines 完全停顿；地址的租约在内核中到期",
  ],
  [
    "the vrrp process stands still; the spare goes on inside the lease",
    "vrrp 进程停顿；备用进程在租约内继续",
  ],
  [
    "nobody asks the servers any more; what was known last counts",
    "不再检查服务器；以最后已知的状态为准",
  ],
  [
    "the supervisor dies: addresses, checks and requests go on without it",
    "监督进程死亡：地址、检查和请求照常",
  ],
  ["all of Nines gets a third of the processor, in slices", "Nines 断续得到三分之一的处理器"],
  [
    "the program behind the address dies; the check finds out and the master resigns",
    "地址背后的程序死亡；检查发现，主节点让位",
  ],
  [
    "{link} is switched off; the node sees that it has no network and lets go",
    "{link} 被关闭；节点发现没有网络而放手",
  ],
  ["nothing gets in or out", "进出都不通"],
  ["nothing gets out; what comes in is heard", "发不出；收得到"],
  ["nothing gets in; adverts still go out", "收不到；通告仍发得出"],
  ["adverts to the group are lost", "组播通告丢失"],
  ["3 of 100 packets are lost, each way", "每个方向 100 个包丢 3 个"],
  ["the node sends no more than 2 Mbit/s", "节点发送不超过 2 Mbit/s"],
  ["ARP is lost; neighbours live on what they remember", "ARP 丢失；邻居凭记忆继续"],
  ["every process ends at once and the network card is gone", "所有进程立即结束，网卡消失"],
  ["not a byte is left where Nines keeps its state", "Nines 的状态目录一个字节也不剩"],
  ["every write waits for up to 0.9 s", "每次写入最长等待 0.9 秒"],
  ["the clock of Nines jumps an hour ahead (libfaketime)", "Nines 的时钟拨快一小时（libfaketime）"],
  ["the clock jumps an hour ahead", "时钟拨快一小时"],
  [
    "a file with a mistake takes the place of the configuration, and a reload is asked for",
    "用有错误的文件替换配置，并要求重新加载",
  ],
  [
    "the master hands its addresses over, when everybody in the house has been served",
    "主节点服务完所有在场客户端后移交地址",
  ],
  [
    "fresh workers of the program on disk take the place of the old ones",
    "由磁盘上程序的新工作进程接替旧进程",
  ],
  [
    "connections to {server} are refused and cut, as by a dead server",
    "到 {server} 的连接被拒绝和切断，如同服务器已死",
  ],
  [
    "whatever is sent to {server} is lost: it never answers",
    "发往 {server} 的全部丢失：它从不应答",
  ],
  ["{server} answers 3 s late; its checks run out of time", "{server} 迟 3 秒应答；检查超时"],
  ["{server} answers 503 to everything", "{server} 对所有请求应答 503"],
  [
    "whatever goes to servers through {link} leaves 100 ms later (netem)",
    "经 {link} 发往服务器的全部延迟 100 毫秒发出（netem）",
  ],
  [
    "every TCP answer of every server comes 100 ms later, UDP and ICMP in time (a forwarder of ours, as {~why})",
    "所有服务器的 TCP 应答晚 100 毫秒，UDP 和 ICMP 正常（用转发器，因为{~why}）",
  ],
  ["this kernel has no netem for it", "内核没有 netem"],
  [
    "somebody has set a queue on {link}, which netem would replace",
    "有人在 {link} 上设置了队列，netem 会将其替换",
  ],
  [
    "{address} is on this host, where netem would delay everything",
    "{address} 就在本机，netem 会延迟一切",
  ],
  ["nobody knows the way to {address}", "不知道到 {address} 的路由"],
  [
    "{server} finishes what it has begun and gets nothing new",
    "{server} 做完已开始的，不再接收新请求",
  ],
  [
    "{count} clients connect, send half a request and wait",
    "{count} 个客户端连接后只发半个请求并等待",
  ],
];

const PROMISES: Patterns = [
  ["as promised: {~what}", "符合预期：{~what}"],
  ["another process takes its place", "另一个进程接替"],
  ["adverts of silence and the skew", "若干通告间隔的静默加偏移"],
  ["the lease, then the skew", "租约，然后偏移"],
  ["the spare takes its place within the lease", "备用进程在租约内接替"],
  ["clients notice nothing", "客户端毫无察觉"],
  ["nothing moves and nothing fails", "不切换，不失败"],
  ["slower, and nothing fails", "变慢，但不失败"],
  ["until the check looks, then at once", "直到检查发现，然后立即"],
  ["who reaches no witness lets go by itself", "联系不上见证者的一方自行放弃"],
  ["nothing happens: adverts go from address to address", "什么也不发生：通告是单播的"],
  [
    "two owners - who notice and say so, and clients are served",
    "两个持有者——双方发现并告知，客户端得到服务",
  ],
  ["adverts get through, and nothing fails", "通告通过，不失败"],
  ["who has asked once goes on being served", "问过一次的继续得到服务"],
  ["adverts and requests wait for no disk", "通告和请求不等磁盘"],
  ["no decision depends on the time of day", "没有决定取决于时刻"],
  ["refused, and the old one goes on", "被拒绝，旧配置继续"],
  ["a planned switch: no request fails", "计划内切换：没有失败的请求"],
  ["no connection is lost", "不丢失任何连接"],
  ["another server answers: no request fails", "由另一台服务器应答：没有失败的请求"],
  ["few clients get a 503 until it is out", "摘除之前少数客户端得到 503"],
  ["a planned change: no request fails", "计划内变更：没有失败的请求"],
  ["the others are served as before", "其他人照常得到服务"],
];

/** Why it cannot be done, or may not. */
const REFUSALS: Patterns = [
  ["{~why} (--allow-outage does it all the same)", "{~why}（--allow-outage 可强行）"],
  ["{~why} (--allow-danger does it all the same)", "{~why}（--allow-danger 可强行）"],
  ["the drill '{name}' is at work: one at a time", "演练 {name} 正在进行：一次只能一个"],
  ["an incident is open: {ids}", "有未结束的事故：{ids}"],
  ["its frontends", "其前端"],
  ["outside of the window for drills", "不在演练时间窗内"],
  ["not in steady state: {~why}", "不在稳定状态：{~why}"],
  ["{node}: the {role} process is {state}", "{node}：{role} 进程 {state}"],
  ["{node}: {name} sees two masters", "{node}：{name} 看到两个主节点"],
  ["{node}: its configuration was refused: {why}", "{node}：其配置被拒绝：{why}"],
  [
    "no other server of '{pool}' is usable: {server} is the last copy",
    "服务池 {pool} 没有别的可用服务器：{server} 是最后一份",
  ],
  [
    "one worker only: requests under way would be lost; set `workers: 2`",
    "只有一个工作进程：进行中的请求会丢失；请设置 `workers: 2`",
  ],
  [
    "nobody vouches for a second copy of {~what}; name the other node with --peer",
    "没有谁能担保 {~what} 有第二份；请用 --peer 指明另一节点",
  ],
  [
    "this takes the power away: what is not on the disk is lost, and nobody switches it on",
    "这将断电：未写入磁盘的会丢失，且没有人会开机",
  ],
  [
    "the state directory shares its file system with others: all of them get full",
    "状态目录与其他数据共用文件系统：全部会被写满",
  ],
  [
    "this steps the clock of the whole host; it is set from the hardware clock afterwards",
    "这将改变整台主机的时钟；之后由硬件时钟校正",
  ],
  ["no {role} process runs on this node", "本节点没有运行 {role} 进程"],
  ["this node serves nothing by itself that could be ended", "本节点自身没有可终止的服务"],
  ["nobody knows on which interface its addresses are", "不知道地址在哪个网卡上"],
  [
    "a deaf master goes on sending adverts: only a `witness` tells it that it is deaf",
    "听不到的主节点继续发通告：只有 `witness` 能告诉它",
  ],
  ["this node sends no adverts", "本节点不发通告"],
  [
    "{link} has a queue that somebody has set ({command}): it would be lost",
    "{link} 上有人设置了队列（{command}）：会丢失",
  ],
  [
    "the state directory is not a file system of its own: freezing / would stop the host",
    "状态目录不是独立的文件系统：冻结 / 会使主机停住",
  ],
  [
    "this host shares its clock with others (libfaketime is missing)",
    "本机与其他系统共用时钟（缺少 libfaketime）",
  ],
  ["this node has no address to hand over", "本节点没有可移交的地址"],
  ["this node has no workers", "本节点没有工作进程"],
  ["this node listens for nobody", "本节点没有监听"],
  [
    "{name} has no check, and its pool waits long for answers: nobody finds it out in time",
    "{name} 没有检查，且其服务池等待应答的时间很长：无法及时发现",
  ],
  ["no pool has a usable server with an IP address", "没有服务池有带 IP 地址的可用服务器"],
  ["no usable server '{server}'; there are: {servers}", "没有可用服务器 {server}；现有：{servers}"],
  ["the node does not answer", "节点没有应答"],
];

const RADIUS: Patterns = [
  ["unknown", "未知"],
  ["nothing is taken away: clients should not notice", "不取走任何东西：客户端应毫无察觉"],
  ["this node: its addresses must go to another one", "本节点：其地址必须移到另一节点"],
  ["{node}: its addresses must go to another one", "{node}：其地址必须移到另一节点"],
  ["one server: {server}", "一台服务器：{server}"],
  ["one of the balance workers", "一个 balance 工作进程"],
];

/** Of results. */
const DEVIATIONS: Patterns = [
  ["taken back: {~why}", "已恢复：{~why}"],
  ["the drill is over", "演练结束"],
  ["the conductor is gone", "指挥进程已消失"],
  ["the conductor has fallen silent", "指挥进程没有响应"],
  ["the guard was told to stop", "看护进程被要求停止"],
  ["the guard did not answer", "看护进程没有应答"],
  ["the drill took too long", "演练用时过长"],
  [
    "{~why}: undone by {count} commands; left: {problems}",
    "{~why}：以 {count} 条命令恢复；未恢复：{problems}",
  ],
  ["{~why}: undone by {count} commands", "{~why}：以 {count} 条命令恢复"],
  ["{~why}: undone by 1 command; left: {problems}", "{~why}：以 1 条命令恢复；未恢复：{problems}"],
  ["{~why}: undone by 1 command", "{~why}：以 1 条命令恢复"],
  ["the drill '{drill}' had not ended: {~how}", "演练 {drill} 没有正常结束：{~how}"],
  ["not taken back: {problems}", "未恢复：{problems}"],
  ["taken back", "已恢复"],
  ["found at the start of Nines", "在 Nines 启动时发现"],
  ["not everything was taken back: {problems}", "没有全部恢复：{problems}"],
  ["the fault could not be made in time", "没有及时造成故障"],
  ["the fault could not be taken back in time", "没有及时恢复故障"],
  ["no request has been answered yet", "还没有请求得到应答"],
  ["nothing was seen", "什么也没有看到"],
  ["{name} did not come back", "{name} 没有回来"],
  ["{name} came back", "{name} 回来了"],
  ["{name} has not its whole share yet", "{name} 尚未得到全部份额"],
  ["{name} is with {owners}: it was to stay", "{name} 在 {owners}：本应不动"],
  ["{name} is with {owners}: nobody took it over", "{name} 在 {owners}：无人接管"],
  ["{name} is with {owners}: {node} did not let go", "{name} 在 {owners}：{node} 没有放手"],
  ["not possible here: {~why}", "在此无法执行：{~why}"],
  ["{who} on {node} asked for it: {~why}", "{node} 上的 {who} 要求：{~why}"],
  ["stopped from {node}", "被 {node} 停止"],
  ["the line broke", "连接中断"],
  ["the line is broken", "连接中断"],
  ["the line is closed", "连接已关闭"],
  ["nothing was heard for {s} s", "{s} 秒没有消息"],
  ["its configuration says: console.drills_from: nobody", "其配置为 console.drills_from: nobody"],
  ["{failed} requests failed, promised was {count}", "{failed} 个请求失败，承诺为 {count}"],
  [
    "no answer for {span} on the way back, not {promised}",
    "恢复过程中 {span} 没有应答，应不超过 {promised}",
  ],
  ["no answer for {span}, promised was {promised}", "{span} 没有应答，承诺为 {promised}"],
  ["the fault was not felt: no answer took {span}", "没有感觉到故障：没有应答用时达到 {span}"],
  ["no steady state afterwards: {~why}", "之后没有回到稳定状态：{~why}"],
  ["no steady state to begin with: {~why}", "开始时不在稳定状态：{~why}"],
  ["nobody told of it ({kinds})", "没有谁告知（{kinds}）"],
  ["stopped by hand", "被人停止"],
  [
    "clients have had no answer for {span} ms (limit {limit})",
    "客户端已 {span} 毫秒没有应答（上限 {limit}）",
  ],
  ["{failed} requests have failed (limit {limit})", "{failed} 个请求失败（上限 {limit}）"],
  ["{lost} acknowledged writes are lost", "丢失 {lost} 次已确认的写入"],
];

export const DRILL_PATTERNS: Patterns = [
  ...CATALOGUE_PATTERNS,
  ...FAULTS,
  ...PROMISES,
  ...REFUSALS,
  ...RADIUS,
  ...DEVIATIONS,
];
