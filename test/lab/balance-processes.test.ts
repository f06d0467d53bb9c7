/** The balancer's own processes die, are replaced or told to end, while users go on asking. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeStatus } from "../../src/daemon/control-api.ts";
import type { Host } from "../../src/lab/host.ts";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { startBalancer, type NinesPeer } from "../../src/lab/peers/nines.ts";
import { isAlive, signal } from "../../src/lab/process-table.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { balanceOf, curl, LB, Load, run, withStage, type LoadReport } from "./balance-kit.ts";

function yaml(more = ""): string {
  return `
workers: 2
frontends:
  web:
    listen: :8080
    pool: web
    ready_path: /readyz
${more}
pools:
  web:
    servers: [10.80.0.1:80, 10.80.0.2:80, 10.80.0.3:80]
    check: { tcp: true }
`;
}

function assertNoneFailed(report: LoadReport): void {
  assert.deepEqual(report.failures, []);
  assert.equal(report.failed, 0);
  assert.ok(report.good > 100, `only ${report.good} requests`);
}

function untilWorkers(peer: NinesPeer, count: number): Promise<unknown> {
  const reached = async (): Promise<boolean> =>
    (await balanceOf(peer)).workers.filter((worker) => !worker.isDraining).length === count;
  return waitFor(reached, 10_000, `${count} workers`);
}

/** The next control process, on what the killed one left. */
async function killControl({ host, supervisor }: NinesPeer): Promise<NinesPeer> {
  signal(supervisor.pid, "SIGKILL");
  await waitFor(() => !supervisor.isRunning, 2000, "the end of control");
  return startBalancer(host, ["run", "-f", "/run/nines.yaml"]);
}

test("workers, control and checks are killed one after the other, and the service goes on", async () => {
  await withStage(async ({ world, lb }) => {
    for (const web of ["web1", "web2", "web3"]) await startNginx(world.host(web));
    const peer = await run(lb, yaml());
    assert.equal(peer.pids("balance").length, 2);
    const first = await Load.start(world, 8080);
    await pause(500);
    const [check] = peer.pids("check");
    signal(check!, "SIGKILL");
    await pause(500);

    // The control process: workers serve on, and its successor takes them over with their sockets.
    const before = new Set(peer.pids("balance"));
    signal(peer.supervisor.pid, "SIGKILL");
    await waitFor(() => !peer.supervisor.isRunning, 2000, "the end of control");
    await pause(500);
    const next = await startBalancer(lb, ["run", "-f", "/run/nines.yaml"]);
    await untilWorkers(next, 2);
    assert.deepEqual(new Set(next.pids("balance")), before);
    assertNoneFailed(await first.stop());

    // A worker: what it was serving is lost with it, nothing else.
    const second = await Load.start(world, 8080);
    await pause(500);
    const [victim] = next.pids("balance");
    signal(victim!, "SIGKILL");
    await waitFor(() => !isAlive(victim!), 2000, "the end of a worker");
    await untilWorkers(next, 2);
    await pause(500);
    const report = await second.stop();
    assert.ok(report.failed <= 16, `${report.failed} failed: ${report.failures.join("; ")}`);
    assert.ok(report.failures.every((one) => /ECONNRESET|socket hang up|cut short/.test(one)));
    assert.ok(report.good > 100);
    const events = (await next.events()).map(({ reason }) => reason);
    assert.ok(
      events.some((reason) => /worker \d+ was ended by SIGKILL|worker \d+ ended/.test(reason)),
    );
  });
});

