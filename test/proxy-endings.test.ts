/** How requests end, in two letters and a sentence: who ended it, and how far it had come. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { get, head, ok, post, ProxyRig, type RigServer, type RigWire } from "./kit/proxy-rig.ts";
import { type BalanceDraft, retrySettings } from "./kit/proxy-settings.ts";

const ONCE = { retry: retrySettings({ attempts: 0 }) };
const HALF = ok("hello").slice(0, -2);

interface Ending {
  readonly name: string;
  readonly draft?: BalanceDraft;
  readonly play: (rig: ProxyRig, client: RigWire) => void;
  /** Status, letters, reason. */
  readonly told: string;
  /** The first line that the client got; "" = nothing. */
  readonly status: string;
}

function asked(rig: ProxyRig, client: RigWire, request = get()): RigServer {
  client.write(request);
  return rig.server();
}

const ENDINGS: readonly Ending[] = [
  {
    name: "-- complete",
    play: (rig, client) => asked(rig, client).write(ok("x")),
    told: "200 --",
    status: "HTTP/1.1 200 OK",
  },
  {
    name: "CR the client left within its head",
    play: (_, client) => {
      client.write("GET / HT");
      client.fin();
    },
    told: "0 CR the client ended within a request head",
    status: "",
  },
  {
    name: "CD the client left within its body",
    play: (rig, client) => {
      asked(rig, client, post("hello").slice(0, -2));
      client.fin();
    },
    told: "0 CD the client ended within a request body",
    status: "",
  },
  {
    name: "CC the client left while its server was being connected to",
    play: (_, client) => {
      client.write(get());
      client.breakOff();
    },
    told: "0 CC the client left: ECONNRESET",
    status: "",
  },
  {
    name: "CD the client left while it sent its body",
    play: (rig, client) => {
      asked(rig, client, post("hello").slice(0, -2));
      client.breakOff();
    },
    told: "0 CD the client left: ECONNRESET",
    status: "",
  },
  {
    name: "CH the client left while it waited for the answer",
    play: (rig, client) => {
      asked(rig, client);
      client.breakOff();
    },
    told: "0 CH the client left: ECONNRESET",
    status: "",
  },
  {
    name: "CH the client gave up while it waited, and its end refuses the answer",
    play: (rig, client) => {
      const web = asked(rig, client);
      client.fin();
      rig.wait(100);
      web.write(ok("too late"));
      client.breakOff("EPIPE");
    },
    told: "200 CH the client had left before its answer came",
    status: "HTTP/1.1 200 OK",
  },
  {
    name: "-- a client that says its end early, and takes the answer",
    play: (rig, client) => {
      const web = asked(rig, client);
      client.fin();
      rig.wait(100);
      web.write(ok("in time"));
      client.breakOff("");
    },
    told: "200 --",
    status: "HTTP/1.1 200 OK",
  },
  {
    name: "CD the client left in the middle of the answer",
    play: (rig, client) => {
      asked(rig, client).write(HALF);
      client.breakOff();
    },
    told: "200 CD the client left: ECONNRESET",
    status: "HTTP/1.1 200 OK",
  },
  {
    name: "cR a head that is not whole in time",
    play: (rig, client) => {
      client.write("GET / HTTP/1.1\r\n");
      rig.wait(9000);
      client.write("host: a\r\n");
      rig.wait(1100);
    },
    told: "408 cR no whole request head within 10000 ms",
    status: "HTTP/1.1 408 Request Timeout",
  },
  {
    name: "cH a body that stops",
    play: (rig, client) => {
      asked(rig, client, post("hello").slice(0, -2));
      rig.wait(30_100);
    },
    told: "408 cH 30000 ms without a byte of the request's body",
    status: "HTTP/1.1 408 Request Timeout",
  },
  {
    name: "cD a client that does not read",
    play: (rig, client) => {
      const web = asked(rig, client);
      client.stick();
      web.write(HALF);
      rig.wait(30_100);
    },
    told: "200 cD the client read nothing for 30000 ms",
    status: "HTTP/1.1 200 OK",
  },
  {
    name: "SC the server refused",
    draft: { pools: { web: ONCE } },
    play: (rig, client) => {
      client.write(get());
      rig.asked().breakOff("ECONNREFUSED");
    },
    told: "502 SC web1: connect: ECONNREFUSED",
    status: "HTTP/1.1 502 Bad Gateway",
  },
  {
    name: "SC nobody is there",
    draft: { pools: { web: { servers: [{ admin: "maint" }] } } },
    play: (_, client) => client.write(get()),
    told: "503 SC no server is usable: web1 maint (the configuration says maint)",
    status: "HTTP/1.1 503 Service Unavailable",
  },
  {
    name: "sC the server did not connect in time",
    draft: { pools: { web: ONCE } },
    play: (rig, client) => {
      client.write(get());
      rig.asked();
      rig.wait(3100);
    },
    told: "504 sC web1: no connection within 3000 ms",
    status: "HTTP/1.1 504 Gateway Timeout",
  },
  {
    name: "SH the server broke off before its answer",
    draft: { pools: { web: ONCE } },
    play: (rig, client) => asked(rig, client).fin(),
    told: "502 SH web1: closed before an answer",
    status: "HTTP/1.1 502 Bad Gateway",
  },
  {
    name: "SH the server broke off within its head",
    draft: { pools: { web: ONCE } },
    play: (rig, client) => {
      const web = asked(rig, client);
      web.write("HTTP/1.1 200 OK\r\nconte");
      web.fin();
    },
    told: "502 SH web1: closed before an answer",
    status: "HTTP/1.1 502 Bad Gateway",
  },
  {
    name: "sH the server did not answer in time",
    draft: { pools: { web: ONCE } },
    play: (rig, client) => {
      asked(rig, client);
      rig.wait(60_100);
    },
    told: "504 sH web1: no answer within 60000 ms",
    status: "HTTP/1.1 504 Gateway Timeout",
  },
  {
    name: "sH the server left the client waiting for a 100",
    draft: { pools: { web: ONCE } },
    play: (rig, client) => {
      asked(rig, client, post("hello", "expect: 100-continue").slice(0, -5));
      rig.wait(60_100);
    },
    told: "504 sH web1: no answer within 60000 ms",
    status: "HTTP/1.1 504 Gateway Timeout",
  },
  {
    name: "SD the server broke off in the middle",
    play: (rig, client) => {
      const web = asked(rig, client);
      web.write(HALF);
      web.breakOff();
    },
    told: "200 SD web1: ECONNRESET after 3 bytes",
    status: "HTTP/1.1 200 OK",
  },
  {
    name: "sD the server fell silent in the middle",
    play: (rig, client) => {
      asked(rig, client).write(HALF);
      rig.wait(60_100);
    },
    told: "200 sD web1: silent for 60000 ms within an answer",
    status: "HTTP/1.1 200 OK",
  },
  {
    name: "PR a request that cannot be read",
    play: (_, client) => client.write("GET\r\n\r\n"),
    told: "400 PR the method is not a token (RFC 9110 9.1)",
    status: "HTTP/1.1 400 Bad Request",
  },
  {
    name: "PH an answer that cannot be read",
    draft: { pools: { web: ONCE } },
    play: (rig, client) => asked(rig, client).write("ICY 200 OK\r\n\r\n"),
    told: "502 PH web1: bad answer: the status line is malformed (RFC 9112 4)",
    status: "HTTP/1.1 502 Bad Gateway",
  },
  {
    name: "PD an answer whose body cannot be read",
    play: (rig, client) =>
      asked(rig, client).write(`${head("HTTP/1.1 200 OK", "transfer-encoding: chunked")}x`),
    told: "200 PD web1: bad answer: the chunked coding is malformed (RFC 9112 7.1)",
    status: "HTTP/1.1 200 OK",
  },
  {
    name: "DH the server was taken away before it answered",
    draft: { pools: { web: ONCE } },
    play: (rig, client) => {
      asked(rig, client);
      rig.engine.setHealth(rig.now, "web", "web1", { up: false, reason: "check failed" });
    },
    told: "502 DH web1: it is down",
    status: "HTTP/1.1 502 Bad Gateway",
  },
  {
    name: "DD the server was taken away in the middle",
    play: (rig, client) => {
      asked(rig, client).write(HALF);
      rig.engine.setHealth(rig.now, "web", "web1", { up: false, reason: "check failed" });
    },
    told: "200 DD web1: it is down",
    status: "HTTP/1.1 200 OK",
  },
  {
    name: "KH the operator's patience was over",
    play: (rig, client) => {
      asked(rig, client);
      rig.engine.cut(rig.now, "the upgrade is over");
    },
    told: "0 KH the upgrade is over",
    status: "",
  },
  {
    name: "LR answered here",
    play: (_, client) => client.write(get("/healthz")),
    told: "200 LR",
    status: "HTTP/1.1 200 OK",
  },
];

