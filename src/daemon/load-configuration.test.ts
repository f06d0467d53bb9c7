import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { freshCertificate } from "../../test/kit/fresh-certificate.ts";
import { firstMistake, isWarning, loadConfiguration } from "./load-configuration.ts";

/** Of a file that is not on disk. */
function told(file: string, text: string): string[] {
  const files = { readFile: () => text, glob: () => [] };
  const { service, diagnostics } = loadConfiguration(file, { permissive: false, files });
  assert.equal(service, undefined);
  return diagnostics.map((one) => `${one.line} ${one.severity}: ${one.reason}`);
}

test("what is wrong in the file and what this machine lacks are told at once", () => {
  const text = [
    "vrrp_script s {",
    "  script /nowhere/check",
    "}",
    "vrrp_instance A {",
    "  interface nowhere0",
    "  virtual_router_id 7",
    "  prioritie 100",
    "  virtual_ipaddress {",
    "    192.0.2.1",
    "  }",
    "}",
  ].join("\n");
  // Neither that s is not tracked nor that A preempts: a mistake may hide the word.
  assert.deepEqual(told("f.conf", text), [
    "2 warning: /nowhere/check does not exist on this machine",
    "5 warning: there is no interface 'nowhere0' on this machine",
    "7 error: unknown keyword 'prioritie' in vrrp_instance A",
  ]);
});

test("a file is read once: a pipe has its text only once", () => {
  const texts = ["vrrp_instance {\n}"];
  const files = { readFile: () => texts.pop() ?? "", glob: () => [] };
  const { diagnostics } = loadConfiguration("/dev/fd/63", { permissive: false, files });
  assert.deepEqual(
    diagnostics.map(({ reason }) => reason),
    ["vrrp_instance needs a name"],
  );
});

test("the same for nines.yaml: a certificate that is not there beside a misspelt key", () => {
  const text = [
    "addresses:",
    "  site:",
    "    ip: 192.0.2.1/24",
    "    interface: nowhere0",
    "    router_id: 7",
    "frontends:",
    "  web:",
    "    listen: 192.0.2.1:443",
    "    tls: { certificates: [{ certificate: /nowhere/web.pem }] }",
    "    pool: web",
    "    nonsense: 1",
    "pools:",
    "  web: { servers: [{ address: 10.0.0.1:80, wait: 3 }, 10.0.0.2:80], algorithm: 7 }",
  ].join("\n");
  const lines = told("nines.yaml", text);
  const found = (pattern: RegExp): boolean => lines.some((line) => pattern.test(line));
  assert.ok(found(/^11 error: .*nonsense/u), lines.join("\n"));
  assert.ok(found(/certificate \/nowhere\/web\.pem/u), lines.join("\n"));
  assert.ok(found(/no interface 'nowhere0'/u), lines.join("\n"));
});

test("what virtual servers are not here is told to machines too", () => {
  const text = "virtual_server 192.0.2.1 53 {\nprotocol UDP\nreal_server 192.0.2.2 53 {\n}\n}\n";
  const files = { readFile: () => text, glob: () => [] };
  const { notes } = loadConfiguration("f.conf", { permissive: false, files });
  assert.deepEqual(notes, [
    "virtual_server 192.0.2.1 53 is not carried out: the balancer carries TCP, not UDP",
  ]);
});

test("options that are about a keepalived.conf are no options of a nines.yaml", () => {
  const text =
    "frontends:\n  web: { listen: 127.0.0.1:80, pool: web }\npools:\n  web: { servers: [10.0.0.1:80] }\n";
  const files = { readFile: () => text, glob: () => [] };
  const load = (more: object): ReturnType<typeof loadConfiguration> =>
    loadConfiguration("nines.yaml", { permissive: false, files, ...more });
  assert.notEqual(load({}).service, undefined);
  for (const more of [{ part: "vrrp" }, { part: "check" }, { networkNamespace: "blue" }]) {
    const { service, diagnostics } = load(more);
    assert.equal(service, undefined);
    assert.match(diagnostics.at(-1)!.reason, /are about a keepalived\.conf/u);
  }
});

