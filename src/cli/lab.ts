/** `nines lab …`: worlds of network namespaces that live on between commands. */

import { FAULT_WORDS } from "../lab/fault-words.ts";
import {
  labDown,
  labExec,
  labFault,
  labHeal,
  labList,
  labUp,
  type LabListing,
} from "../lab/lab-command.ts";
import { READY_PLANS } from "../lab/ready-plans.ts";
import { formatTable } from "../lib/table.ts";
import { LAB_VERBS, type LabVerb } from "./completion.ts";
import type { Terminal } from "./terminal.ts";

/** Exit status of the program that `lab exec` ran, so any number. */
export type LabExit = number;

type Action = (words: readonly string[], name: string | undefined) => Promise<LabExit> | LabExit;

/** `words`: after `lab`. `--world NAME` picks one of several worlds. */
export async function lab(words: readonly string[], terminal: Terminal): Promise<LabExit> {
  const { name, rest } = takeWorld(words);
  const [verb = "--help", ...operands] = rest;
  const show = (listing: LabListing): 0 => {
    for (const line of listingLines(listing)) terminal.out(line);
    return 0;
  };
  const actions: Readonly<Record<LabVerb, Action>> = {
    up: async ([what = "two-directors"]) => show(await labUp(what, name)),
    exec: ([host, ...argv]) =>
      host === undefined || argv.length === 0
        ? usage(terminal, "nines lab exec HOST PROGRAM [ARGUMENT …]")
        : labExec(host, argv, name),
    fault: async ([word, host, argument]) => {
      if (word === undefined || host === undefined) {
        return usage(terminal, "nines lab fault WORD HOST [ARGUMENT]");
      }
      await labFault(word, argument === undefined ? { host } : { host, argument }, name);
      return 0;
    },
    heal: async () => show(await labHeal(name)),
    down: ([world = name]) => {
      terminal.out(`${labDown(world)} is gone`);
      return 0;
    },
    list: () => {
      const all = labList();
      for (const listing of all) show(listing);
      if (all.length === 0) terminal.out("no world is up: nines lab up two-directors");
      return 0;
    },
  };
  if (verb === "--help" || verb === "-h" || verb === "help") {
    terminal.out(helpText());
    return 0;
  }
  const known = LAB_VERBS.find((one) => one === verb);
  if (known === undefined)
    return usage(terminal, `no such thing: lab ${verb}; see nines lab --help`);
  try {
    return await actions[known](operands, name);
  } catch (error) {
    // Messages of the lab are made for users; a bug's stack is for us.
    if (!(error instanceof Error) || error.name === "TypeError") throw error;
    terminal.err(`nines: ${error.message}`);
    return 1;
  }
}

function takeWorld(words: readonly string[]): {
  readonly name?: string;
  readonly rest: readonly string[];
} {
  const at = words.indexOf("--world");
  const name = words[at + 1];
  // Behind `exec HOST` every word belongs to the program.
  if (at < 0 || name === undefined || (words[0] === "exec" && at > 1)) return { rest: words };
  return { name, rest: words.toSpliced(at, 2) };
}

function listingLines({ name, hosts }: LabListing): readonly string[] {
  const rows = hosts.map((host) => [
    host.name,
    host.isOn ? "on" : "off",
    host.interfaces.join(", "),
  ]);
  return [`world ${name}`, ...formatTable(["HOST", "POWER", "INTERFACES"], rows)];
}

function usage(terminal: Terminal, line: string): 2 {
  terminal.err(`usage: ${line}`);
  return 2;
}

function helpText(): string {
  const faults = FAULT_WORDS.map((f) => [`  ${f.word}`, f.argument ?? "", f.meaning]);
  return [
    "Usage: nines lab up [PLAN|FILE] | exec HOST PROGRAM … | fault WORD HOST [ARGUMENT]",
    "       nines lab heal | down [NAME] | list (--world NAME picks one of several worlds)",
    "",
    "Hosts have a /tmp and a /run of their own; all other files are the machine's.",
    "",
    `Ready plans: ${Object.keys(READY_PLANS).join(", ")}`,
    'A file of your own: export const world = { segments: ["lan"],',
    '  hosts: { a: { eth0: { segment: "lan", address: "10.5.0.1/24" } } } };   (see docs/lab.md)',
    "",
    ...formatTable(["Faults:", "", ""], faults),
  ].join("\n");
}