describe("a request ends with", () => {
  for (const { name, draft, play, told, status } of ENDINGS) {
    it(name, () => {
      const rig = new ProxyRig(draft);
      const client = rig.client();
      play(rig, client);
      assert.equal(client.took().split("\r\n", 1)[0], status);
      assert.equal(rig.ending(), told);
      if (client.gone === "") client.breakOff();
      rig.isClean();
    });
  }
});

describe("an answer that breaks off", () => {
  it("is never taken for a whole one: without a length the connection is reset", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(head("GET / HTTP/1.0"));
    const web = rig.server();
    web.write(`${head("HTTP/1.1 200 OK")}hel`);
    web.breakOff();
    assert.equal(client.gone, "reset");
  });
});

describe("time-outs", () => {
  it("of the head are not put off by single bytes", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    for (const letter of "GET / HTTP/1.1") {
      if (client.gone !== "" || client.hasFin) break;
      client.write(letter);
      rig.wait(900);
    }
    assert.match(client.took(), /^HTTP\/1\.1 408 /);
  });

  it("of a client that never says anything close without a word", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    rig.wait(10_100);
    assert.equal(client.took(), "");
    assert.equal(client.gone, "closed");
    assert.deepEqual(rig.told(), []);
  });

  it("of a body stand still while its client is not read from", () => {
    const queue = { limit: 10, timeoutMs: 50_000 };
    const retry = retrySettings({ bufferBytes: 1000 });
    const servers = [{ maxConnections: 1 }];
    const rig = new ProxyRig({ pools: { web: { servers, queue, retry } } });
    const first = rig.client();
    const web = asked(rig, first);
    const [whole, part] = [rig.client(), rig.client()];
    whole.write(post("x".repeat(5000)));
    part.write(post("y".repeat(5000)).slice(0, -4012));
    assert.ok(whole.isPaused && !part.isPaused);
    rig.wait(40_000);
    web.write(ok("x"));
    web.write(ok("x"));
    assert.equal(whole.took(), ok("x"));
    rig.wait(29_900);
    assert.equal(part.took(), "");
    rig.wait(200);
    assert.match(part.took(), /^HTTP\/1.1 408 /);
  });

  it("of a body begin with the 100 for which its client waits", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    const web = asked(rig, client, post("hello", "expect: 100-continue").slice(0, -5));
    rig.wait(29_000);
    web.write(head("HTTP/1.1 100 Continue"));
    rig.wait(29_000);
    assert.equal(client.took(), head("HTTP/1.1 100 Continue"));
    rig.wait(1100);
    assert.equal(rig.ending(), "408 cH 30000 ms without a byte of the request's body");
  });

  it("of a body do not begin with another hint than the 100", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    const web = asked(rig, client, post("hello", "expect: 100-continue").slice(0, -5));
    web.write(head("HTTP/1.1 102 Processing"));
    rig.wait(40_000);
    web.write(head("HTTP/1.1 100 Continue"));
    client.write("hello");
    web.write(ok("done"));
    assert.equal(rig.ending(), "200 --");
  });

  it("of the answer hold for a server that takes no more of a request", () => {
    const rig = new ProxyRig({ pools: { web: ONCE } });
    const client = rig.client();
    client.write(post("hello").slice(0, -2));
    const web = rig.asked();
    web.stick();
    web.accept();
    rig.wait(60_100);
    assert.equal(rig.ending(), "504 sH web1: no answer within 60000 ms");
  });

  it("of the answer begin when the request is whole", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(post("hello").slice(0, -2));
    const web = rig.server();
    for (const letter of "lo") {
      rig.wait(29_000);
      assert.equal(client.took(), "");
      client.write(letter);
    }
    rig.wait(59_000);
    web.write(ok("late"));
    assert.equal(client.took(), ok("late"));
  });
});
