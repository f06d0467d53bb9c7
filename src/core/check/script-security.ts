/**
 * Whether a script may be run: rules over facts, so that `nines check` and the start of the
 * daemon judge alike. keepalived leaves out a script that it finds unsafe, and an address then
 * stays where nothing works; here it is always a mistake with a reason and a next move.
 */

/** Where a script without a slash is looked for; also the PATH that scripts get. */
export const SCRIPT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** keepalived runs scripts as this user when it exists and none was configured. */
export const DEFAULT_SCRIPT_USER = "keepalived_script";

/** One component of the script's path, root first, the script itself last. */
export interface PathFact {
  readonly path: string;
  readonly kind: "directory" | "file" | "other";
  readonly uid: number;
  readonly gid: number;
  /** Permission bits, 0-07777. */
  readonly mode: number;
}

export interface ScriptFacts {
  /** As it was written. */
  readonly script: string;
  /** Of the path with its links resolved, and of every link met on the way. */
  readonly components: readonly PathFact[];
  /** Why the file could not be looked at, e.g. `does not exist`. */
  readonly missing?: string;
  /** Who will run it. */
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

export interface ScriptProblem {
  /** `unsafe`: somebody could change what runs with these rights. */
  readonly kind: "missing" | "not-executable" | "unsafe";
  /** One sentence with the next move. */
  readonly reason: string;
}

const OWNER_WRITE = 0o200;
const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/** The first thing that is wrong with the script, or undefined. */
export function judgeScript(facts: ScriptFacts): ScriptProblem | undefined {
  const { script } = facts;
  if (facts.missing !== undefined) {
    const reason = `script ${script} ${facts.missing}; correct the path`;
    return { kind: "missing", reason };
  }
  const file = facts.components.at(-1);
  if (file === undefined || file.kind !== "file") {
    return { kind: "not-executable", reason: `script ${script} is not a file` };
  }
  if (!mayExecute(file, facts)) {
    const reason = `script ${script} may not be executed by ${facts.user}; chmod +x ${file.path}`;
    return { kind: "not-executable", reason };
  }
  for (const component of facts.components) {
    const why = facts.uid === 0 ? unsafeForRoot(component) : writableByOthers(component);
    if (why !== undefined) {
      const reason = `script ${script} is unsafe to run as ${facts.user}: ${why}`;
      return { kind: "unsafe", reason };
    }
  }
  return undefined;
}

function mayExecute(file: PathFact, as: { readonly uid: number; readonly gid: number }): boolean {
  if (as.uid === 0) return (file.mode & 0o111) !== 0;
  if (file.uid === as.uid) return (file.mode & 0o100) !== 0;
  return (file.mode & (file.gid === as.gid ? 0o010 : 0o001)) !== 0;
}

/** keepalived's `enable_script_security`: nobody but root may change any part of the path. */
function unsafeForRoot(component: PathFact): string | undefined {
  const { path, uid, gid, mode } = component;
  // In a sticky directory others cannot replace what is root's; its entries are judged themselves.
  const sticky = component.kind === "directory" && (mode & STICKY) !== 0;
  if (uid !== 0 && (mode & OWNER_WRITE) !== 0) {
    return `${path} belongs to user ${uid}, who can change it; chown root ${path}`;
  }
  if (gid !== 0 && (mode & GROUP_WRITE) !== 0 && !sticky) {
    return `${path} can be changed by group ${gid}; chmod g-w ${path}`;
  }
  if ((mode & OTHERS_WRITE) !== 0 && !sticky) {
    return `${path} can be changed by everybody; chmod o-w ${path}`;
  }
  return undefined;
}

function writableByOthers(component: PathFact): string | undefined {
  if (component.kind !== "file" || (component.mode & OTHERS_WRITE) === 0) return undefined;
  return `${component.path} can be changed by everybody; chmod o-w ${component.path}`;
}
