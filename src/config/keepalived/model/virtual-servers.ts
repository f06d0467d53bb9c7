/** `virtual_server` blocks with their real servers. */

import type {
  Forwarding,
  Frontend,
  RealServerSettings,
  Scheduler,
  SorryServer,
  SslSettings,
  VirtualServerSettings,
} from "../../virtual-server.ts";
import type { Block } from "../block.ts";
import type { Word } from "../source-line.ts";
import { readInteger } from "../value.ts";
import { readChecks } from "./checks.ts";
import {
  type Context,
  familyOf,
  maskLength,
  readAddress,
  remember,
  rememberedCommand,
} from "./context.ts";
import { readFrontendGroups, readFrontends } from "./frontends.ts";
import { checkerMail } from "./globals.ts";
import { optional } from "./route-lines.ts";

const NAT: Forwarding = { method: "nat" };
const FLAGS = ["flag-1", "flag-2", "flag-3", "sh-port", "sh-fallback", "mh-port", "mh-fallback"];

export function readVirtualServers(
  top: Block,
  globals: Block,
  context: Context,
): VirtualServerSettings[] {
  const groups = readFrontendGroups(top, context);
  const ssl = readSsl(top);
  const seen = new Map<string, number>();
  return top.blocks("virtual_server").map((block) => {
    const name = block.statement.args.map((word) => word.text).join(" ");
    const key = `${name} ${block.text("protocol") ?? "UDP"}`;
    const before = seen.get(key);
    if (before !== undefined) {
      const reason = `virtual_server ${name} was defined already in line ${before}`;
      context.findings.error(block.statement.keyword, reason, "remove one of them");
    }
    seen.set(key, block.statement.keyword.line);
    remember(context, `virtual_server ${name}`, block.statement.keyword);
    const frontends = readFrontends(block.statement, groups, context);
    return readVirtualServer(block, { name, frontends, globals, ...optional("ssl", ssl) }, context);
  });
}

interface ServerFacts {
  readonly name: string;
  readonly frontends: readonly Frontend[];
  readonly globals: Block;
  readonly ssl?: SslSettings;
}

function readVirtualServer(
  block: Block,
  facts: ServerFacts,
  context: Context,
): VirtualServerSettings {
  const forwarding = readForwarding(block, ["lvs_method", "lb_kind"], context) ?? NAT;
  const { frontends, globals, name } = facts;
  const mail = block.bool("smtp_alert") ?? checkerMail(globals) ?? false;
  const realServers = withoutTwins(
    block
      .blocks("real_server")
      .map((server) => readRealServer(server, { block, forwarding, ...facts }, context)),
    block.blocks("real_server"),
    context,
  );
  if (realServers.length === 0 && !block.has("real_server")) {
    const next = "add: real_server ADDRESS PORT { … }";
    context.findings.warn(
      block.statement.keyword,
      `virtual_server ${name} has no real_server`,
      next,
    );
  }
  return {
    name,
    frontends,
    protocol: readProtocol(block, frontends, context),
    scheduler: (block.text("lvs_sched") ?? block.text("lb_algo") ?? "wlc") as Scheduler,
    schedulerFlags: FLAGS.filter((flag) => block.has(flag)),
    forwarding,
    onePacket: block.has("ops"),
    ...optional("persistence", readPersistence(block, context)),
    haSuspend: block.has("ha_suspend"),
    mail,
    ...optional("virtualHost", block.text("virtualhost")),
    startDown: block.flag("alpha"),
    notifyOnStop: block.has("omega"),
    ...readQuorum(block, realServers, context),
    ...optional("quorumUp", rememberedCommand(block, "quorum_up", context)),
    ...optional("quorumDown", rememberedCommand(block, "quorum_down", context)),
    ...optional("sorryServer", readSorryServer(block, { forwarding, frontends }, context)),
    realServers,
  };
}

