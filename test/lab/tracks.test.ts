/** What the check role watches: real scripts, processes, files and echoes. */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Theft } from "../../src/lab/stolen.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { instance, isAlive, withCheckRole, type CheckRole } from "./check-role-kit.ts";

const NAMESPACE = `nines-tr-${process.pid}`;

before(() => {
  execFileSync("ip", ["netns", "add", NAMESPACE]);
  execFileSync("ip", ["-n", NAMESPACE, "link", "set", "lo", "up"]);
});
after(() => {
  execFileSync("ip", ["netns", "delete", NAMESPACE]);
});

function scripted(role: CheckRole, body: string, script: string): string {
  const globals = "global_defs {\n script_user root\n enable_script_security\n}\n";
  const block = `vrrp_script chk { script "${role.path(script)}"\n ${body}\n }\n`;
  return `${globals}${block}${instance("track_script { chk }")}`;
}

const numbers = (text: string): number[] => text.trim().split(/\s+/).map(Number);

test("a script that times out dies with all that it started, however it hid", async () => {
  await withCheckRole(async (role) => {
    const stay = role.script(
      "stay.sh",
      `trap "" TERM; echo $$ >> ${role.path("pids")}; while :; do sleep 1; done`,
    );
    role.script(
      "chk.sh",
      "set -m",
      `${stay} &`,
      `bash -c 'setsid --wait ${stay}; true' &`,
      `(${stay}; true) &`,
      stay,
    );
    await role.serve(scripted(role, "interval 30\n timeout 1\n", "chk.sh"));
    role.start();
    await waitFor(() => numbers(role.read("pids")).length === 4, 5000, "the scripts");
    const pids = numbers(role.read("pids"));
    assert.ok(pids.every((pid) => isAlive(pid)));
    await role.until((m) => m.type === "track-changed" && !m.ok, "the timeout");
    assert.match(role.tracks("chk")[0]!.reason, /^script chk timed out after 1000 ms/);
    await waitFor(() => !pids.some((pid) => isAlive(pid)), 3000, `the end of ${pids.join(" ")}`);
  });
});

test("the environment holds what is documented and nothing else", async () => {
  await withCheckRole(async (role) => {
    role.script("env.sh", `(env; id -u; id -G; pwd) > ${role.path("out/env")}`, "exit 0");
    mkdirSync(role.path("out"));
    chmodSync(role.path("out"), 0o777);
    await role.serve(
      `vrrp_script chk { script "${role.path("env.sh")}"\n user nobody\n }\n` +
        instance("track_script { chk }"),
    );
    process.env["NINES_TEST_SECRET"] = "seen";
    role.start();
    delete process.env["NINES_TEST_SECRET"];
    await role.until((m) => m.type === "track-changed" && m.ok, "success");
    const lines = role.read("out/env").trim().split("\n");
    const names = lines.filter((line) => line.includes("=")).map((line) => line.split("=")[0]!);
    // bash itself adds the last three.
    const expected = ["HOME", "LOGNAME", "PATH", "SHELL", "USER", "PWD", "SHLVL", "_"];
    assert.deepEqual(names.sort(), expected.sort());
    const nobody = execFileSync("id", ["-u", "nobody"], { encoding: "utf8" }).trim();
    const group = execFileSync("id", ["-g", "nobody"], { encoding: "utf8" }).trim();
    assert.deepEqual(lines.slice(-3), [nobody, group, "/"]);
  });
});

test("a service that a script revived outlives the script and may go on printing", async () => {
  await withCheckRole(async (role) => {
    role.script(
      "revive.sh",
      `[ -e ${role.path("pid")} ] && exit 0`,
      "(for i in {1..60}; do sleep 0.05; echo alive; done; sleep 600) &",
      `echo $! > ${role.path("pid")}`,
    );
    await role.serve(scripted(role, "interval 1\n timeout 1\n", "revive.sh"));
    role.start();
    await role.until((m) => m.type === "track-changed" && m.ok, "success");
    await pause(1500);
    const [pid] = numbers(role.read("pid"));
    assert.ok(isAlive(pid!), "a background service was ended although its script had succeeded");
    process.kill(pid!, "SIGKILL");
  });
});

test("an unsafe script fails its track and is told as an error, it is not skipped", async () => {
  await withCheckRole(async (role) => {
    role.script("chk.sh", `touch ${role.path("ran")}`);
    execFileSync("chmod", ["o+w", role.path("chk.sh")]);
    await role.serve(scripted(role, "", "chk.sh"));
    role.start();
    await role.until((m) => m.type === "track-changed" && !m.ok, "the failure");
    const told = await role.until((m) => m.type === "check-event", "the error");
    assert.ok(told.message.type === "check-event");
    assert.equal(told.message.event.kind, "configuration-error");
    assert.match(told.message.event.reason, /can be changed by everybody; chmod o-w/);
    assert.equal(role.read("ran"), "");
    assert.throws(() => statSync(role.path("ran")));
  });
});

