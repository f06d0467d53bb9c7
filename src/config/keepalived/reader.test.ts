import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Prng } from "../../lib/prng.ts";
import { Findings } from "../diagnostic.ts";
import { LineReader } from "./lines.ts";
import { commentStart, splitWords } from "./source-line.ts";
import { describe, parseTree, type Statement } from "./tree.ts";

interface Read {
  readonly tree: Statement[];
  readonly texts: string[];
  readonly findings: Findings;
}

/** Reads a map of files, `/etc/main` first; a glob matches by its beginning. */
function read(files: string | Record<string, string>, configId = "main"): Read {
  const disk: Record<string, string> = typeof files === "string" ? { "/etc/main": files } : files;
  const findings = new Findings();
  const around = { configId, environment: { HOME: "/root" }, prng: new Prng(1), permissive: false };
  const reader = new LineReader(
    {
      readFile: (path) => disk[path],
      glob: (pattern) =>
        Object.keys(disk)
          .filter((path) => path.startsWith(pattern.replace(/\*.*$/u, "")))
          .sort(),
    },
    around,
    findings,
  );
  assert.ok(reader.read("/etc/main"));
  const texts = reader.lines.map((line) => line.text.trim());
  return { tree: parseTree(reader.lines, findings), texts, findings };
}

function words(text: string): string[] {
  const findings = new Findings();
  return splitWords({ file: "f", line: 1, text }, findings).map((word) => word.text);
}

function outline(tree: readonly Statement[]): string {
  return tree
    .map((s) => describe(s) + (s.block === undefined ? "" : ` { ${outline(s.block)} }`))
    .join("; ");
}

test("# and ! start comments anywhere outside of double quotes", () => {
  const cases = { "a # b": 2, "a!b": 1, '"#" !': 4, "a \\# b": 6, none: 4 };
  for (const [text, at] of Object.entries(cases)) assert.equal(commentStart(text), at, text);
});

test("quotes join words, also in the middle of a word, and escapes are resolved", () => {
  assert.deepEqual(words('abcd" efg h jkl "mnop'), ["abcd efg h jkl mnop"]);
  assert.deepEqual(words('abcd "efg h jkl" mnop'), ["abcd", "efg h jkl", "mnop"]);
  assert.deepEqual(words(`'a b' c'd`), ["a b", "c'd"]);
  assert.deepEqual(words(String.raw`"a\"b\x41\102\\"`), [String.raw`a"bAB` + "\\"]);
  assert.deepEqual(words('""'), [""]);
});

test("words know their columns, also behind tabs and after parameters were replaced", () => {
  const { tree } = read("$LONG=abcdefghij\nblock {\n\tkey $LONG last\n}\n");
  const key = tree[0]!.block![0]!;
  assert.deepEqual([key.keyword.line, key.keyword.column], [3, 2]);
  assert.deepEqual(
    key.args.map((word) => [word.text, word.column]),
    [
      ["abcdefghij", 6],
      ["last", 12],
    ],
  );
});

test("braces may stand on the same line, on the next one, or around one line", () => {
  for (const text of ["a b {\nc\n}", "a b\n{\nc\n}", "a b{ c }", "a b {c}", "a b\n\n{c}"]) {
    assert.equal(outline(read(text).tree), "a b { c }", text);
  }
});

test("a lost brace is told once, where the next block starts", () => {
  const { findings, tree } = read("vrrp_instance A {\n x {\nvrrp_instance B {\n}\n");
  assert.equal(findings.list.length, 1);
  assert.equal(findings.list[0]!.line, 3);
  assert.equal(outline(tree), "vrrp_instance A { x {  } }; vrrp_instance B {  }");
});

test("lines for other nodes are left out", () => {
  const text = "@main a\n@other b\n@^main c\n@^other d\n";
  assert.deepEqual(read(text).texts, ["a", "d"]);
  assert.deepEqual(read(text, "other").texts, ["b", "c"]);
});

test("parameters are replaced late and again and again, unknown ones stay", () => {
  const text =
    "$BASE=10.2.${SUB}\n$SUB=0\n${BASE}.1\n$SUB=10\n${BASE}.1\n${NONE} $NONE $SUB x$SUB\n";
  assert.deepEqual(read(text).texts, ["10.2.0.1", "10.2.10.1", "${NONE} $NONE 10 x10"]);
});

test("a parameter may hold a condition, and may be defined on a condition", () => {
  assert.deepEqual(read("$IF=@main\n$IF priority 240\n").texts, ["priority 240"]);
  assert.deepEqual(read("$IF=@main\n$IF priority 240\n", "b").texts, []);
  assert.deepEqual(read("@main $P=1\n@^main $P=2\np $P\n").texts, ["p 1"]);
});

test("a parameter that holds itself ends", () => {
  assert.equal(read("$A=x${A}\n${A}\n").texts.length, 1);
  assert.equal(read("$A= \\\n${A} \\\ny\n${A}\n").findings.failed, true);
});

test("definitions of several lines may nest", () => {
  const text =
    "$RS= \\\nserver ${N} { \\\n}\n$VS= \\\nvs { \\\n$N=1 \\\n$RS \\\n$N=2 \\\n$RS \\\n}\n$VS\n";
  assert.equal(outline(read(text).tree), "vs { server 1 {  }; server 2 {  } }");
});

