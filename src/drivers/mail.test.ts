import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TLSSocket } from "node:tls";
import { sendMail, type MailOutcome, type MailRoute } from "./mail.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-mail-"));
after(() => rmSync(folder, { recursive: true }));

/** An address of this machine that is not loopback, where one offers TLS to it. */
const address = Object.values(networkInterfaces())
  .flat()
  .find((one) => one !== undefined && !one.internal && one.family === "IPv4")?.address;
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const bare = hasOpenssl ? false : "openssl is not installed: sudo scripts/lab-setup";
const lonely = address === undefined ? "this machine has no address but loopback" : bare;

function selfSigned(): { key: Buffer; cert: Buffer } {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=mail.example.org", "-days", "2"];
  const what = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  execFileSync("openssl", [...what, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

interface Served {
  readonly outcome: MailOutcome;
  /** The mail came through TLS; undefined: none came. */
  readonly encrypted: boolean | undefined;
}

/** One mail to an SMTP server that offers STARTTLS, or that does not. */
async function deliver(
  route: Pick<MailRoute, "tls"> & { host: string },
  offersTls: boolean,
): Promise<Served> {
  const pair = offersTls ? selfSigned() : undefined;
  let encrypted: boolean | undefined;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write("220 test ESMTP\r\n");
    talk(socket, false);
  });
  const talk = (socket: Socket, secure: boolean): void => {
    let inData = false;
    socket.on("data", (chunk: Buffer) => {
      for (const line of chunk.toString().split("\r\n").slice(0, -1)) {
        if (inData) {
          if (line !== ".") continue;
          inData = false;
          encrypted = secure;
          socket.write("250 kept\r\n");
        } else if (line.startsWith("EHLO")) {
          socket.write(
            pair === undefined || secure ? "250 test\r\n" : "250-test\r\n250 STARTTLS\r\n",
          );
        } else if (line === "STARTTLS") {
          socket.removeAllListeners("data");
          socket.write("220 go on\r\n");
          const upgraded = new TLSSocket(socket, { isServer: true, ...pair });
          upgraded.on("error", () => {});
          talk(upgraded, true);
        } else {
          inData = line === "DATA";
          socket.write(inData ? "354 go on\r\n" : "250 fine\r\n");
        }
      }
    });
  };
  await new Promise<void>((resolve) => server.listen(0, route.host, resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const whole: MailRoute = {
      server: { host: route.host, port },
      from: "lb1@example.org",
      to: ["ops@example.org"],
      tls: route.tls,
      connectTimeoutMs: 5000,
    };
    return { outcome: await sendMail(whole, { subject: "s", text: "t" }), encrypted };
  } finally {
    server.close();
  }
}

test("a server without STARTTLS gets the mail in plain text", { skip: lonely }, async () => {
  const { outcome, encrypted } = await deliver({ host: address!, tls: "verify" }, false);
  assert.deepEqual([outcome, encrypted], [{ sent: true }, false]);
});

test(
  "a certificate that nobody vouches for is refused, and the next move told",
  {
    skip: lonely,
  },
  async () => {
    const { outcome, encrypted } = await deliver({ host: address!, tls: "verify" }, true);
    assert.equal(encrypted, undefined);
    assert(!outcome.sent);
    assert.equal(outcome.permanent, false, "it is tried again: certificates are mended");
    assert.match(outcome.reason, /certificate .* not to be trusted \(self-signed certificate\)/);
    assert.match(outcome.reason, /smtp_tls accept/);
  },
);

test(
  "smtp_tls accept encrypts without asking who it is, off does not",
  { skip: lonely },
  async () => {
    const accepted = await deliver({ host: address!, tls: "accept" }, true);
    assert.deepEqual([accepted.outcome, accepted.encrypted], [{ sent: true }, true]);
    const plain = await deliver({ host: address!, tls: "off" }, true);
    assert.deepEqual([plain.outcome, plain.encrypted], [{ sent: true }, false]);
  },
);

test(
  "a relay on this machine is spoken to in plain text, whatever it offers",
  {
    skip: bare,
  },
  async () => {
    const { outcome, encrypted } = await deliver({ host: "127.0.0.1", tls: "verify" }, true);
    assert.deepEqual([outcome, encrypted], [{ sent: true }, false]);
  },
);
