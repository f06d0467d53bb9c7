/** Servers of a pool: dead, frozen, slow, wrong, drained - and too many clients. */

import type { DelayFacts, SiteFacts } from "../facts.ts";
import type { Command, Fault } from "../plan.ts";
import {
  allServers,
  chooseServer,
  filter,
  LIMIT_MARGIN_MS,
  nines,
  on,
  PATIENT_MS,
  shell,
  TABLE_WORD,
  type BuildOptions,
  type Built,
  type ChosenServer,
  type DrillKind,
} from "./drill-kind.ts";

/** The forwarder's group: its own connections are not sent to itself. */
const FORWARDER_GROUP = 61_000;
const FIRST_PORT = 17_001;
/** The checks ask slowly, or with patience. */
const UNTIL_DOWN_MS = 15_000;
/** A server that was out before in a short time stays out longer: 300 s at most by default. */
const EJECTED_MS = 315_000;
/** And then is served by another one. */
const RETRY_WITHIN_MS = 1000;
const FLOOD = 400;

const noneFails = { text: "another server answers: no request fails", failed: 0 };

function matchOf({ address, port }: ChosenServer): string {
  return `${address.includes(":") ? "ip6" : "ip"} daddr ${address} tcp dport ${port}`;
}

/** On the director, towards the server: what a dead or silent one looks like from here. */
function verdictOn(facts: SiteFacts, server: ChosenServer, verdict: string) {
  const chain = `${TABLE_WORD} out`;
  return filter(facts, server.address.includes(":") ? "ip6" : "ip", [
    `add chain ${chain} { type filter hook output priority 0; }`,
    `add rule ${chain} ${matchOf(server)} ${verdict}`,
  ]);
}

function outage(server: ChosenServer, fault: Fault): Built {
  const { name, pool, server: bare, isChecked } = server;
  const { worstMs: known = 0 } = server;
  // Requests find out sooner than checks what refuses them.
  const worstMs = isChecked ? known : Math.min(known, UNTIL_DOWN_MS);
  return {
    radius: { takes: "server", pool, server: bare },
    faults: [fault],
    expect: {
      holding: "stays",
      // The word of a check: who is only ejected by real answers stays out for its whole time.
      told: isChecked ? ["server-down"] : ["server-ejected"],
      server: { name, is: "out" },
    },
    promise: noneFails,
    limitMs: Math.max(UNTIL_DOWN_MS, worstMs + LIMIT_MARGIN_MS),
    // Who has asked it waits until it is found out.
    patienceMs: Math.max(PATIENT_MS, worstMs + RETRY_WITHIN_MS),
    settleMs: EJECTED_MS,
  };
}

/** A server that answers late or never, and that no check asks. */
function chooseFoundOut(facts: SiteFacts, wanted?: string): ChosenServer | string {
  const server = chooseServer(facts, wanted);
  if (typeof server === "string") return server;
  const { name, isChecked, worstMs = 0 } = server;
  if (isChecked || worstMs <= UNTIL_DOWN_MS) return server;
  return `${name} has no check, and its pool waits long for answers: nobody finds it out in time`;
}

function killed(facts: SiteFacts, { server: wanted }: BuildOptions): Built | string {
  const server = chooseServer(facts, wanted);
  if (typeof server === "string") return server;
  const program = facts.programs[server.name];
  if (program === undefined) {
    const says = `connections to ${server.name} are refused and cut, as by a dead server`;
    return outage(server, { says, ...verdictOn(facts, server, "reject with tcp reset") });
  }
  return outage(server, {
    says: `SIGKILL to the program of ${server.name}`,
    inject: [{ host: program.host, argv: program.kill }],
    undo: [{ host: program.host, argv: program.start }],
  });
}

function frozen(facts: SiteFacts, { server: wanted }: BuildOptions): Built | string {
  const server = chooseFoundOut(facts, wanted);
  if (typeof server === "string") return server;
  const program = facts.programs[server.name];
  if (program === undefined) {
    const says = `whatever is sent to ${server.name} is lost: it never answers`;
    return outage(server, { says, ...verdictOn(facts, server, "drop") });
  }
  return outage(server, {
    says: `SIGSTOP to the program of ${server.name}: it accepts and never answers`,
    inject: [{ host: program.host, argv: program.freeze }],
    undo: [{ host: program.host, argv: program.resume }],
  });
}