test("a definition of several lines may begin behind its name, as keepalived takes it", () => {
  const text = "$VS=vs ${N} { \\\n weight 1 \\\n}\n~SEQ(N, 1, 2) $VS\n";
  assert.deepEqual(read(text).texts, ["vs 1 {", "weight 1", "}", "vs 2 {", "weight 1", "}"]);
});

test("sequences count up, down, in hexadecimal, and nest with lists", () => {
  const cases: Record<string, string[]> = {
    "~SEQ(X, 0, 2) a${X}": ["a0", "a1", "a2"],
    "~SEQ(X, 3) a${X}": ["a1", "a2", "a3"],
    "~SEQ(X, 5, -2, 1) a${X}": ["a5", "a3", "a1"],
    "~SEQx(X, 0x9, 0xb) a${X}": ["a9", "aa", "ab"],
    "~SEQ(X,1,2) ~SEQ(Y,1,2) ${X}${Y}": ["11", "12", "21", "22"],
    "~LST({A,B}, {1,2}, {3,4}) ${A}.${B}": ["1.2", "3.4"],
    "~LST(A, x, y) ~SEQ(N,1,2) ${A}${N}": ["x1", "x2", "y1", "y2"],
  };
  for (const [text, lines] of Object.entries(cases))
    assert.deepEqual(read(text).texts, lines, text);
});

test("predefined parameters are there", () => {
  const text = "${_PWD} ${_INSTANCE} ${_HASH} ${_BANG} ${_ENV HOME} ${_ENV NONE}|";
  assert.deepEqual(read(text).texts, ["/etc main # ! /root |"]);
  const [random] = read("${_RANDOM 5 7}").texts;
  assert.match(random!, /^[567]$/u);
});

test("includes are relative to the file that includes, and take patterns", () => {
  const { texts } = read({
    "/etc/main": "include sub/a\nend",
    "/etc/sub/a": "include b*\n${_PWD}",
    "/etc/sub/b1": "one",
    "/etc/sub/b2": "two",
  });
  assert.deepEqual(texts, ["one", "two", "/etc/sub", "end"]);
});

test("an include may come out of a condition, a parameter or a sequence, and name parameters", () => {
  const main = [
    "@main include a",
    "@other include none",
    "$I=include a",
    "$I",
    "$N=a",
    "include ${N}",
    "~SEQ(X,1,2) include ${N}",
  ].join("\n");
  const { texts, findings } = read({ "/etc/main": main, "/etc/a": "one" });
  assert.deepEqual(texts, Array(5).fill("one"));
  assert.deepEqual(findings.list, []);
});

test("only a pattern with braces has to match after includeb", () => {
  const wrong = (line: string): boolean => read(line).findings.failed;
  assert.equal(wrong("includeb none*.conf"), false);
  assert.equal(wrong("includeb {none,nothing}.conf"), true);
  assert.equal(wrong("includew none*.conf"), true);
});

test("the directory of a file is a whole path, wherever Nines was started", () => {
  const files = { readFile: () => "${_PWD}/check.sh", glob: () => [] };
  const around = { configId: "", environment: {}, prng: new Prng(1), permissive: false };
  const reader = new LineReader(files, around, new Findings());
  reader.read("conf/a.conf");
  assert.equal(reader.lines[0]?.text, `${process.cwd()}/conf/check.sh`);
});

test("a value that a comment cuts off is told", () => {
  const told = (line: string): number => read(`a {\n${line}\n}`).findings.list.length;
  assert.equal(told("auth_pass ab#cd"), 1);
  assert.equal(told('auth_pass "ab#cd"'), 0);
  assert.equal(told("auth_pass ab # cd"), 0);
  assert.equal(told("interface eth0#first"), 0);
});

test("a circle of includes and a missing file are told with their place", () => {
  const { findings } = read({ "/etc/main": "include a", "/etc/a": "include main\ninclude none" });
  const told = findings.list.map((d) => `${d.file}:${d.line}:${d.column}`);
  assert.deepEqual(told, ["/etc/a:1:9", "/etc/a:2:9"]);
});

test("a mistake in an include that goes on from the line before is told at the end of that line", () => {
  const { findings } = read('\\\ninclude "');
  assert.ok(findings.list.every(({ line, column }) => line === 1 && column <= 2));
  assert.ok(findings.failed);
});

test("no text makes the reader throw, and every place points into the text", () => {
  const piece = fc.constantFrom(
    ..."{ } \" ' \\ # ! $A= ${A} $A ~SEQ(X,1,3) @main include vrrp_instance 10.0.0.1/24".split(" "),
    " ",
    "\t",
    "\n",
    "\u00A0",
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 60 }),
      (parts) => {
        const text = parts.join("");
        const lines = text.split(/\r?\n/u);
        for (const d of read(text).findings.list) {
          assert.ok(d.line >= 1 && d.line <= lines.length);
          assert.ok(d.column >= 1 && d.column <= lines[d.line - 1]!.length + 1);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test("many files that include each other are one mistake, found at once", () => {
  const names = Array.from({ length: 20 }, (_, i) => `/etc/d/${i}`);
  const disk = Object.fromEntries(names.map((name) => [name, "include /etc/d/*"]));
  const { findings } = read({ "/etc/main": "include /etc/d/*", ...disk });
  assert.deepEqual(
    findings.list.map(({ reason }) => reason),
    ["/etc/d/0 includes itself"],
  );
});
