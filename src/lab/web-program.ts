/** Web servers of a world as operators handle them: by what runs in the host, whoever started it. */

import type { ProgramFacts } from "../core/drill/facts.ts";
import type { Host } from "./host.ts";
import { labProgram } from "./probe.ts";

/**
 * How the web server of a host is treated: every process of it. By /proc and the shell alone, as a
 * small machine has no procps; what looks for the program must not find itself.
 */
export function webProgram({ name }: Pick<Host, "name">, kind: "nginx" | "node"): ProgramFacts {
  const [find, start] =
    kind === "nginx"
      ? ["grep -lsx nginx /proc/[0-9]*/comm", "nginx -e stderr -c /run/nginx/nginx.conf"]
      : [
          "grep -lsz '/web-server[.][jt]s$' /proc/[0-9]*/cmdline",
          labProgram("web-server", name, "80").join(" "),
        ];
  const signal = (what: string): readonly string[] => {
    const all = `set -- $(${find} | cut -d/ -f3); test $# -gt 0`;
    return ["sh", "-c", `${all} && { kill -${what} "$@" 2>/dev/null; true; }`];
  };
  const log = "</dev/null >>/tmp/web.log 2>&1";
  return {
    host: name,
    kill: signal("KILL"),
    freeze: signal("STOP"),
    resume: signal("CONT"),
    start: ["sh", "-c", `${find} >/dev/null || { setsid ${start} ${log} & }`],
  };
}
