/**
 * Every sample and every collection of mistakes against its golden file. After a wanted change:
 * `node test/config-samples.test.ts --update`, then read the difference.
 */

import assert from "node:assert/strict";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import {
  type FileFact,
  formatDiagnostic,
  hostWarnings,
  type HostFacts,
  pairWarnings,
  readKeepalivedConf,
  sortDiagnostics,
} from "../src/config/read-configuration.ts";
import { summarize } from "../src/config/summary.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const GOLDEN = "test/golden/config";
const UPDATE = process.argv.includes("--update");

process.chdir(ROOT);

/** A machine on which the tutorials' scripts are installed. */
const SCRIPTS: Readonly<Record<string, string>> = {
  "/usr/local/src/nginx_check.sh": "samples/seeds/002-nginx_check.sh",
  "/etc/keepalived/check_nginx.sh": "samples/seeds/001-check_nginx.sh",
};

function fileFact(path: string): FileFact | undefined {
  const sample = SCRIPTS[path];
  const directory = Object.keys(SCRIPTS).some((script) => script.startsWith(path));
  if (sample === undefined && !directory) return undefined;
  const text = sample === undefined ? {} : { text: readFileSync(sample, "utf8") };
  return { mode: 0o755, uid: 0, gid: 0, directory: sample === undefined, ...text };
}

const FACTS: HostFacts = {
  interfaces: ["lo", "eth0", "eth1"],
  addresses: ["127.0.0.1", "192.0.2.11", "192.168.1.10"],
  users: ["root", "nobody", "www-data"],
  groups: ["root", "nogroup"],
  file: fileFact,
};

const OPTIONS = { hostName: "node1.example.com", environment: {}, seed: 1 };

function verdict(path: string, permissive = false): string {
  const { model, diagnostics, sourceLine } = readKeepalivedConf(path, { ...OPTIONS, permissive });
  const hurts = model === undefined ? [] : hostWarnings(model, FACTS);
  const told = sortDiagnostics([...diagnostics, ...hurts]).map((d) =>
    formatDiagnostic(d, sourceLine(d)),
  );
  const text = [...told, model === undefined ? "REFUSED" : summarize(model)].join("\n").trimEnd();
  return text.replaceAll(ROOT, "/");
}

function compare(name: string, actual: string): void {
  const file = `${GOLDEN}/${name}.txt`;
  if (UPDATE) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${actual}\n`);
  }
  assert.ok(existsSync(file), `${file} is missing: run this test with --update`);
  assert.equal(`${actual}\n`, readFileSync(file, "utf8"));
}

const inputs = [
  ...globSync("samples/**/*.conf").filter((path) => !path.includes(".d/")),
  ...globSync(`${GOLDEN}/mistakes/*.conf`),
].sort();

for (const path of inputs) {
  const name = path
    .replace(`${GOLDEN}/`, "")
    .replace("samples/", "")
    .replace(/\.conf$/u, "");
  test(`${path} reads as ${GOLDEN}/${name}.txt says`, () => compare(name, verdict(path)));
}

test("--permissive starts a file with a typing error as keepalived would", () => {
  compare("seeds/000-master.permissive", verdict("samples/seeds/000-master.conf", true));
});

for (const [a, b] of [
  ["samples/seeds/001-master.conf", "samples/seeds/001-backup.conf"],
  ["samples/seeds/002-master.conf", "samples/seeds/002-backup.conf"],
  ["samples/two-servers/simple-a.conf", "samples/two-servers/unicast-b.conf"],
] as const) {
  test(`what is wrong between ${a} and ${b} is told`, () => {
    const [here, there] = [a, b].map((path) => readKeepalivedConf(path, OPTIONS).model!);
    const told = pairWarnings(here!, there!).map((d) => formatDiagnostic(d));
    const name = `pairs/${a.split("/").at(-1)} ${b.split("/").at(-1)}`.replaceAll(".conf", "");
    compare(name.replace(" ", "-with-"), told.join("\n"));
  });
}

/** The tutorial tells which lines to add where; this is what its reader ends up with. */
function tutorial(side: "master" | "backup"): string {
  const read = (name: string): string => readFileSync(`samples/seeds/001-${name}`, "utf8");
  const [script, track] = read("track-script.fragment").split(/^#在vrrp_instance里.*$/mu);
  const inside = `${track}${read(`unicast-${side}.fragment`)}`;
  const instance = read(`${side}.conf`).replace(/\}\s*$/u, `${inside}}\n`);
  return instance.replace(/^vrrp_instance/mu, `${script}vrrp_instance`);
}

for (const side of ["master", "backup"] as const) {
  test(`the tutorial's ${side} with script, tracking and unicast peers reads as its golden says`, () => {
    const path = `001-${side}-complete.conf`;
    const files = { readFile: () => tutorial(side), glob: () => [] };
    const { model, diagnostics } = readKeepalivedConf(path, OPTIONS, files);
    const told = [...diagnostics, ...hostWarnings(model!, FACTS)].map((d) => formatDiagnostic(d));
    compare(`seeds/001-${side}-complete`, [...told, summarize(model!)].join("\n").trimEnd());
  });
}

for (const pair of ["simple", "unicast", "sub-second", "ipv6", "witness"]) {
  test(`the two files of samples/two-servers/${pair} fit together`, () => {
    const [a, b] = ["a", "b"].map(
      (side) => readKeepalivedConf(`samples/two-servers/${pair}-${side}.conf`, OPTIONS).model!,
    );
    assert.deepEqual([...pairWarnings(a!, b!), ...pairWarnings(b!, a!)], []);
  });
}
