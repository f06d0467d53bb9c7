/**
 * Powers a host on: a network namespace of its own, and inside it a process 1 with its own
 * mount, PID, UTS and IPC namespaces. Two daemons never meet over a pid file, `/tmp` or a process
 * name, and when process 1 is killed the kernel kills everything else in the host in one go.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandFailed, SEARCH_PATH, ipBatch, spawnError } from "./command.ts";
import type { HostState, InterfaceState, WorldState } from "./plan.ts";
import { childrenOf } from "./process-table.ts";

/** What process 1 waits for. It is not one of the host's own programs. */
export const KEEPERS: readonly [string, string] = ["sleep infinity", "cat -"];

/**
 * Runs as process 1: arranges the view of the file system, says `ready`, collects orphans. Unless
 * it is to stay, it ends, and the host with it, when its standard input closes: so also when the
 * process that built the world is killed.
 */
const INIT = `
set -e
host=$1 directory=$2 stay=$3; shift 3
hostname "$host" 2>/dev/null || true
number=0
for kept in "$@"; do
  number=$((number + 1))
  mkdir -p "$directory/kept/$number"
  mount --rbind "$kept" "$directory/kept/$number"
done
chmod 1777 "$directory/tmp"
mount --bind "$directory/run" /run
mount --bind "$directory/tmp" /tmp
number=0
for kept in "$@"; do
  number=$((number + 1))
  mkdir -p "$kept"
  mount --move "$directory/kept/$number" "$kept"
done
mount -t tmpfs tmpfs /dev/shm 2>/dev/null || true
mount -t proc proc /proc 2>/dev/null || true
mount -t sysfs sysfs /sys 2>/dev/null || true
for scope in all default; do
  echo 0 > /proc/sys/net/ipv6/conf/$scope/accept_dad || true
done 2>/dev/null
ip link set lo up
echo ready
exec > /dev/null 2>&1 3<&0
if [ "$stay" = stay ]; then ${KEEPERS[0]} & else ${KEEPERS[1]} <&3 & fi
wait
`;

/** Where `ip netns` keeps its names. */
export const NETNS_DIRECTORY = "/run/netns";

/** Directories of this installation: programs in the host need them even when under `/tmp`. */
const INSTALLATION: readonly string[] = [
  resolve(dirname(fileURLToPath(import.meta.url)), "../.."),
  dirname(process.execPath),
].filter((path) => /^\/(tmp|run)\//.test(path));

/** Starts process 1 of a host whose network namespace exists. Sets `host.initPid`. */
export async function startInit(host: HostState, persistent: boolean): Promise<ChildProcess> {
  for (const name of ["run/lock", "tmp", "log"]) {
    mkdirSync(`${host.directory}/${name}`, { recursive: true, mode: 0o755 });
  }
  const into = ["nsenter", `--net=${NETNS_DIRECTORY}/${host.namespace}`, "--"];
  const apart = ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--"];
  const stay = persistent ? "stay" : "leave";
  // A file and not `-c`: the host's process list stays readable, and searchable.
  const script = `${host.directory}/init`;
  writeFileSync(script, INIT);
  const init = ["sh", script, host.name, host.directory, stay, ...INSTALLATION];
  const child = spawn(into[0]!, [...into.slice(1), ...apart, ...init], {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
    env: { PATH: SEARCH_PATH, LC_ALL: "C" },
  });
  await untilReady(child, host.name);
  host.initPid = childrenOf(child.pid!)[0];
  if (host.initPid === undefined) {
    throw new CommandFailed(["init", host.name], "unknown", ["", "process 1 ended at once"]);
  }
  // Nothing of it may keep the event loop alive; its input stays open as long as we live.
  child.unref();
  for (const stream of child.stdio) (stream as unknown as { unref?: () => void })?.unref?.();
  return child;
}

/** Lays the cables of a host and configures its ends of them. */
export async function connect(host: HostState, world: WorldState): Promise<void> {
  await ipBatch(
    host.interfaces.flatMap((link) => cable(host, link)),
    world.wire,
  );
  await ipBatch(host.interfaces.flatMap(configuration), host.namespace);
}

/** `ip` commands that give an interface what its plan says; harmless when it has that already. */
export function configuration(link: InterfaceState): string[] {
  const { name } = link;
  const mtu = link.mtu === undefined ? "" : ` mtu ${link.mtu}`;
  return [
    `link set ${name} address ${link.mac}${mtu} up`,
    ...link.addresses.map((a) => `addr replace ${a} dev ${name}${a.includes(":") ? " nodad" : ""}`),
    ...link.routes.map((r) => `${r.includes(":") ? "-6 " : ""}route replace ${r} dev ${name}`),
  ];
}

function cable(host: HostState, link: InterfaceState): string[] {
  const mtu = link.mtu === undefined ? "" : ` mtu ${link.mtu}`;
  return [
    `link add ${link.port} type veth peer name ${link.name} netns ${host.namespace}`,
    `link set ${link.port}${mtu} addrgenmode none master ${link.segment} up`,
  ];
}

function untilReady(child: ChildProcess, host: string): Promise<void> {
  return new Promise((resolveReady, reject) => {
    let complaint = "";
    child.stderr!.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
    child.stdout!.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes("ready")) resolveReady();
    });
    child.once("error", (error) => reject(spawnError(error, ["nsenter"])));
    child.once("exit", (code, signal) => {
      reject(new CommandFailed(["init", host], signal ?? code ?? "unknown", ["", complaint]));
    });
  });
}
