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
  nines.command("secret", { hidden: true });
  return nines;
}

/** What bash offers after these words; the last is what has been typed of the next. */
function offered(...words: readonly string[]): readonly string[] {
  const script = `${completionScript(program(), "bash")}
COMP_WORDS=(nines "$@"); COMP_CWORD=$#; _nines; printf '%s\\n' "\${COMPREPLY[@]}"`;
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
});

test("zsh and fish know the verbs of a group, too", () => {
  assert.match(completionScript(program(), "zsh"), /verbs=\('list:what there is' 'run:do it'\)/u);
  const fish = completionScript(program(), "fish");
  assert.match(fish, /'__fish_seen_subcommand_from drill; and not [^']+' -f -a run -d 'do it'/u);
  assert.match(fish, /from drill; and __fish_seen_subcommand_from run' -l on -d 'where'/u);
});
