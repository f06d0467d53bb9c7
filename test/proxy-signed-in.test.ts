/** Connections to servers on which a client has signed in by NTLM or Negotiate. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { get, head, ok, post, ProxyRig, type RigServer } from "./kit/proxy-rig.ts";

describe("connections on which a client signs in", () => {
  it("are their client's alone once it has signed in with NTLM, for whatever it asks then", () => {
    const rig = new ProxyRig({
      pools: {
        web: { servers: [{ name: "web1" }, { name: "web2" }], algorithm: { kind: "round-robin" } },
      },
    });
    const client = rig.client();
    const challenge = head(
      "HTTP/1.1 401 Unauthorized",
      "www-authenticate: NTLM TlRM",
      "content-length: 0",
    );
    client.write(get("/", "authorization: NTLM one"));
    const web = rig.server();
    web.write(challenge);
    assert.equal(client.took(), challenge);
    const strangers = [rig.client(), rig.client()];
    for (const stranger of strangers) {
      stranger.write(get("/theirs"));
      rig.server().write(ok("theirs"));
      assert.equal(stranger.took(), ok("theirs"));
    }
    web.took();
    rig.now += 5000;
    client.write(post("x", "authorization: NTLM three"));
    assert.equal(web.took(), post("x", "authorization: NTLM three"));
    web.write(ok("signed in"));
    client.took();
    for (const path of ["/a", "/b"]) {
      client.write(get(path));
      assert.equal(web.took(), get(path));
      web.write(ok(path));
      assert.equal(client.took(), ok(path));
    }
    // Gone while nobody asks: a fresh one, on which the server will ask anew who that is.
    web.fin();
    client.write(get("/c"));
    assert.equal(web.gone, "closed");
    rig.told();
    client.breakOff();
  });

  it("end with the request that closes the client's, with its server, with HTTP/2", () => {
    const rig = new ProxyRig();
    const sign = (http2: boolean, ...fields: readonly string[]): RigServer => {
      rig.client({ http2 }).write(get("/", "authorization: Negotiate x", ...fields));
      const web = rig.server("web1");
      web.write(ok("one"));
      return web;
    };
    assert.equal(sign(false, "connection: close").gone, "closed");
    assert.equal(sign(true).gone, "closed");
    const kept = sign(false);
    assert.equal(kept.gone, "");
    rig.configure({ pools: { web: { servers: [{ name: "web2" }] } } });
    assert.equal(kept.gone, "closed");
  });

  it("are nobody's where a trusted proxy asks: its connection carries many people", () => {
    const rig = new ProxyRig({ frontend: { trustedProxies: ["192.0.2.0/24"] } });
    const proxy = rig.client();
    proxy.write(get("/", "x-forwarded-for: 10.1.1.1", "authorization: Negotiate alice"));
    const alices = rig.server("web1");
    alices.write(ok("alice"));
    assert.equal(alices.gone, "closed");
    proxy.write(get("/secret", "x-forwarded-for: 10.2.2.2"));
    rig.server("web1").write(ok("whoever asks"));
  });

  it("do not hold their client at a server that is drained", () => {
    const pools = { web: { servers: [{ name: "web1" }, { name: "web2" }] } };
    const rig = new ProxyRig({ pools });
    const client = rig.client();
    client.write(get("/", "authorization: Negotiate x"));
    const web = rig.server();
    web.write(ok("one"));
    const { server } = web.target;
    const admin = { state: "drain", reason: "x", deadlineMs: 60_000 } as const;
    rig.engine.applyOverrides(rig.now, [{ pool: "web", servers: [{ server, admin }] }]);
    client.write(get("/"));
    assert.notEqual(rig.server().target.server, server);
  });

  it("outlast the time for which others are kept", () => {
    const rig = new ProxyRig();
    const client = rig.client();
    client.write(get("/", "authorization: Negotiate x"));
    const web = rig.server();
    web.write(ok("one"));
    client.took();
    rig.wait(30_000);
    client.write(post("x"));
    web.took();
    web.write(ok("two"));
    assert.equal(client.took(), ok("two"));
  });
});
