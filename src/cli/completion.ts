/** `nines completion bash|zsh|fish`: made from the commands themselves, so it is never behind. */

import type { Command } from "commander";
import { catalogue } from "../core/drill/catalogue/catalogue.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** What a running node can be asked for; see `names.ts`. */
export const NAMED = ["instances", "pools", "servers"] as const;
export type Named = (typeof NAMED)[number];

/** What `nines lab` can be told. */
export const LAB_VERBS = ["up", "exec", "fault", "heal", "down", "list"] as const;
export type LabVerb = (typeof LAB_VERBS)[number];

interface Word {
  readonly name: string;
  readonly help: string;
  readonly options: readonly Flag[];
  /** Of a group such as `nines drill`; empty: it is a command. */
  readonly verbs: readonly Word[];
  /** What else may stand there: fixed words, as names of drills are. */
  readonly choices: readonly string[];
  /** ... or what the running node has. */
  readonly named?: Named;
}

interface Flag {
  readonly flag: string;
  readonly help: string;
  /** Another word follows it. */
  readonly takesValue: boolean;
}

export function completionScript(program: Command, shell: Shell): string {
  const words = wordsOf(program, "");
  switch (shell) {
    case "bash":
      return bash(words);
    case "zsh":
      return zsh(words);
    case "fish":
      return fish(words);
  }
}

function wordsOf(command: Command, before: string): readonly Word[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible
    .filter((one) => one.name() !== "help")
    .map((one): Word => {
      const path = `${before}${one.name()}`;
      const named = TAKES_NAME[path];
      return {
        name: one.name(),
        help: one.description(),
        options: optionsOf(one),
        verbs: wordsOf(one, `${path} `),
        choices: CHOICES[path]?.() ?? [],
        ...(named === undefined ? {} : { named }),
      };
    });
}

const TAKES_NAME: Readonly<Record<string, Named>> = {
  why: "instances",
  handover: "instances",
  pool: "pools",
  "backend drain": "servers",
  "backend maint": "servers",
  "backend ready": "servers",
  "backend weight": "servers",
};
const drills = (): readonly string[] => catalogue.map(({ name }) => name);
const CHOICES: Readonly<Record<string, () => readonly string[]>> = {
  "drill plan": drills,
  "drill run": drills,
  completion: () => SHELLS,
  lab: () => LAB_VERBS,
};

/** Without quotes, so that it can stand between any. */
function askFor(named: Named): string {
  return `nines __names ${named} 2>/dev/null`;
}

function optionsOf(command: Command): Word["options"] {
  return command.options
    .filter((option) => !option.hidden)
    .flatMap((option) =>
      [option.long, option.short]
        .filter((flag) => typeof flag === "string")
        .map((flag) => {
          const takesValue = option.required || option.optional;
          return { flag, help: option.description, takesValue };
        }),
    );
}

/**
 * Where bash takes colons for ends of words, it puts only what stands after the last one into the line;
 * names of servers have some. No reply at all: bash offers files.
 */
function bash(words: readonly Word[]): string {
  const namesOf = (all: readonly Word[]): string => all.map(({ name }) => name).join(" ");
  const caseOf = ({ options, choices, named }: Word, path: string): string => {
    const flags = options.map(({ flag }) => flag).join(" ");
    const valued = options.filter(({ takesValue }) => takesValue);
    const parts = [`flags="${flags}"`, `valued=" ${valued.map(({ flag }) => flag).join(" ")} "`];
    if (choices.length > 0) parts.push(`words="${choices.join(" ")}"`);
    if (named !== undefined) parts.push(`ask=${named}`);
    return `    ${path}) ${parts.join(" ")} ;;`;
  };
  const cases = words.flatMap((word) => {
    const { name, verbs } = word;
    if (verbs.length === 0) return [caseOf(word, name)];
    const inGroup = verbs.map((verb) => caseOf(verb, `"${name} ${verb.name}"`));
    return [`    ${name}) words="${namesOf(verbs)}" ;;`, ...inGroup];
  });
  const groups = namesOf(words.filter(({ verbs }) => verbs.length > 0)).replaceAll(" ", "|");
  return `# nines completion: add to ~/.bashrc:  source <(nines completion bash)
_nines() {
  local line="\${COMP_LINE:0:COMP_POINT}" verb="\${COMP_WORDS[1]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local word="\${line##*[[:space:]]}" words="" flags="" valued="" ask=""
  if [ "$COMP_CWORD" -gt 2 ]; then case "$verb" in ${groups}) verb="$verb \${COMP_WORDS[2]}" ;; esac; fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${namesOf(words)}"; flags="--help --version"
  else case "$verb" in
${cases.join("\n")}
  esac; fi
  COMPREPLY=()
  case "$valued" in *" $before "*) return ;; esac
  case "$word" in
    -*) words="$flags" ;;
    *) if [ -n "$ask" ]; then words="$(nines __names "$ask" 2>/dev/null)"; fi ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  COMPREPLY=("\${COMPREPLY[@]#"\${word%"\${word##*:}"}"}")
}
complete -o default -F _nines nines
`;
}

