/** An imported configuration answers as the program did that it was written for. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { importFile } from "../../src/config/import/import-file.ts";
import type { Host } from "../../src/lab/host.ts";
import { untilListening } from "../../src/lab/listening.ts";
import { startBalancer } from "../../src/lab/peers/nines.ts";
import { withWorld } from "../../src/lab/world.ts";

const GOLDEN = new URL("../golden/import", import.meta.url).pathname;
const MIRROR = `${import.meta.dirname}/programs/http-mirror.ts`;
const LB = "10.90.0.10";

const PLAN = {
  name: "import",
  segments: ["lan"],
  hosts: {
    client: { eth0: { segment: "lan", address: ["10.90.0.50/24"] } },
    lb: { eth0: { segment: "lan", address: [`${LB}/24`] } },
  },
} as const;

/** What both must answer the same: words of curl. */
type Question = readonly string[];

/** Of what the server got; the others are each proxy's own business. */
const SEEN = [
  "host",
  "x-api",
  "x-case",
  "x-client",
  "x-color",
  "x-forwarded-for",
  "x-host",
  "x-real-ip",
  "x-remove",
  "x-refuse",
];

/** Whatever name a client asked for; green is one that servers know, and no client may be sent to. */
const OWN_NAME = /^http:\/\/(?!green[/:])[^/]+(?=\/)/u;

interface Answer {
  readonly status: number;
  readonly location?: string;
  readonly front?: string;
  readonly server?: string;
  /** The mirror's words, or those of the proxy when it answered well. */
  readonly body: unknown;
}

async function ask(client: Host, port: number, words: Question): Promise<Answer> {
  const path = words.at(-1)!;
  const url = `http://${LB}:${port}${path}`;
  const options = ["--silent", "--path-as-is", "--max-time", "5", "--include"];
  const output = await client.run(["curl", ...options, ...words.slice(0, -1), url]);
  const [head = "", body = ""] = output.split(/\r\n\r\n([^]*)/u);
  // Several lines of one name say the same as one line with all of it.
  const field = (name: string): string | undefined => {
    const lines = [...head.matchAll(new RegExp(`^${name}: *(.*?)\r?$`, "gimu"))];
    return lines.length === 0 ? undefined : lines.map((line) => line[1]).join(", ");
  };
  const status = Number(/^HTTP\/\S+ (\d+)/u.exec(head)?.[1]);
  const plain = (text: string): string =>
    text.replace(`//${LB}:${port}`, "").replaceAll(`${port}`, "PORT");
  const location = field("location");
  const [front, server] = [field("x-front"), field("x-server")];
  return {
    status,
    ...(location === undefined ? {} : { location: location.replace(OWN_NAME, "") }),
    ...(front === undefined ? {} : { front }),
    ...(server === undefined ? {} : { server }),
    body: status === 200 ? mirrored(plain(body)) : "",
  };
}

function mirrored(body: string): unknown {
  if (!body.startsWith("{")) return body;
  const { name, method, url, headers } = JSON.parse(body) as Record<string, Record<string, string>>;
  // ${host} is in lower case.
  const lower = {
    ...headers,
    ...(headers!["x-host"] && { "x-host": headers!["x-host"].toLowerCase() }),
  };
  const seen = Object.entries(lower)
    .filter(([field]) => SEEN.includes(field))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return { name, method, url, headers: Object.fromEntries(seen) };
}

interface Case {
  readonly source: string;
  /** The program in the foreground. */
  readonly command: (file: string) => readonly string[];
  readonly questions: readonly Question[];
  /** Read by it, from the folder of the source. */
  readonly others?: readonly string[];
}

async function compare({ source, command, questions, others = [] }: Case): Promise<void> {
  const text = readFileSync(`${GOLDEN}/${source}`, "utf8");
  const { text: yaml } = importFile(`${GOLDEN}/${source}`, { newSecret: () => "00".repeat(32) });
  await withWorld(PLAN, async (world) => {
    const [lb, client] = [world.host("lb"), world.host("client")];
    const ports = ["red", "9001", "green", "9002", "blue", "9003"];
    const mirror = await lb.start([process.execPath, MIRROR, ...ports], { name: "mirror" });
    await untilListening(mirror, 9003);
    for (const other of others) {
      const path = `${source.slice(0, source.indexOf("/"))}/${other}`;
      lb.write(`/run/old/${path}`, readFileSync(`${GOLDEN}/${path}`, "utf8"));
    }
    const old = await lb.start(command(lb.write(`/run/old/${source}`, text)), { name: "old" });
    await untilListening(old, 8000);
    const mine = yaml!.replaceAll(":8000", ":8001");
    const nines = await startBalancer(lb, ["run", "-f", lb.write("/run/nines.yaml", mine)]);
    await untilListening(nines.supervisor, 8001);
    const differences: string[] = [];
    for (const words of questions) {
      const [theirs, ours] = [await ask(client, 8000, words), await ask(client, 8001, words)];
      const [a, b] = [theirs, ours].map((answer) => JSON.stringify(answer));
      if (a !== b) differences.push(`${words.join(" ")}\n  old   ${a}\n  nines ${b}`);
    }
    assert.equal(differences.join("\n"), "");
  });
}

