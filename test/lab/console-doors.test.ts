/** The console's doors: HTTPS for others, a port that is taken, visitors that mean ill. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Overview, RecordPage } from "../../src/console/api.ts";
import type { Host } from "../../src/lab/host.ts";
import { startBalancer } from "../../src/lab/peers/nines.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { curl, LB, withStage } from "./balance-kit.ts";

const SOCKET = ["--unix-socket", "/run/nines/console.sock"];
const POOL = `
frontends: { web: { listen: ":8080", pool: web } }
pools: { web: { servers: ["10.80.0.1:80"] } }
`;

async function local(host: Host, path: string): Promise<unknown> {
  return JSON.parse(await curl(host, ...SOCKET, `http://localhost${path}`)) as unknown;
}

async function untilServed(host: Host): Promise<void> {
  const isServed = async (): Promise<boolean> =>
    ((await local(host, "/api/v1/overview")) as Overview).source.state === "live";
  await waitFor(isServed, 15_000, `the console of ${host.name}`);
}

async function recorded(host: Host, kind: string): Promise<string> {
  let reason = "";
  const isThere = async (): Promise<boolean> => {
    const page = (await local(host, `/api/v1/records?kind=${kind}&limit=5`)) as RecordPage;
    reason = page.records[0]?.reason ?? "";
    return reason !== "";
  };
  await waitFor(isThere, 15_000, `a record of kind ${kind}`);
  return reason;
}

/** A program that keeps connections open as it was told to, inside a host. */
const HOLDER = `
const { connect, createServer } = require("node:net");
const [what, address, port, count] = process.argv.slice(1);
if (what === "listen") createServer().listen(Number(port), address, () => console.log("ready"));
else {
  let closed = 0;
  const began = Date.now();
  for (let i = 0; i < Number(count); i++) {
    const socket = connect(Number(port), address);
    socket.on("connect", () => { if (what === "slow") socket.write("GET / HTTP/1.1\\r\\nHost: localhost\\r\\nX-Slow: "); });
    socket.on("error", () => {});
    socket.resume();
    socket.on("close", () => { if (++closed === Number(count)) console.log("all closed after " + (Date.now() - began)); });
    if (what === "slow") setInterval(() => socket.writable && socket.write("a"), 1000).unref();
  }
}
`;

test("a port that is taken is told, tried again, and no reason to serve nobody", async () => {
  await withStage(async ({ lb }) => {
    const argv = [process.execPath, "-e", HOLDER, "listen", "127.0.0.1", "7600"];
    const other = await lb.start(argv, { name: "other" });
    await waitFor(() => other.log.includes("ready"), 5_000, "another program on the port");
    const peer = await startBalancer(lb, ["run", "-f", lb.write("/run/nines.yaml", POOL)]);
    const reason = await recorded(lb, "page-not-open");
    assert.match(reason, /127\.0\.0\.1:7600, another program listens there: .*console: \{ listen/u);
    const status = await curl(lb, "-o", "/dev/null", "-w", "%{http_code}", `http://${LB}:8080/`);
    assert.equal(status, "502", "the balancer answers, though no server is there");
    other.kill();
    assert.match(await recorded(lb, "page-open"), /7600/u);
    assert.match(await curl(lb, "http://127.0.0.1:7600/healthz"), /ok/u);
    peer.kill();
  });
});

function pem(host: Host, name: string): Promise<string> {
  const words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const files = ["-keyout", `/run/${name}.key`, "-out", `/run/${name}.pem`, "-subj", `/CN=${name}`];
  return host.run([
    ...words,
    "-nodes",
    "-days",
    "2",
    "-addext",
    `subjectAltName=IP:${LB}`,
    ...files,
  ]);
}

test("others see the page by HTTPS and with a token or certificate; new certificates count at once", async () => {
  await withStage(async ({ lb, client }) => {
    await pem(lb, "first");
    await pem(lb, "second");
    await pem(lb, "people");
    await lb.run(["cp", "/run/first.pem", "/run/page.pem"]);
    await lb.run(["cp", "/run/first.key", "/run/page.key"]);
    const tls =
      "tls: { certificate: /run/page.pem, key: /run/page.key, client_ca: /run/people.pem }";
    const yaml = `${POOL}console: { listen: "${LB}:7600", ${tls} }\n`;
    const peer = await startBalancer(lb, ["run", "-f", lb.write("/run/nines.yaml", yaml)]);
    await untilServed(lb);
    const page = `https://${LB}:7600`;
    for (const name of ["first", "second"])
      client.write(`/run/${name}.pem`, lb.read(`/run/${name}.pem`));
    for (const part of ["pem", "key"])
      client.write(`/run/people.${part}`, lb.read(`/run/people.${part}`));
    const session = (...words: string[]): Promise<string> =>
      curl(client, ...words, `${page}/api/v1/session`);
    const trusted = ["--cacert", "/run/first.pem"];
    const isOpen = (): Promise<boolean> =>
      session(...trusted).then(
        () => true,
        () => false,
      );
    await waitFor(isOpen, 15_000, "the page by HTTPS");
    assert.match(await session(...trusted), /show a token/u);
    const people = ["--cert", "/run/people.pem", "--key", "/run/people.key"];
    assert.match(await session(...trusted, ...people), /"role":"operate","who":"people"/u);
    const stranger = ["--cert", "/run/first.pem", "--key", "/run/first.key"];
    client.write("/run/first.key", lb.read("/run/first.key"));
    assert.match(await session(...trusted, ...stranger), /show a token/u);
    await assert.rejects(curl(client, `http://${LB}:7600/`), "plain HTTP is not understood");
    const head = await curl(client, ...trusted, "-D", "-", "-o", "/dev/null", `${page}/`);
    assert.match(head, /strict-transport-security/iu);

    // Renewed while it runs, as certbot does it.
    await lb.run(["cp", "/run/second.key", "/run/page.key"]);
    await lb.run(["cp", "/run/second.pem", "/run/page.pem"]);
    const isNew = (): Promise<boolean> =>
      session("--cacert", "/run/second.pem").then((text) => text.includes("show a token"));
    await waitFor(() => isNew().catch(() => false), 15_000, "the new certificate");
    peer.kill();
  });
});

test("slow and idle visitors are let go, and others do not notice", async () => {
  await withStage(async ({ lb }) => {
    const peer = await startBalancer(lb, ["run", "-f", lb.write("/run/nines.yaml", POOL)]);
    await untilServed(lb);
    const hold = (what: string, count: number) =>
      lb.start([process.execPath, "-e", HOLDER, what, "127.0.0.1", "7600", String(count)], {
        name: what,
      });
    const slow = await hold("slow", 30);
    const silent = await hold("silent", 30);
    await pause(500);
    const took = await curl(
      lb,
      ...SOCKET,
      "-o",
      "/dev/null",
      "-w",
      "%{time_total}",
      "http://localhost/",
    );
    // The slow ones are let go after ten seconds and more.
    assert.ok(Number(took) < 6, `${took} s for the page beside them`);
    for (const program of [slow, silent]) {
      await waitFor(() => program.log.includes("all closed"), 20_000, "the slow to be let go");
      const ms = Number(/after (\d+)/u.exec(program.log)?.[1]);
      assert.ok(ms < 15_000, `${ms} ms`);
    }
    assert.match(await curl(lb, "http://127.0.0.1:7600/healthz"), /ok/u);
    peer.kill();
  });
});