test("a start that cannot have what its configuration wants leaves the workers that live on alone", async () => {
  await withStage(async ({ world, lb }) => {
    for (const web of ["web1", "web2", "web3"]) await startNginx(world.host(web));
    const peer = await run(lb, yaml());
    const before = new Set(peer.pids("balance"));
    const load = await Load.start(world, 8080);
    lb.write("/run/tls.pem", "this is no certificate");
    const secure =
      "  secure:\n    listen: :8443\n    pool: web\n    tls: { certificates: /run/tls.pem }";
    lb.write("/run/nines.yaml", yaml(secure));
    // It may end before it is seen, or after it has taken the workers over.
    await killControl(peer).then(
      ({ supervisor }) => waitFor(() => !supervisor.isRunning, 5000, "the refused start"),
      (error: unknown) => assert.match(String(error), /tls\.pem/),
    );
    await pause(500);
    assert.deepEqual(new Set(peer.pids("balance")), before);
    const next = await run(lb, yaml());
    await untilWorkers(next, 2);
    assert.deepEqual(new Set(next.pids("balance")), before);
    assertNoneFailed(await load.stop());
  });
});

test("fresh workers take over and a reload comes every 200 ms, with no request lost", async () => {
  await withStage(async ({ world, lb }) => {
    for (const web of ["web1", "web2", "web3"]) await startNginx(world.host(web));
    const peer = await run(lb, yaml());
    const load = await Load.start(world, 8080);
    await pause(300);
    const before = peer.pids("balance");
    const { startedWallMs } = (await peer.get("/v1/status")) as NodeStatus;
    const told = await peer.nines("upgrade");
    assert.match(told, /^control: started anew as [\d.]+\nfresh workers serve/);
    // The control process is another program under the same number.
    assert.ok(peer.supervisor.isRunning);
    assert.notEqual(((await peer.get("/v1/status")) as NodeStatus).startedWallMs, startedWallMs);
    const isGone = (): boolean => before.every((pid) => !isAlive(pid));
    await waitFor(isGone, 10_000, "the end of the old workers");
    const after = peer.pids("balance");
    assert.equal(after.length, 2);
    for (let i = 0; i < 15; i++) {
      const header = `    routes:\n      - { path: /, pool: web, response_headers: { set: { x-try: ${i} } } }`;
      lb.write("/run/nines.yaml", yaml(header));
      await peer.post("/v1/reload");
      await pause(200);
    }
    const answer = await curl(world.host("client"), "-i", `http://${LB}:8080/`);
    assert.match(answer, /^x-try: 14/im);
    assertNoneFailed(await load.stop());
    assert.deepEqual(peer.pids("balance"), after);
    // A dead worker is missed although it was started by the program before.
    signal(after[0]!, "SIGKILL");
    await untilWorkers(peer, 2);
    await waitFor(() => !peer.pids("balance").includes(after[0]!), 5000, "another worker");
  });
});

const WITH_FILES = (host: Host): string => `
daemon off;
user root;
error_log stderr notice;
pid /run/nginx/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  server {
    listen 80;
    location / { return 200 "${host.name}\\n"; }
    location /slow { root /run; limit_rate 1m; }
  }
}
`;

test("at the end what was begun is finished, and nothing is left", async () => {
  await withStage(async ({ world, lb, client }) => {
    const web = world.host("web1");
    web.write("/run/slow", "0123456789abcdef".repeat(125_000));
    await startNginx(web, WITH_FILES(web));
    const peer = await run(lb, yaml());
    const ready = await curl(client, `http://${LB}:8080/readyz`, "-w", "%{http_code}");
    assert.equal(ready.slice(-3), "200");
    const slow = curl(
      client,
      `http://${LB}:8080/slow`,
      "-w",
      " %{size_download}",
      "-o",
      "/run/got",
    );
    const load = await Load.start(world, 8080, 4);
    await pause(300);
    const ended = await peer.supervisor.terminate(8000);
    assert.equal(ended.code, 0);
    assert.equal(await slow, " 2000000");
    const report = await load.stop();
    // Users who come later find the door shut; nobody who was inside is thrown out.
    const isShut = (one: string): boolean => one.startsWith("connect ECONNREFUSED");
    assert.ok(report.failures.every(isShut), report.failures.join("; "));
    assert.deepEqual(peer.pids("balance"), []);
    assert.deepEqual(peer.pids("check"), []);
  });
});

async function requestsOf(peer: NinesPeer): Promise<number> {
  return (await balanceOf(peer)).frontends[0]!.traffic.counts.requests;
}

