/** What clients and servers speak: TLS, HTTP/2, WebSocket, PROXY headers, unix sockets. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import type { Host } from "../../src/lab/host.ts";
import { untilListening } from "../../src/lab/listening.ts";
import { startHaproxy } from "../../src/lab/peers/haproxy.ts";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { pause } from "../../src/lab/wait.ts";
import { curl, LB, run, withStage } from "./balance-kit.ts";

// ---- certificates ----

const directory = mkdtempSync(join(tmpdir(), "nines-tls-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

function openssl(...words: string[]): void {
  execFileSync("openssl", words, { cwd: directory, stdio: "pipe" });
}

function makeAuthority(): void {
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
  openssl(...words.split(" "), "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=lab authority");
}

/** Certificate and key in one text. */
function certificate(name: string, ...names: string[]): string {
  const key = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes".split(" ");
  const alternatives = [name, ...names].map((one) => `DNS:${one}`).join(",");
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=${alternatives}`];
  openssl(...key, "-keyout", "one.key", "-out", "one.csr", ...subject);
  const sign = "x509 -req -days 2 -CA ca.pem -CAkey ca.key -copy_extensions copy".split(" ");
  openssl(...sign, "-in", "one.csr", "-out", "one.pem");
  return read("one.pem") + read("one.key");
}

function read(file: string): string {
  return readFileSync(join(directory, file), "utf8");
}

/** Who answers to that name. */
async function subjectOf(client: Host, name: string, port = 8443): Promise<string> {
  const ask = `openssl s_client -connect ${LB}:${port} -servername ${name} </dev/null 2>/dev/null`;
  const show = "openssl x509 -noout -serial -subject -nameopt RFC2253";
  return (await client.run(["sh", "-c", `${ask} | ${show}`])).trim();
}

const HTTP2_LOAD = `${import.meta.dirname}/programs/http2-load.ts`;

interface Http2Report {
  readonly good: number;
  readonly connections: number;
  readonly failures: readonly string[];
}

// ---- servers ----

/** Tells what it was sent; keeps what is put under /files. */
const NGINX = `
daemon off;
user root;
worker_processes 1;
error_log stderr notice;
pid /run/nginx/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path /run/nginx/body;
  proxy_temp_path /run/nginx/proxy;
  fastcgi_temp_path /run/nginx/fastcgi;
  uwsgi_temp_path /run/nginx/uwsgi;
  scgi_temp_path /run/nginx/scgi;
  client_max_body_size 50m;
  default_type text/plain;
  server {
    listen 80;
    listen unix:/run/nginx/web.sock;
    location / {
      return 200 "from $http_x_forwarded_for by $http_x_forwarded_proto for $host id $http_x_request_id\\n";
    }
    location /files { root /run; dav_methods PUT; create_full_put_path on; }
  }
  server {
    listen 81 proxy_protocol;
    location / { return 200 "proxied $proxy_protocol_addr:$proxy_protocol_port\\n"; }
  }
}
`;

test("TLS by name, client certificates, HTTP/2, and new certificates without a drop", async () => {
  makeAuthority();
  await withStage(async ({ world, lb, client }) => {
    await startNginx(world.host("web1"), NGINX);
    lb.write("/run/tls/a.pem", certificate("a.example"));
    lb.write("/run/tls/b.pem", certificate("b.example", "*.b.example"));
    lb.write("/run/tls/ca.pem", read("ca.pem"));
    client.write("/run/ca.pem", read("ca.pem"));
    client.write("/run/user.pem", certificate("user.example"));
    const peer = await run(
      lb,
      `
frontends:
  web:
    listen: :8443
    pool: web
    tls: { certificates: [/run/tls/a.pem, /run/tls/b.pem] }
  members:
    listen: :8444
    pool: web
    tls: { certificates: /run/tls/a.pem, client_ca: /run/tls/ca.pem, minimum_version: 1.3 }
pools:
  web: { servers: ["10.80.0.1:80"], check: { tcp: true } }