/** What goes to these servers goes through a forwarder of ours on the director. */
function divert(facts: SiteFacts, servers: readonly ChosenServer[], how: readonly string[]) {
  const pid = `${facts.runDirectory}/drill-forward.pid`;
  const words = servers.flatMap(({ address, port }, i) => {
    const to = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
    return ["--map", `${FIRST_PORT + i}=${to}`];
  });
  const start = on(
    facts,
    ...facts.nines,
    "drill-forward",
    ...words,
    ...how,
    "--group",
    String(FORWARDER_GROUP),
    "--pid-file",
    pid,
  );
  const [divertTo, cut] = [`${TABLE_WORD} divert`, `${TABLE_WORD} cut`];
  const family = servers[0]?.address.includes(":") === true ? "ip6" : "ip";
  const stranger = `meta skgid != ${FORWARDER_GROUP}`;
  const chains = [
    `add chain ${divertTo} { type nat hook output priority -100; }`,
    `add chain ${cut} { type filter hook output priority 0; }`,
  ];
  // One after the other: whose connection is cut must find a server that is not.
  const rules = servers.map((server, i) =>
    filter(facts, family, [
      ...chains,
      `add rule ${divertTo} ${matchOf(server)} ${stranger} redirect to :${FIRST_PORT + i}`,
      // Connections of before are ended: they would go on past the forwarder.
      `add rule ${cut} ${matchOf(server)} ${stranger} reject with tcp reset`,
    ]),
  );
  return {
    inject: [start, ...rules.flatMap(({ inject }) => inject)],
    undo: [
      on(facts, "nft", keepTranslating(family)),
      endOf(facts, facts.target.name, pid),
      ...(rules[0]?.undo ?? []),
    ],
  };
}

/**
 * New connections go straight again; those under way need the forwarder and its translation. With the
 * last rule that translates the kernel forgets all translations, so one that matches nothing stays.
 */
function keepTranslating(family: "ip" | "ip6"): string {
  const table = `${family} nines_drill`;
  const nowhere = family === "ip" ? "255.255.255.255" : "::";
  return [
    `add table ${table}`,
    `flush table ${table}`,
    `add chain ${table} hold { type nat hook output priority -99; }`,
    `add rule ${table} hold ${family} daddr ${nowhere} tcp dport 1 redirect to :1`,
  ].join("; ");
}

function endOf(facts: SiteFacts, host: string, pidFile: string): Command {
  const end = `p=$(cat ${pidFile}); kill $p; while kill -0 $p; do sleep 0.05; done; rm -f ${pidFile}`;
  const line = `[ ! -f ${pidFile} ] || { ${end}; } 2>&1`;
  return { ...shell(facts, line), host };
}

function slow(facts: SiteFacts, { server: wanted }: BuildOptions): Built | string {
  const server = chooseFoundOut(facts, wanted);
  if (typeof server === "string") return server;
  return outage(server, {
    says: `${server.name} answers 3 s late; its checks run out of time`,
    ...divert(facts, [server], ["--delay", "3s"]),
  });
}

function wrongAnswers(facts: SiteFacts, { server: wanted }: BuildOptions): Built | string {
  const server = chooseServer(facts, wanted);
  if (typeof server === "string") return server;
  const built = outage(server, {
    says: `${server.name} answers 503 to everything`,
    ...divert(facts, [server], ["--answer", "503"]),
  });
  return {
    ...built,
    promise: { text: "few clients get a 503 until it is out", outageMs: 400 },
  };
}

/** Where the kernel delays nothing: TCP alone, and only what comes back. */
function forwarded(facts: SiteFacts, servers: readonly ChosenServer[], why: string): Fault {
  const family = servers[0]!.address.includes(":");
  const same = servers.filter(({ address }) => address.includes(":") === family);
  const says = "every TCP answer of every server comes 100 ms later, UDP and ICMP in time";
  return {
    says: `${says} (a forwarder of ours, as ${why})`,
    ...divert(facts, same, ["--delay", "100ms"]),
  };
}

/**
 * A band of its own for what goes to servers: adverts and clients are not delayed. As many packets are
 * let wait as a full link has in that time; netem's own limit of 1000 would lose the others.
 */
