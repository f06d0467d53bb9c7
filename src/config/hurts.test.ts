import assert from "node:assert/strict";
import { test } from "node:test";
import { type FileFact, hostWarnings, type HostFacts, pairWarnings } from "./read-configuration.ts";
import { readKeepalivedConf } from "./read-configuration.ts";
import type { Model } from "./model.ts";

function model(text: string): Model {
  const files = { readFile: () => text, glob: () => [] };
  const { model: built, diagnostics } = readKeepalivedConf("f", { hostName: "h" }, files);
  assert.ok(built !== undefined, JSON.stringify(diagnostics));
  return built;
}

function instance(lines: string): string {
  return `vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n192.0.2.1\n}\n${lines}\n}\n`;
}

/** Reasons with their severity and line. */
function told(text: string, facts: HostFacts = {}): string[] {
  return hostWarnings(model(text), facts).map((d) => `${d.line} ${d.severity}: ${d.reason}`);
}

const QUIET = "priority 254\nnopreempt";

function scripted(fact: Partial<FileFact> | undefined, extra = "", globals = ""): string[] {
  const text = `${globals}\nvrrp_script s {\nscript /opt/check\n${extra}\n}\n${instance(`${QUIET}\ntrack_script {\ns\n}`)}`;
  const base: FileFact = { mode: 0o755, uid: 0, gid: 0, directory: false };
  const file = (path: string): FileFact | undefined => {
    if (path !== "/opt/check") return { ...base, directory: true };
    return fact === undefined ? undefined : { ...base, ...fact };
  };
  return told(text, { file });
}

test("a careful configuration is told nothing", () => {
  assert.deepEqual(told(instance(QUIET), { interfaces: ["eth0"] }), []);
  assert.deepEqual(scripted({}), []);
});

test("a low priority on a backup is told with its milliseconds", () => {
  const [line] = told(instance("nopreempt\npriority 50"));
  assert.match(line!, /^8 warning: A takes over 3805 ms after the last advert, 805 ms of it/u);
  assert.deepEqual(told(instance("nopreempt\npriority 50\nversion 3\nadvert_int 0.1")), []);
});

test("taking back without a decision is told, a written preempt is a decision", () => {
  assert.match(told(instance("priority 254"))[0]!, /takes the addresses back/u);
  assert.deepEqual(told(instance("priority 254\npreempt")), []);
  assert.deepEqual(told(instance("priority 254\npreempt_delay 60")), []);
});

test("weights that cannot move anything because nobody preempts are told", () => {
  const track = (weight: string): string => `priority 254\ntrack_interface {\neth1 ${weight}\n}`;
  const [line] = told(instance(`nopreempt\n${track("weight -60")}`));
  assert.match(line!, /^9 warning: with nopreempt A leaves .* weight of interface eth1 moves/u);
  assert.deepEqual(told(instance(`nopreempt\n${track("")}`)), []);
  assert.deepEqual(told(instance(`preempt\n${track("weight -60")}`)), []);
});

test("an address that two instances would hold on one interface is told", () => {
  const two = (link: string): string =>
    instance(QUIET) +
    instance(`${QUIET}\nvirtual_ipaddress_excluded {\n192.0.2.9 dev ${link}\n}`)
      .replace("instance A", "instance B")
      .replace("router_id 7", "router_id 8")
      .replace("192.0.2.1\n", `192.0.2.1 dev ${link}\n`);
  assert.deepEqual(told(two("eth1")), []);
  assert.match(told(two("eth0")).join(), /^10 warning: 192\.0\.2\.1 belongs to A already/u);
});

test("strict mode tells that the addresses do not answer, unless version 3 accepts", () => {
  assert.match(told(instance(`${QUIET}\nstrict_mode on`))[0]!, /drops every packet/u);
  const two = told(instance(`${QUIET}\nstrict_mode on\naccept`));
  assert.match(two[0]!, /drops every packet/u);
  assert.deepEqual(told(instance(`${QUIET}\nstrict_mode on\nversion 3\naccept`)), []);
});

test("an interface that is not here is told with the nearest one", () => {
  const facts = { interfaces: ["lo", "ens3", "eth1"] };
  const [found] = hostWarnings(model(instance(QUIET)), facts);
  assert.equal(found!.next, "did you mean 'eth1'?");
  assert.deepEqual([found!.line, found!.column], [2, 11]);
  assert.deepEqual(told(`global_defs {\ndynamic_interfaces\n}\n${instance(QUIET)}`, facts), []);
});

