/** The faults as words of a command line: `nines lab fault WORD HOST [ARGUMENT]`. */
import { closest } from "../lib/spelling.ts";
import * as faults from "./faults.ts";
import type { Host } from "./host.ts";
import { signal } from "./process-table.ts";
import type { World } from "./world.ts";

export interface FaultWord {
  readonly word: string;
  /** What the argument is; undefined = there is none. Brackets: may be left out. */
  readonly argument?: string;
  readonly meaning: string;
  readonly apply: (world: World, host: Host, argument: string | undefined) => Promise<unknown>;
}

export const FAULT_WORDS: readonly FaultWord[] = [
  {
    word: "kill",
    argument: "PROGRAM",
    meaning: "kill -9 to every process that runs PROGRAM",
    apply: (_, host, program) => signalAll(host, program, "SIGKILL"),
  },
  {
    word: "hang",
    argument: "PROGRAM",
    meaning: "stop (SIGSTOP) every process that runs PROGRAM",
    apply: (_, host, program) => signalAll(host, program, "SIGSTOP"),
  },
  {
    word: "power-off",
    meaning: "all processes gone at once, and the interfaces",
    apply: (world, host) => faults.powerOff(world, host),
  },
  {
    word: "link-down",
    argument: "[INTERFACE]",
    meaning: "ip link set INTERFACE down, inside the host",
    apply: (_, host, name) => faults.linkDown(host, name),
  },
  {
    word: "carrier-loss",
    argument: "[INTERFACE]",
    meaning: "the cable is pulled",
    apply: (_, host, name) => faults.carrierLoss(host, name),
  },
  {
    word: "partition",
    argument: "[INTERFACE]",
    meaning: "nothing passes, and the carrier stays",
    apply: (_, host, name) => faults.partition(host, name),
  },
  {
    word: "deaf",
    argument: "[INTERFACE]",
    meaning: "what is sent to the host is lost (nftables)",
    apply: (_, host, name) => faults.oneWayPartition(host, "in", name),
  },
  {
    word: "mute",
    argument: "[INTERFACE]",
    meaning: "what the host sends is lost (nftables)",
    apply: (_, host, name) => faults.oneWayPartition(host, "out", name),
  },
  {
    word: "loss",
    argument: "PERCENT",
    meaning: "each packet is lost with this probability (nftables)",
    apply: (_, host, percent) => faults.packetLoss(host, Number(percent)),
  },
  {
    word: "arp-drop",
    argument: "[INTERFACE]",
    meaning: "ARP is lost (nftables)",
    apply: (_, host, name) => faults.arpDrop(host, name),
  },
  {
    word: "no-multicast",
    argument: "[INTERFACE]",
    meaning: "the switch delivers no multicast to the host",
    apply: (_, host, name) => faults.multicastBlocked(host, name),
  },
  {
    word: "remove-address",
    argument: "ADDRESS/LENGTH",
    meaning: "a stranger removes an address of eth0",
    apply: (_, host, address) => faults.addressRemoved(host, address!),
  },
  {
    word: "cpu-hog",
    argument: "LOOPS",
    meaning: "so many endless loops",
    apply: (_, host, loops) => faults.cpuHog(host, Number(loops)),
  },
];

/** The user asked for what there is not. The message says what there is. */
class UnknownFault extends Error {
  override readonly name = "UnknownFault";
}

export function faultWord(word: string): FaultWord {
  const found = FAULT_WORDS.find((fault) => fault.word === word);
  if (found !== undefined) return found;
  const words = FAULT_WORDS.map((fault) => fault.word);
  const near = closest(word, words);
  const hint = near === undefined ? `there are: ${words.join(", ")}` : `did you mean '${near}'?`;
  throw new UnknownFault(`no fault '${word}'; ${hint}`);
}

async function signalAll(
  host: Host,
  program: string | undefined,
  name: NodeJS.Signals,
): Promise<void> {
  const pids = host.pidsOf(program ?? "");
  if (pids.length === 0) throw new UnknownFault(`nothing on '${host.name}' runs '${program}'`);
  for (const pid of pids) signal(pid, name);
}