test("control is killed again and again while an old worker finishes, and nobody is sent away", async () => {
  await withStage(async ({ world, lb, client }) => {
    const web = world.host("web1");
    web.write("/run/slow", "0123456789abcdef".repeat(1_000_000));
    await startNginx(web, WITH_FILES(web));
    let peer = await run(lb, yaml());
    const url = `http://${LB}:8080/slow`;
    const words = ["--silent", url, "-w", "%{size_download}", "-o", "/run/got"];
    const slow = client.run(["curl", ...words], { timeoutMs: 30_000 });
    await pause(300);
    const load = await Load.start(world, 8080, 4);
    await peer.nines("upgrade");
    await waitFor(() => peer.pids("balance").length === 3, 10_000, "one old worker to be left");
    const workers = new Set(peer.pids("balance"));
    // Whichever worker comes back first.
    for (let i = 0; i < 4; i++) {
      const counted = await requestsOf(peer);
      peer = await killControl(peer);
      await untilWorkers(peer, 2);
      assert.deepEqual(new Set(peer.pids("balance")), workers);
      assert.deepEqual((await balanceOf(peer)).frontends[0]!.listening, ["[::]:8080"]);
      assert.ok((await requestsOf(peer)) >= counted);
    }
    assert.equal(await slow, "16000000");
    assertNoneFailed(await load.stop());
    // A worker is killed, then control: what it counted stays.
    const counted = await requestsOf(peer);
    const victim = peer.pids("balance").at(-1)!;
    signal(victim, "SIGKILL");
    await waitFor(() => !isAlive(victim), 2000, "the end of a worker");
    await untilWorkers(peer, 2);
    assert.equal(await requestsOf(peer), counted);
    peer = await killControl(peer);
    await untilWorkers(peer, 2);
    assert.equal(await requestsOf(peer), counted);
  });
});

test("a second signal does not wait for those who take their time", async () => {
  await withStage(async ({ world, lb, client }) => {
    const web = world.host("web1");
    web.write("/run/slow", "0123456789abcdef".repeat(500_000));
    await startNginx(web, WITH_FILES(web));
    const peer = await run(lb, yaml());
    const slow = curl(client, `http://${LB}:8080/slow`, "-o", "/run/got");
    const outcome = assert.rejects(slow, /transfer closed|reset/i);
    await pause(300);
    peer.supervisor.signal("SIGTERM");
    await pause(300);
    assert.ok(peer.supervisor.isRunning);
    peer.supervisor.signal("SIGTERM");
    await waitFor(() => !peer.supervisor.isRunning, 2000, "the end");
    await outcome;
    assert.match(peer.supervisor.log, /what did not end in time was cut: 1 connection, 1 request/);
  });
});

test("clients stay with their servers whichever worker they meet, and however many there are", async () => {
  await withStage(async ({ world, lb, client }) => {
    for (const web of ["web1", "web2", "web3"]) await startNginx(world.host(web));
    const sticky = yaml().replace(
      "check:",
      "sticky: { table: { key: header:X-User } }\n    check:",
    );
    const peer = await run(lb, sticky);
    const users = Array.from({ length: 12 }, (_, i) => `user${i}`);
    const ask = async (user: string): Promise<string> => {
      return (await curl(client, `http://${LB}:8080/`, "-H", `X-User: ${user}`)).trim();
    };
    const first = new Map<string, string>();
    for (const user of users) first.set(user, await ask(user));
    assert.ok(new Set(first.values()).size > 1);
    const assertSame = async (when: string): Promise<void> => {
      for (const user of users) assert.equal(await ask(user), first.get(user), `${user} ${when}`);
    };
    await pause(300);
    await assertSame("with two workers");
    await peer.nines("upgrade");
    await assertSame("after an upgrade");
    const load = await Load.start(world, 8080);
    for (const workers of [4, 1, 3]) {
      lb.write("/run/nines.yaml", sticky.replace("workers: 2", `workers: ${workers}`));
      await peer.post("/v1/reload");
      await untilWorkers(peer, workers);
      await pause(500);
      await assertSame(`with ${workers} workers`);
    }
    assertNoneFailed(await load.stop());
  });
});