`,
    );
    const get = (name: string, ...words: string[]): Promise<string> => {
      const places = [8443, 8444].flatMap((port) => ["--resolve", `${name}:${port}:${LB}`]);
      return curl(client, "--cacert", "/run/ca.pem", ...places, ...words);
    };
    const info = ["-w", "%{http_version} %{http_code}"];
    const plain = await get("a.example", "--http1.1", "https://a.example:8443/x", ...info);
    assert.match(plain, /^from 10\.80\.0\.50 by https for a\.example id [0-9a-f]{32}\n1\.1 200$/);
    const wild = await get("w.b.example", "--http2", "https://w.b.example:8443/x", ...info);
    assert.match(wild, /by https for w\.b\.example .*\n2 200$/);
    assert.match(await subjectOf(client, "b.example"), /CN=b\.example$/);
    assert.match(await subjectOf(client, "nobody.example"), /CN=a\.example$/);

    // A body of unknown length through HTTP/2, and back: every byte is there.
    await client.run(["sh", "-c", "head -c 3000000 /dev/urandom >/run/sent"]);
    const file = "https://a.example:8443/files/one";
    const put = `curl -sS --fail --http2 --cacert /run/ca.pem --resolve a.example:8443:${LB}`;
    await client.run(["sh", "-c", `${put} -T - ${file} < /run/sent`]);
    const slow = client.run(["sh", "-c", `${put} --limit-rate 1500k -o /run/got ${file}`]);

    // New certificates while that download runs.
    const before = await subjectOf(client, "a.example");
    lb.write("/run/tls/a.pem", certificate("a.example"));
    await peer.post("/v1/reload");
    assert.notEqual(await subjectOf(client, "a.example"), before);
    await slow;
    await client.run(["cmp", "/run/sent", "/run/got"]);
    // Users of HTTP/2, fresh workers, reloads: nobody is refused.
    const argv = [process.execPath, HTTP2_LOAD, `https://${LB}:8443`, "4"];
    const users = await client.start(argv, { name: "http2", talk: true });
    const output = text(users.stdout!);
    await pause(300);
    await peer.nines("upgrade");
    await pause(300);
    lb.write("/run/tls/a.pem", certificate("a.example"));
    await peer.post("/v1/reload");
    await pause(1200);
    users.stdin!.end();
    const report = JSON.parse(await output) as Http2Report;
    assert.deepEqual(report.failures, []);
    assert.ok(report.good > 100 && report.connections >= 8, JSON.stringify(report));

    // The members' door.
    const member = "https://a.example:8444/";
    await assert.rejects(get("a.example", member));
    assert.match(await get("a.example", "--cert", "/run/user.pem", member), /for a\.example/);
    await assert.rejects(get("a.example", "--tls-max", "1.2", "--cert", "/run/user.pem", member));
    lb.write("/run/tls/a.pem", "not a certificate");
    const broken = /frontend web: \/run\/tls\/a\.pem: .*no start line/;
    await assert.rejects(peer.post("/v1/reload"), broken);
    assert.match(await get("a.example", "https://a.example:8443/"), /for a\.example/);

    const reasons = (await peer.events()).map(({ reason }) => reason);
    assert.ok(reasons.some((one) => /frontend members: a connection was refused: /.test(one)));
  });
});

