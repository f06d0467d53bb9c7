import assert from "node:assert/strict";
import { test } from "node:test";
import { mailedVirtualServer } from "../../../test/kit/mailed-virtual-server.ts";
import { readEither } from "../read-either.ts";
import type { ServiceReading } from "../service/service-model.ts";

function read(text: string): ServiceReading {
  const files = { readFile: () => text, glob: () => [] };
  return readEither("/lvs.conf", { hostName: "lb", environment: {} }, files);
}

const SERVER = `
  real_server 10.0.0.1 80 {
    TCP_CHECK {
      connect_timeout 2
    }
  }
}
`;

const WHOLE = `
virtual_server 10.0.0.100 80 {
  protocol TCP
  lb_algo wrr
  lb_kind NAT
  persistence_timeout 300
  persistence_granularity 255.255.0.0
  quorum 3
  hysteresis 1
  sorry_server 10.0.0.9 81
  quorum_up "/bin/say up"
  real_server 10.0.0.1 80 {
    weight 600
    uthreshold 50
    notify_down "/bin/say down" nobody
    HTTP_GET {
      delay_loop 4
      url {
        path /a
        status_code 200
      }
      url {
        path /b
      }
    }
    MISC_CHECK {
      misc_path "/bin/true"
    }
  }
  real_server 10.0.0.2 80 {
    weight 300
  }
}
`;

test("a virtual server is a TCP frontend, a pool and its checks", () => {
  const { service, diagnostics } = read(WHOLE);
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error"),
    [],
  );
  const { balance, checks, notices } = service!;
  const [frontend] = balance.frontends;
  assert.deepEqual(frontend?.binds, [{ kind: "ip", address: "10.0.0.100", port: 80 }]);
  assert.equal(`${frontend.mode} ${frontend.defaultPool}`, "tcp 10.0.0.100-80");
  const [pool] = balance.pools;
  assert.equal(pool?.algorithm.kind, "round-robin");
  assert.deepEqual(pool.quorum, { weight: 1, hysteresis: 0 });
  assert.ok(!pool.outlier.enabled && pool.slowStart.windowMs === 0);
  const { stickiness } = pool;
  assert.ok(stickiness.kind === "table" && stickiness.ttlMs === 300_000);
  assert.deepEqual(stickiness.key, { of: "source", prefix: 16 });
  const servers = pool.servers.map(({ name, weight, tier, maxConnections, check, alsoChecks }) => {
    const count = (check === undefined ? 0 : 1) + (alsoChecks?.length ?? 0);
    return [name, weight, tier, maxConnections, count].join(" ");
  });
  // Weights keep their proportions; both pages and the script must be well.
  const wanted = ["10.0.0.1:80 256 0 50 3", "10.0.0.2:80 128 0 0 0", "10.0.0.9:81 1 1 0 0"];
  assert.deepEqual(servers, wanted);
  assert.deepEqual(
    checks.map(({ protocol }) => (protocol.kind === "http" ? protocol.path : protocol.kind)),
    ["/a", "/b", "script"],
  );
  assert.equal(checks[0]?.timing.intervalMs, 4000);
  const [told] = notices;
  assert.deepEqual(told?.servers[0]?.down, { argv: ["/bin/say", "down"], user: "nobody" });
  assert.deepEqual(told.quorum.up?.argv, ["/bin/say", "up"]);
});

