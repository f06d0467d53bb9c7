/** Each kind of check as people write it in nines.yaml, with the server that it is for. */

import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Host } from "../../src/lab/host.ts";
import { startMariadb } from "../../src/lab/peers/mariadb.ts";
import { nginxConf, startNginx } from "../../src/lab/peers/nginx.ts";
import { startPostgresql } from "../../src/lab/peers/postgresql.ts";
import {
  makeCertificate,
  startAgent,
  startEtcd,
  startMailServer,
  startMemcached,
  startNameServer,
  startRedis,
} from "../../src/lab/peers/small-servers.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { run, serverOf, untilState, withStage, WEB } from "./balance-kit.ts";

const [SERVER] = WEB;
const PASSWORD = "swordfish";
const BODY = "fit as a fiddle";

/** Good only for whoever asks exactly as the check below does. */
const FUSSY = `
  server {
    listen 81;
    location = /health {
      if ($request_method != POST) { return 405; }
      if ($host != shop.example) { return 421; }
      if ($http_x_probe != yes) { return 400; }
      return 201 "${BODY}";
    }
  }`;

interface Kind {
  readonly port: number;
  /** As it stands in the file. */
  readonly check: string;
  readonly says: RegExp;
}

const sha256 = createHash("sha256").update(BODY).digest("hex");
const FIT = `path: /health, method: POST, host: shop.example, headers: { X-Probe: "yes" }`;
const TLS = "tls: { ca: /run/ca.pem, server_name: web.example, expiry_warning: 0 }";
const LOGIN = `user: watch, password: { file: password }`;

const KINDS: Readonly<Record<string, Kind>> = {
  ping: { port: 0, check: "ping: true", says: /echo reply/ },
  tcp: { port: 80, check: "tcp: true", says: /connected/ },
  sealed: { port: 443, check: `tcp: true, ${TLS}`, says: /connected/ },
  udp: {
    port: 53,
    // `app.example`, type A; the answer begins with the same number and is one.
    check: `udp: { payload: "beef0100000100000000000003617070076578616d706c650000010001", require_reply: true, reply: "beef80", mask: "ffff80" }`,
    says: /reply|answer/,
  },
  path: { port: 80, check: "http: /", says: /status 200/ },
  asked: { port: 81, check: `http: { ${FIT}, status: 201 }`, says: /status 201/ },
  contains: { port: 81, check: `http: { ${FIT}, contains: as a }`, says: /body as wanted/ },
  matches: { port: 81, check: `http: { ${FIT}, matches: "^fit.*e$" }`, says: /body as wanted/ },
  sha256: { port: 81, check: `http: { ${FIT}, sha256: ${sha256} }`, says: /digest as wanted/ },
  https: { port: 443, check: `https: { path: /, status: 200 }, ${TLS}`, says: /status 200/ },
  grpc: { port: 2379, check: "grpc: true", says: /SERVING/ },
  smtp: { port: 25, check: "smtp: { hello: nines.example }", says: /221/ },
  dns: { port: 53, check: "dns: app.example", says: /1 answers/ },
  reverse: {
    port: 53,
    check: "dns: { name: 1.0.80.10.in-addr.arpa, type: PTR }",
    says: /1 answers/,
  },
  mysql: { port: 3306, check: `mysql: { ${LOGIN}, role: primary }`, says: /takes writes/ },
  postgresql: {
    port: 5432,
    check: `postgresql: { ${LOGIN}, database: postgres, role: primary }`,
    says: /a primary/,
  },
  redis: {
    port: 6379,
    check: "redis: { password: { file: password }, role: primary }",
    says: /a primary/,
  },
  memcached: { port: 11211, check: "memcached: true", says: /VERSION/ },
  agent: { port: 9000, check: "agent: true", says: /the agent said "up 100%"/ },
  script: { port: 80, check: "script: [/run/ask.sh, now]", says: /the script exited 0/ },
};

function yaml(): string {
  const how = "every: 200ms, timeout: 2s, rise: 1, fall: 2";
  const pools = Object.entries(KINDS).map(([name, { port, check }]) => {
    const server = `{ name: it, address: "${SERVER}:${port === 0 ? 80 : port}" }`;
    return `  ${name}: { servers: [${server}], check: { ${check}, ${how} } }`;
  });
  const frontends = Object.keys(KINDS).map((name, i) => {
    return `  ${name}: { listen: ":${9100 + i}", mode: tcp, pool: ${name} }`;
  });
  const parts = ["frontends:", ...frontends, "pools:", ...pools];
  return ["global: { script_user: root }", ...parts, ""].join("\n");
}

async function startServers(web: Host): Promise<string> {
  const { certificate, key } = await makeCertificate(web, "web.example", 5);
  const https = `server { listen 443 ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key};
    location / { return 200 "safe"; } }`;
  web.write("/run/agent", "up 100%\n");
  const grants = [`CREATE USER watch IDENTIFIED BY '${PASSWORD}'`];
  const access = ["host all all 10.80.0.0/24 scram-sha-256"];
  const init = [`create role watch login password '${PASSWORD}'`];
  await Promise.all([
    startNginx(web, nginxConf(web, FUSSY + https)),
    startRedis(web, { password: PASSWORD }),
    startMemcached(web),
    startMailServer(web),
    startNameServer(web, "app.example", SERVER),
    startEtcd(web, { certificate, key }),
    startAgent(web, 9000, "/run/agent"),
    startMariadb(web, { serverId: 1, init: grants }),
    startPostgresql(web, { access, init }),
  ]);
  return web.read(certificate);
}

test("every kind of check in nines.yaml finds its server well, and down when its machine is off", async () => {
  await withStage(async ({ world, lb }) => {
    lb.write("/run/ca.pem", await startServers(world.host("web1")));
    lb.write("/run/password", `${PASSWORD}\n`);
    const script = '#!/bin/sh\n[ "$1 $NINES_ADDRESS" = "now 10.80.0.1" ]\n';
    lb.write("/run/ask.sh", script, 0o755);
    const peer = await run(lb, yaml());
    const all = Object.entries(KINDS);
    for (const [name, { says }] of all) {
      const said = async (): Promise<boolean> => {
        const { state, check } = await serverOf(peer, `${name}/it`);
        if (state === "up" && says.test(check?.reason ?? "")) return true;
        throw new Error(`it is ${state}: ${check?.reason}`);
      };
      await waitFor(said, 10_000, name);
    }
    await world.powerOff("web1");
    for (const [name] of all) {
      if (name !== "script") await untilState(peer, `${name}/it`, "down");
    }
  });
});
