/** Each kind of check of a keepalived.conf's real servers, with the server that it is for. */

import { test } from "node:test";
import { nginxConf, startNginx } from "../../src/lab/peers/nginx.ts";
import { startBalancer } from "../../src/lab/peers/nines.ts";
import {
  makeCertificate,
  startMailServer,
  startNameServer,
} from "../../src/lab/peers/small-servers.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { LB, serverOf, untilState, WEB, withStage } from "./balance-kit.ts";

const [SERVER] = WEB;
/** `app.example`, type A. */
const QUESTION = "beef0100000100000000000003617070076578616d706c650000010001";

/** Lines of each block, the port of its virtual server, and what is said of the server. */
const CHECKERS: readonly (readonly [port: number, name: string, lines: string, says: RegExp])[] = [
  [8001, "HTTP_GET", "connect_port 80\nurl {\npath /\nstatus_code 200\n}", /status 200/],
  [8002, "HTTP_GET", 'connect_port 80\nurl {\npath /\nregex "^HTTP.*we.1$"\n}', /body as wanted/],
  [
    8003,
    "SSL_GET",
    "connect_port 443\nenable_sni\nurl {\nvirtualhost web.example\n}",
    /status 200/,
  ],
  [8004, "TCP_CHECK", "connect_port 80", /connected/],
  [8005, "SMTP_CHECK", "connect_port 25\nhelo_name lb.example", /221/],
  [8006, "DNS_CHECK", "connect_port 53\ntype A\nname app.example", /1 answers/],
  [8007, "UDP_CHECK", `connect_port 53\npayload ${QUESTION}\nrequire_reply BEEF`, /reply|answer/],
  [8008, "PING_CHECK", "", /echo reply/],
  [8009, "MISC_CHECK", 'misc_path "/run/ask.sh now"\nmisc_dynamic', /exited 52, weight 50 %/],
];

function conf(): string {
  const servers = CHECKERS.map(
    ([port, name, lines]) => `
virtual_server ${LB} ${port} {
    delay_loop 1
    retry 0
    connect_timeout 1
    protocol TCP
    real_server ${SERVER} ${port} {
        ${name} {
${lines}
        }
    }
}`,
  );
  const globals = "global_defs {\n    script_user root\n}\n";
  return globals + servers.join("");
}

test("every kind of check in keepalived.conf finds its server well, and down when its machine is off", async () => {
  await withStage(async ({ world, lb }) => {
    const web = world.host("web1");
    const { certificate, key } = await makeCertificate(web, "web.example", 5);
    const https = `server { listen 443 ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key};
      location / { return 200 "safe"; } }`;
    await startNginx(web, nginxConf(web, https));
    await startMailServer(web);
    await startNameServer(web, "app.example", SERVER);
    const script = '#!/bin/sh\n[ "$1" = now ] && exit 52\n';
    lb.write("/run/ask.sh", script, 0o755);
    const peer = await startBalancer(lb, ["run", "-f", lb.write("/run/keepalived.conf", conf())]);
    for (const [port, name, , says] of CHECKERS) {
      const server = `${LB}-${port}/${SERVER}:${port}`;
      const isWell = async (): Promise<boolean> => {
        const { state, check } = await serverOf(peer, server);
        if (state === "up" && says.test(check?.reason ?? "")) return true;
        throw new Error(`it is ${state}: ${check?.reason}`);
      };
      await waitFor(isWell, 10_000, `${name} of ${server}`);
    }
    await world.powerOff("web1");
    for (const [port, name] of CHECKERS) {
      if (name === "MISC_CHECK") continue;
      await untilState(peer, `${LB}-${port}/${SERVER}:${port}`, "down");
    }
  });
});
