import assert from "node:assert/strict";
import { test } from "node:test";
import { readServiceYaml } from "../read-service.ts";

const POOL = "pools:\n  app:\n    servers: [10.0.0.1:80]\n";

/** What is told of `/etc/nines.yaml`; a pattern stands for all other files. */
function told(texts: Readonly<Record<string, string>>): (readonly [string, number, string])[] {
  const files = {
    readFile: (path: string) => texts[path],
    glob: () => Object.keys(texts).filter((path) => path !== "/etc/nines.yaml"),
  };
  const { diagnostics, service } = readServiceYaml("/etc/nines.yaml", { environment: {} }, files);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  assert.equal(service === undefined, errors.length > 0);
  return errors.map(({ file, line, reason }) => [file, line, reason]);
}

test("many files that include each other are one mistake, found at once", () => {
  const names = Array.from({ length: 40 }, (_, i) => `/etc/conf.d/${i}.yaml`);
  const texts = Object.fromEntries(names.map((name) => [name, 'include: ["*.yaml"]\n']));
  assert.deepEqual(told({ "/etc/nines.yaml": "include: [conf.d/*.yaml]\n", ...texts }), [
    ["/etc/conf.d/0.yaml", 1, "/etc/conf.d/0.yaml includes itself"],
  ]);
});

test("a file that includes itself by another spelling of its name is told once", () => {
  assert.deepEqual(told({ "/etc/nines.yaml": `include: [../etc/./nines.yaml]\n${POOL}` }), [
    ["/etc/nines.yaml", 1, "/etc/nines.yaml includes itself"],
  ]);
});

test("an empty file is a mistake, an empty one that is included is not", () => {
  const reason = "the file is empty: everything would be stopped";
  for (const text of ["", "# only a comment\n", "\n---\n"]) {
    assert.deepEqual(told({ "/etc/nines.yaml": text }), [["/etc/nines.yaml", 1, reason]]);
  }
  const texts = {
    "/etc/nines.yaml": `include: [conf.d/*.yaml]\n${POOL}`,
    "/etc/conf.d/a.yaml": "",
  };
  assert.deepEqual(told(texts), []);
});

test("no number of warnings hides a mistake", () => {
  const unused = Array.from({ length: 600 }, (_, i) => `  p${i}: { servers: [10.0.0.1:80] }\n`);
  const web = 'frontends:\n  web: { listen: ":80", pool: p0 }\n';
  const services = "services:\n  shop: { frontends: [nobody] }\n";
  assert.equal(
    told({ "/etc/nines.yaml": `pools:\n${unused.join("")}${web}${services}` }).length,
    1,
  );
});

test("what is not UTF-8 is told where it matters", () => {
  const text = `# gr\uFFFDn\n${POOL}    sorry: { body: "gr\uFFFDn" }\n`;
  const { diagnostics } = readServiceYaml("x.yaml", {}, { readFile: () => text, glob: () => [] });
  assert.deepEqual(
    diagnostics.flatMap(({ line, reason }) => (/UTF-8/u.test(reason) ? [[line, reason]] : [])),
    [[5, "this is not UTF-8: what is read is not what stands there"]],
  );
});

test("a mistake where something is not UTF-8 is told, too", () => {
  const text = "pools: { app: { servers: [gr\uFFFDn.example] } }\n";
  assert.equal(told({ "/etc/nines.yaml": text }).length, 1);
});

test("a variable that is not set and a name written twice hide nothing else", () => {
  const text = [
    "frontends: { web: { listen: '${PORT}', pool: app } }",
    "pools:",
    "  app: { servers: ['${HOST}:80'], balance: leastconn, sticky: { cookie: { secret: '${KEY}' } } }",
    "  app: { servers: [] }",
  ].join("\n");
  assert.deepEqual(told({ "/etc/nines.yaml": text }), [
    ["/etc/nines.yaml", 1, "the environment has no PORT"],
    ["/etc/nines.yaml", 3, "the environment has no HOST"],
    ["/etc/nines.yaml", 3, "algorithm cannot be 'leastconn'"],
    ["/etc/nines.yaml", 3, "the environment has no KEY"],
    ["/etc/nines.yaml", 4, "map keys must be unique"],
  ]);
});