test("TLS at both ends by HTTP/1.1: bodies, reloads, fresh workers, sessions, refusals", async () => {
  makeAuthority();
  await withStage(async ({ world, lb, client }) => {
    const web = world.host("web1");
    web.write("/run/tls/web.pem", certificate("web.example"));
    const lines = "listen 443 ssl; ssl_certificate /run/tls/web.pem;";
    const key = "ssl_certificate_key /run/tls/web.pem;";
    await startNginx(web, NGINX.replace("listen 80;", `listen 80; ${lines} ${key}`));
    lb.write("/run/tls/a.pem", certificate("a.example"));
    lb.write("/run/tls/ca.pem", read("ca.pem"));
    client.write("/run/ca.pem", read("ca.pem"));
    const pool = (name: string): string =>
      `{ servers: ["10.80.0.1:443"], tls: { ca: /run/tls/ca.pem, server_name: ${name} } }`;
    const peer = await run(
      lb,
      `
workers: 2
frontends:
  web:
    listen: ":8443"
    pool: web
    routes: [{ path: /strange, pool: strange }]
    tls: { certificates: /run/tls/a.pem }
pools:
  web: ${pool("web.example")}
  strange: ${pool("other.example")}
`,
    );
    const curled = `curl -sS --fail --http1.1 --cacert /run/ca.pem --resolve a.example:8443:${LB}`;
    const ask = (words: string): Promise<string> => client.run(["sh", "-c", `${curled} ${words}`]);
    assert.match(await ask("https://a.example:8443/x"), /by https for a\.example/);

    // Every byte is there, both ways, while certificates and workers change.
    await client.run(["sh", "-c", "head -c 5000000 /dev/urandom >/run/sent"]);
    const file = "https://a.example:8443/files/one";
    await ask(`-T - ${file} < /run/sent`);
    const slow = ask(`--limit-rate 1M -o /run/got ${file}`);
    const up = ask(`--limit-rate 1M -T /run/sent ${file}2`);
    const saved = `openssl s_client -connect ${LB}:8443 -servername a.example -ign_eof`;
    const request =
      "printf 'GET / HTTP/1.1\\r\\nHost: a.example\\r\\nConnection: close\\r\\n\\r\\n'";
    const session = (words: string): Promise<string> =>
      client.run(["sh", "-c", `${request} | ${saved} ${words} 2>&1`]);
    assert.match(await session("-sess_out /run/session"), /New, TLSv1\.3/);
    await peer.nines("upgrade");
    assert.match(await session("-sess_in /run/session"), /Reused, TLSv1\.3/);
    lb.write("/run/tls/a.pem", certificate("a.example"));
    await peer.post("/v1/reload");
    assert.match(await session("-sess_in /run/session"), /New, TLSv1\.3/);
    await Promise.all([slow, up]);
    await client.run(["cmp", "/run/sent", "/run/got"]);
    await ask(`-o /run/got ${file}2`);
    await client.run(["cmp", "/run/sent", "/run/got"]);

    // What fails is counted: a client that speaks no TLS, a server with a strange name.
    await assert.rejects(client.run(["curl", "-sS", `http://${LB}:8443/`]));
    await pause(200);
    const counted = /^nines_frontend_refused_total\{.*reason="handshake".*\} (\d+)$/m;
    assert.equal(counted.exec(await peer.nines("metrics"))?.[1], "1");
    const reasons = (await peer.events()).map(({ reason }) => reason);
    assert.ok(reasons.some((one) => /a connection was refused: TLS: http request/.test(one)));
    await assert.rejects(ask("https://a.example:8443/strange"), /50[23]/);
  });
});

test("a WebSocket lives through a reload and fresh workers, and ends when its client wants", async () => {
  await withStage(async ({ world, lb, client }) => {
    const web = world.host("web1");
    const echo = await web.start(["websocketd", "--port=8085", "cat"]);
    await untilListening(echo, 8085);
    const peer = await run(
      lb,
      `
frontends:
  web: { listen: ":8080", pool: ws }
pools:
  ws: { servers: ["10.80.0.1:8085"], check: { tcp: true } }
`,
    );
    const program = `
      const socket = new WebSocket("ws://${LB}:8080/");
      process.stdin.setEncoding("utf8").on("data", (text) => {
        for (const line of text.trim().split("\\n")) line === "end" ? socket.close(1000) : socket.send(line);
      });
      socket.onmessage = ({ data }) => console.log(data);
      socket.onopen = () => console.log("open");
      socket.onclose = ({ code, wasClean }) => { console.log("closed", code, wasClean); process.exit(); };
    `;
    const user = await client.start([process.execPath, "-e", program], {
      name: "user",
      talk: true,
    });
    const lines = createLines(user.stdout!);
    assert.equal(await lines.next(), "open");
    const long = "x".repeat(60_000);
    user.stdin!.write(`hello\n${long}\n`);
    assert.equal(await lines.next(), "hello");
    assert.equal(await lines.next(), long);
    await peer.post("/v1/reload");
    user.stdin!.write("after the reload\n");
    assert.equal(await lines.next(), "after the reload");
    await peer.nines("upgrade");
    await pause(300);
    user.stdin!.write("after the upgrade\n");
    assert.equal(await lines.next(), "after the upgrade");
    user.stdin!.write("end\n");
    assert.equal(await lines.next(), "closed 1000 true");
  });
});