test("what a proxy cannot be is said in one line, and what is left out in a line each", () => {
  const { notes = [] } = read(`
virtual_server 10.0.0.100 80 {
  protocol TCP
  lb_kind DR
  lb_algo sed
  ${SERVER}
virtual_server 10.0.0.100 53 {
  protocol UDP
  real_server 10.0.0.1 53 {
  }
}
virtual_server fwmark 7 {
  protocol TCP
  ${SERVER}
`);
  assert.equal(notes.length, 4, notes.join("\n"));
  const [proxy = "", udp = "", mark = "", sed = ""] = notes;
  assert.match(proxy, /^1 virtual server carried by a TCP proxy, not by IPVS: real servers see/);
  assert.match(proxy, /no DR, no TUN.* - if they need the client's: nines import \/lvs\.conf/);
  assert.match(udp, /10\.0\.0\.100 53 is not carried out: .* not UDP/);
  assert.match(mark, /fwmark 7 is not carried out: a firewall mark/);
  assert.match(sed, /the nearest to sed is used/);
});

test("without virtual servers there is no balancer and nothing is said", () => {
  const { service, notes } = read(`
vrrp_instance V {
  interface eth0
  virtual_router_id 1
  virtual_ipaddress {
    10.0.0.1
  }
}
`);
  assert.deepEqual([service?.balance.frontends, notes], [[], []]);
});

test("a net_namespace has its balancer only when Nines runs inside it", () => {
  const { service, notes } = read(`
net_namespace blue
virtual_server 10.0.0.100 80 {
  protocol TCP
  ${SERVER}
`);
  assert.deepEqual(service?.balance.frontends, []);
  assert.match(notes?.[0] ?? "", /net_namespace - run nines inside it/);
});

function virtualServer(name: string, lines = "", checker = "TCP_CHECK {\n}"): string {
  const real = `real_server 10.0.0.1 80 {\n weight 1000\n ${checker}\n }`;
  return `virtual_server ${name} {\n protocol TCP\n ${lines}\n ${real}\n}\n`;
}

test("a virtual server that the balancer cannot take costs none of the others", () => {
  const group = "virtual_server_group G {\n 10.0.0.101-102 80\n}\n";
  const odd = "HTTP_GET {\n url {\n path /\n regex a++\n }\n }";
  const { service, notes = [] } = read(
    group +
      virtualServer("10.0.0.100 80") +
      virtualServer("10.0.0.101 80") +
      virtualServer("10.0.0.103 80", "", odd) +
      virtualServer("group G"),
  );
  const names = service?.balance.frontends.map(({ name }) => name);
  assert.deepEqual(names, ["10.0.0.100-80", "10.0.0.101-80"]);
  const left = notes.filter((note) => note.includes("is not carried out"));
  assert.equal(left.length, 2, notes.join("\n"));
  assert.match(left[0] ?? "", /^virtual_server 10\.0\.0\.103 80 .*Nothing to repeat/);
  assert.match(left[1] ?? "", /^virtual_server group G .*10\.0\.0\.101:80 is taken/);
});

test("ranges of addresses are listened on, also beyond 255 and in IPv6", () => {
  const group = `virtual_server_group G {\n 10.0.0.254-10.0.1.1 80\n 10.0.1.0 80\n}
virtual_server_group G6 {\n 2001:db8::ffff-2001:db8::1:0 80\n}\n`;
  const real = "real_server 2001:db8:1::1 80 {\n }";
  const six = `virtual_server group G6 {\n protocol TCP\n ${real}\n}\n`;
  const { service } = read(group + virtualServer("group G") + six);
  const binds = service?.balance.frontends.map((one) =>
    one.binds.map((bind) => (bind.kind === "ip" ? bind.address : "")),
  );
  assert.deepEqual(binds, [
    ["10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1"],
    ["2001:db8::ffff", "2001:db8::1:0"],
  ]);
});

test("a quorum is reached by weights that were made smaller with it", () => {
  const { service } = read(virtualServer("10.0.0.100 80", "quorum 1000\n hysteresis 100"));
  assert.deepEqual(service?.balance.pools[0]?.quorum, { weight: 256, hysteresis: 25 });
});

test("what keepalived's users write is understood: (?i), a port in a host name, a real sorry server", () => {
  const odd =
    'HTTP_GET {\n url {\n path /\n regex "(?i)ok"\n virtualhost www.example.com:8080\n }\n }';
  const { service, notes = [] } = read(
    virtualServer("10.0.0.100 80", "sorry_server 10.0.0.1 80", odd),
  );
  assert.equal(notes.length, 1, notes.join("\n"));
  const protocol = service?.checks[0]?.protocol;
  assert.ok(protocol?.kind === "http");
  assert.equal(protocol.host, "www.example.com");
  const names = service?.balance.pools[0]?.servers.map(({ name }) => name);
  assert.deepEqual(names, ["10.0.0.1:80", "sorry"]);
});

test("a page is read to its end as by keepalived, and its expression as PCRE means it", () => {
  const asked = (lines: string): readonly unknown[] => {
    const block = `HTTP_GET {\n url {\n path /\n ${lines}\n }\n }`;
    const { service } = read(virtualServer("10.0.0.100 80", "", block));
    const protocol = service?.checks[0]?.protocol;
    assert.ok(protocol?.kind === "http");
    const { body, wholeBody = false, maxBodyBytes } = protocol;
    if (body?.kind === "regex") assert.equal(body.withHead, true);
    return [body?.kind === "regex" ? body.pattern : body, wholeBody, maxBodyBytes];
  };
  const all = 16 * 1024 ** 2;
  assert.deepEqual(asked("status_code 200"), [undefined, true, 65_536]);
  assert.deepEqual(asked("regex </html>"), ["<\\/html>", false, all]);
  assert.equal(asked("regex '^[a\\-z]+$'")[0], "^[a\\x2dz]+(?=\\n?$)", "no range");
  assert.equal(asked("regex 'a\\$[$]'")[0], "a\\$[$]");
  const words = 'regex "^[[:digit:]]+ up"\n regex_options multiline caseless';
  assert.deepEqual(asked(words), ["(?mi:^[0-9]+ up)", false, all]);
});

test("virtual servers whose names differ in signs only stay apart", () => {
  const real = "real_server 2001:db8:9::1 80 {\n }";
  const at = (address: string): string =>
    `virtual_server ${address} 80 {\n protocol TCP\n ${real}\n}\n`;
  const { service } = read(at("2001:db8::1") + at("2001:db8:1::"));
  const names = service?.balance.pools.map(({ name }) => name);
  assert.deepEqual(names, ["2001-db8-1-80", "2001-db8-1-80-2"]);
});

test("ha_suspend makes checks wait for the addresses, unless one of them is a mark that nobody holds", () => {
  const heldOf = (text: string): unknown => {
    const { service, notes = [] } = read(text);
    return [service?.checks[0]?.whileHeld, ...notes.filter((note) => note.includes("ha_suspend"))];
  };
  const check = "TCP_CHECK {\n }";
  assert.deepEqual(heldOf(virtualServer("10.0.0.100 80", "ha_suspend", check)), [["10.0.0.100"]]);
  assert.deepEqual(heldOf(virtualServer("10.0.0.100 80", "", check)), [undefined]);
  const group = (more: string): string =>
    `virtual_server_group G {\n 10.0.0.101-102 80\n 10.0.0.101 81\n ${more}\n}\n`;
  const ofGroup = virtualServer("group G", "ha_suspend", check);
  assert.deepEqual(heldOf(group("") + ofGroup), [["10.0.0.101", "10.0.0.102"]]);
  assert.deepEqual(heldOf(group("fwmark 3") + ofGroup), [
    undefined,
    "virtual_server group G: ha_suspend is left out, nobody holds a firewall mark",
  ]);
});

test("weights by scripts are told where percents of the configured ones are others than keepalived's", () => {
  const script = 'MISC_CHECK {\n misc_path "/bin/true"\n misc_dynamic\n }';
  const toldOf = (first: number, second: number, check = script): number => {
    const real = (last: number, weight: number, checker: string): string =>
      `real_server 10.0.0.${last} 80 {\n weight ${weight}\n ${checker}\n }\n`;
    const reals = real(1, first, script) + real(2, second, check);
    const { notes = [] } = read(`virtual_server 10.0.0.100 80 {\n protocol TCP\n ${reals}}\n`);
    return notes.filter((note) => note.includes("misc_dynamic")).length;
  };
  const tcp = "TCP_CHECK {\n }";
  assert.deepEqual([toldOf(1, 1), toldOf(100, 100), toldOf(100, 7, tcp)], [0, 0, 0]);
  assert.deepEqual([toldOf(1, 3), toldOf(1, 1, tcp)], [1, 1]);
});

test("all failures are told where a check, its server or the whole file says so", () => {
  const told = (globals: string, ofVirtual: string): unknown => {
    const text = virtualServer("10.0.0.100 80", ofVirtual, "TCP_CHECK {\n }");
    const { service } = read(`global_defs {\n ${globals}\n}\n${text}`);
    return service?.checks[0]?.logFailures;
  };
  assert.equal(told("router_id a", ""), undefined);
  assert.equal(told("checker_log_all_failures", ""), true);
  assert.equal(told("router_id a", "log_all_failures"), true);
  assert.equal(told("checker_log_all_failures", "log_all_failures off"), undefined);
});

test("SSL_GET shows the certificate of the SSL block, and no other check does", () => {
  const ssl = "SSL {\n password open\n ca /ca.pem\n certificate /own.pem\n key /own.key\n}\n";
  const page = "{\n url {\n path /\n }\n }";
  const tlsOf = (kind: string): unknown => {
    const { service } = read(ssl + virtualServer("10.0.0.100 443", "", `${kind} ${page}`));
    const protocol = service?.checks[0]?.protocol;
    return protocol?.kind === "http" ? protocol.tls : "none";
  };
  assert.deepEqual(tlsOf("SSL_GET"), {
    verify: false,
    certificate: "/own.pem",
    key: "/own.key",
    keyPassword: "open",
    expiryWarningMs: 14 * 86_400_000,
  });
  assert.equal(tlsOf("HTTP_GET"), undefined);
});

test("rs_init_notifies tells of servers at the start", () => {
  const told = (globals: string): unknown => {
    const real = 'notify_up "/bin/true"';
    const text = `global_defs {\n ${globals}\n}\n${virtualServer("10.0.0.100 80", "", real)}`;
    return read(text).service?.notices[0]?.tellsStart;
  };
  assert.equal(told("rs_init_notifies"), true);
  assert.equal(told("router_id a"), undefined);
});

test("a hash with the client's port in it sends each connection its own way", () => {
  const pickedBy = (words: string): unknown => {
    const text = virtualServer("10.0.0.100 80", words);
    const { service, notes = [] } = read(text);
    return [service?.balance.pools[0]?.algorithm.kind, ...notes.slice(1)];
  };
  assert.deepEqual(pickedBy("lb_algo sh\n sh-fallback"), ["hash"]);
  assert.deepEqual(pickedBy("lb_algo sh\n sh-port"), ["random"]);
  assert.deepEqual(pickedBy("lb_algo mh\n flag-2"), ["random"]);
  // Of another scheduler.
  assert.deepEqual(pickedBy("lb_algo mh\n sh-port"), ["maglev"]);
});

test("words that decide about servers and have no counterpart are named", () => {
  const odd =
    "HTTP_GET {\n bind_if eth0\n fwmark 7\n url {\n path /\n regex a\n regex_min_offset 5\n regex_options extended\n }\n }";
  const { notes = [] } = read(
    virtualServer("10.0.0.100 80", "", `lthreshold 3\n uthreshold 9\n ${odd}`),
  );
  const named =
    "left out are lthreshold, bind_if, fwmark of checks, regex_min_offset, regex_options extended";
  assert.equal(notes[1], `virtual_server 10.0.0.100 80: ${named}`);
});

test("a FIFO knows virtual and real servers by keepalived's names", () => {
  const of = (name: string, real: string): string =>
    `virtual_server ${name} {\n protocol TCP\n real_server ${real} {\n TCP_CHECK {\n }\n }\n}\n`;
  const group = (name: string, member: string): string =>
    `virtual_server_group ${name} {\n ${member}\n}\n`;
  const text =
    group("WEB", "10.0.0.101 80") +
    group("5", "10.0.0.102-103 80") +
    of("10.0.0.100 80", "10.0.0.1 80") +
    of("group 5", "10.0.0.2 80") +
    of("2001:DB8::1 443", "2001:db8:0::2 8443") +
    of("group WEB", "10.0.0.3 80");
  const told = (globals: string): unknown => {
    const { service } = read(`global_defs {\n ${globals}\n}\n${text}`);
    return service?.notices.map(({ fifoName, servers }) => [
      fifoName,
      ...servers.map((server) => server.fifoName),
    ]);
  };
  assert.deepEqual(told("router_id lb1"), []);
  for (const fifo of ["lvs_notify_fifo /run/lvs", "notify_fifo /run/all"]) {
    assert.deepEqual(told(fifo), [
      ["[5]:0", "[10.0.0.2]:tcp:80"],
      ["[10.0.0.100]:tcp:80", "[10.0.0.1]:tcp:80"],
      ["[2001:db8::1]:tcp:443", "[2001:db8::2]:tcp:8443"],
      ["[WEB]:0", "[10.0.0.3]:tcp:80"],
    ]);
  }
  assert.deepEqual(told("vrrp_notify_fifo /run/vrrp"), []);
});

test("a FIFO tells two virtual servers of one group apart", () => {
  const group = "virtual_server_group WEB {\n 10.0.0.101 80\n fwmark 3\n}\n";
  const of = (protocol: string): string =>
    `virtual_server group WEB {\n protocol ${protocol}\n${SERVER}`;
  const globals = "global_defs {\n lvs_notify_fifo /run/lvs\n}\n";
  const { service } = read(globals + group + of("UDP") + of("TCP"));
  assert.deepEqual(
    service?.notices.map(({ fifoName }) => fifoName),
    ["[WEB]:1"],
  );
});

/** Who wants mail: `A` and `B` for the two real servers, `Q` for the quorum. */
function mailed(globals: string, ofVirtual = "", ofReal = ""): string {
  const text = mailedVirtualServer(globals, ofVirtual, ofReal);
  const { service, notes } = read(text);
  assert.equal(notes?.some((note) => note.includes("mail")) ?? false, false);
  const [pool] = service?.notices ?? [];
  if (pool === undefined) return "";
  assert.equal(pool.mails?.name, "[192.0.2.1]:tcp:80");
  const names = ["[10.0.0.1]:tcp:80", "[10.0.0.2]:tcp:80"];
  const servers = pool.servers.map(({ mail }, i) => (mail === names[i] ? "AB"[i] : ""));
  const each = pool.mails?.eachCheck ? "" : " servers only";
  return `${servers.join("")}${pool.quorum.mail === true ? "Q" : ""}${each}`;
}

test("mail follows smtp_alert of a server, else the checkers' default, else everyone's", () => {
  assert.equal(mailed(""), "AB");
  assert.equal(mailed("smtp_alert"), "ABQ");
  assert.equal(mailed("smtp_alert off"), "");
  assert.equal(mailed("smtp_alert\nsmtp_alert_checker off"), "");
  assert.equal(mailed("smtp_alert off\nsmtp_alert_checker on"), "ABQ");
  assert.equal(mailed("smtp_alert", "smtp_alert off"), "AB");
  assert.equal(mailed("", "smtp_alert on", "smtp_alert off"), "BQ");
  assert.equal(mailed("smtp_alert off", "", "smtp_alert on"), "A");
  assert.equal(mailed("no_checker_emails"), "AB servers only");
});