const SHOP = ["-H", "Host: shop.example"];

test("an imported haproxy.cfg answers as HAProxy does", async () => {
  const api: Question[] = [
    [...SHOP, "/api/x?y=1"],
    [...SHOP, "-X", "POST", "/api/x"],
    [...SHOP, "-H", "X-Refuse: 1", "/api/x"],
    [...SHOP, "-b", "tester=yes", "/api/x"],
    [...SHOP, "-b", "tester=no", "/api/x"],
  ];
  const rules: Question[] = [
    [...SHOP, "/"],
    [...SHOP, "-X", "TRACE", "/"],
    [...SHOP, "/allowed"],
    [...SHOP, "/admin/x"],
    [...SHOP, "/vault/x"],
    [...SHOP, "/old"],
    [...SHOP, "/old/er"],
    [...SHOP, "/a/b.PNG?size=1"],
    [...SHOP, "/ping"],
    [...SHOP, "/item/17"],
    [...SHOP, "/item/x17"],
    [...SHOP, "/my/item/17"],
    [...SHOP, "-H", "X-Remove: me", "/x"],
    [...SHOP, "-H", "X-Pool: blue", "/x"],
    [...SHOP, "/x?pool=blue"],
    [...SHOP, "/x?pool=green"],
    ["-H", "Host: WWW.Shop.Example", "/"],
    ["-H", "Host: deep.shop.example", "/x"],
    ["-H", "Host: plain.example", "/x"],
    ["-H", "Host: nobody.example", "/x"],
    ["-H", "Host: nobody.example", "/allowed"],
  ];
  const command = (file: string) => ["haproxy", "-db", "-f", file];
  await compare({ source: "haproxy/answers.cfg", command, questions: [...api, ...rules] });
});

test("backends that HAProxy finds in maps are found in routes", async () => {
  const by = (how: string, path: string, host = "x.test"): Question => [
    "-H",
    `X-By: ${how}`,
    "-H",
    `Host: ${host}`,
    "-H",
    "X-Name: unique",
    path,
  ];
  const hosts = ["shop.example", "WWW.Shop.Example", "api.example", "gone.example", "x.test"];
  const endings = ["a.example", "b.deep.example", "my.OTHER.test", "other.test.x"];
  const questions: Question[] = [
    ...["/", "/x", "/a", "/a/x", "/a/b", "/a/b/c", "/a/b/cd"].map((path) => by("path", path)),
    ...endings.map((host) => by("end", "/", host)),
    by("address", "/"),
    by("name", "/"),
    ...["unique", "xyz", "other"].map((name) => ["-H", "X-By: name", "-H", `X-Name: ${name}`, "/"]),
    ...hosts.map((host) => by("", "/unreached-by-get", host)),
    ...hosts.map((host) => ["-X", "POST", ...by("", "/unreached-by-get", host)]),
    ["-X", "POST", ...SHOP, "/x"],
  ];
  const files = ["hosts", "paths", "endings", "addresses", "names"];
  await compare({
    source: "haproxy/maps.cfg",
    // Relative paths begin where it is started.
    command: (file) => ["sh", "-c", `cd ${dirname(file)} && exec haproxy -db -f ${file}`],
    questions,
    others: files.map((name) => `maps/${name}.map`),
  });
});

test("what HAProxy looks up in maps for rules and conditions is found in routes", async () => {
  const hosts = ["a.old.example", "B.OLD.example", "c.old.example", "shop.example", "api.example"];
  const paths = ["/", "/old", "/older?x=1", "/far", "/a/b", "/a/x", "/b", "/x", "/y", "/xy"];
  const more = ["/said/h", "/said/w", "/said/x", "/country/x", "/place", "/place/a/b", "/place/b"];
  const agents = ["a robot", "a GoodBot robot", "a GoodBot", "a browser"];
  const questions: Question[] = [
    ...hosts.map((host) => ["-H", `Host: ${host}`, "/q?z=1"]),
    ...[...paths, ...more].map((path) => [...SHOP, path]),
    ...["/place/b", "/place/a"].map((path) => ["-H", "Host: other.example", path]),
    ...agents.flatMap((agent) => ["/x", "/robots.txt"].map((path) => ["-A", agent, path])),
    ["-X", "POST", ...SHOP, "/a"],
    ["-H", "X-Name: one", "-H", "Host: x.test", "/n"],
    ["-H", "X-Name: one", "-H", "Host: x.test", "/nobody"],
  ];
  const files = ["moved", "agents", "countries", "renamed", "colors", "shorter", "words"];
  await compare({
    source: "haproxy/lookups.cfg",
    command: (file) => ["sh", "-c", `cd ${dirname(file)} && exec haproxy -db -f ${file}`],
    questions,
    others: [...files, "places", "teams", "hosts"].map((name) => `maps/${name}.map`),
  });
});