test("verdicts are told anew at once to a vrrp role that was restarted", async () => {
  await withCheckRole(async (role) => {
    role.script("chk.sh", "exit 3");
    const configuration = scripted(role, "interval 30", "chk.sh");
    await role.serve(configuration);
    role.start();
    await role.until((m) => m.type === "track-changed", "the verdict");
    await role.hangUp();
    const since = role.messages.length;
    const theft = new Theft();
    await role.serve(configuration);
    const again = await role.until((m) => m.type === "track-changed", "the verdict again", since);
    assert.ok(again.message.type === "track-changed" && !again.message.ok);
    const hello = role.messages[since]!;
    assert.equal(hello.message.type, "hello");
    assert.ok(again.atMs - hello.atMs < 100 + theft.ms);
  });
});

test("SIGTERM ends the role at once, with its scripts", async () => {
  await withCheckRole(async (role) => {
    role.script("chk.sh", `sleep 600 & echo $$ $! > ${role.path("pids")}; wait`);
    await role.serve(scripted(role, "interval 60\n timeout 60", "chk.sh"));
    role.start();
    await waitFor(() => role.read("pids") !== "", 5000, "the script");
    assert.equal(await role.end("SIGTERM"), 0);
    const pids = numbers(role.read("pids"));
    await waitFor(() => !pids.some(isAlive), 1000, "the end of the scripts");
  });
});

test("the death of a process is told within 20 ms, inside a network namespace", async () => {
  await withCheckRole(async (role) => {
    const name = `ntr${process.pid}`;
    execFileSync("cp", ["/bin/sleep", role.path(name)]);
    await role.serve(
      `vrrp_track_process web { process ${name} }\n${instance("track_process { web }")}`,
    );
    role.start();
    await role.until((m) => m.type === "track-changed" && !m.ok, "none runs");
    const lateness: number[] = [];
    for (let i = 0; i < 10; i++) {
      const child = spawn(role.path(name), ["600"], { stdio: "ignore" });
      let since = role.messages.length;
      await role.until((m) => m.type === "track-changed" && m.ok, "the birth", since);
      since = role.messages.length;
      const [killedMs, theft] = [performance.now(), new Theft()];
      child.kill("SIGKILL");
      const told = await role.until((m) => m.type === "track-changed" && !m.ok, "death", since);
      // What the host took of this machine meanwhile says nothing of the process.
      lateness.push(Math.max(0, told.atMs - killedMs - theft.ms));
      assert.match(role.tracks("web").at(-1)!.reason, /process \d+ ended, none runs, 1 needed$/);
    }
    lateness.sort((a, b) => a - b);
    console.log(`process death to verdict, ms: ${lateness.map((ms) => ms.toFixed(2)).join(" ")}`);
    assert.ok(lateness[8]! < 20, `took ${lateness.join(" ")} ms`);
  }, NAMESPACE);
});

test("in the initial network namespace births are told by the kernel", async () => {
  await withCheckRole(async (role) => {
    const name = `ntr${process.pid}i`;
    execFileSync("cp", ["/bin/sleep", role.path(name)]);
    await role.serve(
      `vrrp_track_process web { process ${name}\n quorum 2 }\n${instance("track_process { web }")}`,
    );
    role.start();
    await role.until((m) => m.type === "track-changed" && !m.ok, "none runs");
    const limited = role.messages.some((one) => one.message.type === "check-event");
    const children = [1, 2].map(() => spawn(role.path(name), ["600"], { stdio: "ignore" }));
    const [startedMs, theft] = [performance.now(), new Theft()];
    const told = await role.until((m) => m.type === "track-changed" && m.ok, "two births");
    const tookMs = Math.max(0, told.atMs - startedMs - theft.ms);
    console.log(
      `process birth to verdict: ${tookMs.toFixed(2)} ms${limited ? " (by looking)" : ""}`,
    );
    if (!limited) assert.ok(tookMs < 50);
    for (const child of children) child.kill("SIGKILL");
  });
});

test("a tracked file is followed through writes, replacements and removal", async () => {
  await withCheckRole(async (role) => {
    const path = role.path("load");
    await role.serve(
      `track_file load { file ${path}\n weight 1\n init_file 7\n }\n` +
        instance("track_file { load }"),
    );
    role.start();
    const value = (wanted: number): Promise<unknown> =>
      waitFor(() => role.tracks("load").at(-1)?.value === wanted, 3000, `the value ${wanted}`);
    await value(7);
    writeFileSync(path, "-20\n");
    await value(-20);
    writeFileSync(role.path("load.new"), "5");
    renameSync(role.path("load.new"), path);
    await value(5);
    execFileSync("rm", [path]);
    await value(0);
    assert.equal(role.read("load"), "");
  });
});

test("a witness is reachable while its interface is up, and not after", async () => {
  await withCheckRole(async (role) => {
    await role.serve(instance("advert_int 1\n version 3\n witness { 127.0.0.1 ::1 }"));
    role.start();
    const told = (address: string, reachable: boolean, since = 0): Promise<unknown> =>
      role.until(
        (m) => m.type === "witness-changed" && m.address === address && m.reachable === reachable,
        `${address} ${reachable}`,
        since,
      );
    await told("127.0.0.1", true);
    await told("::1", true);
    execFileSync("ip", ["-n", NAMESPACE, "link", "set", "lo", "down"]);
    try {
      await told("127.0.0.1", false);
      await told("::1", false);
    } finally {
      execFileSync("ip", ["-n", NAMESPACE, "link", "set", "lo", "up"]);
    }
    const since = role.messages.length;
    await told("127.0.0.1", true, since);
  }, NAMESPACE);
});
