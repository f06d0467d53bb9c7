import type { Command } from "commander";

/** After a mistake each command names its own help, not that of the whole program. */
export function pointToHelp(command: Command, path: string = command.name()): void {
  command.showHelpAfterError(`(see: ${path} --help)`);
  for (const one of command.commands) pointToHelp(one, `${path} ${one.name()}`);
}