test("VRRP on the loopback interface is told", () => {
  assert.match(told(instance(QUIET).replace("eth0", "lo"))[0]!, /^2 warning: .*nobody hears/u);
});

test("scripts that others can change are errors or warnings, never skipped", () => {
  assert.match(scripted({ mode: 0o757 })[0]!, /error: everybody can change \/opt\/check/u);
  assert.match(scripted({ uid: 1000 })[0]!, /warning: somebody other than root/u);
  const enforced = "global_defs {\nenable_script_security\n}";
  assert.match(scripted({ uid: 1000 }, "", enforced)[0]!, /error: somebody other than root/u);
  assert.match(scripted({ mode: 0o775, gid: 50 }, "", enforced)[0]!, /error: somebody other/u);
  assert.deepEqual(scripted({ uid: 1000 }, "user bob", enforced), []);
});

test("a world-writable directory above a script is unsafe unless it is sticky", () => {
  const text = `vrrp_script s {\nscript /tmp/x\n}\n${instance(`${QUIET}\ntrack_script {\ns\n}`)}`;
  const facts = (mode: number): HostFacts => ({
    file: (path) => ({
      mode: path === "/tmp" ? mode : 0o755,
      uid: 0,
      gid: 0,
      directory: path !== "/tmp/x",
    }),
  });
  assert.match(told(text, facts(0o777))[0]!, /error: everybody can change \/tmp/u);
  assert.deepEqual(told(text, facts(0o1777)), []);
});

test("every script is looked at, whoever runs it", () => {
  const mode = (path: string): number => (path.startsWith("/opt/") ? 0o757 : 0o755);
  const facts: HostFacts = {
    file: (path) => ({ mode: mode(path), uid: 0, gid: 0, directory: !path.startsWith("/opt/") }),
  };
  const server = (lines: string): string =>
    `virtual_server 192.0.2.1 80 {\nprotocol TCP\n${lines}\n}\n`;
  const real = (lines: string): string => server(`real_server 192.0.2.2 80 {\n${lines}\n}`);
  const globals = (line: string): string => `global_defs {\n${line}\n}\n`;
  const texts = [
    globals("startup_script /opt/x"),
    globals("shutdown_script /opt/x"),
    globals("notify_fifo_script /opt/x"),
    globals("vrrp_notify_fifo_script /opt/x"),
    globals("lvs_notify_fifo_script /opt/x"),
    server("quorum_up /opt/x"),
    server("quorum_down /opt/x"),
    real("notify_up /opt/x"),
    real("notify_down /opt/x"),
    real('MISC_CHECK {\nmisc_path "/opt/x --deep"\n}'),
  ];
  for (const text of texts) {
    const line = text.slice(0, text.indexOf("/opt/x")).split("\n").length;
    const found = told(text, facts).join("\n");
    assert.match(found, new RegExp(`^${line} error: everybody can change /opt/x`, "mu"), text);
  }
});

test("a command without a path is looked for where it will be at run time", () => {
  const text = `vrrp_script s {\nscript "killall -0 nginx"\n}\n${instance(`${QUIET}\ntrack_script {\ns\n}`)}`;
  const at = (place: string): HostFacts => ({
    file: (path) =>
      path === place || !path.includes("kill")
        ? { mode: 0o755, uid: 0, gid: 0, directory: path !== place }
        : undefined,
  });
  assert.deepEqual(told(text, at("/usr/bin/killall")), []);
  assert.match(told(text, at("/home/me/killall"))[0]!, /^2 warning: killall is not in \/usr/u);
});

test("root is not whom scripts run as where keepalived_script exists", () => {
  const text = `vrrp_script s {\nscript /opt/x\n}\n${instance(`${QUIET}\ntrack_script {\ns\n}`)}`;
  const users = ["root", "keepalived_script"];
  const facts: HostFacts = {
    file: (path) => ({ mode: 0o755, uid: 1000, gid: 0, directory: path !== "/opt/x" }),
  };
  assert.match(told(text, facts)[0]!, /root would run it/u);
  assert.deepEqual(told(text, { ...facts, users, groups: ["root"] }), []);
});

test("missing and not executable scripts are told", () => {
  assert.match(scripted(undefined)[0]!, /does not exist/u);
  assert.match(scripted({ mode: 0o644 })[0]!, /not executable/u);
});

