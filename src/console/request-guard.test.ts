import assert from "node:assert/strict";
import { test } from "node:test";
import { HostList, refusalOf, SECURITY_HEADERS, type Asked } from "./request-guard.ts";

const HOSTS = new HostList(["lb1.example", "192.0.2.1", "2001:db8::1"]);

function asked(headers: Asked["headers"], rest: Partial<Asked> = {}): Asked {
  return { method: "POST", headers, isTls: false, isLocal: false, ...rest };
}

const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };

test("a name that is not ours is refused, whatever the method: a rebound name reads nothing", () => {
  for (const host of [
    "evil.example",
    "evil.example:7600",
    "localhost.evil.example",
    "localhost:7600@evil.example",
    "127.0.0.1.evil.example",
    "[::1]evil",
    "lb1.example.",
    "",
  ]) {
    const refusal = refusalOf(asked({ host }, { method: "GET" }), HOSTS);
    assert.equal(refusal?.status, 421, host);
  }
  assert.equal(refusalOf(asked({}, { method: "GET" }), HOSTS)?.status, 421);
});

test("our names are known with any port, in any case, as addresses too", () => {
  for (const host of [
    "localhost",
    "LocalHost:7600",
    "127.0.0.1:1",
    "[::1]:7600",
    "lb1.example:7600",
    "192.0.2.1",
    "[2001:DB8::1]:7600",
  ]) {
    assert.equal(refusalOf(asked({ host }, { method: "GET" }), HOSTS), undefined, host);
  }
});

test("the address itself is known to whoever arrived at it, a name for it is not", () => {
  const status = (host: string, arrivedAt: string): number | undefined =>
    refusalOf(asked({ host }, { method: "GET", arrivedAt }), HOSTS)?.status;
  assert.equal(status("198.51.100.7:7600", "198.51.100.7"), undefined);
  assert.equal(status("198.51.100.7:7600", "::ffff:198.51.100.7"), undefined);
  assert.equal(status("[2001:db8::9]:7600", "2001:db8::9"), undefined);
  assert.equal(status("198.51.100.8:7600", "198.51.100.7"), 421);
  assert.equal(status("evil.example:7600", "198.51.100.7"), 421);
});

test("a change from another site is refused by what the browser says of it", () => {
  const host = "localhost:7600";
  const status = (headers: Asked["headers"], rest: Partial<Asked> = {}): number | undefined =>
    refusalOf(asked({ host, ...JSON_TYPE, ...headers }, rest), HOSTS)?.status;
  assert.equal(status({ "sec-fetch-site": "cross-site" }), 403);
  assert.equal(status({ "sec-fetch-site": "same-site" }), 403);
  assert.equal(status({ "sec-fetch-site": "none" }), 403);
  assert.equal(status({ origin: "http://evil.example" }), 403);
  assert.equal(status({ origin: "null" }), 403);
  assert.equal(status({ origin: "http://localhost:8080" }), 403, "another port is another origin");
  assert.equal(status({ origin: "https://localhost:7600" }), 403, "another scheme, too");
  assert.equal(status({ origin: "http://localhost:7600" }), undefined);
  assert.equal(status({ origin: "https://localhost:7600" }, { isTls: true }), undefined);
  assert.equal(status({ "sec-fetch-site": "same-origin" }), undefined);
  assert.equal(status({}), undefined, "a program sends neither");
  assert.equal(status({ origin: "https://localhost:7600" }, { isLocal: true }), undefined);
});

test("a change that a form could send is refused by its type", () => {
  const host = "localhost";
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
    const refusal = refusalOf(asked({ host, "content-type": type }), HOSTS);
    assert.equal(refusal?.status, 415, type);
  }
  assert.equal(refusalOf(asked({ host }), HOSTS)?.status, 415);
  assert.equal(
    refusalOf(asked({ host, "content-type": "text/plain; application/json" }), HOSTS)?.status,
    415,
  );
});

test("no answer may be framed, sniffed or run inline script", () => {
  const policy = SECURITY_HEADERS["content-security-policy"] ?? "";
  assert.match(policy, /default-src 'none'/u);
  assert.match(policy, /frame-ancestors 'none'/u);
  assert.doesNotMatch(policy, /unsafe/u);
  assert.equal(SECURITY_HEADERS["x-content-type-options"], "nosniff");
});
