/** `nines completion bash|zsh|fish`: made from the commands themselves, so it is never behind. */

import type { Command } from "commander";
import { catalogue } from "../core/drill/catalogue/catalogue.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface Word {
  readonly name: string;
  readonly help: string;
  readonly options: readonly { readonly flag: string; readonly help: string }[];
  /** Of a group such as `nines drill`; empty: it is a command. */
  readonly verbs: readonly Word[];
  /** What else may stand there: fixed words, as names of drills are. */
  readonly choices: readonly string[];
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
      return {
        name: one.name(),
        help: one.description(),
        options: optionsOf(one),
        verbs: wordsOf(one, `${path} `),
        choices: TAKES_DRILL.has(path) ? catalogue.map(({ name }) => name) : [],
      };
    });
}

/** Commands whose argument is an instance; asked from the running node. */
const TAKES_INSTANCE = new Set(["why", "handover"]);
const TAKES_DRILL: ReadonlySet<string> = new Set(["drill plan", "drill run"]);
const INSTANCES =
  'nines status --json 2>/dev/null | sed -n \'s/^ *"name": "\\(.*\\)",$/\\1/p\' | sort -u';

function optionsOf(command: Command): Word["options"] {
  return command.options
    .filter((option) => !option.hidden)
    .flatMap((option) =>
      [option.long, option.short]
        .filter((flag) => typeof flag === "string")
        .map((flag) => ({ flag, help: option.description })),
    );
}

function bash(words: readonly Word[]): string {
  const namesOf = (all: readonly Word[]): string => all.map(({ name }) => name).join(" ");
  const caseOf = ({ name, options, choices }: Word, path: string): string => {
    const flags = options.map((option) => option.flag);
    const instances = TAKES_INSTANCE.has(name) ? [`$(${INSTANCES})`] : [];
    return `    ${path}) words="${[...flags, ...choices, ...instances].join(" ")}" ;;`;
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
  local word="\${COMP_WORDS[COMP_CWORD]}" verb="\${COMP_WORDS[1]}" words=""
  if [ "$COMP_CWORD" -gt 2 ]; then case "$verb" in ${groups}) verb="$verb \${COMP_WORDS[2]}" ;; esac; fi
  case "$verb" in
${cases.join("\n")}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="${namesOf(words)} --help --version"; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _nines nines
`;
}

function zsh(words: readonly Word[]): string {
  const described = (all: readonly Word[]): string =>
    all.map(({ name, help }) => `'${name}:${quoted(help)}'`).join(" ");
  const caseOf = ({ name, options, choices }: Word): string => {
    const flags = options.map(({ flag, help }) => `'${flag}[${quoted(help)}]'`).join(" ");
    const rest = TAKES_INSTANCE.has(name)
      ? `"1:instance:($(${INSTANCES}))"`
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
compdef _nines nines
`;
}

const SEEN = "__fish_seen_subcommand_from";

function fish(words: readonly Word[]): string {
  const optionLines = ({ options, choices }: Word, where: string): readonly string[] => [
    ...options.map(({ flag, help }) => {
      const spelled = flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
      return `complete -c nines -n '${where}' ${spelled} -d '${quoted(help)}'`;
    }),
    ...(choices.length === 0
      ? []
      : [`complete -c nines -n '${where}' -f -a '${choices.join(" ")}'`]),
  ];
  const lines = words.flatMap((word) => {
    const { name, help, verbs } = word;
    const where = `${SEEN} ${name}`;
    const free = `${where}; and not ${SEEN} ${verbs.map((verb) => verb.name).join(" ")}`;
    return [
      `complete -c nines -n __fish_use_subcommand -f -a ${name} -d '${quoted(help)}'`,
      ...optionLines(word, where),
      ...(TAKES_INSTANCE.has(name)
        ? [`complete -c nines -n '${where}' -f -a "(${INSTANCES.replaceAll('"', '\\"')})"`]
        : []),
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