test("what nginx looks up in maps is found in routes", async () => {
  const hosts = ["x.example", "api.example", "deep.example", "a.deep.example", "www.test"];
  const others = ["N17.test", "nobody.test", "API.example"];
  const questions: Question[] = [
    ...[...hosts, ...others].map((host) => ["-H", `Host: ${host}`, "/x?y=1"]),
    ...["/old", "/older", "/older?x=1", "/oldest", "/legacy/x", "/Legacy/"].map((path) => [path]),
    ...["?color=blue", "?color=green", "?color=red", "?colors=blue", ""].map((query) => [
      `/color/a/b${query}`,
    ]),
    ...["A Bot", "a goodbot", "a browser"].flatMap((agent) => [
      ["-A", agent, "/x"],
      ["-A", agent, "/old"],
    ]),
    ["/said"],
    ["-X", "POST", "/said"],
    ["/inside/x"],
    ["-X", "POST", "/inside/x"],
  ];
  const command = (file: string) => ["nginx", "-p", dirname(file), "-c", file];
  await compare({ source: "nginx/maps.conf", command, questions });
});

test("the server that nginx would choose by name answers", async () => {
  const hosts = ["a.shop.example", "own.shop.example", "OWN.shop.example", "second.example"];
  hosts.push("mail.test", "mailbox.example", "mailman.example", "x.deep.shop.example");
  hosts.push("deep.shop.example", "nobody.test", "n1.test", "nx.test");
  const questions: Question[] = [
    ...hosts.map((host) => ["-H", `Host: ${host}`, "/x?y=1"]),
    ["--data", "12345", "/x"],
    ["/api/one"],
  ];
  const command = (file: string) => ["nginx", "-e", "stderr", "-p", dirname(file), "-c", file];
  await compare({ source: "nginx/names.conf", command, questions });
});

test("common idioms of haproxy.cfg mean what they mean to HAProxy", async () => {
  const questions: Question[] = [
    ...["A GoogleBot", "a crawler", "a browser"].flatMap((agent) => [
      ["-A", agent, "/x"],
      ["-A", agent, "/robots.txt"],
    ]),
    ["-H", "X-Bot: 1", ...SHOP, "/x"],
    ["-X", "PUT", "/x"],
    ["-X", "PUT", "/API/x"],
    ["-H", "Host: api.example", "/x"],
    ["-X", "PUT", "-H", "Host: API.example", "/two"],
    ["-H", "X-Color: zero", ...SHOP, "/two"],
    ["/api/x"],
    ["/LOWER"],
    ["/x?pool=blue"],
    ["/x?pool=red"],
    ["-H", "X-Case: a", ...SHOP, "/x"],
    ["-H", "X-Case: c", ...SHOP, "/x"],
    ...["API.example", "www.shop.example", "gone.example", "x.Blue.example"].map((host) => [
      "-H",
      `Host: ${host}`,
      "/v",
    ]),
  ];
  await compare({
    source: "haproxy/idioms.cfg",
    command: (file) => ["sh", "-c", `cd ${dirname(file)} && exec haproxy -db -f ${file}`],
    // ${host} has no port.
    questions: questions.map((words) => (words.includes("-H") ? words : [...SHOP, ...words])),
    others: ["maps/hosts.map"],
  });
});

test("values are compared as HAProxy compares them: things of lists, ports, words of addresses", async () => {
  const links = ["http://shop.example/a", "http://x.shop.example:80/", "http://ashop.example/"];
  const hosts = ["ported.example", "PORTED.example:7000", "both.example", "both.example:7000"];
  const questions: Question[] = [
    ...["1", "0, 1", "1,0", "01", "a.bot", "a.bot , b"].map((bot) => ["-H", `X-Bot: ${bot}`, "/x"]),
    ...links.map((link) => ["-H", `Referer: ${link}`, "/linked"]),
    ...["PUT", "DELETE", "PATCH"].map((method) => ["-X", method, "/written"]),
    ...hosts.map((host) => ["-H", `Host: ${host}`, "/x"]),
    ...["X-In: 1", "X-In: 2", "X-Out: 1"].map((line) => ["-H", line, "/un"]),
    ["-H", "X-In: 1", "-H", "X-Out: 1", "/un"],
    ...["/raw?x=1", "/x?x=1"].map((path) => ["-H", "X-Else: 1", path]),
    ["/raw/x"],
  ];
  const command = (file: string) => ["haproxy", "-db", "-f", file];
  await compare({ source: "haproxy/compared.cfg", command, questions });
});