/** Never more than all servers together have, and the margin below it, as in keepalived. */
function readQuorum(
  block: Block,
  servers: readonly RealServerSettings[],
  { findings }: Context,
): Pick<VirtualServerSettings, "quorum" | "hysteresis"> {
  const wanted = block.number("quorum") ?? 1;
  const margin = block.number("hysteresis") ?? 0;
  const most = servers.reduce((sum, { weight }) => sum + weight, 0);
  const quorum = Math.max(1, Math.min(wanted, most));
  if (quorum < wanted) {
    const reason = `quorum ${wanted} is more than all real servers have: ${quorum} is used`;
    findings.warn(block.at("quorum"), reason, `their weights make ${most}`);
  }
  const hysteresis = Math.min(margin, quorum - 1);
  if (hysteresis < margin) {
    const reason = `hysteresis must be below the quorum of ${quorum}: ${hysteresis} is used`;
    findings.warn(block.at("hysteresis"), reason, "correct one of them");
  }
  return { quorum, hysteresis };
}

/** The second of an address is left out, as in keepalived. */
function withoutTwins(
  servers: readonly (RealServerSettings | undefined)[],
  blocks: readonly Block[],
  { findings }: Context,
): RealServerSettings[] {
  const seen = new Set<string>();
  return servers.flatMap((server, i) => {
    if (server === undefined) return [];
    const key = `${server.address} ${server.port}`;
    if (!seen.has(key)) {
      seen.add(key);
      return [server];
    }
    const at = blocks[i]!.statement.args[0]!;
    findings.warn(at, `real_server ${key} is there already`, "this one is left out; remove it");
    return [];
  });
}

/** Without `protocol`, keepalived 2.2 takes UDP, except for firewall marks, which have none. */
function readProtocol(
  block: Block,
  frontends: readonly Frontend[],
  context: Context,
): VirtualServerSettings["protocol"] {
  const word = block.text("protocol");
  if (word !== undefined) return word.toLowerCase() as VirtualServerSettings["protocol"];
  if (frontends.every((front) => front.kind === "mark")) return "tcp";
  if (!block.has("protocol")) {
    const reason = `${block.title} has no protocol: UDP is used`;
    context.findings.warn(block.statement.keyword, reason, "write: protocol TCP");
  }
  return "udp";
}

function readPersistence(block: Block, context: Context): VirtualServerSettings["persistence"] {
  const mask = block.word("persistence_granularity");
  if (!block.has("persistence_timeout") && mask === undefined) return undefined;
  return {
    timeoutMs: (block.number("persistence_timeout") ?? 360) * 1000,
    granularity: mask === undefined ? 32 : readGranularity(mask, context),
    ...optional("engine", block.text("persistence_engine")),
  };
}

/** A netmask for IPv4, a prefix length for IPv6. */
function readGranularity(word: Word, context: Context): number {
  const length = /^\d+$/u.test(word.text) ? Number(word.text) : maskLength(word.text);
  if (length !== undefined && length >= 1 && length <= 128) return length;
  const next = "write 255.255.255.0, or a prefix length for IPv6";
  context.findings.error(word, `'${word.text}' is not a netmask`, next);
  return 32;
}

interface ServerAddress {
  readonly address: string;
  readonly port: number;
}

/** `ADDRESS [PORT]`; without port that of the virtual server counts. */
function readServerAddress(
  words: readonly Word[],
  frontends: readonly Frontend[],
  context: Context,
): ServerAddress | undefined {
  const [first, second] = words;
  const address = readAddress(first!, "a server", context.findings);
  const front = frontends[0];
  const standard = front === undefined || front.kind === "mark" ? 0 : front.port;
  // 0, as with IPVS: the one that the client asked for.
  const port =
    second === undefined || second.text === "0"
      ? standard
      : readInteger(second, { min: 1, max: 65535 }, "the port", context.findings);
  return address === undefined || port === undefined ? undefined : { address, port };
}

function readSorryServer(
  block: Block,
  facts: { forwarding: Forwarding; frontends: readonly Frontend[] },
  context: Context,
): SorryServer | undefined {
  const words = block.words("sorry_server");
  if (words === undefined) return undefined;
  const at = readServerAddress(words, facts.frontends, context);
  if (at === undefined) return undefined;
  const other = addressOf(facts.frontends);
  if (other !== undefined && familyOf(other) !== familyOf(at.address)) {
    const reason = `${at.address} is of another address family than ${other}: no sorry server`;
    context.findings.warn(words[0]!, reason, "write one of the same family");
    return undefined;
  }
  return {
    ...at,
    forwarding: readForwarding(block, ["sorry_server_lvs_method"], context) ?? facts.forwarding,
    inhibit: block.has("sorry_server_inhibit"),
  };
}

