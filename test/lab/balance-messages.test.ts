/** Messages that end in ways of their own - HEAD, 204, 304, chunks, trailers, 100 - between curl and nginx. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "../../src/lab/host.ts";
import { nginxConf, startNginx } from "../../src/lab/peers/nginx.ts";
import { makeCertificate } from "../../src/lab/peers/small-servers.ts";
import { LB, run, withStage } from "./balance-kit.ts";

const NGINX = `
  client_max_body_size 50m;
  gzip_types text/plain;
  server {
    listen 81;
    default_type text/plain;
    location /files { root /run; dav_methods PUT; create_full_put_path on; }
    location = /packed { gzip on; alias /run/files/one; }
    location = /summed { gzip on; add_trailer X-Sum "so many"; alias /run/files/one; }
    location = /none { return 204; }
    location = /closed { return 403; }
    location = /told { return 200 "$request_method $http_traceparent\\n"; }
  }`;

const yaml = (pem: string, key: string): string => `
frontends:
  plain: { listen: ":8080", pool: web, traceparent: true }
  tls:
    listen: ":8443"
    pool: web
    traceparent: true
    tls: { certificates: [{ certificate: ${pem}, key: ${key} }] }
pools:
  web: { servers: ["10.80.0.1:81"], check: { tcp: true } }
`;

const SIZE = 200_000;
const TRACE = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
const DOORS = [
  [`http://${LB}:8080`, "1.1"],
  [`https://${LB}:8443`, "1.1"],
  [`https://${LB}:8443`, "2"],
] as const;

/** One curl that asks for one thing after the other, over one connection if that can be used again. */
async function inTurn(
  client: Host,
  common: readonly string[],
  asked: readonly (readonly string[])[],
): Promise<string[]> {
  const figures = "%{http_code} %{size_download} %{num_connects} %header{content-length}\\n";
  const show = ["-o", "/dev/null", "-w", figures];
  const words = asked.flatMap((one, i) => [
    ...(i === 0 ? [] : ["--next"]),
    ...common,
    ...show,
    ...one,
  ]);
  return (await client.run(["curl", ...words])).trimEnd().split("\n");
}

async function asks(client: Host, [base, version]: (typeof DOORS)[number]): Promise<void> {
  const common = ["-sSk", "--max-time", "10", `--http${version}`];
  const get = (...words: string[]): Promise<string> => client.run(["curl", ...common, ...words]);
  const one = `${base}/files/one`;
  const etag = /^etag: (\S+)\r$/im.exec(await get("-I", one))![1]!;

  // Each next one would be misunderstood if the end of the one before were not found.
  const seen = await inTurn(client, common, [
    ["-I", one],
    [`${base}/none`],
    ["-H", `If-None-Match: ${etag}`, one],
    [one],
  ]);
  assert.deepEqual(seen, [`200 0 1 ${SIZE}`, "204 0 0 ", "304 0 0 ", `200 ${SIZE} 0 ${SIZE}`]);

  // Of unknown length, both ways.
  await get("--compressed", "-o", "/run/got", "-D", "/run/head", `${base}/packed`);
  await client.run(["cmp", "/run/sent", "/run/got"]);
  if (version === "1.1") assert.match(client.read("/run/head"), /^transfer-encoding: chunked\r$/im);
  const upload = [...common, "-T", "-", `${base}/files/two`].join(" ");
  await client.run(["sh", "-c", `curl ${upload} < /run/sent`]);
  await get("-o", "/run/got", `${base}/files/two`);
  await client.run(["cmp", "/run/sent", "/run/got"]);

  const summed = ["--compressed", "-H", "TE: trailers", "-o", "/run/got", "-D", "/run/head"];
  await get(...summed, `${base}/summed`);
  await client.run(["cmp", "/run/sent", "/run/got"]);
  assert.match(client.read("/run/head"), /\r\n\r\nx-sum: so many\r\n/i);

  assert.match(await get(`${base}/told`), /^GET 00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]\n$/);
  assert.equal(await get("-H", `traceparent: ${TRACE}`, `${base}/told`), `GET ${TRACE}\n`);
}

/** What HTTP/2 has other means for. */
async function waitsForLeave(client: Host, base: string): Promise<void> {
  const put = (path: string): Promise<string> => {
    const words = ["-vk", "--http1.1", "--max-time", "10", "--expect100-timeout", "8"];
    const all = [...words, "-H", "'Expect: 100-continue'", "-T", "/run/sent", `${base}${path}`];
    return client.run(["sh", "-c", `curl ${all.join(" ")} -w '%{size_upload} sent' 2>&1`]);
  };
  const good = await put("/files/three");
  assert.match(good, /< HTTP\/1\.1 100 [^]*< HTTP\/1\.1 20[14] /);
  assert.match(good, new RegExp(`${SIZE} sent$`));
  const refused = await put("/closed");
  assert.match(refused, /< HTTP\/1\.1 403 /);
  assert.doesNotMatch(refused, /< HTTP\/1\.1 100 /);
  assert.match(refused, /\b0 sent$/);
}

test("messages end where curl and nginx mean them to, by HTTP/1.1, over TLS and by HTTP/2", async () => {
  await withStage(async ({ world, lb, client }) => {
    const web = world.host("web1");
    await startNginx(web, nginxConf(web, NGINX));
    const text = "some text that can be packed\n".repeat(SIZE).slice(0, SIZE);
    web.write("/run/files/one", text);
    client.write("/run/sent", text);
    const { certificate, key } = await makeCertificate(lb, "web.example", 2);
    await run(lb, yaml(certificate, key));
    for (const door of DOORS) await asks(client, door);
    for (const [base, version] of DOORS) {
      if (version === "1.1") await waitsForLeave(client, base);
    }
  });
});