function delayed(facts: SiteFacts, delay: DelayFacts): Fault[] {
  return delay.map(({ interface: link, addresses }) => {
    const tc = (...words: readonly string[]): Command => on(facts, "tc", ...words);
    const late = ["netem", "delay", "100ms", "limit", "200000"];
    return {
      says: `whatever goes to servers through ${link} leaves 100 ms later (netem)`,
      inject: [
        tc("qdisc", "replace", "dev", link, "root", "handle", "1:", "prio", "bands", "4"),
        tc("qdisc", "add", "dev", link, "parent", "1:4", ...late),
        ...addresses.map((address) => {
          const [protocol, family, bits, order] = address.includes(":")
            ? ["ipv6", "ip6", "128", "2"]
            : ["ip", "ip", "32", "1"];
          const match = ["u32", "match", family, "dst", `${address}/${bits}`, "flowid", "1:4"];
          const place = ["dev", link, "parent", "1:", "protocol", protocol, "prio", order];
          return tc("filter", "add", ...place, ...match);
        }),
      ],
      undo: [shell(facts, `tc qdisc del dev ${link} root 2>/dev/null; true`)],
    };
  });
}

function latency(facts: SiteFacts): Built | string {
  const servers = allServers(facts);
  if (servers.length === 0) return "no pool has a usable server with an IP address";
  const { delay } = facts;
  const faults =
    typeof delay === "string" ? [forwarded(facts, servers, delay)] : delayed(facts, delay);
  return {
    faults,
    expect: { holding: "stays", told: [], slowerThanMs: 100 },
    promise: { text: "slower, and nothing fails", failed: 0 },
    watchMs: 1500,
  };
}

function drain(facts: SiteFacts, { server: wanted }: BuildOptions): Built | string {
  const server = chooseServer(facts, wanted);
  if (typeof server === "string") return server;
  const { name, pool, server: bare } = server;
  const inject = nines(facts, "backend", "drain", name, "--reason", "a drill", "--wait");
  return {
    radius: { takes: "server", pool, server: bare },
    faults: [
      {
        says: `${name} finishes what it has begun and gets nothing new`,
        inject: [inject],
        undo: [nines(facts, "backend", "ready", name)],
      },
    ],
    expect: { holding: "stays", told: [], server: { name, is: "out" } },
    promise: { text: "a planned change: no request fails", failed: 0 },
    untilWhole: true,
    settleMs: EJECTED_MS,
    isPlanned: true,
  };
}

function flood(facts: SiteFacts): Built | string {
  const to = facts.target.listening[0];
  if (to === undefined) return "this node listens for nobody";
  const pid = `/run/nines-drill-flood.pid`;
  const words = ["drill-flood", to, "--connections", String(FLOOD), "--pid-file", pid];
  return {
    faults: [
      {
        says: `${FLOOD} clients connect, send half a request and wait`,
        inject: [{ host: facts.client, argv: [...facts.nines, ...words] }],
        undo: [endOf(facts, facts.client, pid)],
      },
    ],
    expect: { holding: "stays", told: [] },
    promise: { text: "the others are served as before", failed: 0 },
    watchMs: 1500,
  };
}

export const serverDrills: readonly DrillKind[] = [
  {
    name: "backend-killed",
    title: "a web server is killed",
    layer: "pool",
    says: "Its requests are tried again elsewhere; failed checks take it out, good ones back in.",
    build: killed,
  },
  {
    name: "backend-frozen",
    title: "a web server freezes",
    layer: "pool",
    says: "Connections open, answers never come. Who waits for it is served by another.",
    build: frozen,
  },
  {
    name: "backend-slow",
    title: "a web server is too slow",
    layer: "pool",
    says: "A forwarder of ours delays its answers by 3 s: it is found out and left alone.",
    build: slow,
  },
  {
    name: "backend-errors",
    title: "a web server answers 503",
    layer: "pool",
    says: "It lives and serves nothing but errors: checks and real answers take it out.",
    build: wrongAnswers,
  },
  {
    name: "latency",
    title: "the way to the servers is long",
    layer: "network",
    says: "100 ms more, by the kernel (netem) or a forwarder of ours: no server is taken out for that.",
    build: latency,
  },
  {
    name: "backend-drained",
    title: "a web server is drained for an upgrade",
    layer: "pool",
    says: "nines backend drain and ready: what it has begun it finishes; it returns slowly.",
    build: drain,
  },
  {
    name: "connection-flood",
    title: "a flood of idle connections",
    layer: "pool",
    says: "Hundreds of clients that send half a request; everybody else is served.",
    build: flood,
  },
];