test("a script that stops keepalived is told in all its spellings", () => {
  const ways = [
    "service keepalived stop",
    "systemctl stop keepalived",
    "systemctl restart keepalived.service",
    "killall keepalived",
    "killall -9 keepalived",
    "pkill -TERM keepalived",
    "/etc/init.d/keepalived stop",
    "kill $(pidof keepalived)",
    "kill `cat /var/run/keepalived.pid`",
  ];
  for (const way of ways) {
    assert.match(scripted({ text: `#!/bin/sh\n${way}\n` })[0] ?? "", /line 2 .* not Nines/u, way);
  }
  assert.deepEqual(scripted({ text: "#!/bin/sh\n# killall keepalived\nexit 1\n" }), []);
  assert.deepEqual(scripted({ text: "#!/bin/sh\nkillall -0 nginx\n" }), []);
});

test("a script that sleeps longer than its timeout is told", () => {
  assert.match(scripted({ text: "sleep 2\n" }, "interval 2")[0]!, /sleeps 2 s/u);
  assert.deepEqual(scripted({ text: "sleep 2\n" }, "interval 2\ntimeout 3"), []);
});

test("shell language in a command is told", () => {
  const text = `vrrp_script s {\nscript "</dev/tcp/127.0.0.1/80"\n}\n${instance(`${QUIET}\ntrack_script {\ns\n}`)}`;
  assert.match(told(text)[0]!, /means something to a shell only/u);
});

test("an unknown user is told, and so is a script that nothing tracks", () => {
  const facts = { users: ["root"], groups: ["root"] };
  const text = `${instance(`${QUIET}\nnotify /bin/true MASTER`)}vrrp_script s {\nscript /bin/true\n}\n`;
  const all = told(text, facts).join("\n");
  assert.match(all, /there is no user 'MASTER'/u);
  assert.match(all, /vrrp_script s is not tracked/u);
  // Left out of a sync group, and told so there: to add it once more would not help.
  const member = `priority 254\nnopreempt\ntrack_script {\ns weight 5\n}`;
  const group = `vrrp_sync_group G {\ngroup {\nA\n}\n}\nvrrp_script s {\nscript /bin/true\n}\n`;
  assert.doesNotMatch(told(group + instance(member), facts).join("\n"), /not tracked/u);
});

test("mail that cannot leave is told", () => {
  const mail = (lines: string): string =>
    `global_defs {\nnotification_email {\na@b\n}\n${lines}\n}\n`;
  assert.match(told(mail(""))[0]!, /note: no mail will ever/u);
  // Incidents and burn rates are told by mail, whatever instances do.
  assert.match(told(mail("smtp_server 192.0.2.5"))[0]!, /mail tells of incidents/u);
  assert.match(told(mail("smtp_alert") + instance(QUIET))[0]!, /no smtp_server/u);
  const own = mail("smtp_alert\nsmtp_server 192.0.2.5") + instance(QUIET);
  assert.match(told(own, { addresses: ["192.0.2.5"] })[0]!, /is this machine/u);
  const moving = mail("smtp_alert\nsmtp_server 192.0.2.1") + instance(QUIET);
  assert.match(told(moving)[0]!, /is a virtual address/u);
});

test("two nodes that cannot work together are told why", () => {
  const pair = (a: string, b: string): string =>
    pairWarnings(model(instance(a)), model(instance(b)))
      .map((d) => `${d.severity}: ${d.reason}`)
      .join("\n");
  assert.equal(pair("priority 254", "priority 253"), "");
  assert.match(pair("", ""), /warning: priority 100 is the same/u);
  assert.match(
    pair("priority 2\nversion 3", "priority 1"),
    /error: the VRRP version is 3 here and 2/u,
  );
  assert.match(
    pair("priority 2\nadvert_int 2", "priority 1"),
    /error: advert_int is 2 here and 1/u,
  );
  assert.match(
    pair("priority 2\nnopreempt", "priority 1"),
    /warning: only the node in f preempts/u,
  );
  const pass = (p: string): string => `authentication {\nauth_type PASS\nauth_pass ${p}\n}`;
  assert.match(pair(`priority 2\n${pass("x")}`, pass("y")), /error: auth_pass is not that of/u);
  const weak = "priority 150\ntrack_interface {\neth1 weight -20\n}";
  assert.match(pair(weak, "priority 100"), /costs 20, but f is 50 behind: nothing moves/u);
  assert.equal(pair(weak.replace("-20", "-60"), "priority 100"), "");
});