interface RealServerFacts extends ServerFacts {
  readonly block: Block;
  readonly forwarding: Forwarding;
}

function readRealServer(
  server: Block,
  facts: RealServerFacts,
  context: Context,
): RealServerSettings | undefined {
  const { block: parent, globals, ssl } = facts;
  const at = readServerAddress(server.statement.args, facts.frontends, context);
  if (at === undefined) return undefined;
  const forwarding = readForwarding(server, ["lvs_method", "lb_kind"], context) ?? facts.forwarding;
  const frontAddress = addressOf(facts.frontends);
  if (
    forwarding.method !== "tun" &&
    frontAddress !== undefined &&
    familyOf(frontAddress) !== familyOf(at.address)
  ) {
    const reason = `${at.address} is of another address family than ${frontAddress}`;
    const next = "only tunnelled servers (lvs_method TUN) may be";
    context.findings.error(server.statement.args[0]!, reason, next);
  }
  const number = (name: string): number | undefined => server.number(name) ?? parent.number(name);
  return {
    ...at,
    weight: number("weight") ?? 1,
    forwarding,
    inhibitOnFailure: server.bool("inhibit_on_failure") ?? parent.flag("inhibit_on_failure"),
    ...optional("notifyUp", rememberedCommand(server, "notify_up", context)),
    ...optional("notifyDown", rememberedCommand(server, "notify_down", context)),
    upperThreshold: number("uthreshold") ?? 0,
    lowerThreshold: number("lthreshold") ?? 0,
    // Not what the virtual server says, that is of the quorum; and yes, unlike all others.
    mail: server.bool("smtp_alert") ?? checkerMail(globals) ?? true,
    checks: readChecks(
      { realServer: server, virtualServer: parent, globals, ...optional("ssl", ssl), ...at },
      context,
    ),
  };
}

function addressOf(frontends: readonly Frontend[]): string | undefined {
  const front = frontends.find((f) => f.kind !== "mark");
  return front?.kind === "address" ? front.address : front?.first;
}

/** `NAT`, `DR`, or `TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum]`. */
function readForwarding(
  block: Block,
  keywords: readonly string[],
  context: Context,
): Forwarding | undefined {
  const keyword = keywords.find((name) => block.words(name) !== undefined);
  const words = keyword === undefined ? undefined : block.words(keyword);
  if (words === undefined) return undefined;
  const [method, ...rest] = words.map((word) => word.text);
  if ((method === "NAT" || method === "DR") && rest.length === 0) {
    return { method: method.toLowerCase() as "nat" | "dr" };
  }
  if (method !== "TUN") {
    const next = "write NAT, DR or TUN";
    context.findings.error(
      words[0]!,
      `${keyword} cannot be '${words.map((w) => w.text).join(" ")}'`,
      next,
    );
    return undefined;
  }
  return { method: "tun", tunnel: readTunnel(words.slice(1), context) };
}

function readTunnel(words: readonly Word[], context: Context): NonNullable<Forwarding["tunnel"]> {
  const texts = words.map((word) => word.text);
  const valueAfter = (name: string): Word | undefined => {
    const index = texts.indexOf(name);
    return index < 0 ? undefined : words[index + 1];
  };
  const type = valueAfter("type")?.text ?? "ipip";
  const port = valueAfter("port");
  const known = type === "ipip" || type === "gue" || type === "gre";
  if (!known) {
    context.findings.error(
      valueAfter("type")!,
      `there is no tunnel type '${type}'`,
      "ipip, gue or gre",
    );
  }
  if (type === "gue" && port === undefined) {
    context.findings.error(words[0]!, "a gue tunnel needs a port", "write: TUN type gue port 6080");
  }
  const checksum = (["nocsum", "csum", "remcsum"] as const).find((name) => texts.includes(name));
  return {
    type: known ? type : "ipip",
    ...optional(
      "port",
      port === undefined
        ? undefined
        : readInteger(port, { min: 1, max: 65535 }, "the port", context.findings),
    ),
    ...optional("checksum", checksum),
  };
}

function readSsl(top: Block): SslSettings | undefined {
  const block = top.blocks("SSL").at(-1);
  if (block === undefined) return undefined;
  return {
    ...optional("password", block.text("password")),
    ...optional("certificate", block.text("certificate")),
    ...optional("key", block.text("key")),
  };
}
