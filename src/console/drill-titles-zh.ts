/** The catalogue of drills in Chinese. */

import type { Patterns } from "./reasons-zh.ts";

/** Titles, and what is done and should happen. */
export const CATALOGUE_PATTERNS: Patterns = [
  ["the vrrp process is killed", "杀死 vrrp 进程"],
  [
    "kill -9. A successor reads the note on the reign and goes on as master.",
    "kill -9。继任进程读取任期记录，继续担任主节点。",
  ],
  ["the check process is killed", "杀死 check 进程"],
  [
    "kill -9. Servers keep the state that was known last until a new one asks them again.",
    "kill -9。服务器保持最后已知的状态，直到新进程重新检查。",
  ],
  ["a balance worker is killed", "杀死一个 balance 工作进程"],
  [
    "kill -9. The listening sockets live on; waiting clients are served by its successor.",
    "kill -9。监听套接字继续存在，等待的客户端由继任进程服务。",
  ],
  ["the console process is killed", "杀死 console 进程"],
  [
    "kill -9. Journal and page pause; addresses and requests do not notice.",
    "kill -9。日志和页面暂停；地址和请求不受影响。",
  ],
  ["the control process is killed", "杀死 control 进程"],
  [
    "kill -9 to `nines run` itself. Everything goes on; started again, it takes over.",
    "对 `nines run` 本身 kill -9。一切照常；重新启动后接管。",
  ],
  ["all of Nines is killed", "杀死全部 Nines 进程"],
  [
    "kill -9 to every process of the node. The peer takes the addresses over.",
    "对本节点所有进程 kill -9。同伴接管地址。",
  ],
  ["the vrrp process hangs", "vrrp 进程停止响应"],
  [
    "SIGSTOP. The control process sees a late advert and calls the spare.",
    "SIGSTOP。control 进程发现通告迟到，启用备用进程。",
  ],
  ["the check process hangs", "check 进程停止响应"],
  [
    "SIGSTOP. Requests go on with what was known last; after 10 s another one asks.",
    "SIGSTOP。请求按最后已知的状态继续；10 秒后由新进程接着检查。",
  ],
  ["the daemon hangs", "守护进程整体停止响应"],
  [
    "SIGSTOP to all of Nines. Its lease runs out in the kernel and the peer takes over.",
    "对全部 Nines 进程 SIGSTOP。租约在内核中到期，同伴接管。",
  ],
  ["Nines gets too little processor", "Nines 得到的处理器太少"],
  [
    "All of its processes are stopped for 60 of every 90 ms. Nothing moves, nothing fails.",
    "每 90 毫秒中全部进程停顿 60 毫秒。不切换，不失败。",
  ],
  ["the web server stops on the master", "主节点上的网页服务器停止"],
  [
    "The node runs, but what it serves is dead: the check fails and the node resigns.",
    "节点在运行，但其服务已死：检查失败，节点让位。",
  ],
  ["the master's network is cut", "主节点断网"],
  [
    "ip link set down: the node runs on, but nobody can reach it, and it knows.",
    "ip link set down：节点继续运行但无法到达，并且它自己知道。",
  ],
  ["the master is cut off", "主节点被隔离"],
  [
    "Nothing passes in either direction, and the carrier stays: nobody is told.",
    "双向不通，但链路状态正常：没有任何提示。",
  ],
  ["the master is heard no more", "听不到主节点"],
  [
    "One-way partition: what it sends is lost, what is sent to it arrives.",
    "单向隔离：它发出的丢失，发给它的到达。",
  ],
  ["the master hears nothing", "主节点听不到任何消息"],
  [
    "One-way partition: adverts go out and no request comes in. Its witness tells it.",
    "单向隔离：通告发得出，请求进不来。由见证者告知它。",
  ],
  ["multicast is blocked", "组播被阻断"],
  [
    "Adverts to 224.0.0.18 and ff02::12 are lost, everything else passes.",
    "发往 224.0.0.18 和 ff02::12 的通告丢失，其余正常。",
  ],
  ["packets are lost", "丢包"],
  [
    "3 % loss in each direction: no false failover, no failed request.",
    "每个方向丢包 3%：不误切换，没有失败的请求。",
  ],
  ["the network is narrow", "网络带宽很小"],
  [
    "2 Mbit/s in a queue of 400 ms: adverts arrive in time all the same.",
    "2 Mbit/s，队列 400 毫秒：通告仍按时到达。",
  ],
  ["ARP is lost", "ARP 丢失"],
  [
    "Neither questions nor answers pass; existing neighbours are served on.",
    "询问和应答都不通；已知的邻居继续得到服务。",
  ],
  ["the master loses power", "主节点断电"],
  [
    "Every process ends at once and the network card is gone. Then it comes back.",
    "所有进程立即结束，网卡消失；然后恢复。",
  ],
  ["the disk is full", "磁盘已满"],
  [
    "Nothing can be written where Nines keeps its state: nobody waits for that.",
    "Nines 的状态目录无法写入：没有谁为此等待。",
  ],
  ["the disk is slow", "磁盘很慢"],
  [
    "Writes take up to 0.9 s (the file system is frozen nine tenths of the time).",
    "写入最长需 0.9 秒（文件系统十分之九的时间被冻结）。",
  ],
  ["the clock jumps", "时钟跳变"],
  [
    "An hour ahead and back: leases and adverts live on the monotonic clock.",
    "拨快一小时再拨回：租约和通告使用单调时钟。",
  ],
  ["a wrong configuration is pushed", "推送了错误的配置"],
  [
    "A reload with a mistake in the file must change nothing.",
    "文件有错误时，重新加载不得改变任何东西。",
  ],
  ["a planned handover, there and back", "计划内移交，往返一次"],
  [
    "nines handover: clients are served to the end, and nobody sees a failure.",
    "nines handover：客户端都得到完整服务，没有人看到失败。",
  ],
  ["the balancer is upgraded", "升级负载均衡器"],
  [
    "nines upgrade: fresh processes, the same sockets, every connection finished.",
    "nines upgrade：新进程，同样的套接字，每个连接都正常结束。",
  ],
  ["a web server is killed", "杀死一台网页服务器"],
  [
    "Its requests are tried again elsewhere; failed checks take it out, good ones back in.",
    "其请求在别处重试；检查失败则摘除，恢复则重新加入。",
  ],
  ["a web server freezes", "一台网页服务器僵住"],
  [
    "Connections open, answers never come. Who waits for it is served by another.",
    "能连接，但没有应答。等待者由另一台服务。",
  ],
  ["a web server is too slow", "一台网页服务器太慢"],
  [
    "A forwarder of ours delays its answers by 3 s: it is found out and left alone.",
    "由转发器把其应答延迟 3 秒：被发现并绕开。",
  ],
  ["a web server answers 503", "一台网页服务器应答 503"],
  [
    "It lives and serves nothing but errors: checks and real answers take it out.",
    "它活着但只给出错误：检查和真实应答将其摘除。",
  ],
  ["the way to the servers is long", "到服务器的路很长"],
  [
    "100 ms more, by the kernel (netem) or a forwarder of ours: no server is taken out for that.",
    "由内核（netem）或转发器增加 100 毫秒：不因此摘除服务器。",
  ],
  ["a web server is drained for an upgrade", "为升级排空一台网页服务器"],
  [
    "nines backend drain and ready: what it has begun it finishes; it returns slowly.",
    "nines backend drain 和 ready：已开始的做完；缓慢恢复。",
  ],
  ["a flood of idle connections", "大量空闲连接"],
  [
    "Hundreds of clients that send half a request; everybody else is served.",
    "数百个只发半个请求的客户端；其他人照常得到服务。",
  ],
];