function zsh(words: readonly Word[]): string {
  const described = (all: readonly Word[]): string =>
    all.map(({ name, help }) => `'${name}:${quoted(help)}'`).join(" ");
  const flagOf = ({ flag, help, takesValue }: Flag): string =>
    `'${flag}[${quoted(help)}]${takesValue ? ":value:_files" : ""}'`;
  const caseOf = ({ name, options, choices, named }: Word): string => {
    const flags = options.map(flagOf).join(" ");
    const rest =
      named !== undefined
        ? `"1:name:($(${askFor(named)}))"`
        : choices.length > 0
          ? `'1:name:(${choices.join(" ")})'`
          : "'*:file:_files'";
    return `    ${name}) _arguments ${flags} ${rest} ;;`;
  };
  const cases = words.map((word) => {
    if (word.verbs.length === 0) return caseOf(word);
    return `    ${word.name})
      verbs=(${described(word.verbs)})
      if (( CURRENT == 2 )); then _describe verb verbs; return; fi
      verb=$words[2]
      shift words; (( CURRENT-- ))
      case $verb in
${word.verbs.map(caseOf).join("\n")}
      esac ;;`;
  });
  return `#compdef nines
# nines completion: nines completion zsh > "\${fpath[1]}/_nines"
_nines() {
  local -a commands verbs
  commands=(
${words.map((word) => `    ${described([word])}`).join("\n")}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local verb=$words[2]
  shift words; (( CURRENT-- ))
  case $verb in
${cases.join("\n")}
  esac
}
# Found by its name in fpath, this file is itself the function that was called.
if [[ "\${funcstack[1]}" = _nines ]]; then _nines "$@"; else compdef _nines nines; fi
`;
}

const SEEN = "__fish_seen_subcommand_from";

function fish(words: readonly Word[]): string {
  const optionLines = (word: Word, where: string): readonly string[] => {
    const { options, choices, named } = word;
    const values = named === undefined ? choices.join(" ") : `(${askFor(named)})`;
    return [
      ...options.map(({ flag, help, takesValue }) => {
        const spelled = flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
        const value = takesValue ? " -r" : "";
        return `complete -c nines -n '${where}' ${spelled}${value} -d '${quoted(help)}'`;
      }),
      ...(values === "" ? [] : [`complete -c nines -n '${where}' -f -a '${values}'`]),
    ];
  };
  const lines = words.flatMap((word) => {
    const { name, help, verbs } = word;
    const where = `${SEEN} ${name}`;
    const free = `${where}; and not ${SEEN} ${verbs.map((verb) => verb.name).join(" ")}`;
    return [
      `complete -c nines -n __fish_use_subcommand -f -a ${name} -d '${quoted(help)}'`,
      ...optionLines(word, where),
      ...verbs.flatMap((verb) => [
        `complete -c nines -n '${free}' -f -a ${verb.name} -d '${quoted(verb.help)}'`,
        ...optionLines(verb, `${where}; and ${SEEN} ${verb.name}`),
      ]),
    ];
  });
  return `# nines completion: nines completion fish > ~/.config/fish/completions/nines.fish
${lines.join("\n")}
`;
}

/** Inside single quotes, brackets and colons taken out of zsh's syntax. */
function quoted(text: string): string {
  return text.replaceAll("'", "").replaceAll(":", " -").replaceAll("[", "(").replaceAll("]", ")");
}
