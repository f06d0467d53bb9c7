/** What is imported in the tests is what the old programs really accept. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";

const GOLDEN = new URL("../golden/import", import.meta.url).pathname;

/** Debian has it in a package of its own, and loads it from files beside nginx.conf. */
const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";

let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "nines-import-"));
  cpSync(GOLDEN, folder, { recursive: true });
  const subject = ["-subj", "/CN=shop.example", "-days", "2", "-nodes", "-newkey", "ec"];
  const curve = ["-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  const made = spawnSync("openssl", ["req", "-x509", ...subject, ...curve, ...files]);
  assert.equal(made.status, 0, String(made.stderr));
  const both =
    readFileSync(join(folder, "cert.pem"), "utf8") + readFileSync(join(folder, "key.pem"), "utf8");
  writeFileSync(join(folder, "both.pem"), both);
  writeFileSync(join(folder, "hosts.map"), "");
  for (const file of globSync(`${folder}/**/*.{conf,cfg}`)) prepare(file);
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** Certificates and maps as the lab has them. */
function prepare(path: string): void {
  const text = readFileSync(path, "utf8")
    .replace(/(ca|crt)-base \S+/gu, `$1-base ${folder}`)
    .replaceAll("/run/nines-import.sock", `${folder}/nginx.sock`)
    .replace(/\b[\w-]+\.(?:pem|crt|key)\b/gu, "both.pem")
    .replace(/\/etc\/(?:haproxy|nginx|ssl)\/(?:certs\/)?(?=both\.pem|hosts\.map)/gu, `${folder}/`);
  writeFileSync(path, text);
}

function isInstalled(program: string): boolean {
  return spawnSync(program, ["-v"]).error === undefined;
}

function accepts(program: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", cwd: folder });
  assert.equal(status, 0, `${program} ${args.join(" ")}\n${stdout}${stderr}`);
}

/** Words of HAProxy 1, which ended with version 2.1. */
const OF_HAPROXY_1 = "old.cfg";

for (const source of globSync(`${GOLDEN}/haproxy/*.cfg`)) {
  const name = basename(source);
  if (name === OF_HAPROXY_1) continue;
  const skip = isInstalled("haproxy") ? false : "haproxy is not installed: scripts/lab-setup";
  test(`HAProxy accepts ${name}`, { skip }, () => {
    const path = join(folder, "haproxy", name);
    accepts("haproxy", ["-c", "-C", join(folder, "haproxy"), "-f", path]);
  });
}

for (const source of globSync(`${GOLDEN}/nginx/*.conf`)) {
  const name = basename(source);
  const skip = isInstalled("nginx") ? false : "nginx is not installed: scripts/lab-setup";
  test(`nginx accepts ${name}`, { skip }, () => {
    const path = join(folder, "nginx", name);
    // It binds what it listens on: in a network of its own.
    const network = "ip link set lo up && ip addr add 192.0.2.10/24 dev lo";
    const hasStream = ["stream.conf", "carried.conf"].includes(name);
    const modules = hasStream ? `-g 'load_module ${STREAM_MODULE};'` : "";
    const command = `${network} && exec nginx -t -q -p ${folder} -c ${path} ${modules}`;
    accepts("unshare", ["--net", "sh", "-c", command]);
  });
}