test("variables of nginx.conf say what they say to nginx", async () => {
  const hosts = ["Shop.Example", "shop.example:7000", "www.shop.example.", "nobody.example"];
  const paths = ["/named", "/moved/x?y=1", "/all/x?y=1", "/a/b.html?c=d", "/if/17", "/if/x"];
  paths.push("/old/2020/a/b?c=d", "/old/x", "/referred", "/kept");
  const referred = ["/referred", "/referred?go=1", "/referred?go=0", "/referred?go="];
  const questions: Question[] = [
    ...hosts.flatMap((host) => ["/x", "/raw"].map((path) => ["-H", `Host: ${host}`, path])),
    ...paths.map((path) => [...SHOP, path]),
    ...["red", "BLUE", "other"].map((color) => [...SHOP, "-H", `X-Color: ${color}`, "/x"]),
    // A header without a value.
    ...["X-Color;", "User-Agent;", "User-Agent:"].map((line) => [...SHOP, "-H", line, "/x"]),
    ...["-", "a robot", "robot 1"].map((agent) => [...SHOP, "-A", agent, "/x"]),
    ...referred.map((path) => [...SHOP, "-e", "http://shop.example/", path]),
    [...SHOP, "-H", "Referer;", "/referred"],
    [...SHOP, "-e", "x", "-H", "X-Key;", "/referred"],
    [...SHOP, "-e", "x", "-H", "X-Key: 0", "/referred"],
    [...SHOP, "-X", "TRACE", "/x"],
  ];
  const command = (file: string) => ["nginx", "-e", "stderr", "-p", dirname(file), "-c", file];
  await compare({ source: "nginx/words.conf", command, questions });
});

test("common idioms of nginx.conf mean what they mean to nginx", async () => {
  const paths = ["/", "/welcome", "/private/x", "/office", "/only", "/check", "/inner/x"];
  paths.push("/a.txt", "/plain/a.txt", "/a.gif", "/deep/a.gif", "/deep/a.txt", "/exactly");
  paths.push("/cat/5", "/cat/5?x=1", "/cat/x");
  paths.push("/item/17", "/item/17-red?x=1", "/item/x", "/IMG/a/b.png?c=d", "/pic/a?b");
  const questions = [...paths, "-XPOST /only"].map((words) => [...SHOP, ...words.split(" ")]);
  const command = (file: string) => ["nginx", "-e", "stderr", "-p", dirname(file), "-c", file];
  await compare({ source: "nginx/idioms.conf", command, questions });
});

test("an imported nginx.conf answers as nginx does", async () => {
  const paths = [
    "/",
    "/api",
    "/apiary",
    "/api/",
    "/api/x/y?z=1",
    "/files/a.png",
    "/files",
    "/files?a=b&c",
    "/bare/x",
    "/barely?q=1",
    "/joined/x",
    "/x/a.png",
    "/a.PNG",
    "/case/x",
    "/CASE/x",
    "/case/inner/x",
    "/rewritten/one/two/three?q=1",
    "/feed",
    "/feed?since=1",
    "/moved/one/two/three?q=1",
    "/bare/one?q=1",
    "/plain",
    "/plain?q=1",
    "/rewritten/one",
    "/nested/x",
    "/nested/deep/x",
    "/nested/a.txt",
    "/nested/deep/a.txt",
    "/office/x",
    "/elsewhere/x",
    "/conditions",
    "/conditions?go=away",
    "/pong",
    "/moved/x",
    "/x/../api/y",
    "/files/../api/y",
  ];
  const more: Question[] = [
    [...SHOP, "-X", "POST", "/conditions"],
    [...SHOP, "-b", "tester=1", "/conditions"],
    [...SHOP, "-A", "a Robot", "/"],
    ...["/CASE/x", "/bare/x"].map((path) => [...SHOP, "-H", "X-Redirect: /moved?x=1", path]),
    ["-H", "Host: two.example", "/only/x"],
    ["-H", "Host: www.two.example", "/only/x"],
    ["-H", "Host: deep.two.example", "/only/x"],
    ["-H", "Host: n17.three.example:7000", "/x"],
    ["-H", "Host: m17.three.example", "/x"],
    ["-H", "Host: nobody.example", "/x"],
  ];
  const questions = [...paths.map((path) => [...SHOP, path]), ...more];
  const command = (file: string) => ["nginx", "-e", "stderr", "-p", dirname(file), "-c", file];
  await compare({ source: "nginx/answers.conf", command, questions });
});