function createLines(stream: NodeJS.ReadableStream): { next: () => Promise<string | undefined> } {
  const lines: string[] = [];
  let rest = "";
  let wake = (): void => {};
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    lines.push(...parts);
    wake();
  });
  return {
    next: async () => {
      if (lines.length === 0) {
        await Promise.race([new Promise<void>((resolve) => (wake = resolve)), pause(5000)]);
      }
      return lines.shift();
    },
  };
}

test("PROXY headers come in from HAProxy and go out to HAProxy and nginx; unix sockets at both ends", async () => {
  await withStage(async ({ world, lb, client }) => {
    await startNginx(world.host("web1"), NGINX);
    await startNginx(lb, NGINX);
    const told = "return status 200 content-type text/plain lf-string";
    await startHaproxy(
      world.host("web2"),
      82,
      `frontend told\n  bind :82 accept-proxy\n  http-request ${told} "haproxy was told %ci:%cp\\n"`,
    );
    const before = world.host("web3");
    await startHaproxy(
      before,
      90,
      `
frontend v2
  bind :90
  use_backend v2
frontend v1
  bind :91
  use_backend v1
frontend none
  bind :92
  use_backend none
backend v2
  server lb ${LB}:8081 send-proxy-v2
backend v1
  server lb ${LB}:8081 send-proxy
backend none
  server lb ${LB}:8081
`,
    );
    await run(
      lb,
      `
frontends:
  web:
    listen: [":8080", "unix:/run/front.sock"]
    pool: web
    routes:
      - { path: /nginx, pool: nginx }
      - { path: /haproxy, pool: haproxy }
      - { path: /unix, pool: unix }
  behind:
    listen: [":8081", "unix:/run/behind.sock"]
    pool: web
    accept_proxy: 10.80.0.3
pools:
  web: { servers: ["10.80.0.1:80"], check: { tcp: true } }
  nginx: { servers: ["10.80.0.1:81"], send_proxy: v1 }
  haproxy: { servers: ["10.80.0.2:82"], send_proxy: v2 }
  unix: { servers: ["unix:/run/nginx/web.sock"], check: { http: / } }
`,
    );
    const get = (url: string, ...words: string[]): Promise<string> => curl(client, url, ...words);
    // In: HAProxy says who its client is.
    assert.match(await get("http://10.80.0.3:90/"), /^from 10\.80\.0\.50 by http /);
    assert.match(await get("http://10.80.0.3:91/"), /^from 10\.80\.0\.50 by http /);
    assert.match(await get("http://10.80.0.3:92/"), /50[23]/);
    // Whom nobody trusts is heard as himself, and a header of his is none of HTTP.
    assert.match(await get(`http://${LB}:8081/`), /^from 10\.80\.0\.50 /);
    assert.match(await get(`http://${LB}:8081/`, "--haproxy-protocol"), /400 Bad Request/);
    // Out: to nginx as text, to HAProxy as bytes.
    assert.match(await get(`http://${LB}:8080/nginx`), /^proxied 10\.80\.0\.50:\d+$/m);
    assert.match(await get(`http://${LB}:8080/haproxy`), /^haproxy was told 10\.80\.0\.50:\d+$/m);
    // Unix sockets.
    assert.match(await get(`http://${LB}:8080/unix`), /^from 10\.80\.0\.50 /);
    const front = ["--unix-socket", "/run/front.sock"];
    assert.match(await curl(lb, ...front, "http://local/"), /^from .* for local /);
    const behind = ["--unix-socket", "/run/behind.sock", "http://local/"];
    await assert.rejects(curl(lb, ...behind));
    assert.match(await curl(lb, ...behind, "--haproxy-protocol"), /for local /);
    assert.equal((await lb.run(["stat", "-c", "%a", "/run/front.sock"])).trim(), "666");
  });
});
