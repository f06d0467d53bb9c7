/** `nines completion bash|zsh|fish`: made from the commands themselves, so it is never behind. */

import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface Word {
  readonly name: string;
  readonly help: string;
  readonly options: readonly { readonly flag: string; readonly help: string }[];
}

export function completionScript(program: Command, shell: Shell): string {
  const words = program.commands
    .filter((command) => command.name() !== "help")
    .map((command): Word => ({
      name: command.name(),
      help: command.description(),
      options: optionsOf(command),
    }));
  switch (shell) {
    case "bash":
      return bash(words);
    case "zsh":
      return zsh(words);
    case "fish":
      return fish(words);
  }
}

/** Commands whose argument is an instance; asked from the running node. */
const TAKES_INSTANCE = new Set(["why", "handover"]);
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
  const cases = words.map(({ name, options }) => {
    const flags = options.map((option) => option.flag).join(" ");
    const instances = TAKES_INSTANCE.has(name) ? ` $(${INSTANCES})` : "";
    return `    ${name}) words="${flags}${instances}" ;;`;
  });
  return `# nines completion: add to ~/.bashrc:  source <(nines completion bash)
_nines() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words=""
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="${words.map((w) => w.name).join(" ")} --help --version"; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _nines nines
`;
}

function zsh(words: readonly Word[]): string {
  const commands = words.map(({ name, help }) => `    '${name}:${quoted(help)}'`);
  const cases = words.map(({ name, options }) => {
    const flags = options.map(({ flag, help }) => `'${flag}[${quoted(help)}]'`).join(" ");
    const rest = TAKES_INSTANCE.has(name) ? `"1:instance:($(${INSTANCES}))"` : "'*:file:_files'";
    return `    ${name}) _arguments ${flags} ${rest} ;;`;
  });
  return `#compdef nines
# nines completion: nines completion zsh > "\${fpath[1]}/_nines"
_nines() {
  local -a commands
  commands=(
${commands.join("\n")}
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

function fish(words: readonly Word[]): string {
  const lines = words.flatMap(({ name, help, options }) => [
    `complete -c nines -n __fish_use_subcommand -f -a ${name} -d '${quoted(help)}'`,
    ...options.map(({ flag, help: text }) => {
      const spelled = flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
      const where = `'__fish_seen_subcommand_from ${name}'`;
      return `complete -c nines -n ${where} ${spelled} -d '${quoted(text)}'`;
    }),
    ...(TAKES_INSTANCE.has(name)
      ? [
          `complete -c nines -n '__fish_seen_subcommand_from ${name}' -f ` +
            `-a "(${INSTANCES.replaceAll('"', '\\"')})"`,
        ]
      : []),
  ]);
  return `# nines completion: nines completion fish > ~/.config/fish/completions/nines.fish
${lines.join("\n")}
`;
}

/** Inside single quotes, brackets and colons taken out of zsh's syntax. */
function quoted(text: string): string {
  return text.replaceAll("'", "").replaceAll(":", " -").replaceAll("[", "(").replaceAll("]", ")");
}
