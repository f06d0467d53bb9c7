import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { latin1Text, utf8Bytes } from "../../lib/text-bytes.ts";
import { cookieForServer, markedSetCookie, setCookieText, tokenOf } from "./cookie-text.ts";
import { StickyCookie, TOKEN_LENGTH, type CookieSettings } from "./sticky-cookie.ts";

const SECRET = utf8Bytes("a key that nobody knows");
const WALL = 1_800_000_000_000;
const HOUR = 3_600_000;

function settings(draft: Partial<CookieSettings> = {}): CookieSettings {
  return {
    kind: "cookie",
    name: "SRV",
    mode: "insert",
    secret: SECRET,
    maxAgeMs: 0,
    maxIdleMs: 0,
    secure: true,
    sameSite: "lax",
    ...draft,
  };
}

const NAMES = ["web1", "web2", "web3"];
const cookie = (draft: Partial<CookieSettings> = {}, pool = "web", names = NAMES) =>
  new StickyCookie(settings(draft), pool, names);

const bytesOf = (value: string) => Uint8Array.fromBase64(value, { alphabet: "base64url" });

test("a value binds to its server on every director that has the secret", () => {
  const value = cookie().value("web2", WALL);
  assert.equal(value.length, TOKEN_LENGTH);
  assert.deepEqual(
    { ...cookie().read(value, WALL + HOUR) },
    { server: "web2", why: "bound", renew: false, issuedAtMs: WALL },
  );
});

test("the server's name cannot be read from the value, nor found by trying names", () => {
  const bytes = bytesOf(cookie().value("web2", WALL));
  assert.ok(!latin1Text(bytes, 0, bytes.length).includes("web2"));
  const unkeyed = createHmac("sha256", "").update("web2").digest();
  assert.ok(!bytes.toHex().includes(unkeyed.toHex().slice(0, 16)));
  const other = bytesOf(cookie({ secret: utf8Bytes("another key") }).value("web2", WALL));
  assert.notDeepEqual(other.subarray(1, 9), bytes.subarray(1, 9));
});

test("the signature is the first half of HMAC-SHA256 over purpose, pool, cookie and content", () => {
  const bytes = bytesOf(cookie().value("web2", WALL));
  const signature = createHmac("sha256", SECRET)
    .update("value\0web\0SRV\0")
    .update(bytes.subarray(0, 19))
    .digest("hex");
  assert.equal(bytes.subarray(19).toHex(), signature.slice(0, 32));
});

test("no value with a changed bit binds anybody", () => {
  const ours = cookie();
  const good = bytesOf(ours.value("web1", WALL));
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bad = good.slice();
    bad[bit >> 3]! ^= 1 << (bit & 7);
    const { server, why } = ours.read(
      bad.toBase64({ alphabet: "base64url" }).slice(0, TOKEN_LENGTH),
      WALL,
    );
    assert.equal(server, undefined, `bit ${bit}`);
    assert.equal(why, bit < 8 ? "malformed" : "forged");
  }
});

test("whatever a client sends, reading it never throws", () => {
  const ours = cookie({ maxIdleMs: 1000 });
  const value = fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_-]{45,49}$/));
  const property = fc.property(value, (text) => {
    assert.equal(ours.read(text, WALL).server, undefined);
  });
  fc.assert(property);
  assert.equal(ours.read(undefined, WALL).why, "absent");
});

test("a value for one pool, cookie name or secret is worth nothing for another", () => {
  const value = cookie().value("web1", WALL);
  assert.equal(cookie({}, "api").read(value, WALL).why, "forged");
  assert.equal(cookie({ name: "OTHER" }).read(value, WALL).why, "forged");
  assert.equal(cookie({ secret: utf8Bytes("other") }).read(value, WALL).why, "forged");
});

test("a binding to a server that is gone is told, so that another one is issued", () => {
  const value = cookie().value("web3", WALL);
  const { why, renew } = cookie({}, "web", ["web1", "web2"]).read(value, WALL);
  assert.equal(why, "server-gone");
  assert.equal(renew, true);
});

test("a binding ends after its greatest age, however often it is used", () => {
  const ours = cookie({ maxAgeMs: HOUR, maxIdleMs: HOUR });
  const first = ours.value("web1", WALL);
  const later = ours.value("web1", WALL + HOUR / 2, ours.read(first, WALL).issuedAtMs);
  assert.equal(ours.read(later, WALL + HOUR - 1).why, "bound");
  assert.equal(ours.read(later, WALL + HOUR).why, "expired");
});

