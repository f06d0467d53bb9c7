import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { Command } from "commander";
import { completionScript } from "./completion.ts";

function program(): Command {
  const nines = new Command("nines");
  nines.command("check").description("look at a file").option("--json", "for machines");
  const drill = nines.command("drill").description("break something");
  drill.command("list").description("what there is").option("--long", "more of it");
  drill.command("run").description("do it").option("--on <node>", "where");
  const drain = nines.command("backend").description("order about").command("drain");
  drain.description("empty it").option("--wait", "until it is").option("--reason <text>", "why");
  nines.command("completion").description("of a shell");
  nines.command("secret", { hidden: true });
  return nines;
}

/** What bash offers after these words; the last is what has been typed of the next. */
function offered(...words: readonly string[]): readonly string[] {
  const script = `${completionScript(program(), "bash")}
nines() { echo shop/10.0.0.1:80; echo "asked: $*" >&2; }
COMP_WORDS=(nines "$@"); COMP_CWORD=$#; COMP_LINE="nines $*"; COMP_POINT=\${#COMP_LINE}; _nines; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const text = execFileSync("bash", ["-c", script, "bash", ...words], { encoding: "utf8" });
  return text.split("\n").filter((line) => line !== "");
}

test("bash offers the commands, the verbs of a group, and the options of a verb", () => {
  assert.deepEqual(offered("dr"), ["drill"]);
  assert.deepEqual(offered("sec"), [], "what is hidden is not offered");
  assert.deepEqual(offered("drill", ""), ["list", "run"]);
  assert.deepEqual(offered("drill", "list", "--l"), ["--long"]);
  assert.deepEqual(offered("drill", "run", "link"), ["link-down"]);
  assert.deepEqual(offered("check", "--j"), ["--json"]);
  assert.deepEqual(offered("completion", "z"), ["zsh"]);
  assert.deepEqual(offered("check", ""), [], "then bash offers files");
  assert.deepEqual(offered("backend", "drain", "--reason", ""), []);
});

test("names come from the running node; bash puts in what stands after the last colon", () => {
  assert.deepEqual(offered("backend", "drain", "sh"), ["shop/10.0.0.1:80"]);
  assert.deepEqual(offered("backend", "drain", "shop/10.0.0.1:8"), ["80"]);
  assert.deepEqual(offered("backend", "drain", "--w"), ["--wait"]);
  for (const shell of ["zsh", "fish"] as const) {
    assert.match(completionScript(program(), shell), /\(nines __names servers 2>\/dev\/null\)/u);
  }
});

test("fish reads no variable in the script, and zsh offers something at the first try", () => {
  assert.doesNotMatch(completionScript(program(), "fish"), /\$/u);
  assert.match(completionScript(program(), "zsh"), /funcstack\[1\].* _nines "\$@"/u);
});

test("zsh and fish know the verbs of a group, too", () => {
  assert.match(completionScript(program(), "zsh"), /verbs=\('list:what there is' 'run:do it'\)/u);
  const fish = completionScript(program(), "fish");
  assert.match(fish, /'__fish_seen_subcommand_from drill; and not [^']+' -f -a run -d 'do it'/u);
  assert.match(fish, /from drill; and __fish_seen_subcommand_from run' -l on -r -d 'where'/u);
});
