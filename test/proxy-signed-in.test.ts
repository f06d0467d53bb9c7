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
});