test("a binding ends when unused, and is renewed while it is used", () => {
  const ours = cookie({ maxIdleMs: HOUR });
  const value = ours.value("web1", WALL);
  assert.equal(ours.read(value, WALL + HOUR / 20).renew, false);
  assert.equal(ours.read(value, WALL + HOUR / 10).renew, true);
  assert.equal(ours.read(value, WALL + HOUR).why, "idle");
  const renewed = ours.value("web1", WALL + HOUR / 2, WALL);
  assert.equal(ours.read(renewed, WALL + HOUR).why, "bound");
});

test("a clock that is behind the director that issued the value does no harm", () => {
  const ours = cookie({ maxAgeMs: HOUR, maxIdleMs: HOUR });
  assert.equal(ours.read(ours.value("web1", WALL), WALL - 5000).why, "bound");
});

test("more values than are remembered are still read", () => {
  const ours = cookie();
  const values = Array.from({ length: 9000 }, (_, i) => ours.value("web1", WALL + i * 1000));
  for (const value of values) assert.equal(ours.read(value, WALL).why, "bound");
  assert.equal(ours.read(values[0], WALL).why, "bound");
});

const TOKEN = "T".repeat(TOKEN_LENGTH);

test("an inserted cookie says all that protects it", () => {
  assert.equal(
    setCookieText(settings(), TOKEN, 0),
    `SRV=${TOKEN}; Path=/; HttpOnly; SameSite=Lax; Secure`,
  );
  const plain = settings({ secure: false, maxAgeMs: HOUR, sameSite: "strict" });
  assert.equal(
    setCookieText(plain, TOKEN, HOUR / 2),
    `SRV=${TOKEN}; Path=/; Max-Age=1800; HttpOnly; SameSite=Strict`,
  );
  const none = settings({ secure: false, sameSite: "none" });
  assert.match(setCookieText(none, TOKEN, 0), /SameSite=None; Secure$/);
});

test("an inserted cookie is read from the request and never reaches the server", () => {
  const header = `a=1; SRV=${TOKEN};b=2`;
  assert.equal(tokenOf(header, settings()), TOKEN);
  assert.equal(cookieForServer(header, settings()), "a=1; b=2");
  assert.equal(cookieForServer(`SRV=${TOKEN}`, settings()), undefined);
  assert.equal(tokenOf("XSRV=1; a=SRV=2", settings()), undefined);
});

test("a prefix stands before the application's own value and is taken off again", () => {
  const prefix = settings({ name: "JSESSIONID", mode: "prefix" });
  const marked = markedSetCookie("JSESSIONID=abc~d; Path=/app; HttpOnly", prefix, TOKEN);
  assert.equal(marked, `JSESSIONID=${TOKEN}~abc~d; Path=/app; HttpOnly`);
  const header = `x=y; JSESSIONID=${TOKEN}~abc~d`;
  assert.equal(tokenOf(header, prefix), TOKEN);
  assert.equal(cookieForServer(header, prefix), "x=y; JSESSIONID=abc~d");
  assert.equal(tokenOf("JSESSIONID=abc", prefix), undefined, "from before the balancer");
  assert.equal(cookieForServer("JSESSIONID=abc", prefix), "JSESSIONID=abc");
});

test("rewrite replaces the value of the application's cookie and leaves requests alone", () => {
  const rewrite = settings({ mode: "rewrite" });
  assert.equal(markedSetCookie("SRV=a; Path=/", rewrite, TOKEN), `SRV=${TOKEN}; Path=/`);
  assert.equal(markedSetCookie("SRV=a", rewrite, TOKEN), `SRV=${TOKEN}`);
  assert.equal(cookieForServer(`SRV=${TOKEN}`, rewrite), `SRV=${TOKEN}`);
});

test("other cookies of the application are not touched", () => {
  for (const mode of ["prefix", "rewrite"] as const) {
    assert.equal(markedSetCookie("SRV2=a; Path=/", settings({ mode }), TOKEN), undefined);
    assert.equal(markedSetCookie("a=SRV=b", settings({ mode }), TOKEN), undefined);
  }
});