test("what would take the place of another file is read as if it stood there", () => {
  const disk = new Map([
    ["/etc/nines/nines.yaml", "pools: {}\n"],
    ["/etc/nines/pools.yaml", "pools: { web: { servers: [10.0.0.1:80] } }\n"],
    ["/tmp/pools.yaml", "pools: { web: { servers: [10.0.0.9:80] } }\n"],
    ["/tmp/new.yaml", "include: pools.yaml\nworkers: 2\n"],
    ["/tmp/bad.yaml", "worker: 2\n"],
    ["/tmp/old.conf", "global_defs {\n router_id LB\n}\n"],
  ]);
  const files = { readFile: (path: string) => disk.get(path), glob: () => [] };
  const load = (file: string): ReturnType<typeof loadConfiguration> =>
    loadConfiguration(file, { permissive: false, files, inPlaceOf: "/etc/nines/nines.yaml" });
  const { service, texts } = load("/tmp/new.yaml");
  assert.equal(service?.balance.pools[0]?.servers[0]?.name, "10.0.0.1:80");
  assert.deepEqual([...texts.keys()], ["/etc/nines/nines.yaml", "/etc/nines/pools.yaml"]);
  assert.equal(texts.get("/etc/nines/nines.yaml"), disk.get("/tmp/new.yaml"));
  // Whoever mends it opens the file that was given.
  assert.match(
    load("/tmp/bad.yaml").lines.join("\n"),
    /^\/tmp\/bad\.yaml:1:1: error: .*\n.*worker: 2/u,
  );
  const elsewhere = "note: it would stand in /etc/nines: relative paths in it lead from there";
  assert.equal(load("/tmp/bad.yaml").lines.at(-1), `/tmp/bad.yaml: ${elsewhere}`);
  assert.ok(!load("/tmp/new.yaml").lines.some((line) => line.includes("note:")));
  assert.deepEqual([...load("/tmp/old.conf").texts.keys()], ["/tmp/old.conf"]);
});

test("certificates are looked for where the file is that names them, not where nines was started", () => {
  const folder = mkdtempSync(join(tmpdir(), "nines-load-"));
  after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "tls"));
  mkdirSync(join(folder, "conf.d"));
  const site = join(folder, "tls", "site.pem");
  freshCertificate(site, "site");
  writeFileSync(join(folder, "nines.yaml"), "include: conf.d/*.yaml\n");
  const web = `
frontends:
  web: { listen: ":443", tls: ../tls/site.pem, pool: web, access_log: { format: json, file: a.log } }
pools:
  web: { servers: [10.0.0.1:80] }
`;
  writeFileSync(join(folder, "conf.d", "web.yaml"), web);
  const { service, lines } = loadConfiguration(join(folder, "nines.yaml"), { permissive: false });
  assert.deepEqual(
    lines.filter((line) => line.includes("no such file")),
    [],
  );
  assert.match(
    lines.join("\n"),
    /web\.yaml:3:\d+: warning: the certificate \/.*\/site\.pem ends at .*Z - put a fresh one/u,
  );
  const [frontend] = service?.balance.frontends ?? [];
  assert.equal(frontend?.tls?.certificates[0]?.certificate, site);
  assert.equal(frontend?.accessLog.file, join(folder, "conf.d", "a.log"));

  // What the node would not begin with is no configuration that may take its place.
  writeFileSync(site, "nothing of the kind\n");
  const { service: none, lines: told } = loadConfiguration(join(folder, "nines.yaml"), {
    permissive: false,
  });
  assert.equal(none, undefined);
  assert.match(told.join("\n"), /web\.yaml:3:\d+: error: frontend web: \S+\/tls\/site\.pem: /u);
});

test("warnings are counted as check counts them: notes are none", () => {
  const text = `global_defs {
 vrrp_nftables
}
virtual_server 192.0.2.1 53 {
 protocol UDP
 real_server 192.0.2.2 53 {
 }
}
`;
  const files = { readFile: () => text, glob: () => [] };
  const { lines, notes } = loadConfiguration("a.conf", { permissive: false, files });
  assert.deepEqual([notes?.length, lines.filter(isWarning).length, lines.length], [1, 1, 2]);
});

test("why nothing is started is the first error, not a warning that comes before it", () => {
  const warning = "a.yaml:1:2: warning: it will hurt\n  x";
  const error = "a.yaml:9:1: error: there is no pool 'wbe'\n  pool: wbe";
  assert.equal(firstMistake([warning, error]), "a.yaml:9:1: error: there is no pool 'wbe'");
  assert.equal(firstMistake(["the balancer could not begin"]), "the balancer could not begin");
  assert.equal(firstMistake([]), undefined);
});
