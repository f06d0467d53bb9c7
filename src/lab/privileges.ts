/** Who may build worlds: root, or anybody inside a user namespace of their own. */
import { spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { SEARCH_PATH } from "./command.ts";

export interface Permission {
  readonly ok: boolean;
  /** How: as we are, or after `enterUserNamespace`. */
  readonly by?: "root" | "user-namespace";
  /** Why, or why not, in one sentence. */
  readonly reason: string;
  /** What to do about it; empty when `ok`. */
  readonly hint: string;
}

/** Why this machine builds no worlds, and what to do about it: for users, who need no stack. */
export class NoWorlds extends Error {
  override readonly name = "NoWorlds";
}

const INSIDE = "NINES_USER_NAMESPACE";

/** Tries what a world needs first; changes nothing. */
export function canBuildWorlds(): Permission {
  for (const [tool, from] of TOOLS) {
    if (!succeeds([tool, tool === "ip" ? "-V" : "--version"])) {
      const hint = `apt-get install ${from}`;
      return { ok: false, reason: `'${tool}' is not installed here`, hint };
    }
  }
  if (isRoot() && succeeds(["unshare", "--net", "--mount", "--pid", "--fork", "true"])) {
    return { ok: true, by: "root", reason: "root may make namespaces", hint: "" };
  }
  if (succeeds(["unshare", ...NAMESPACES, "--pid", "--fork", "true"])) {
    const reason = "the kernel lets every user have a user namespace";
    return { ok: true, by: "user-namespace", reason, hint: "" };
  }
  const reason = isRoot()
    ? "root may not make namespaces here: a container without CAP_SYS_ADMIN"
    : "not root, and this kernel does not let users make user namespaces";
  const hint = isRoot()
    ? "start the container with --privileged (or --cap-add SYS_ADMIN,NET_ADMIN)"
    : "use sudo, or: sysctl kernel.unprivileged_userns_clone=1 (Debian), " +
      "kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), user.max_user_namespaces=10000";
  return { ok: false, reason, hint };
}

/**
 * Returns at once when worlds can be built as we are. Otherwise runs this very program again as
 * root of a new user namespace, gives it our terminal and signals, and exits as it did: whatever
 * follows the call runs there. Throws NoWorlds when neither is possible.
 */
export async function enterUserNamespace(): Promise<void> {
  if (process.env[INSIDE] !== undefined) return;
  const permission = canBuildWorlds();
  if (!permission.ok) throw new NoWorlds(`${permission.reason}; ${permission.hint}`);
  if (permission.by === "root") return;
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn("unshare", [...NAMESPACES, "--", "sh", "-c", PREPARE, "sh", ...again], {
    stdio: "inherit",
    env: { ...process.env, [INSIDE]: "1", PATH: SEARCH_PATH },
  });
  // The terminal sends Ctrl-C to both; only the child cleans up, and we end when it has.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGHUP", () => child.kill("SIGHUP"));
  const status = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, by) =>
      resolve(code ?? (by === null ? 1 : 128 + constants.signals[by])),
    );
  });
  process.exit(status);
}

const TOOLS: readonly (readonly [string, string])[] = [
  ["ip", "iproute2"],
  ["unshare", "util-linux"],
  ["nsenter", "util-linux"],
];

const NAMESPACES: readonly string[] = ["--user", "--map-root-user", "--net", "--mount"];

/** `ip netns` keeps its names in /run/netns, which belongs to the real root: take a /run of ours. */
const PREPARE = 'mount -t tmpfs tmpfs /run && mkdir /run/netns && exec "$@"';

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function succeeds(argv: readonly string[]): boolean {
  const env = { ...process.env, PATH: SEARCH_PATH };
  return spawnSync(argv[0]!, argv.slice(1), { stdio: "ignore", env }).status === 0;
}
