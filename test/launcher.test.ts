import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const folder = mkdtempSync(join(tmpdir(), "nines-launcher-"));
after(() => rmSync(folder, { recursive: true }));
const NINES = new URL("../bin/nines", import.meta.url).pathname;

test("kept code, which whoever changes it runs as we do, is nobody else's whatever the umask", () => {
  const cache = join(folder, "a", "cache");
  const { status, stderr } = spawnSync("sh", ["-c", `umask 000; exec "${NINES}" --version`], {
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
    encoding: "utf8",
  });
  assert.deepEqual([status, stderr], [0, ""]);
  assert.equal(statSync(cache).mode & 0o777, 0o700);
});

test("a start that comes to nothing says so on the terminal, wherever the log goes", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const [file, log] = [join(folder, "nines.yaml"), join(folder, "nines.log")];
  const web = { listen: `127.0.0.1:${port}`, pool: "web" };
  const pools = { web: { servers: ["127.0.0.1:1"] } };
  writeFileSync(file, JSON.stringify({ console: false, frontends: { web }, pools }));
  const places = ["--run-dir", join(folder, "run"), "--state-dir", join(folder, "state")];
  const node = spawn(NINES, ["run", "-f", file, "--log", log, ...places]);
  let told = "";
  node.stderr.setEncoding("utf8").on("data", (text: string) => (told += text));
  const [code] = (await once(node, "close")) as [number];
  taken.close();
  assert.deepEqual([code, told], [1, `nines: nothing runs: ${log} tells why\n`]);
  assert.match(readFileSync(log, "utf8"), /address already in use/u);
});
