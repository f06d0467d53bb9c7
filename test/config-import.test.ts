/**
 * Imported configurations against their golden files. After a wanted change:
 * `node test/config-import.test.ts --update`, then read the difference.
 */

import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { FORMATS } from "../src/config/import/format.ts";
import type { Imported } from "../src/config/import/import-file.ts";
import type { Model } from "../src/config/model.ts";
import { readKeepalivedConf } from "../src/config/read-configuration.ts";
import { readServiceYaml } from "../src/config/service/read-service.ts";
import { assertSameText } from "./kit/same-text.ts";
import { changedFile, IMPORT_OPTIONS, imported, silentLines, told } from "./kit/import-rig.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const GOLDEN = "test/golden/import";
const UPDATE = process.argv.includes("--update");

process.chdir(ROOT);

function compare(file: string, actual: string): void {
  if (UPDATE) writeFileSync(file, actual);
  assert.ok(existsSync(file), `${file} is missing: run this test with --update`);
  assertSameText(readFileSync(file, "utf8"), actual, file);
}

/** Lines that say what holds anyway, as `LINE: TEXT` without the number. */
const NO_EFFECT: ReadonlySet<string> = new Set(
  readFileSync(`${GOLDEN}/no-effect.txt`, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#")),
);

for (const format of FORMATS) {
  for (const path of globSync(`${GOLDEN}/${format}/*.{conf,cfg}`).sort()) {
    test(`${path} becomes the nines.yaml beside it, which our own reader accepts`, () => {
      const { text, diagnostics, review, ...rest } = imported(path);
      assert.equal(rest.format, format);
      const output = path.replace(/\.\w+$/u, "");
      if (text === undefined) return compare(`${output}.txt`, `${told(diagnostics).join("\n")}\n`);
      assert.deepEqual(told(review.filter((one) => one.severity === "error")), []);
      compare(`${output}.yaml`, text);
    });

    test(`${path} has no line that is dropped in silence`, () => {
      const isMain = path.endsWith("/nginx.conf");
      const included = isMain ? globSync(`${GOLDEN}/nginx/sites/*.conf`) : [];
      const silent = [path, ...included].flatMap((file) => silentLines(path, format, file));
      const plain = (line: string): string => line.replace(/^\d+: /u, "").replace(/\s+/gu, " ");
      assert.deepEqual(
        silent.filter((line) => !NO_EFFECT.has(plain(line))),
        [],
      );
    });
  }
}

test("files of nginx that include each other are a mistake, told once and at once", () => {
  const names = ["a", "b", "c", "d"].map((name) => `/etc/nginx/conf.d/${name}.conf`);
  const disk = {
    readFile: (path: string) => (names.includes(path) ? "include conf.d/*.conf;" : undefined),
    glob: () => names,
  };
  const files = {
    ...disk,
    readFile: (path: string) =>
      path === "/etc/nginx/nginx.conf" ? "http { include conf.d/*.conf; }" : disk.readFile(path),
  };
  const { text, diagnostics } = imported("/etc/nginx/nginx.conf", { format: "nginx" }, files);
  assert.equal(text, undefined);
  assert.deepEqual(
    diagnostics.map(({ file, reason }) => [file, reason]),
    [[names[0], `${names[0]} includes itself`]],
  );
});

/** What was lost of that text of nginx, and the nines.yaml. */
function ofNginx(source: string): { readonly lost: readonly string[]; readonly text: string } {
  const files = { readFile: () => source, glob: () => [] };
  const { text = "", losses } = imported("x.conf", { format: "nginx" }, files);
  const lost = losses.filter(({ severity }) => severity === "warning");
  return { text, lost: lost.map(({ line, next }) => `${line}: ${next}`) };
}

test("values of two maps of nginx that routes cannot ask for together are told", () => {
  const { lost } = ofNginx(`http {
    map $request_uri $a { /?7=1 p; default n; }
    map $arg_7 $b { ~^2 q; default n; }
    server { location / { return 302 /$a$b; } }
  }`);
  assert.deepEqual(lost, ["4: values of its maps depend on what cannot be said together"]);
});

test("in nginx $1 within an if is of its own expression, and else of that of its location", () => {
  const returned = (condition: string, address: string): readonly string[] =>
    ofNginx(`server { location ~ ^/shop/(?<rest>.*)$ {
      if (${condition}) { return 301 ${address}; } return 204; } }`).lost;
  const unknown = ["2: Nines does not know this address: these requests get 501"];
  assert.deepEqual(returned("$http_accept_language ~ ^(de|fr)", "/$1/x"), unknown);
  assert.deepEqual(returned("$http_accept_language ~* ^de", "/x/${1}"), unknown);
  assert.deepEqual(returned("$uri !~ ^/shop/(de|fr)", "/x/$1"), unknown, "it is empty");
  assert.deepEqual(returned("$http_accept_language ~ ^(de|fr)", "/x/$rest"), []);
  assert.deepEqual(returned("$http_accept_language = de", "/x/$1"), []);
});

test("a file of sites-enabled alone finds what nginx.conf would", () => {
  const site = "include snippets/tls.conf; server { location / { return 204; } }";
  const files = {
    glob: () => [],
    readFile: (path: string) =>
      ({
        "/etc/nginx/sites-enabled/shop": site,
        "/etc/nginx/snippets/tls.conf": "ssl_protocols TLSv1.3;",
      })[path],
  };
  const path = "/etc/nginx/sites-enabled/shop";
  const { losses } = imported(path, { format: "nginx" }, files);
  assert.deepEqual(
    losses.map(({ file, reason }) => [file, reason]),
    [["/etc/nginx/snippets/tls.conf", "not carried over: ssl_protocols TLSv1.3"]],
  );
});

test("programs of Lua in nginx.conf are one loss each, and one that lets clients in lets nobody in", () => {
  const source = [
    "server {",
    "  location /say { content_by_lua_block {",
    "    local t = { a = 1 } -- don't } mind",
    "    ngx.say('}', \"{\", t.a)",
    "  } }",
    "  location /shut { access_by_lua_block { check() } proxy_pass http://10.0.0.1; }",
    "  location / { return 204; }",
    "}",
  ].join("\n");
  const files = { readFile: () => source, glob: () => [] };
  const { text = "", losses, diagnostics } = imported("x.conf", { format: "nginx" }, files);
  assert.deepEqual(diagnostics, []);
  assert.match(text, /path: \[\/shut\*\]\n *respond: 403\n/u);
  assert.match(text, /path: \[\/say\*\]\n *respond: 501\n/u);
  const programs = losses.filter(({ reason }) => reason.includes("lua"));
  assert.deepEqual(
    programs.map(({ line, next }) => [line, next]),
    [
      [2, "the whole block to line 5: Nines runs no Lua"],
      [6, "Nines asks for no passwords: requests for location /shut get 403"],
    ],
  );
});

test("a default_backend that all sections of haproxy.cfg inherit leads frontends there, and no backend on", () => {
  const source = [
    "defaults",
    "  mode http",
    "  default_backend app",
    "frontend www",
    "  bind :80",
    "backend app",
    "  server a 10.0.0.1:80",
  ].join("\n");
  const files = { readFile: () => source, glob: () => [] };
  const { text = "", losses } = imported("x.cfg", { format: "haproxy" }, files);
  assert.match(text, /www:\n *listen: \[0\.0\.0\.0:80\]\n *pool: app\n/u);
  assert.deepEqual(told(losses), []);
});

test("files that the old program finds from its folder are named whole", () => {
  const nginx = [
    "server {",
    "  listen 443 ssl;",
    "  ssl_certificate tls/site.pem;",
    "  ssl_certificate_key tls/site.key;",
    "  ssl_certificate $ssl_server_name.pem;",
    "  location / { return 204; }",
    "}",
  ].join("\n");
  const haproxy = "frontend www\n mode http\n bind :443 ssl crt site.pem\n http-request deny\n";
  const of = (path: string, format: "nginx" | "haproxy", source: string): Imported =>
    imported(path, { format }, { readFile: () => source, glob: () => [] });
  const { text = "", losses } = of("/etc/nginx/sites-enabled/shop", "nginx", nginx);
  assert.match(text, /certificate: \/etc\/nginx\/tls\/site\.pem/u);
  assert.match(text, /key: \/etc\/nginx\/tls\/site\.key/u);
  assert.deepEqual(
    losses.map(({ line }) => line),
    [5],
  );
  assert.match(
    of("/etc/haproxy/haproxy.cfg", "haproxy", haproxy).text ?? "",
    /certificates: \[\/etc\/haproxy\/site\.pem\]/u,
  );
});

test("a folder of HAProxy's certificates is all that lies there; QUIC is told and changes nothing", () => {
  const source = [
    "frontend www",
    "  mode http",
    "  bind :443 ssl crt /certs/ alpn h2",
    "  bind quic4@*:443 ssl crt /other.pem alpn h3",
    "  http-request deny",
  ].join("\n");
  const folder = ["/certs/a.pem", "/certs/b.pem", "/certs/b.pem.ocsp"];
  const files = {
    readFile: () => source,
    glob: (pattern: string) => (pattern === "/certs/*" ? folder : []),
  };
  const { text = "", losses } = imported("x.cfg", { format: "haproxy" }, files);
  assert.match(text, /certificates: \[\/certs\/a\.pem, \/certs\/b\.pem\]\n *http2: true\n/u);
  assert.match(text, /listen: \[0\.0\.0\.0:443\]/u);
  assert.deepEqual(
    losses.map(({ line, next }) => [line, next]),
    [[4, "quic4@*:443 is nothing that Nines listens on"]],
  );
});

const KEEPALIVED = [
  ...globSync("samples/**/*.conf").filter((path) => !path.includes(".d/")),
  ...globSync("test/golden/config/mistakes/*.conf"),
  ...globSync("test/dialogue/*.conf"),
].sort();

/** What both languages say. Places differ, and virtual servers have become pools. */
function comparable(model: Model): object {
  const own = ["origins", "virtualServers", "ssl", "reloadLog"];
  return Object.fromEntries(Object.entries(model).filter(([key]) => !own.includes(key)));
}

for (const path of KEEPALIVED) {
  for (const permissive of [false, true]) {
    const { model } = readKeepalivedConf(path, { ...IMPORT_OPTIONS, permissive, seed: 1 });
    const how = permissive ? " --permissive" : "";
    if (model === undefined) {
      test(`${path}${how} has mistakes: nothing is imported, and each is told`, () => {
        const { text, diagnostics } = imported(path, { format: "keepalived", permissive });
        assert.equal(text, undefined);
        assert.ok(diagnostics.some((one) => one.severity === "error"));
      });
      continue;
    }
    test(`${path}${how} gives the same addresses after an import`, () => {
      const { text, review } = imported(path, { format: "keepalived", permissive });
      const errors = review.filter((one) => one.severity === "error");
      // keepalived starts an instance without addresses; Nines refuses it, and the import says so.
      const isEmpty = model.vrrp.instances.some((one) => one.addresses.length === 0);
      assert.equal(errors.length > 0, isEmpty, told(errors).join("\n"));
      if (isEmpty) return;
      const { service } = readServiceYaml("x.yaml", IMPORT_OPTIONS, changedFile("x.yaml", text!));
      assert.deepEqual(comparable(service!.vrrp), comparable(model));
    });
  }
  if (path.startsWith("samples/")) {
    test(`${path} has no line that an import drops in silence`, () => {
      assert.deepEqual(
        silentLines(path, "keepalived").filter(
          (line) => !NO_EFFECT.has(line.replace(/^\d+: /u, "")),
        ),
        [],
      );
    });
  }
}
